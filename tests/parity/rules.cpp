// Every update rule, schedule and clipping, beside PyTorch in double: tests/oracle/rules.py.

#include "follow.hpp"

#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>

using namespace ebb;
using namespace parity;

namespace {

auto network() {
  return nn::Sequential(nn::Linear<double>(6, 8), Tanh{}, nn::Linear<double>(8, 3));
}

/// The class of a row is where its first three entries are largest.
template <class X>
auto largest_of_three(const X& x) {
  return argmax(slice(value(x), 1, 0, 3), 1);
}

const auto loss_of = [](const auto& net, const auto& data) {
  const auto x = data.input(Shape{10, 6});
  return cross_entropy(net(x), largest_of_three(x));
};

template <class Rule, class Before = Nothing>
void follow_rule(Fixture& fixture, const char* name, Rule rule, Before before = {}) {
  follow_with(
      fixture, name, network(), loss_of, [=](auto& net) { return optim::Optimizer(net, rule); },
      before);
}

/// Checks the rate of every step against PyTorch's.
template <class S>
void follow_schedule(Fixture& fixture, const char* name, S schedule) {
  INFO("schedule " << name);
  const std::vector<double> expected = fixture.take(name)["lr"];
  const nn::Linear<double> net(1, 1);
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  optim::Scheduler scheduler(opt, schedule);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    INFO("step " << step);
    CHECK(std::abs(opt.lr() - expected[step]) <= 1e-12 * expected[step] + 1e-15);
    opt.step();
    scheduler.step();
  }
}

}  // namespace

TEST_CASE("PyTorch parity: update rules") {
  using namespace optim;
  Fixture f("rules.json", "gd", "sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "nadam",
            "lion");
  follow_rule(f, "gd", GradientDescent{.lr = 0.5});
  follow_rule(f, "sgd", Sgd{.lr = 0.5});
  follow_rule(f, "sgd momentum", Sgd{.lr = 0.1, .momentum = 0.9});
  follow_rule(f, "sgd dampening", Sgd{.lr = 0.3, .momentum = 0.9, .dampening = 0.5});
  follow_rule(f, "sgd nesterov", Sgd{.lr = 0.1, .momentum = 0.9, .nesterov = true});
  follow_rule(f, "sgd weight decay", Sgd{.lr = 0.3, .weight_decay = 0.05});
  follow_rule(f, "sgd momentum, nesterov, weight decay",
              Sgd{.lr = 0.1, .momentum = 0.8, .weight_decay = 0.02, .nesterov = true});
  follow_rule(f, "adagrad", Adagrad{.lr = 0.2});
  follow_rule(
      f, "adagrad decay",
      Adagrad{.lr = 0.2, .lr_decay = 0.05, .weight_decay = 0.02, .initial_accumulator_value = 0.1});
  follow_rule(f, "rmsprop", RMSprop{.lr = 0.01});
  follow_rule(f, "rmsprop centered, momentum, weight decay",
              RMSprop{.lr = 0.01,
                      .alpha = 0.9,
                      .eps = 1e-6,
                      .weight_decay = 0.02,
                      .momentum = 0.5,
                      .centered = true});
  follow_rule(f, "rmsprop momentum", RMSprop{.lr = 0.005, .momentum = 0.9});
  follow_rule(f, "adadelta", Adadelta{.lr = 1.0});
  follow_rule(f, "adadelta rho 0.8, weight decay",
              Adadelta{.lr = 2.0, .rho = 0.8, .eps = 1e-4, .weight_decay = 0.02});
  follow_rule(f, "adam", Adam{.lr = 0.02});
  follow_rule(f, "adam betas, weight decay",
              Adam{.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.05});
  follow_rule(f, "adam amsgrad", Adam{.lr = 0.02, .beta1 = 0.9, .beta2 = 0.9, .amsgrad = true});
  follow_rule(f, "adamw", AdamW{.lr = 0.02});
  follow_rule(f, "adamw amsgrad, weight decay 0.3",
              AdamW{.lr = 0.02, .beta1 = 0.9, .beta2 = 0.9, .weight_decay = 0.3, .amsgrad = true});
  follow_rule(f, "nadam", NAdam{.lr = 0.02});
  follow_rule(f, "nadam weight decay",
              NAdam{.lr = 0.02, .weight_decay = 0.05, .momentum_decay = 0.01});
  follow_rule(f, "lion", Lion{.lr = 0.01});
  follow_rule(f, "lion weight decay",
              Lion{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.5});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: clipping, parameter groups, accumulated gradients") {
  using namespace optim;
  Fixture f("rules.json", "clip", "parameter", "accumulation");
  const Sgd sgd{.lr = 0.5, .momentum = 0.5};
  follow_rule(f, "clip by norm", sgd, [](const auto& net) { clip_grad_norm(net, 0.2); });
  follow_rule(f, "clip by norm 1", sgd,
              [](const auto& net) { clip_grad_norm(net, 0.5, {.norm = Norm::one}); });
  follow_rule(f, "clip by value", sgd, [](const auto& net) { clip_grad_value(net, 0.02); });

  follow_with(f, "parameter groups", network(), loss_of, [](auto& net) {
    const auto first = [](std::string_view name) { return name.substr(0, 1) == "0"; };
    const auto second = [](std::string_view name) { return name.substr(0, 1) == "2"; };
    Optimizer opt(net, Sgd{.lr = 0.3, .momentum = 0.5, .weight_decay = 0.05}, first);
    opt.add_group(net, Sgd{.lr = 0.1, .momentum = 0.5}, second);
    return opt;
  });

  // The gradients of the first loss are gathered before the one that is followed is recorded.
  const auto half = [](const auto& net, const auto& data, std::uint64_t k) {
    const auto x = data.input(Shape{10, 6}, k);
    return cross_entropy(net(x), largest_of_three(x));
  };
  follow_with(
      f, "accumulation", network(),
      [=](const auto& net, const auto& data) { return half(net, data, 0) + half(net, data, 1); },
      [](auto& net) { return Optimizer(net, Sgd{.lr = 0.2}); });
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: schedules") {
  using namespace optim;
  Fixture f("schedules.json");
  follow_schedule(f, "step", StepLr{.step_size = 7, .gamma = 0.5});
  follow_schedule(f, "multi-step", MultiStepLr{.milestones = {5, 12, 40}, .gamma = 0.3});
  follow_schedule(f, "exponential", ExponentialLr{.gamma = 0.93});
  follow_schedule(f, "cosine", CosineLr{.steps = 60, .min_lr = 0.001});
  follow_schedule(f, "cosine with warm restarts",
                  CosineWarmRestarts{.first = 8, .growth = 2, .min_lr = 0.001});
  follow_schedule(f, "cosine with warm restarts, constant", CosineWarmRestarts{.first = 15});
  follow_schedule(f, "one-cycle",
                  OneCycleLr{.max_lr = 0.1, .total_steps = 61, .cycle_momentum = false});
  follow_schedule(f, "one-cycle linear",
                  OneCycleLr{.max_lr = 0.5,
                             .total_steps = 61,
                             .pct_start = 0.25,
                             .anneal = Anneal::linear,
                             .cycle_momentum = false,
                             .div_factor = 10,
                             .final_div_factor = 100});
  follow_schedule(f, "warm-up", WarmUp<>{.steps = 10, .start_factor = 0.1});

  const auto& record = f.take("plateau");
  const std::vector<double> expected = record["lr"], measures = record["values"];
  const nn::Linear<double> net(1, 1);
  Optimizer opt(net, Sgd{.lr = 0.1});
  ReduceOnPlateau plateau({.factor = 0.5, .patience = 2});
  for (std::size_t step = 0; step < expected.size(); ++step) {
    INFO("plateau, step " << step);
    CHECK(std::abs(opt.lr() - expected[step]) <= 1e-12 * expected[step]);
    plateau.step(measures[step % measures.size()], opt);
  }
  CHECK(f.left().empty());
}
