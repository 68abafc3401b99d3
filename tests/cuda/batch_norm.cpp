#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// batch_norm with running statistics of its own on the operands' device.
struct Normalise {
  bool training;
  template <class X, class W>
  auto operator()(const X& x, const W& weight, const W& bias) const {
    using T = scalar_of<X>;
    using Device = device_of<X>;
    const Index channels = value(weight).size();
    const auto mean = to<Device>(test::random<T>(Shape{channels}, 7, -1, 1));
    const auto variance = to<Device>(test::random<T>(Shape{channels}, 8, 1, 2));
    BatchNormOptions options;
    options.training = training;
    return batch_norm(x, mean, variance, weight, bias, options);
  }
};

}  // namespace

TEST_CASE("cuda: batch_norm agrees with the CPU") {
  for (const bool training : {true, false}) {
    const Normalise f{training};
    CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{3, 5, 7, 3}, 1),
                  test::random<float>(Shape{5}, 2), test::random<float>(Shape{5}, 3));
    CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{9, 4}, 1),
                  test::random<double>(Shape{4}, 2), test::random<double>(Shape{4}, 3));
  }
}
