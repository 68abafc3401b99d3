// Schedules against torch.optim.lr_scheduler (1.13). The expected rates come from
//
//   def rates(make, n, keys=("lr",)):
//       o = SGD([torch.nn.Parameter(torch.zeros(1))], .1, momentum=.9); sch = make(o); out = []
//       for _ in range(n):
//           out.append([o.param_groups[0][k] for k in keys]); o.step(); sch.step()
//       return out
#include <ebb/nn/linear.hpp>
#include <ebb/optim/optim.hpp>

#include <tuple>
#include <vector>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class Schedule>
void check_rates(const char* name, const Schedule& schedule, const std::vector<double>& expected) {
  INFO(name);
  const nn::Linear<> net(1, 1);
  optim::Optimizer opt(net, optim::Sgd{.lr = .1, .momentum = .9});
  optim::Scheduler scheduler(opt, schedule);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    INFO("step " << step);
    CHECK(std::abs(opt.lr() - expected[step]) <= 1e-14);
    CHECK(std::abs(schedule.lr(static_cast<std::int64_t>(step), .1) - expected[step]) <= 1e-14);
    scheduler.step();
  }
}

}  // namespace

TEST_CASE("schedules give the rates of torch.optim.lr_scheduler") {
  // StepLR(o, 3, .5)
  check_rates("step", optim::StepLr{.step_size = 3, .gamma = .5},
              {.1, .1, .1, .05, .05, .05, .025, .025});
  // MultiStepLR(o, [2, 5], .1)
  check_rates("multi-step", optim::MultiStepLr{.milestones = {2, 5}, .gamma = .1},
              {.1, .1, .01, .01, .01, .001, .001});
  // ExponentialLR(o, .9)
  check_rates("exponential", optim::ExponentialLr{.gamma = .9}, {.1, .09, .081, .0729, .06561});
  // CosineAnnealingLR(o, 5, .01)
  check_rates(
      "cosine", optim::CosineLr{.steps = 5, .min_lr = .01},
      {0.1, 0.09140576474687263, 0.06890576474687263, 0.04109423525312736, 0.018594235253127367,
       0.01, 0.018594235253127367, 0.04109423525312739, 0.06890576474687267, 0.09140576474687269,
       0.10000000000000006, 0.09140576474687272, 0.06890576474687268});
  // CosineAnnealingWarmRestarts(o, 3, 2, .01)
  check_rates(
      "warm restarts", optim::CosineWarmRestarts{.first = 3, .growth = 2, .min_lr = .01},
      {0.1, 0.0775, 0.032500000000000015, 0.1, 0.09397114317029975, 0.0775, 0.05500000000000001,
       0.032500000000000015, 0.01602885682970026, 0.1, 0.09846666218300808, 0.09397114317029975});
  // CosineAnnealingWarmRestarts(o, 3)
  check_rates("warm restarts of one length", optim::CosineWarmRestarts{.first = 3},
              {0.1, 0.07500000000000001, 0.025000000000000012, 0.1, 0.07500000000000001,
               0.025000000000000012, 0.1, 0.07500000000000001});
  // SequentialLR(o, [LinearLR(o, .25, total_iters=4), ExponentialLR(o, .5)], [4])
  check_rates(
      "warm-up",
      optim::WarmUp<optim::ExponentialLr>{.steps = 4, .start_factor = .25, .then = {.gamma = .5}},
      {0.025, 0.043750000000000004, 0.06250000000000001, 0.08125000000000002, 0.1, 0.05, 0.025,
       0.0125});
  check_rates("warm-up to a constant", optim::WarmUp<>{.steps = 2, .start_factor = .5},
              {.05, .075, .1, .1});
}

TEST_CASE("one cycle moves the rate and the momentum as OneCycleLR does") {
  const auto check = [](auto rule, const optim::OneCycleLr& schedule, auto momentum,
                        const std::vector<double>& expected) {
    const nn::Linear<> net(1, 1);
    optim::Optimizer opt(net, rule);
    optim::Scheduler scheduler(opt, schedule);
    for (std::size_t i = 0; i < expected.size(); i += 2) {
      INFO("step " << i / 2);
      CHECK(std::abs(opt.lr() - expected[i]) <= 1e-14);
      CHECK(std::abs(momentum(opt.rule()) - expected[i + 1]) <= 1e-14);
      scheduler.step();  // the one after the last step is harmless
    }
    CHECK_THROWS_WITH(scheduler.step(), Contains("outside the cycle of 10 steps"));
  };
  // OneCycleLR(o, .5, total_steps=10), keys ("lr", "momentum")
  const std::vector<double> cosine{0.020000000000000018,
                                   0.95,
                                   0.26,
                                   0.8999999999999999,
                                   0.5,
                                   0.85,
                                   0.47524231600673683,
                                   0.854951556604879,
                                   0.40587282697488153,
                                   0.8688255099070633,
                                   0.30563101096814466,
                                   0.8888739533021842,
                                   0.19437098903185537,
                                   0.9111260466978157,
                                   0.09412917302511849,
                                   0.9311744900929366,
                                   0.024759683993263143,
                                   0.945048443395121,
                                   2e-06,
                                   0.95};
  check(
      optim::Sgd{.momentum = .9}, {.max_lr = .5, .total_steps = 10},
      [](const optim::Sgd& rule) { return rule.momentum; }, cosine);
  check(
      optim::Adam{}, {.max_lr = .5, .total_steps = 10},
      [](const optim::Adam& rule) { return rule.beta1; }, cosine);
  // OneCycleLR(o, .5, total_steps=10, pct_start=.4, anneal_strategy="linear", three_phase=True,
  //            div_factor=10, final_div_factor=100)
  check(optim::Sgd{.momentum = .9},
        {.max_lr = .5,
         .total_steps = 10,
         .pct_start = .4,
         .anneal = optim::Anneal::linear,
         .div_factor = 10,
         .final_div_factor = 100,
         .three_phase = true},
        [](const optim::Sgd& rule) { return rule.momentum; },
        {0.05,
         0.95,
         0.2,
         0.9166666666666666,
         0.35,
         0.8833333333333333,
         0.5,
         0.85,
         0.35,
         0.8833333333333333,
         0.2,
         0.9166666666666666,
         0.04999999999999999,
         0.95,
         0.0335,
         0.95,
         0.017,
         0.95,
         0.0005000000000000004,
         0.95});
  const nn::Linear<> net(1, 1);
  optim::Optimizer opt(net, optim::Adadelta{});
  const optim::OneCycleLr cycle{.max_lr = .5, .total_steps = 10};
  CHECK_THROWS_WITH(optim::Scheduler(opt, cycle), Contains("the update rule has none"));
}

TEST_CASE("reduce on plateau follows ReduceLROnPlateau") {
  // def plateau(values, **kw):
  //     o = SGD([torch.nn.Parameter(torch.zeros(1))], .1)
  //     sch = ReduceLROnPlateau(o, **kw); out = []
  //     for v in values: sch.step(v); out.append(o.param_groups[0]["lr"])
  const auto check = [](optim::ReduceOnPlateau plateau, const std::vector<double>& measures,
                        const std::vector<double>& expected) {
    const nn::Linear<> net(1, 1);
    optim::Optimizer opt(net, optim::Sgd{.lr = .1});
    for (std::size_t i = 0; i < measures.size(); ++i) {
      if (i == 5) {  // a resumed run
        optim::ReduceOnPlateau resumed = plateau;
        resumed.observe(-100);
        std::vector<double> numbers;
        plateau.visit_numbers([&](const std::string&, double& n) { numbers.push_back(n); });
        std::size_t at = 0;
        resumed.visit_numbers([&](const std::string&, double& n) { n = numbers[at++]; });
        plateau = resumed;
      }
      plateau.step(measures[i], opt);
      INFO("measure " << i);
      CHECK(opt.lr() == Approx(expected[i]).epsilon(1e-14));
    }
  };
  // patience=1, factor=.5, cooldown=2
  check(optim::ReduceOnPlateau({.factor = .5, .patience = 1, .cooldown = 2}),
        {1, .9, .9, .9, .9, .9, .9, .9, .8, .8, .8, .8, .8},
        {.1, .1, .1, .05, .05, .05, .05, .025, .025, .025, .025, .0125, .0125});
  // mode="max", patience=1, threshold=.1, threshold_mode="abs", min_lr=.02, factor=.3
  check(optim::ReduceOnPlateau({.better = optim::Better::higher,
                                .factor = .3,
                                .patience = 1,
                                .threshold = .1,
                                .threshold_mode = optim::Threshold::absolute,
                                .min_lr = .02}),
        {1, 1.05, 1.2, 1.25, 1.3, 1.2, 1.1, 2, 2, 2},
        {.1, .1, .1, .1, .03, .03, .02, .02, .02, .02});
}

TEST_CASE("a scheduler keeps each group's base, and resumes") {
  const nn::Linear<> first(1, 1), second(1, 1);
  optim::Optimizer opt(first, optim::Sgd{.lr = .1});
  opt.add_group(second, optim::Sgd{.lr = 1});
  optim::Scheduler scheduler(opt, optim::ExponentialLr{.gamma = .5});
  scheduler.step();
  scheduler.step();
  CHECK(opt.lr(0) == .025);
  CHECK(opt.lr(1) == .25);
  std::vector<double> numbers;
  scheduler.visit_numbers([&](const std::string&, double& n) { numbers.push_back(n); });
  CHECK(numbers == std::vector<double>{2, .1, 1});

  opt.set_lr(77);
  optim::Scheduler resumed(opt, optim::ExponentialLr{.gamma = .5});
  std::size_t at = 0;
  resumed.visit_numbers([&](const std::string&, double& n) { n = numbers[at++]; });
  CHECK(opt.lr(0) == .025);
  CHECK(opt.lr(1) == .25);
  CHECK(resumed.steps() == 2);
}

TEST_CASE("schedulers of one optimizer compose as PyTorch's do") {
  // torch 2.15, rates(make, n) as above with all of the schedulers that `make` gives, each stepped
  // in their order. A plateau of patience 1 and factor .5 is stepped with a measure that never
  // improves.
  using namespace optim;
  const auto check = [](const char* what, std::vector<double> expected, auto&&... make) {
    INFO(what);
    const nn::Linear<> net(1, 1);
    Optimizer opt(net, Sgd{.lr = .1, .momentum = .9});
    std::tuple schedulers{Scheduler(opt, make)...};
    for (std::size_t step = 0; step < expected.size(); ++step) {
      INFO("step " << step);
      CHECK(std::abs(opt.lr() - expected[step]) <= 1e-14);
      std::apply([](auto&... each) { (each.step(), ...); }, schedulers);
    }
  };
  const WarmUp<> warm{.steps = 4, .start_factor = .25};  // LinearLR(o, .25, total_iters=4)
  const ExponentialLr decay{.gamma = .9};
  const std::vector<double> warm_decay{0.025,
                                       0.03937500000000001,
                                       0.05062500000000001,
                                       0.05923125000000001,
                                       0.06561000000000002,
                                       0.05904900000000002,
                                       0.05314410000000002,
                                       0.04782969000000002};
  check("warm-up, ExponentialLR(o, .9)", warm_decay, warm, decay);
  check("the other way round", warm_decay, decay, warm);
  check("warm-up, CosineAnnealingLR(o, 3, .01)",
        {0.025, 0.035312500000000004, 0.023482142857142865, 0.01, 0.03480769230769231,
         0.08442307692307699, 0.10923076923076931, 0.084423076923077, 0.034807692307692366},
        warm, CosineLr{.steps = 3, .min_lr = .01});
  check("StepLR(o, 2, .5), CosineAnnealingLR(o, 3)",
        {0.1, 0.07500000000000001, 0.012500000000000008, 0.0, 0.024999999999999994,
         0.07500000000000005, 0.05000000000000003, 0.03750000000000003, 0.006250000000000013},
        StepLr{.step_size = 2, .gamma = .5}, CosineLr{.steps = 3});
  check("warm-up, StepLR(o, 2, .5), MultiStepLR(o, [1, 4], .5)",
        {0.025, 0.021875000000000002, 0.015625000000000003, 0.020312500000000004,
         0.006250000000000001, 0.006250000000000001, 0.0031250000000000006, 0.0031250000000000006},
        warm, StepLr{.step_size = 2, .gamma = .5}, MultiStepLr{.milestones = {1, 4}, .gamma = .5});
  const CosineWarmRestarts waves{.first = 3, .min_lr = .01};  // which sets the rate
  check("CosineAnnealingWarmRestarts(o, 3, 1, .01), ExponentialLR(o, .9)",
        {0.1, 0.06975, 0.029250000000000016, 0.09000000000000001, 0.06975, 0.029250000000000016},
        waves, decay);
  check("ExponentialLR(o, .9), CosineAnnealingWarmRestarts(o, 3, 1, .01)",
        {0.1, 0.0775, 0.032500000000000015, 0.1, 0.0775, 0.032500000000000015}, decay, waves);

  // OneCycleLR(o, .5, total_steps=8), which sets the rate, and what others begin from.
  const OneCycleLr cycle{.max_lr = .5, .total_steps = 8};
  const std::vector<double> alone{
      0.020000000000000018, 0.409637552446096,   0.4859708886937616, 0.4058728269748815,
      0.2779920070613508,   0.14153049910434962, 0.0383207969171282, 2e-06};
  check("one cycle, ExponentialLR(o, .9)",
        {0.020000000000000018, 0.3686737972014864, 0.43737379982438546, 0.36528554427739335,
         0.25019280635521574, 0.12737744919391467, 0.034488717225415376, 1.8e-06},
        cycle, decay);
  check("ExponentialLR(o, .9), one cycle", alone, decay, cycle);
  check("one cycle, CosineAnnealingLR(o, 3, .01)",
        {0.020000000000000018, 0.309728164334572, 0.16865696289792062, 0.01, 0.2804920070613508,
         0.40459149731304916, 0.04776106255617093, 0.0025014999999999976},
        cycle, CosineLr{.steps = 3, .min_lr = .01});
  check("CosineAnnealingLR(o, 3, .01), one cycle", alone, CosineLr{.steps = 3, .min_lr = .01},
        cycle);
  check("one cycle, warm-up",
        {0.0050000000000000044, 0.716865716780668, 0.6942441267053737, 0.527634675067346,
         0.3421440086908933, 0.14153049910434962, 0.0383207969171282, 2e-06},
        cycle, warm);
  check("one cycle, StepLR(o, 2, .5)",
        {0.020000000000000018, 0.409637552446096, 0.2429854443468808, 0.4058728269748815,
         0.1389960035306754, 0.14153049910434962, 0.0191603984585641, 2e-06},
        cycle, StepLr{.step_size = 2, .gamma = .5});
  check("one cycle, CosineAnnealingWarmRestarts(o, 3, 1, .001)",
        {0.02, 0.01525, 0.005750000000000002, 0.02, 0.01525, 0.005750000000000002, 0.02, 0.01525},
        cycle, CosineWarmRestarts{.first = 3, .min_lr = .001});

  const nn::Linear<> net(1, 1);
  Optimizer opt(net, Sgd{.lr = .1}), hand(net, Sgd{.lr = .1});
  Scheduler warming(opt, warm);
  Scheduler decaying(hand, decay);
  ReduceOnPlateau plateau({.factor = .5, .patience = 1});
  for (const double rate :
       {0.025, 0.043750000000000004, 0.06250000000000001, 0.04062500000000001, 0.05000000000000001,
        0.025000000000000005, 0.025000000000000005, 0.012500000000000002}) {
    CHECK(std::abs(opt.lr() - rate) <= 1e-14);
    warming.step();
    plateau.step(1, opt);
  }
  // o.param_groups[0]["lr"] = 1. after the third step of ExponentialLR(o, .9)
  for (const double rate :
       {0.1, 0.09000000000000001, 0.08100000000000002, 1.0, 0.9, 0.81, 0.7290000000000001}) {
    CHECK(std::abs(hand.lr() - rate) <= 1e-14);
    decaying.step();
    if (decaying.steps() == 3) hand.set_lr(1);
  }
}

TEST_CASE("a plateau of negative measures is told by their size") {
  // The rule of ReduceLROnPlateau for measures of 1 and more, mirrored: a gain of 10 % of 2 is 0.2,
  // on either side of zero. (torch itself takes -1.9 for an improvement of -2.)
  for (const double sign : {1., -1.}) {
    optim::ReduceOnPlateau lower({.patience = 0, .threshold = .1});
    CHECK_FALSE(lower.observe(2 * sign));
    CHECK(lower.observe(2 * sign - .19));
    CHECK(lower.best() == 2 * sign);
    CHECK_FALSE(lower.observe(2 * sign - .21));
    CHECK(lower.observe(2 * sign));
    optim::ReduceOnPlateau higher(
        {.better = optim::Better::higher, .patience = 0, .threshold = .1});
    CHECK_FALSE(higher.observe(2 * sign));
    CHECK(higher.observe(2 * sign + .19));
    CHECK_FALSE(higher.observe(2 * sign + .21));
    CHECK(higher.observe(2 * sign));
  }
  optim::ReduceOnPlateau twice({.patience = 0, .threshold = 1});
  CHECK_FALSE(twice.observe(5));  // the first measure is the best so far, whatever the threshold
  CHECK(twice.best() == 5);
}

TEST_CASE("schedules refuse settings that make no sense") {
  const nn::Linear<> net(1, 1);
  optim::Optimizer opt(net, optim::Sgd{.lr = .1});
  const auto refused = [&](auto schedule, const char* text) {
    CHECK_THROWS_WITH(optim::Scheduler(opt, schedule), Contains(text));
  };
  refused(optim::StepLr{.step_size = 0}, "step lr: step_size = 0 must be at least 1");
  refused(optim::CosineLr{.steps = 0}, "cosine lr: steps = 0");
  refused(optim::CosineWarmRestarts{.first = 0}, "cosine warm restarts: first = 0");
  refused(optim::OneCycleLr{.max_lr = .5}, "one cycle lr: max_lr = 0.5");
  refused(optim::OneCycleLr{.total_steps = 5}, "one cycle lr: max_lr = 0");
  refused(optim::WarmUp<>{.steps = -1}, "warm-up: steps = -1");
  refused(optim::WarmUp<optim::StepLr>{.steps = 1, .then = {.step_size = 0}}, "step lr");
  CHECK_THROWS_WITH(optim::ReduceOnPlateau({.factor = 1}), Contains("reduce on plateau: factor"));
}
