#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

#include <thread>

using namespace ebb;
using cuda::Precision;

namespace {

/// How far a product may be from the exact one, relative to the product of the absolute values of
/// its factors. Rounding to b bits after the point moves a factor by u = 2^-(b+1) of itself at
/// most, so a product of two by 2u + u^2; and each of k additions in float by 2^-24 of the sum so
/// far, or 2^-23 where it is truncated, as tensor cores may.
double bound(Precision precision, Index k) {
  const double u = precision == Precision::tf32   ? std::exp2(-11)
                   : precision == Precision::bf16 ? std::exp2(-8)
                                                  : 0;
  return 2 * u + u * u + static_cast<double>(k) * std::exp2(-23);
}

template <class To, class T, int N>
Tensor<To, N> absolute(const Tensor<T, N>& x, bool all_positive) {
  Tensor<To, N> y(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    y.mutable_data()[i] = static_cast<To>(all_positive ? std::fabs(x.data()[i]) : x.data()[i]);
  return y;
}

/// The largest error of `kernel(device, a, b, into)` on Cuda in units of its bound, over whatever
/// was in `into` before.
template <int N, int A, class Kernel>
double error_in_bounds(Precision precision, const Shape<N>& shape, Index k,
                       const Tensor<float, A>& a, const Tensor<float, A>& b, const Kernel& kernel) {
  const auto on_cpu = [&](bool all_positive) {
    Tensor<double, N> y(shape);
    const auto u = absolute<double>(a, all_positive), v = absolute<double>(b, all_positive);
    kernel(Cpu{}, u.view(), v.view(), Into<double, N>{y.mutable_data(), shape});
    return y;
  };
  const auto expected = on_cpu(false), scale = on_cpu(true);
  const auto u = to<Cuda>(a), v = to<Cuda>(b);
  Tensor<float, N, Cuda> y(shape);
  {
    const cuda::PrecisionScope scope(precision);
    kernel(Cuda{}, u.view(), v.view(), Into<float, N>{y.mutable_data(), shape});
  }
  const auto got = y.values();
  double worst = 0;
  for (Index i = 0; i < expected.size(); ++i) {
    const double error =
        std::fabs(static_cast<double>(got[static_cast<std::size_t>(i)]) - expected.data()[i]);
    if (!(error <= 1e30)) return INFINITY;
    worst = std::fmax(worst, error / (bound(precision, k) * scale.data()[i]));
  }
  return worst;
}

/// Within its bound, and not so far within it that it was not rounded at all.
template <int N, int A, class Kernel>
void check_bounds(const Shape<N>& shape, Index k, const Tensor<float, A>& a,
                  const Tensor<float, A>& b, const Kernel& kernel) {
  CHECK(error_in_bounds(Precision::fp32, shape, k, a, b, kernel) <= 1);
  for (const Precision precision : {Precision::tf32, Precision::bf16}) {
    const double error = error_in_bounds(precision, shape, k, a, b, kernel);
    CAPTURE(to_string(shape), k, to_string(a.shape()), static_cast<int>(precision));
    CHECK(error <= 1);
    CHECK(error > 0.01);
  }
}

void check_gemm(Index batch, Index m, Index n, Index k) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const auto a = test::random<float>(ta ? Shape<3>{batch, k, m} : Shape<3>{batch, m, k}, 1);
      const auto b = test::random<float>(tb ? Shape<3>{batch, n, k} : Shape<3>{batch, k, n}, 2);
      check_bounds(Shape<3>{batch, m, n}, k, a, b,
                   [&](auto device, const auto& u, const auto& v, const auto& y) {
                     gemm(device, Transposed{ta, tb}, u, v, y);
                   });
    }
}

void check_conv(const Shape<4>& x_shape, const Shape<4>& w_shape, const Conv2dOptions& options) {
  const Conv2dGeometry g = detail::conv2d_geometry("", x_shape, w_shape, options);
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = test::random<float>(x_shape, 1), w = test::random<float>(w_shape, 2);
  const auto dy = test::random<float>(y_shape, 3);
  check_bounds(y_shape, g.taps(), x, w,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 using T = std::remove_cvref_t<decltype(*y.data)>;
                 conv2d_forward(device, g, u, v, View<const T, 1>{}, y.view());
               });
  check_bounds(x_shape, g.group_out() * g.kernel.area(), dy, w,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 using T = std::remove_cvref_t<decltype(*y.data)>;
                 conv2d_grad_input(device, g, u, v, View<const T, 1>{}, y);
               });
  check_bounds(w_shape, g.batch * g.output.area(), x, dy,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 conv2d_grad_weight(device, g, u, v, y);
               });
}

/// Lets small problems use large tiles while it lives.
struct LargeTiles {
  Index before = detail::many_tiles;
  LargeTiles() { detail::many_tiles = 1; }
  ~LargeTiles() { detail::many_tiles = before; }
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
  check_conv({2, 3, 7, 5}, {5, 3, 3, 3}, {.padding = 1});
  check_conv({2, 4, 8, 9}, {6, 4, 3, 3}, {.stride = 2, .padding = 1});
  check_conv({2, 8, 4, 6}, {12, 8, 1, 1}, {});
  check_conv({2, 6, 5, 4}, {10, 3, 3, 3}, {.padding = 2, .dilation = 2, .groups = 2});
  const LargeTiles scope;
  check_conv({2, 66, 6, 6}, {70, 66, 3, 3}, {.padding = 1});
  check_conv({2, 68, 6, 8}, {72, 68, 1, 1}, {});
}

TEST_CASE("cuda: products are strict unless asked, and each thread's scopes are its own") {
  CHECK(cuda::precision() == Precision::fp32);
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
  cuda::set_precision(Precision::fp32);
}
