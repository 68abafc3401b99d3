#include <ebb/train/fit.hpp>

#include <ebb/data/drawn/stroke_digits.hpp>
#include <ebb/data/load/loader.hpp>
#include <ebb/nn/nn.hpp>
#include <ebb/ops/elementwise/dropout.hpp>
#include <ebb/ops/elementwise/log.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/loss/mse_loss.hpp>
#include <ebb/ops/shape/flatten.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/optim/stopping.hpp>
#include <ebb/train/curves.hpp>
#include <ebb/train/evaluate.hpp>

#include <cmath>
#include <limits>

#include "tests/support/match.hpp"

using namespace ebb;
using ebb::test::Approx;
using ebb::test::contains;

namespace {

/// A layer that the call leaves out.
struct Idle {
  nn::Linear<> line{1, 1}, idle{1, 1};
  auto operator()(const auto& v) const { return line(v); }
  static void visit(auto& self, auto&& f) {
    f("line", self.line);
    f("idle", self.idle);
  }
};

struct Net {
  nn::Linear<> fc1{64, 16};
  nn::Dropout<> dropout{0.2};
  nn::Linear<> fc2{16, 10};

  auto operator()(const auto& images) const { return fc2(dropout(relu(fc1(flatten(images))))); }
  static void visit(auto& self, auto&& f) {
    f("fc1", self.fc1);
    f("dropout", self.dropout);
    f("fc2", self.fc2);
  }
};

const data::Dataset<>& digits() {
  static const data::Dataset<> images = data::stroke_digits(200, {.size = 8, .seed = 3});
  return images;
}

data::Loader<data::Dataset<>> make_loader() {
  return data::Loader(digits(), {.batch_size = 32, .shuffle = true, .seed = 5});
}

std::vector<float> weights(const Net& net) {
  std::vector<float> all;
  nn::visit_parameters(net, [&](const std::string&, const auto& p) {
    const auto values = p.value().values();
    all.insert(all.end(), values.begin(), values.end());
  });
  return all;
}

}  // namespace

TEST_CASE("fit gives the same bits as the open loop") {
  manual_seed(1);
  Net open;
  optim::Optimizer open_optimizer(open, optim::Sgd{.lr = 0.1, .momentum = 0.9});
  auto open_loader = make_loader();
  double first_loss = -1;
  for (int epoch = 1; epoch <= 3; ++epoch)
    for (const auto& [x, y] : open_loader) {
      Tape tape;
      const auto loss = cross_entropy(open(tape.input(x)), y);
      if (first_loss < 0) first_loss = static_cast<double>(loss.item());
      open_optimizer.zero_grad();
      backward(loss);
      open_optimizer.step();
    }

  manual_seed(1);
  Net net;
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1, .momentum = 0.9});
  auto loader = make_loader();
  std::vector<double> losses;
  const History history =
      fit(net, optimizer, loader,
          {.epochs = 3, .on_step = [&](const StepFacts& step) { losses.push_back(step.loss); }});
  CHECK(weights(net) == weights(open));
  CHECK(losses.size() == 3 * 7);  // 200 images in batches of 32
  CHECK(losses[0] == first_loss);
  REQUIRE(history.epochs.size() == 3);
  CHECK(history.epochs[2].epoch == 3);
  CHECK(history.epochs[2].samples == 200);
  CHECK(history.epochs[2].lr == 0.1);
  CHECK(history.epochs[2].loss < history.epochs[0].loss);
  CHECK(history.epochs[2].accuracy > history.epochs[0].accuracy);
  CHECK_FALSE(history.epochs[2].validation.has_value());
  CHECK_FALSE(history.interrupted);
  CHECK_FALSE(history.stopped);
}

TEST_CASE("evaluate agrees with its definition, and does not train") {
  manual_seed(2);
  Net net;
  nn::name_parameters(net);
  const auto before = weights(net);
  data::Loader loader(digits(), {.batch_size = 77});  // 77, 77, 46
  ConfusionMatrix confusion(10);
  const Evaluation result = evaluate(net, loader, confusion);
  CHECK(weights(net) == before);
  CHECK(result.count == 200);
  CHECK(confusion.count() == 200);
  CHECK(confusion.correct() == result.correct);

  data::Loader whole(digits(), {.batch_size = 200});
  for (const auto& [x, y] : whole) {
    const auto logits = net(x);
    CHECK(result.loss == Approx(static_cast<double>(cross_entropy(logits, y).item())));
    Accuracy accuracy;
    accuracy.add(logits, y);
    CHECK(accuracy.correct() == result.correct);
    CHECK(accuracy.value() == result.accuracy());
  }
}

TEST_CASE("callbacks, validation, clipping and early stopping") {
  manual_seed(1);
  Net net;
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
  auto loader = make_loader();
  std::vector<int> seen;
  optim::Stopping patience({.max_steps = 2});
  const History history =
      fit(net, optimizer, loader,
          {.epochs = 10,
           .clip_norm = 1.0,
           .clip_value = 0.5,
           .validate = [&] { return evaluate(net, loader); },
           .on_epoch =
               [&](const EpochFacts& e) {
                 seen.push_back(e.epoch);
                 optimizer.set_lr(optimizer.lr() / 2);  // a schedule
               },
           .stop = [&](const EpochFacts& e) { return patience(e.validation->loss); }});
  CHECK(seen == std::vector<int>{1, 2});
  CHECK(history.stopped);
  CHECK(history.epochs[0].validation->count == 200);
  CHECK(history.epochs[0].lr == 0.1);
  CHECK(history.epochs[1].lr == 0.05);
}

TEST_CASE("a clipped step is no longer than allowed") {
  manual_seed(1);
  Net net;
  const auto before = weights(net);
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 1.0});
  data::Loader loader(digits(), {.batch_size = 200});
  fit(net, optimizer, loader, {.epochs = 1, .clip_norm = 0.01});
  const auto after = weights(net);
  double moved = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double d = static_cast<double>(after[i]) - static_cast<double>(before[i]);
    moved += d * d;
  }
  CHECK(std::sqrt(moved) == Approx(0.01).epsilon(0.01));
}

TEST_CASE("an interrupted fit leaves its epoch unfinished; a resumed one counts on") {
  manual_seed(1);
  Net net;
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
  auto loader = make_loader();
  int steps = 0;
  const History history =
      fit(net, optimizer, loader, {.epochs = 3, .interrupted = [&] { return ++steps == 10; }});
  CHECK(history.interrupted);
  CHECK(history.epochs.size() == 1);
  CHECK(steps == 10);
  const History rest = fit(net, optimizer, loader, {.epochs = 3, .first_epoch = 3});
  REQUIRE(rest.epochs.size() == 1);
  CHECK(rest.epochs[0].epoch == 3);
  CHECK(fit(net, optimizer, loader, {.epochs = 0}).epochs.empty());
  CHECK_THROWS_AS(fit(net, optimizer, loader, {.epochs = -1}), ValueError);
  CHECK_THROWS_AS(fit(net, optimizer, loader, {.epochs = 1, .first_epoch = 0}), ValueError);
}

TEST_CASE("nothing to learn from is a sentence; nothing to evaluate on is an empty result") {
  manual_seed(1);
  Net net;
  const auto before = weights(net);
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
  data::Loader none(digits().subset({}), {.batch_size = 32});
  CHECK_THROWS_WITH(fit(net, optimizer, none, {.epochs = 2}),
                    contains("fit: the loader gave no batches in epoch 1") && contains("empty?"));
  CHECK_THROWS_AS(fit(net, optimizer, none, {.epochs = 2}), ValueError);
  ConfusionMatrix confusion(10);
  const Evaluation result = evaluate(net, none, confusion);
  CHECK(result.loss == 0);
  CHECK(result.count == 0);
  CHECK(result.accuracy() == 0);
  CHECK(confusion.count() == 0);

  // A batch of none among others.
  using Batch = std::pair<Tensor<float, 4>, Tensor<int, 1>>;
  std::vector<Batch> batches{{Tensor<float, 4>::ones({3, 1, 8, 8}), Tensor<int, 1>({3}, {1, 2, 3})},
                             {Tensor<float, 4>({0, 1, 8, 8}), Tensor<int, 1>({0})}};
  CHECK_THROWS_WITH(fit(net, optimizer, std::vector<Batch>{batches[1]}, {.epochs = 1}),
                    contains("fit: batch 1 of epoch 1 has no samples"));
  CHECK(weights(net) == before);
  const Evaluation of_three = evaluate(net, batches);
  CHECK(of_three.count == 3);
  CHECK(of_three.loss == evaluate(net, std::vector<Batch>{batches[0]}).loss);
}

TEST_CASE("a loss that is not a number stops training and names the first operation to blame") {
  manual_seed(1);
  auto loader = make_loader();

  SECTION("a broken weight") {
    Net net;
    optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
    net.fc2.weight.value()(3, 5) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(fit(net, optimizer, loader, {.epochs = 1}),
                      contains("fit: the loss is") &&
                          contains("at step 1 of epoch 1. linear (layer fc2)") &&
                          contains("first operation"));
    CHECK_THROWS_AS(fit(net, optimizer, loader, {.epochs = 1}), NumericError);
  }
  SECTION("a learning rate that is too high") {
    Net net;
    optim::Optimizer optimizer(net, optim::Sgd{.lr = 1e30});
    CHECK_THROWS_WITH(fit(net, optimizer, loader, {.epochs = 5}),
                      contains("(layer fc") && contains("Lower the learning rate"));
  }
  SECTION("an operation without parameters") {
    Net net;
    optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
    const auto loss = [](const auto& scores, const auto& labels) {
      return cross_entropy(log(scores), labels);  // the logarithm of negative numbers
    };
    CHECK_THROWS_WITH(fit(net, optimizer, loader, loss, {.epochs = 1}), contains(". log: element"));
  }
}

TEST_CASE("fit takes any loss and any range of batches") {
  // y = 2 x, without classes: no accuracy.
  struct Pair {
    Tensor<float, 2> x, y;
  };
  const Tensor<float, 2> x({4, 1}, {-1, 0, 1, 2}), y({4, 1}, {-2, 0, 2, 4});
  const std::vector<Pair> batches{{x, y}};
  nn::Linear<> line(1, 1);
  optim::Optimizer optimizer(line, optim::Sgd{.lr = 0.1, .momentum = 0.5});
  const auto loss = [](const auto& scores, const auto& targets) {
    return mse_loss(scores, targets);
  };
  const History history = fit(line, optimizer, batches, loss, {.epochs = 200});
  CHECK(line.weight.value()(0, 0) == Approx(2).margin(1e-4));
  CHECK(std::isnan(history.epochs.back().accuracy));
  CHECK(history.epochs.back().loss < 1e-6);
  const Evaluation result = evaluate_with(loss, line, batches);
  CHECK(result.loss < 1e-6);
  CHECK(result.count == 4);
  CHECK(history.unreached.empty());

  // A layer that the call leaves out is told, in the history and where progress is shown.
  Idle net;
  optim::Optimizer other(net, optim::Sgd{.lr = 0.1});
  std::FILE* const shown = std::tmpfile();
  const History told = fit(net, other, batches, loss, {.epochs = 2, .progress = shown});
  CHECK(told.unreached == std::vector<std::string>{"idle.weight", "idle.bias"});
  std::rewind(shown);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), shown));
  std::fclose(shown);
  CHECK(text.find("no gradient has reached idle.weight, idle.bias;") != std::string::npos);
}

TEST_CASE("curves need an epoch") { CHECK_THROWS_AS(plot::curves("x.svg", {}), ValueError); }
