#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/bounds.hpp"

#include <thread>

using namespace ebb;
using cuda::Precision;

namespace {

void check_gemm(Index batch, Index m, Index n, Index k) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const auto a = test::random<float>(ta ? Shape<3>{batch, k, m} : Shape<3>{batch, m, k}, 1);
      const auto b = test::random<float>(tb ? Shape<3>{batch, n, k} : Shape<3>{batch, k, n}, 2);
      test::check_bounds(Shape<3>{batch, m, n}, k, a, b,
                         [&](auto device, const auto& u, const auto& v, const auto& y) {
                           gemm(device, kernel::Transposed{ta, tb}, u, v, y);
                         });
    }
}

/// Lets small problems use large tiles while it lives.
struct LargeTiles {
  Index before = kernel::detail::many_tiles;
  LargeTiles() { kernel::detail::many_tiles = 1; }
  ~LargeTiles() { kernel::detail::many_tiles = before; }
};

}  // namespace

TEST_CASE("cuda: gemm in tf32 and bf16 keeps to its bounds") {
  check_gemm(1, 1, 1, 1);
  check_gemm(2, 35, 70, 21);
  check_gemm(1, 36, 72, 20);
  check_gemm(1, 8, 12, 600);
  const LargeTiles scope;
  check_gemm(1, 68, 132, 40);
  check_gemm(1, 129, 67, 19);
}

TEST_CASE("cuda: conv2d in tf32 and bf16 keeps to its bounds") {
  test::check_conv_bounds({2, 3, 7, 5}, {5, 3, 3, 3}, {.padding = 1});
  test::check_conv_bounds({2, 4, 8, 9}, {6, 4, 3, 3}, {.stride = 2, .padding = 1});
  test::check_conv_bounds({2, 8, 4, 6}, {12, 8, 1, 1}, {});
  test::check_conv_bounds({2, 6, 5, 4}, {10, 3, 3, 3}, {.padding = 2, .dilation = 2, .groups = 2});
  const LargeTiles scope;
  test::check_conv_bounds({2, 66, 6, 6}, {70, 66, 3, 3}, {.padding = 1});
  test::check_conv_bounds({2, 68, 6, 8}, {72, 68, 1, 1}, {});
}

TEST_CASE("cuda: products are strict unless asked, and each thread's scopes are its own") {
  CHECK(cuda::precision() == Precision::fp32);
  const struct Strict {
    ~Strict() { cuda::set_precision(Precision::fp32); }
  } afterwards;
  cuda::set_precision(Precision::bf16);
  CHECK(cuda::precision() == Precision::bf16);
  {
    const cuda::PrecisionScope scope(Precision::tf32);
    CHECK(cuda::precision() == Precision::tf32);
    Precision elsewhere{};
    std::thread([&] { elsewhere = cuda::precision(); }).join();
    CHECK(elsewhere == Precision::bf16);
    {
      const cuda::PrecisionScope inner(Precision::fp32);
      CHECK(cuda::precision() == Precision::fp32);
    }
    CHECK(cuda::precision() == Precision::tf32);
  }
}
