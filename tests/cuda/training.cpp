#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/nn/copy_state.hpp>

#include "tests/cuda/compare.hpp"
#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class Device, class T, int N>
Param<Tensor<T, N, Device>> weights(const Shape<N>& shape, std::uint64_t seed) {
  return to<Device>(test::random<T>(shape, seed, -0.4, 0.4));
}

/// A convolution and two dense layers.
template <class T, class Device>
struct Net {
  Param<Tensor<T, 4, Device>> filters = weights<Device, T>(Shape<4>{4, 2, 3, 3}, 1);
  Param<Tensor<T, 1, Device>> shift = weights<Device, T>(Shape<1>{4}, 2);
  Param<Tensor<T, 2, Device>> first = weights<Device, T>(Shape<2>{33, 120}, 3);
  Param<Tensor<T, 1, Device>> first_bias = weights<Device, T>(Shape<1>{33}, 4);
  Param<Tensor<T, 2, Device>> second = weights<Device, T>(Shape<2>{5, 33}, 5);
  Param<Tensor<T, 1, Device>> second_bias = weights<Device, T>(Shape<1>{5}, 6);
  auto operator()(const auto& x) const {
    const auto features = relu(conv2d(x, filters, shift, {.padding = 1}));
    const auto hidden = relu(linear(flatten(features), first, first_bias));
    return linear(hidden, second, second_bias);
  }
  static void visit(auto& self, auto&& f) {
    f("filters", self.filters);
    f("shift", self.shift);
    f("first", self.first);
    f("first_bias", self.first_bias);
    f("second", self.second);
    f("second_bias", self.second_bias);
  }
};

/// Losses of some steps, then all weights.
template <class T, class Device, class R>
std::vector<T> trained(const Net<T, Cpu>& start, const R& rule) {
  Net<T, Device> net;
  nn::copy_state(start, net);
  optim::Optimizer opt(net, rule);
  std::vector<T> result;
  for (int step = 0; step < 4; ++step) {
    const auto x = to<Device>(test::random<T>(Shape<4>{19, 2, 5, 6}, 50 + step));
    Tensor<int, 1> labels({19});
    for (int i = 0; i < 19; ++i) labels.mutable_data()[i] = (i * 3 + step) % 5;
    opt.zero_grad();
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(x)), to<Device>(labels));
    backward(loss);
    if constexpr (std::is_same_v<Device, Cuda>)
      optim::clip_grad_norm<Cuda>(net, 0.5);
    else
      optim::clip_grad_norm(net, 0.5);
    opt.step();
    result.push_back(loss.value().item());
  }
  Net<T, Cpu> back;
  nn::copy_state(net, back);
  nn::visit_parameters(back, [&](const std::string&, const auto& p) {
    for (const T v : p.value().values()) result.push_back(v);
  });
  return result;
}

template <class T, class R>
void check_training(const R& rule, double tolerance) {
  const Net<T, Cpu> start;
  const auto cpu = trained<T, Cpu>(start, rule), cuda = trained<T, Cuda>(start, rule);
  CHECK(test::deviation(cuda, cpu) <= tolerance);
  CHECK(trained<T, Cuda>(start, rule) == cuda);
}

}  // namespace

TEST_CASE("cuda: training steps of a small network agree with the CPU, with the same bits again") {
  const optim::Sgd sgd{.lr = 0.05, .momentum = 0.9};
  const optim::Adam adam{.lr = 0.01};
  check_training<float>(sgd, test::near_float);
  check_training<double>(sgd, test::near_double);
  check_training<double>(adam, test::near_double);
  // Adam divides a gradient by its own size, so what rounding does to a gradient near zero becomes
  // part of a whole step: of one weight the first is -1.0e-7 where the largest is 0.1, and the two
  // devices differ by some per cent of it. That weight is 5.4e-5 apart after four steps (2.9e-5 of
  // the largest number, a loss), all others 4e-6 at most.
  check_training<float>(adam, 1e-4);
}

TEST_CASE("copy_state: networks of other parts are told apart") {
  const nn::Linear<> small(3, 2);
  nn::Linear<> other(3, 4), bare(3, 2, {.bias = false});
  CHECK_THROWS_WITH(nn::copy_state(small, other), Contains("weight has shape"));
  CHECK_THROWS_WITH(nn::copy_state(small, bare), Contains("no part bias"));
}
