// Images per second of a network: `bench_networks cnn|lenet train|infer BATCH THREADS SECONDS`.
// Its peer is benchmarks/peers/networks.py, which does the same work in PyTorch.

#include <ebb/ebb.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace ebb;

/// The tutorial's CNN.
struct Cnn {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}};
  nn::Conv2d<> conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64};
  nn::Linear<> fc2{64, 10};

  auto operator()(const auto& x) const {
    return fc2(relu(fc1(flatten(relu(conv2(relu(conv1(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

/// LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition",
/// Proc. IEEE 86 (1998), with today's rectifiers and max pooling.
struct LeNet5 {
  nn::Conv2d<> conv1{1, 6, 5, {.padding = 2}};
  nn::Conv2d<> conv2{6, 16, 5};
  nn::Linear<> fc1{16 * 5 * 5, 120};
  nn::Linear<> fc2{120, 84};
  nn::Linear<> fc3{84, 10};

  auto operator()(const auto& x) const {
    const auto y = max_pool2d(relu(conv2(max_pool2d(relu(conv1(x)), 2))), 2);
    return fc3(relu(fc2(relu(fc1(flatten(y))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
    f("fc3", self.fc3);
  }
};

/// Calls `step` until `seconds` have passed, after three calls to warm up; returns calls per
/// second.
template <class Step>
double rate(double seconds, Step step) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < 3; ++i) step();
  const auto start = Clock::now();
  for (int calls = 1;; ++calls) {
    step();
    const double passed = std::chrono::duration<double>(Clock::now() - start).count();
    if (passed >= seconds) return calls / passed;
  }
}

template <class Net>
double images_per_second(bool train, Index batch, double seconds) {
  Net net;
  const Tensor<float, 4> images({batch, 1, 28, 28});
  nn::init::uniform(images);
  Tensor<int, 1> labels(Shape{batch});
  for (Index i = 0; i < batch; ++i) labels(i) = static_cast<int>(i % 10);
  if (!train) {
    float kept = 0;  // read each result, so that none is computed in vain
    const double calls = rate(seconds, [&] { kept += net(images).data()[0]; });
    if (kept == 12345.0f) std::puts("");
    return calls * static_cast<double>(batch);
  }
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.01, .momentum = 0.9});
  return static_cast<double>(batch) * rate(seconds, [&] {
           Tape tape;
           opt.zero_grad();
           backward(cross_entropy(net(tape.input(images)), labels));
           opt.step();
         });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "usage: %s cnn|lenet train|infer BATCH THREADS SECONDS\n", arguments[0]);
    return 2;
  }
  const std::string network = arguments[1];
  const bool train = std::string(arguments[2]) == "train";
  const Index batch = std::atoll(arguments[3]);
  set_num_threads(std::atoi(arguments[4]));
  const double seconds = std::atof(arguments[5]);
  const double rate = network == "lenet" ? images_per_second<LeNet5>(train, batch, seconds)
                                         : images_per_second<Cnn>(train, batch, seconds);
  std::printf("{\"images_per_s\": %.1f}\n", rate);
}
