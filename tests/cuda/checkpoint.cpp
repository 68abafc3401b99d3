// Runs on the GPU that are saved, and go on.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/io/checkpoint.hpp>
#include <ebb/train/evaluate.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

#include <unistd.h>

#include <cstdio>

using namespace ebb;

namespace {

template <class Device>
auto network() {
  manual_seed(4);
  return nn::Sequential(nn::Conv2d<float, Device>(1, 2, 3, {.padding = 1}),
                        nn::BatchNorm2d<float, Device>(2), relu, flatten,
                        nn::Dropout<float, Device>(0.3), nn::Linear<float, Device>(32, 3));
}

using Net = decltype(network<Cuda>());
using Adam = optim::Optimizer<optim::AdamW>;

/// Captured steps with the batches [first, last).
void train(Net& net, Adam& opt, auto& schedule, int first, int last) {
  const Tensor<int, 1> labels({4}, {0, 2, 1, 2});
  const auto batch = [](int i) {
    return test::random<float>(Shape<4>{4, 1, 4, 4}, 90u + static_cast<unsigned>(i));
  };
  auto step = capture(
      [&](const auto& x, const auto& y) {
        Tape tape;
        const auto loss = cross_entropy(net(tape.input(x)), y);
        opt.zero_grad();
        backward(loss);
        opt.step();
        schedule.step();
        return loss;
      },
      batch(0), labels);
  for (int i = first; i < last; ++i) step(batch(i), labels);
}

/// Weights, buffers, the optimizer's state and numbers, and where random numbers are.
template <class Device, class N>
std::vector<double> everything(N& net, Adam& opt) {
  std::vector<double> all;
  nn::visit_state(net, [&](const std::string&, const auto& part) {
    for (const auto v : part.value().values()) all.push_back(static_cast<double>(v));
  });
  opt.visit_state<Device>([&](const std::string&, auto& x) {
    for (const auto v : x.values()) all.push_back(static_cast<double>(v));
  });
  opt.visit_numbers<Device>([&](const std::string&, double& number) { all.push_back(number); });
  all.push_back(static_cast<double>(default_generator().next));
  return all;
}

struct File {
  std::string path = "/tmp/ebb-cuda-checkpoint-" + std::to_string(::getpid());
  ~File() { std::remove(path.c_str()); }
};

}  // namespace

TEST_CASE("cuda: a run that was saved goes on with the same bits") {
  const optim::AdamW rule{.lr = 0.02};
  const optim::CosineLr cosine{.steps = 9};
  const File file;

  Net whole = network<Cuda>();
  Adam opt(whole, rule);
  optim::Scheduler schedule(opt, cosine);
  train(whole, opt, schedule, 0, 4);
  io::save_checkpoint<Cuda>(file.path, whole, opt, {.epoch = 4}, schedule);
  const auto saved = everything<Cuda>(whole, opt);
  train(whole, opt, schedule, 4, 8);
  const auto expected = everything<Cuda>(whole, opt);

  Net resumed = network<Cuda>();
  Adam other(resumed, rule);
  optim::Scheduler other_schedule(other, cosine);
  train(resumed, other, other_schedule, 3, 7);  // whatever it did before, and its graphs, are gone
  CHECK(io::load_checkpoint<Cuda>(file.path, resumed, other, other_schedule).epoch == 4);
  CHECK(everything<Cuda>(resumed, other) == saved);
  train(resumed, other, other_schedule, 4, 8);
  CHECK(everything<Cuda>(resumed, other) == expected);

  // The file says nothing of a device.
  auto on_cpu = network<Cpu>();
  Adam host(on_cpu, rule);
  optim::Scheduler host_schedule(host, cosine);
  io::load_checkpoint(file.path, on_cpu, host, host_schedule);
  CHECK(everything<Cpu>(on_cpu, host) == saved);
}

TEST_CASE("cuda: a checkpoint says where the optimizer's parameters are when it is not told") {
  Net net = network<Cuda>();
  Adam opt(net, {});
  const File file;
  CHECK_THROWS_WITH(io::save_checkpoint(file.path, net, opt),
                    Catch::Matchers::Contains("some parameters are not on device cpu") &&
                        Catch::Matchers::Contains("opt.visit_state<Device>(f)"));
}
