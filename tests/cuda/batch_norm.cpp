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

/// In training and by given statistics.
template <class T, int N>
void check_batch_norm(double tolerance, const Shape<N>& shape, double low = -1, double high = 1) {
  for (const bool training : {true, false})
    CHECK_ON_CUDA(tolerance, Normalise{training}, test::random<T>(shape, 1, low, high),
                  test::random<T>(Shape{shape[1]}, 2), test::random<T>(Shape{shape[1]}, 3));
}

/// The buffers of a layer after three steps of training, and what it makes of a tensor then.
template <class Device>
std::vector<std::vector<double>> trained_layer() {
  nn::BatchNorm2d<float, Device> layer(3);
  for (std::uint64_t step = 0; step < 3; ++step) {
    Tape tape;
    const auto x = to<Device>(test::random<float>(Shape{4, 3, 5, 6}, step, -1, 2));
    const auto y = layer(tape.watch(x));
    backward(y, x.clone());
  }
  const auto x = to<Device>(test::random<float>(Shape{2, 3, 4, 4}, 9));
  return {test::detail::numbers(layer.running_mean.value()),
          test::detail::numbers(layer.running_var.value()),
          test::detail::numbers(layer.num_batches_tracked.value()),
          test::detail::numbers(layer(x)),
          test::detail::numbers(layer.weight.grad()),
          test::detail::numbers(layer.bias.grad())};
}

}  // namespace

TEST_CASE("cuda: batch_norm agrees with the CPU") {
  check_batch_norm<float>(near_float, Shape{3, 5, 7, 3});   // planes that no packs fit into,
  check_batch_norm<float>(near_float, Shape{2, 3, 8, 12});  // that they do,
  check_batch_norm<float>(near_float, Shape{2, 2, 40, 40}, 99, 101);  // in several parts
  check_batch_norm<float>(near_float, Shape{3, 40, 2, 3});            // small planes, by columns
  check_batch_norm<float>(near_float, Shape{150, 37});                // rows, by columns in parts
  check_batch_norm<double>(near_double, Shape{9, 4});
  check_batch_norm<double>(near_double, Shape{2, 3, 6, 6});
}

TEST_CASE("cuda: batch_norm with 64-bit indices") {
  const test::WideIndices wide;
  check_batch_norm<float>(near_float, Shape{2, 3, 8, 12});
  check_batch_norm<float>(near_float, Shape{9, 4});
}

TEST_CASE("cuda: a batch_norm layer tracks the statistics that it tracks on the CPU") {
  const auto cuda = trained_layer<Cuda>(), cpu = trained_layer<Cpu>();
  REQUIRE(cuda.size() == cpu.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    INFO("result " << i);
    CHECK(test::deviation(cuda[i], cpu[i]) <= near_float);
  }
  CHECK(cuda[2] == std::vector<double>{3});
}
