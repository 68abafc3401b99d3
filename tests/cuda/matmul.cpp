#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// gemm on Cuda beside gemm on the CPU, over what c held before where `add` says so.
template <class T>
double gemm_apart(kernel::Transposed transposed, Index batch, Index m, Index n, Index k, bool add) {
  const auto a = test::random<T>(transposed.a ? Shape<3>{batch, k, m} : Shape<3>{batch, m, k}, 1);
  const auto b = test::random<T>(transposed.b ? Shape<3>{batch, n, k} : Shape<3>{batch, k, n}, 2);
  const auto expected = test::random<T>(Shape<3>{batch, m, n}, 3);
  const auto got = to<Cuda>(expected.clone());
  gemm(Cpu{}, transposed, a.view(), b.view(),
       Into<T, 3>{expected.mutable_data(), expected.shape(), add});
  const auto on_gpu_a = to<Cuda>(a), on_gpu_b = to<Cuda>(b);
  gemm(Cuda{}, transposed, on_gpu_a.view(), on_gpu_b.view(),
       Into<T, 3>{got.mutable_data(), got.shape(), add});
  return test::deviation(got, expected);
}

template <class T>
void check_all_ways(Index batch, Index m, Index n, Index k, double tolerance) {
  for (const bool a : {false, true})
    for (const bool b : {false, true}) {
      CAPTURE(batch, m, n, k, a, b);
      CHECK(gemm_apart<T>({a, b}, batch, m, n, k, false) <= tolerance);
      CHECK(gemm_apart<T>({a, b}, batch, m, n, k, true) <= tolerance);
    }
}

/// Makes kernels use 64-bit indices while it lives.
struct LongIndices {
  Index before = gpu::short_indices;
  LongIndices() { gpu::short_indices = 0; }
  ~LongIndices() { gpu::short_indices = before; }
};

}  // namespace

TEST_CASE("cuda: gemm agrees with the CPU in small tiles, transposed or not") {
  check_all_ways<float>(1, 1, 1, 1, near_float);
  check_all_ways<float>(1, 5, 3, 7, near_float);
  check_all_ways<float>(3, 33, 31, 17, near_float);
  check_all_ways<float>(2, 8, 36, 20, near_float);  // packs
  check_all_ways<double>(2, 7, 33, 19, near_double);
  check_all_ways<double>(1, 34, 6, 32, near_double);
}

TEST_CASE("cuda: gemm agrees with the CPU in middle, wide and large tiles") {
  check_all_ways<float>(8, 67, 130, 19, near_float);
  check_all_ways<float>(16, 68, 72, 36, near_float);
  check_all_ways<float>(100, 9, 130, 5, near_float);
  check_all_ways<float>(100, 12, 20, 4, near_float);
  check_all_ways<float>(49, 129, 65, 9, near_float);
  check_all_ways<float>(96, 72, 68, 20, near_float);
  check_all_ways<double>(8, 66, 70, 18, near_double);
}

TEST_CASE("cuda: gemm cuts long sums in pieces") {
  check_all_ways<float>(1, 3, 5, 1000, near_float);
  check_all_ways<float>(2, 40, 36, 777, near_float);
  check_all_ways<double>(1, 10, 10, 515, near_double);
}

TEST_CASE("cuda: gemm of many elements counts in 64 bits") {
  const LongIndices scope;
  check_all_ways<float>(2, 33, 70, 40, near_float);
  check_all_ways<float>(1, 5, 6, 700, near_float);
}

TEST_CASE("cuda: gemm of nothing is zero, or leaves what was there") {
  CHECK(gemm_apart<float>({}, 1, 3, 4, 0, false) == 0);
  CHECK(gemm_apart<float>({}, 1, 3, 4, 0, true) == 0);
  CHECK(gemm_apart<float>({}, 0, 3, 4, 2, false) == 0);
  CHECK(gemm_apart<float>({}, 2, 0, 4, 2, false) == 0);
}

TEST_CASE("cuda: matmul agrees with the CPU, forward and backward") {
  const auto multiply = [](const auto& a, const auto& b) { return matmul(a, b); };
  CHECK_ON_CUDA(near_float, multiply, test::random<float>(Shape{20, 33}),
                test::random<float>(Shape{33, 17}, 2));
  CHECK_ON_CUDA(near_float, multiply, test::random<float>(Shape{3, 20, 8}),
                test::random<float>(Shape{3, 8, 12}, 2));
  CHECK_ON_CUDA(near_double, multiply, test::random<double>(Shape{3, 5, 8}),
                test::random<double>(Shape{8, 12}, 2));
}

TEST_CASE("cuda: linear agrees with the CPU, with bias and relu") {
  const auto plain = [](const auto& x, const auto& w) { return linear(x, w); };
  const auto with_bias = [](const auto& x, const auto& w, const auto& b) {
    return linear(x, w, b);
  };
  const auto rectified = [](const auto& x, const auto& w, const auto& b) {
    return linear(x, w, b, Activation::relu);
  };
  const auto x = test::random<float>(Shape{9, 40}), w = test::random<float>(Shape{10, 40}, 2);
  const auto b = test::random<float>(Shape{10}, 3);
  CHECK_ON_CUDA(near_float, plain, x, w);
  CHECK_ON_CUDA(near_float, with_bias, x, w, b);
  CHECK_ON_CUDA(near_float, rectified, x, w, b);
  CHECK_ON_CUDA(near_float, rectified, test::random<float>(Shape{3, 70, 600}),
                test::random<float>(Shape{37, 600}, 2), test::random<float>(Shape{37}, 3));
  CHECK_ON_CUDA(near_double, rectified, test::random<double>(Shape{2, 3, 5}),
                test::random<double>(Shape{7, 5}, 2), test::random<double>(Shape{7}, 3));
}

TEST_CASE("cuda: linear takes activations and an addition in, as on the CPU") {
  for (const Activation& activation : test::some_activations) {
    CAPTURE(activation.kind);
    const auto all = [&](const auto& x, const auto& w, const auto& b, const auto& s) {
      return linear(x, w, b, activation, s);
    };
    CHECK_ON_CUDA(near_float, all, test::random<float>(Shape{9, 40}, 1),
                  test::random<float>(Shape{10, 40}, 2), test::random<float>(Shape{10}, 3),
                  test::random<float>(Shape{9, 10}, 4));
    CHECK_ON_CUDA(near_float, all, test::random<float>(Shape{2, 600}, 1),
                  test::random<float>(Shape{3, 600}, 2), test::random<float>(Shape{3}, 3),
                  test::random<float>(Shape{2, 3}, 4));
  }
}

TEST_CASE("cuda: a bias and a relu keep nan") {
  auto x = test::random<float>(Shape{4, 6});
  x.mutable_data()[7] = NAN;
  CHECK_ON_CUDA(
      near_float,
      [](const auto& v, const auto& w, const auto& b) { return linear(v, w, b, Activation::relu); },
      x, test::random<float>(Shape{5, 6}, 2), test::random<float>(Shape{5}, 3));
}
