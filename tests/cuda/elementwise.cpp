#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// Both sides of every kink, tails beyond the packs, and numbers where formulas change.
template <class T>
Tensor<T, 2> points(double low, double high) {
  return test::random<T>(Shape{7, 43}, 1, low, high);
}

template <class F>
void check_function(F f, double low = -3, double high = 3) {
  CHECK_ON_CUDA(1e-6, f, points<float>(low, high));
  CHECK_ON_CUDA(near_double, f, points<double>(low, high));
}

}  // namespace

TEST_CASE("cuda: activations agree with the CPU") {
  check_function(relu);
  check_function(sigmoid);
  check_function([](const auto& x) { return tanh(x); });
  check_function(gelu, -6, 6);
  check_function(gelu_tanh);
  check_function(silu);
  check_function(relu6);
  check_function(hard_swish);
  check_function(elu);
  check_function([](const auto& x) { return elu(x, 0.5); });
  check_function(leaky_relu);
  check_function([](const auto& x) { return leaky_relu(x, 0.2); });
  check_function(softplus, -30, 30);
  check_function([](const auto& x) { return softplus(x, 2.0, 3.0); });
}

TEST_CASE("cuda: elementary functions agree with the CPU") {
  check_function([](const auto& x) { return exp(x); });
  check_function([](const auto& x) { return log(x); }, 0.01, 9);
  check_function([](const auto& x) { return sqrt(x); }, 0.01, 9);
  check_function([](const auto& x) { return square(x); });
  check_function([](const auto& x) { return abs(x); });
  check_function([](const auto& x) { return clamp(x, -1.0, 2.0); });
  check_function([](const auto& x) { return sin(x); });
  check_function([](const auto& x) { return cos(x); });
  check_function([](const auto& x) { return pow(x, 3); });
  check_function([](const auto& x) { return pow(x, 0.5); }, 0.1, 4);
  check_function([](const auto& x) { return pow(2.0, x); });
}

TEST_CASE("cuda: arithmetic with numbers agrees with the CPU") {
  check_function([](const auto& x) { return -x; });
  check_function([](const auto& x) { return x + 3; });
  check_function([](const auto& x) { return 3 - x; });
  check_function([](const auto& x) { return x - 0.5; });
  check_function([](const auto& x) { return 2.5 * x; });
  check_function([](const auto& x) { return x / 3; });
  check_function([](const auto& x) { return 3 / x; }, 0.2, 2);
}

TEST_CASE("cuda: infinities, zeros and nan are what they are on the CPU") {
  const float inf = INFINITY;
  const auto x = Tensor<float, 1>({9}, {-inf, inf, NAN, 0, -0.0f, 1e-42f, -1e30f, 1e30f, 100});
  CHECK_ON_CUDA(
      1e-6, [](const auto& v) { return relu(v); }, x);
  CHECK_ON_CUDA(
      1e-6, [](const auto& v) { return exp(v); }, x);
  CHECK_ON_CUDA(
      1e-6, [](const auto& v) { return log(v); }, x);
  CHECK_ON_CUDA(
      1e-6, [](const auto& v) { return sqrt(v); }, x);
  CHECK_ON_CUDA(
      1e-6, [](const auto& v) { return tanh(v); }, x);
  CHECK_ON_CUDA(1e-6, sigmoid, x);
}

TEST_CASE("cuda: elementwise functions of every length, and of none") {
  for (const Index n : {0, 1, 3, 4, 5, 8, 255, 1030})
    CHECK_ON_CUDA(1e-6, silu, test::random<float>(Shape{n}, 1));
  CHECK_ON_CUDA(1e-6, silu, Tensor<float, 0>(0.3f));
}

TEST_CASE("cuda: 64-bit indices give the same bits") {
  const auto x = points<float>(-3, 3);
  const auto with_short = test::outcome<Cuda>(gelu, x);
  gpu::short_indices = 10;
  const auto with_long = test::outcome<Cuda>(gelu, x);
  gpu::short_indices = std::numeric_limits<int>::max();
  CHECK(with_short == with_long);
}

TEST_CASE("cuda: a temporary is written over") {
  const auto x = to<Cuda>(points<float>(-3, 3));
  Tensor<float, 2, Cuda> y = x.clone();
  const float* const memory = y.data();
  const auto z = relu(std::move(y));
  CHECK(z.data() == memory);
  CHECK(z.values() == relu(x).values());
}

TEST_CASE("cuda: a comparison of two devices fails where they differ") {
  const auto wrong = [](const auto& x) {
    constexpr bool on_cuda = std::is_same_v<device_of<std::remove_cvref_t<decltype(x)>>, Cuda>;
    return x * (on_cuda ? 1.00001 : 1.0);
  };
  CHECK_FALSE(test::compare(1e-6, wrong, points<float>(-3, 3)).passed);
}
