// What the tape costs: bench_tape SECONDS. Nanoseconds of recording and reversing an operation on
// scalars, the operation included, and the bytes it holds meanwhile, its value's buffer included;
// and the share of a step of a deep network of tiny layers that is not spent in its kernels.

#include "benchmarks/clock.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>

namespace {

using namespace ebb;

constexpr Index batch = 16, width = 32;
constexpr int depth = 50;

struct Deep {
  std::vector<nn::Linear<>> layers;

  Deep() {
    for (int i = 0; i < depth; ++i) layers.push_back({width, width, {.activation = relu}});
  }
  auto operator()(auto x) const {
    for (const auto& layer : layers) x = layer(x);
    return x;
  }
};

/// Forward and backward through all layers, by the tape.
void taped_step(const Deep& net, const Tensor<float, 2>& x) {
  Tape tape;
  backward(sum(net(tape.watch(x))));
}

/// The same kernels, called one after the other on buffers that are there.
struct ByHand {
  struct Layer {
    Tensor<float, 2> y{Shape<2>{batch, width}}, dy{Shape<2>{batch, width}},
        dw{Shape<2>{width, width}};
    Tensor<float, 1> db{Shape<1>{width}};
  };
  std::vector<Layer> layers{depth};
  Tensor<float, 2> dx{Shape<2>{batch, width}};
  Tensor<float, 0> total{Shape<0>{}};

  template <int N>
  static Into<float, N> into(const Tensor<float, N>& t) {
    return {t.mutable_data(), t.shape(), false};
  }

  void step(const Deep& net, const Tensor<float, 2>& x) {
    const auto layer = [&](int i) -> Layer& { return layers[static_cast<std::size_t>(i)]; };
    const auto input = [&](int i) { return i == 0 ? x : layer(i - 1).y; };
    const auto weights = [&](int i) -> const auto& {
      return net.layers[static_cast<std::size_t>(i)];
    };
    for (int i = 0; i < depth; ++i)
      linear_forward<float>(Cpu{}, input(i).view(), weights(i).weight.value().view(),
                            layer(i).y.mut(),
                            {weights(i).bias.value().data(), nullptr, Activation::relu});
    total = sum(layer(depth - 1).y);
    std::fill_n(layer(depth - 1).dy.mutable_data(), batch * width, 1.0f);
    for (int i = depth; i-- > 0;) {
      const Layer& l = layer(i);
      map_backward(Cpu{}, relu, l.y.view(), l.dy.view(), into(l.dy));
      gemm(Cpu{}, {}, l.dy.view(), weights(i).weight.value().view(),
           into(i > 0 ? layer(i - 1).dy : dx));
      gemm(Cpu{}, {.a = true}, l.dy.view(), input(i).view(), into(l.dw));
      sum_rows(Cpu{}, l.dy.view(), into(l.db));
    }
  }
};

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s SECONDS\n", words[0]);
    return 2;
  }
  set_num_threads(1);
  const auto one = Tensor<float, 0>::ones(Shape<0>{});
  const auto record = [&](int operations, auto operation, Tape& tape) {
    auto x = tape.watch(one);
    for (int i = 0; i < operations; ++i) x = operation(x);
    return x;
  };
  const auto time_of = [&](auto operation) {
    constexpr int operations = 1000;
    return 1e9 / operations * bench::median_time(std::atof(words[1]), [&] {
             Tape tape;
             backward(record(operations, operation, tape));
           });
  };
  const auto bytes_of = [&](auto operation) {
    constexpr int operations = 100000;  // the tape grows by blocks
    const auto before = Cpu::stats().bytes_in_use;
    Tape tape;
    const auto last = record(operations, operation, tape);
    return static_cast<double>(Cpu::stats().bytes_in_use - before) / operations;
  };
  const auto sine = [](const auto& x) { return sin(x); };
  const auto product = [](const auto& x) { return x * x; };
  std::printf(
      "{\"sin\": {\"ns\": %.1f, \"bytes\": %.0f}, \"x * x\": {\"ns\": %.1f, \"bytes\": %.0f}",
      time_of(sine), bytes_of(sine), time_of(product), bytes_of(product));

  const Deep net;
  const Tensor<float, 2> x(Shape<2>{batch, width});
  nn::init::uniform(x, -1, 1);
  ByHand by_hand;
  const double taped = bench::median_time(std::atof(words[1]), [&] { taped_step(net, x); });
  const double kernels = bench::median_time(std::atof(words[1]), [&] { by_hand.step(net, x); });
  std::printf(", \"deep\": {\"us\": %.1f, \"kernels us\": %.1f}}\n", 1e6 * taped, 1e6 * kernels);
}
