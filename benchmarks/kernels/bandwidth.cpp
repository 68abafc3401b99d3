// Operations that memory bounds: bench_bandwidth THREADS SECONDS. Prints, for each, the bytes that
// must be read and written at least, and the seconds it takes; backward passes are timed together
// with their forward pass. Operands are larger than the caches.

#include "benchmarks/clock.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>
#include <string>

namespace {

using namespace ebb;

double seconds_each = 0.2;
const char* before = "{";

void report(const char* name, double bytes, double time) {
  std::printf("%s\"%s\": {\"bytes\": %.0f, \"seconds\": %.4g}", before, name, bytes, time);
  before = ",\n ";
}

/// Times f(x), and f(x) with its backward pass. `forward` and `backward` count the passes over an
/// array of the size of x that each makes at least.
template <int N, class F>
void measure(const std::string& name, const Shape<N>& shape, double forward, double backward, F f) {
  const Tensor<float, N> x(shape);
  nn::init::uniform(x, -1, 1);
  const double bytes = 4.0 * static_cast<double>(x.size());
  report(name.c_str(), forward * bytes,
         bench::median_time(seconds_each, [&] { return f(x).size(); }));
  const auto slopes = tensor_of<decltype(f(x))>::ones(f(x).shape());
  report((name + " and backward").c_str(), (forward + backward) * bytes,
         bench::median_time(seconds_each, [&] {
           Tape tape;
           ebb::backward(f(tape.watch(x)), slopes);
         }));
}

struct OneParameter {
  Param<Tensor<float, 1>> weight;
  static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

/// An update rule on one parameter.
template <class Rule>
void update(const char* name, double passes, Rule rule) {
  const Index n = Index{12} << 20;
  const OneParameter net{Tensor<float, 1>::ones(Shape{n})};
  optim::Optimizer opt(net, rule);
  {
    Tape tape;
    backward(sum(net.weight * tape.input(Tensor<float, 1>::ones(Shape{n}))));
  }
  report(name, passes * 4 * static_cast<double>(n),
         bench::median_time(seconds_each, [&] { opt.step(); }));
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
  set_num_threads(std::atoi(words[1]));
  seconds_each = std::atof(words[2]);

  const Shape images{64, 64, 56, 56};  // 49 MiB
  measure("relu", images, 2, 3, [](const auto& x) { return relu(x); });
  measure("add", images, 3, 0, [](const auto& x) { return x + x; });
  // With a backward pass to come, the largest of a window is written with its position.
  measure("max_pool2d 2", images, 1.25, 1.75, [](const auto& x) { return max_pool2d(x, 2); });
  measure("max_pool2d 3, stride 2", images, 1.25, 1.75, [](const auto& x) {
    return max_pool2d(x, MaxPool2dOptions{.kernel = 3, .stride = 2, .padding = 1});
  });
  measure("avg_pool2d 2", images, 1.25, 1.25, [](const auto& x) { return avg_pool2d(x, 2); });
  // Statistics, then the values; backward: sums of x and dy, then dx.
  const nn::BatchNorm2d<> norm(64, {.track_running_stats = false});
  measure("batch_norm2d", images, 3, 5, norm);
  measure("softmax 10", Shape{1 << 20, 10}, 2, 3, [](const auto& x) { return softmax(x, 1); });
  measure("softmax 100", Shape{1 << 17, 100}, 2, 3, [](const auto& x) { return softmax(x, 1); });
  measure("softmax 4096", Shape{3072, 4096}, 2, 3, [](const auto& x) { return softmax(x, 1); });
  measure("dropout", images, 2, 2, [](const auto& x) { return dropout(x, 0.5); });
  update("sgd", 3, optim::Sgd{.lr = 1e-6});
  update("sgd, momentum", 5, optim::Sgd{.lr = 1e-6, .momentum = 0.9});
  update("adam", 7, optim::Adam{.lr = 1e-6});
  std::puts("}");
}
