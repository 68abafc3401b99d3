#include "recipe.hpp"

#include "batches.hpp"

#include <ebb/data/augment/random.hpp>
#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/schedule/one_cycle.hpp>
#include <ebb/optim/schedule/scheduler.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/train/metrics.hpp>

#include <chrono>
#include <numeric>

using ebb::Index;
namespace data = ebb::data;
namespace optim = ebb::optim;

namespace {

const auto began = std::chrono::steady_clock::now();

// Adds the time since it was last asked to a sum.
class Stopwatch {
 public:
  void lap(double& sum) {
    const double now = clock_now();
    sum += now - last_;
    last_ = now;
  }

 private:
  double last_ = clock_now();
};

void test(const Net& net, const data::Dataset<>& images, Outcome& outcome) {
  std::vector<Index> all(static_cast<std::size_t>(images.size()));
  std::iota(all.begin(), all.end(), Index{0});
  ebb::Accuracy accuracy;
  constexpr Index most = 250;
  Batch batch(std::min(most, images.size()));
  for (Index first = 0; first < images.size(); first += most) {
    if (images.size() - first < batch.labels.size()) batch = Batch(images.size() - first);
    fill(batch, images, all.data() + first, nullptr, 0);
    accuracy.add(net(batch.images), batch.labels);
  }
  outcome.correct = accuracy.correct();
  outcome.count = accuracy.count();
}

}  // namespace

double clock_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

Outcome race(const Recipe& recipe, const data::TrainTest& mnist) {
  const auto& [train, tests] = mnist;
  const Index per_epoch = train.size() / recipe.batch_size;
  const auto steps = static_cast<Index>(recipe.epochs * static_cast<double>(per_epoch));
  for (const auto* part : {&train, &tests})
    if (part->channels() != 1 || !(part->image_size() == ebb::Size2(28)) ||
        part->class_count() > 10)
      throw ebb::ValueError("speedrun takes grey images of 28x28 pixels in up to 10 classes");
  if (steps < 1)
    throw ebb::ValueError(ebb::message(
        "there are ", train.size(), " training images; one step alone takes ", recipe.batch_size));

  ebb::manual_seed(recipe.seed);
  const Net net;
  optim::Optimizer optimizer(
      net, optim::Sgd{.lr = recipe.lr, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true});
  // Up for a quarter of the steps, down for the rest, to almost nothing.
  optim::Scheduler schedule(optimizer, optim::OneCycleLr{.max_lr = recipe.lr,
                                                         .total_steps = steps,
                                                         .pct_start = 0.25,
                                                         .anneal = optim::Anneal::linear,
                                                         .cycle_momentum = false,
                                                         .div_factor = 10,
                                                         .final_div_factor = 100});
  const ebb::CrossEntropyOptions<float> loss_options{.label_smoothing = 0.05};

  Outcome outcome;
  Stopwatch watch;
  std::vector<Index> order;
  Batch batch(recipe.batch_size);
  for (Index step = 0; step < steps; ++step) {
    const Index at = step % per_epoch, first = at * recipe.batch_size;
    const auto random =
        data::derive({recipe.seed, 0}, static_cast<std::uint64_t>(step / per_epoch));
    if (at == 0) order = data::permutation(train.size(), data::derive(random, 0));
    const auto shifts = data::derive(random, 1);
    fill(batch, train, order.data() + first, &shifts, first);
    watch.lap(outcome.batches);

    ebb::Tape tape;
    optimizer.zero_grad();
    const auto loss = cross_entropy(net(tape.input(batch.images)), batch.labels, loss_options);
    watch.lap(outcome.forward);
    backward(loss);
    watch.lap(outcome.backward);
    optimizer.step();
    schedule.step();
    watch.lap(outcome.update);
  }
  test(net, tests, outcome);
  watch.lap(outcome.evaluation);
  return outcome;
}
