// fit with captured steps, beside fit itself.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/data/drawn/stroke_digits.hpp>
#include <ebb/data/load/cuda_loader.cuh>
#include <ebb/train/fit.cuh>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class Device = Cuda>
struct Net {
  nn::Linear<float, Device> fc1{64, 8};
  nn::Dropout<float, Device> drop{0.2};
  nn::Linear<float, Device> fc2{8, 10};

  auto operator()(const auto& images) const { return fc2(drop(relu(fc1(flatten(images))))); }
  static void visit(auto& self, auto&& f) {
    f("fc1", self.fc1);
    f("drop", self.drop);
    f("fc2", self.fc2);
  }
};

const data::Dataset<>& digits() {
  static const auto images = data::stroke_digits(22, {.size = 8, .seed = 3});
  return images;
}

/// Batches of 8, 8 and 6.
auto batches() {
  return data::Loader(digits(), {.batch_size = 8, .shuffle = true, .seed = 5, .resident = true},
                      Cuda{});
}

/// What a run came to: means of epochs, weights, counts, where random numbers are.
struct Trained {
  std::vector<double> means;
  std::vector<float> weights;
  std::int64_t steps = 0;
  Generator generator;
};

template <class Fit>
Trained trained(Fit&& fit, FitOptions options = {}) {
  manual_seed(3);
  Net<> net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1, .momentum = 0.9});
  optim::Scheduler schedule(opt, optim::CosineLr{.steps = 12});
  auto loader = batches();
  options.epochs = 4;
  options.clip_norm = 1;
  options.on_step = [&](const StepFacts&) { schedule.step(); };
  Trained result;
  for (const auto& e : fit(net, opt, loader, options).epochs)
    for (const double v : {e.loss, e.accuracy, e.lr, static_cast<double>(e.samples)})
      result.means.push_back(v);
  nn::visit_parameters(net, [&](const std::string&, const auto& p) {
    for (const float v : p.value().values()) result.weights.push_back(v);
  });
  result.steps = opt.steps();
  result.generator = default_generator();
  return result;
}

constexpr auto eager = [](auto& net, auto& opt, auto& loader, const FitOptions& options) {
  return fit(net, opt, loader, options);
};
constexpr auto captured = [](auto& net, auto& opt, auto& loader, const FitOptions& options) {
  return fit_captured(net, opt, loader, options);
};

}  // namespace

TEST_CASE("cuda: fit_captured gives the bits of fit, a smaller last batch included") {
  const Trained expected = trained(eager), found = trained(captured);
  CHECK(found.weights == expected.weights);
  CHECK(found.generator == expected.generator);
  CHECK(found.steps == 12);
  REQUIRE(found.means.size() == expected.means.size());
  REQUIRE(found.means.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) CHECK(std::abs(found.means[i] - expected.means[i]) <= 1e-12);
#if defined(EBB_GPU_EMULATOR)
  gpu::emulator::config.late = true;
  CHECK(trained(captured).weights == expected.weights);
  gpu::emulator::config.late = false;
#endif
}

TEST_CASE("cuda: fit_captured does not wait for the loss of a step, and tells that of an epoch") {
  Net<> net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  auto loader = batches();
  std::vector<double> losses;
  int epochs = 0;
  const auto history = fit_captured(
      net, opt, loader,
      {.epochs = 2,
       .on_step = [&](const StepFacts& at) { losses.push_back(at.loss); },
       .on_epoch = [&](const EpochFacts& e) { epochs += std::isfinite(e.loss) ? 1 : 0; }});
  CHECK(losses.size() == 6);
  for (const double loss : losses) CHECK(std::isnan(loss));
  CHECK(epochs == 2);
  CHECK(history.epochs[1].samples == 22);
}

TEST_CASE("cuda: fit_captured takes batches of the host, stops and is interrupted like fit") {
  Net<> net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  data::Loader host(digits(), {.batch_size = 8});
  const auto stopped =
      fit_captured(net, opt, host, CrossEntropy{},
                   {.epochs = 5, .stop = [](const EpochFacts& e) { return e.epoch == 2; }});
  CHECK(stopped.stopped);
  CHECK(stopped.epochs.size() == 2);
  int asked = 0;
  const auto interrupted =
      fit_captured(net, opt, host, {.epochs = 5, .interrupted = [&] { return ++asked == 5; }});
  CHECK(interrupted.interrupted);
  CHECK(interrupted.epochs.size() == 1);
  CHECK(opt.steps() == 11);  // six, and then five
}

TEST_CASE(
    "cuda: fit_captured tells of a loss that is not finite, and keeps the weights before it") {
  struct Batch {
    Tensor<float, 2> x;
    Tensor<int, 1> y;
  };
  const auto batch = [](float scale) {
    return Batch{Tensor<float, 2>({2, 2}, {1, scale, scale, 0}), Tensor<int, 1>({2}, {0, 1})};
  };
  const std::vector<Batch> fine{batch(1), batch(2)},
      bad{batch(1), batch(2), batch(std::numeric_limits<float>::infinity()), batch(1), batch(2)};
  nn::Linear<float, Cuda> net(2, 2);
  const auto start = net.weight.value().values(), bias = net.bias.value().values();
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.5});
  fit_captured(net, opt, fine, {});
  const auto good = net.weight.value().values();
  net.weight.set(Tensor<float, 2, Cuda>::from({2, 2}, start));
  net.bias.set(Tensor<float, 1, Cuda>::from({2}, bias));
  CHECK_THROWS_WITH(fit_captured(net, opt, bad, {}),
                    Contains("at step 3 of epoch 1. A smaller learning rate"));
  CHECK(net.weight.value().values() == good);
  CHECK(good != start);
}

TEST_CASE("cuda: a tally counts as Accuracy and RunningMean do") {
  CudaTally tally;
  Accuracy accuracy;
  RunningMean mean;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // Two images of two positions and three classes: a draw, nan, an ignored label.
  const Tensor<float, 3> scores({2, 3, 2}, {1, 5, 1, 2, 0, 1, nan, 7, 2, 7, 1, 9});
  const Tensor<int, 2> labels({2, 2}, {0, 0, 1, -100}), draws({2, 2}, {1, 2, 0, 2});
  for (const auto& y : {labels, draws}) {
    tally.add_scores(to<Cuda>(scores), to<Cuda>(y));
    accuracy.add(scores, y);
  }
  for (const Index count : {3, 5}) {
    tally.add(to<Cuda>(Tensor<float, 0>(static_cast<float>(count) / 7)), count);
    mean.add(static_cast<double>(static_cast<float>(count) / 7), count);
  }
  const auto totals = tally.read();
  CHECK(static_cast<Index>(totals.correct) == accuracy.correct());
  CHECK(static_cast<Index>(totals.labels) == accuracy.count());
  CHECK(accuracy.correct() == 3);
  CHECK(accuracy.count() == 7);
  CHECK(std::abs(totals.loss() - mean.value()) < 1e-12);
  CHECK(totals.samples == 8);
  CHECK(totals.steps == 2);
  CHECK(totals.bad_step == 0);
  tally.reset();
  CHECK(tally.read().labels == 0);
  CHECK(tally.read().loss() == 0);
  CHECK_THROWS_WITH(tally.add_scores(to<Cuda>(scores), Tensor<int, 2, Cuda>(Shape{2, 3})),
                    Contains("need labels of shape (2, 2)"));
}
