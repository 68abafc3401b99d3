// The update rules against torch.optim (1.13), and the promises of Optimizer.
#include <ebb/nn/linear.hpp>
#include <ebb/nn/sequential.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/optim/optim.hpp>

#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

/// A network of one parameter.
template <class T>
struct Point {
  Param<Tensor<T, 1>> w;
  static void visit(auto& self, auto&& f) { f("w", self.w); }
};

/// Parameters in a list.
struct Many {
  std::vector<Param<Tensor<float, 1>>> parts;
  static void visit(auto& self, auto&& f) { f("parts", self.parts); }
};

struct Mixed {
  Param<Tensor<double, 1>> a{Tensor<double, 1>({1}, {1.0})};
  Param<Tensor<float, 1>> b{Tensor<float, 1>({1}, {1.0f})};
  static void visit(auto& self, auto&& f) {
    f("a", self.a);
    f("b", self.b);
  }
};

template <class T>
void set_gradient(const Param<Tensor<T, 1>>& w, const std::vector<T>& values) {
  w.zero_grad();
  w.cell()->slot.give(Tensor<T, 1>::from(w.shape(), values));
}

struct Unchanged {
  void operator()(const auto&, int) const {}
};

/// 50 steps from a fixed point, with gradients that depend on the weights and on the step:
///
///   a = torch.tensor([1, .5, 2, .1, 5.]); c = torch.tensor([.2, .3, -.4, 1, -1.])
///   i = torch.arange(5.)                                      # all in float64
///   w = torch.nn.Parameter(torch.tensor([1, -2, .5, 3, -.1])); o = make([w])
///   for t in range(1, 51):
///       w.grad = a * (w.detach() - c) + .3 * torch.sin(t + i)
///       o.step()
///   print(w.tolist())
///
/// `change(opt, t)` is called before each step.
template <class T = double, class R, class Change = Unchanged>
std::vector<T> fifty_steps(R rule, const Change& change = {}) {
  const double a[] = {1, .5, 2, .1, 5}, c[] = {.2, .3, -.4, 1, -1};
  Point<T> net{Tensor<T, 1>({5}, {T(1), T(-2), T(.5), T(3), T(-.1)})};
  optim::Optimizer opt(net, rule);
  for (int t = 1; t <= 50; ++t) {
    std::vector<T> g = net.w.value().values();
    for (std::size_t i = 0; i < 5; ++i)
      g[i] = static_cast<T>(a[i] * (static_cast<double>(g[i]) - c[i]) +
                            .3 * std::sin(t + static_cast<double>(i)));
    set_gradient(net.w, g);
    change(opt, t);
    opt.step();
  }
  return net.w.value().values();
}

template <class R>
void check_rule(const char* name, R rule, const std::vector<double>& expected) {
  INFO(name);
  const auto found = fifty_steps(rule);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("weight " << i);
    CHECK(std::abs(found[i] - expected[i]) <= 1e-12);
  }
  const auto in_float = fifty_steps<float>(rule);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(static_cast<double>(in_float[i]) - expected[i]) <= 1e-4);
}

}  // namespace

TEST_CASE("update rules take the steps of torch.optim") {
  // optim.SGD(p, .05)
  const std::vector<double> plain{0.275899372002826, -0.34390698806001424, -0.40657884821626267,
                                  2.552427565702225, -1.003809640520669};
  check_rule("gradient descent", optim::GradientDescent{.lr = .05}, plain);
  check_rule("sgd", optim::Sgd{.lr = .05}, plain);
  // optim.SGD(p, .02, momentum=.9)
  check_rule("sgd, momentum", optim::Sgd{.lr = .02, .momentum = .9},
             {0.26255689412862726, 0.44134485201047996, -0.46015019473099406, 1.78783170327553,
              -1.0681945481153277});
  // optim.SGD(p, .02, momentum=.9, dampening=.4, weight_decay=.1)
  check_rule("sgd, dampening",
             optim::Sgd{.lr = .02, .momentum = .9, .dampening = .4, .weight_decay = .1},
             {0.20227339274968323, 0.44086211122721414, -0.3609731981149321, 1.250532607464159,
              -0.9211155616515516});
  // optim.SGD(p, .05, dampening=.5), which PyTorch leaves to the momentum that there is none of
  check_rule("sgd, dampening alone", optim::Sgd{.lr = .05, .dampening = .5}, plain);
  // optim.SGD(p, .02, momentum=.8, nesterov=True, weight_decay=.01)
  check_rule("sgd, nesterov",
             optim::Sgd{.lr = .02, .momentum = .8, .weight_decay = .01, .nesterov = true},
             {0.20688831781591305, 0.19197507394916566, -0.40157811775608954, 2.142172815823969,
              -1.0068629530495983});
  // optim.Adagrad(p, .3, lr_decay=.01, weight_decay=.05, initial_accumulator_value=.2)
  check_rule("adagrad",
             optim::Adagrad{
                 .lr = .3, .lr_decay = .01, .weight_decay = .05, .initial_accumulator_value = .2},
             {0.21920650709683603, 0.060945236110535865, -0.40589929478352127, 1.2262324252084316,
              -0.9935090889014325});
  // optim.RMSprop(p, .01)
  check_rule("rmsprop", optim::RMSprop{.lr = .01},
             {0.2836560804279079, -0.8331963804655473, -0.3315752175049649, 2.3478081054827324,
              -0.932128151387434});
  // optim.RMSprop(p, .01, alpha=.9, momentum=.7, weight_decay=.1)
  check_rule("rmsprop, momentum",
             optim::RMSprop{.lr = .01, .alpha = .9, .weight_decay = .1, .momentum = .7},
             {0.1952162883305799, -0.38253652443996905, -0.3815644222170984, 1.4537376832677822,
              -0.9880961048315949});
  // optim.RMSprop(p, .01, alpha=.9, momentum=.7, centered=True, eps=1e-3)
  check_rule("rmsprop, centered with momentum",
             optim::RMSprop{.lr = .01, .alpha = .9, .eps = 1e-3, .momentum = .7, .centered = true},
             {0.21302605238267044, 0.16660237491868604, -0.3997579829514663, 1.9383651717709638,
              -1.0091735073494958});
  // optim.RMSprop(p, .01, centered=True, eps=1e-3)
  check_rule("rmsprop, centered", optim::RMSprop{.lr = .01, .eps = 1e-3, .centered = true},
             {0.27401503727603677, -0.7523541769461574, -0.34842384505715035, 2.3064360789752265,
              -0.9488717650219153});
  // optim.Adadelta(p, 3., rho=.8, eps=1e-3, weight_decay=.1)
  check_rule("adadelta", optim::Adadelta{.lr = 3, .rho = .8, .eps = 1e-3, .weight_decay = .1},
             {0.23087108888359498, 0.18980408493465983, -0.4112793436375319, 0.17045663918986007,
              -1.108103865243051});
  // optim.Adam(p, .05)
  check_rule("adam", optim::Adam{.lr = .05},
             {0.19720831134508207, -0.037246866094490884, -0.40510219902679545, 1.76878175473259,
              -1.0043768330627076});
  // optim.Adam(p, .05, betas=(.8, .9), eps=1e-4, weight_decay=.1, amsgrad=True)
  check_rule(
      "adam, amsgrad",
      optim::Adam{
          .lr = .05, .beta1 = .8, .beta2 = .9, .eps = 1e-4, .weight_decay = .1, .amsgrad = true},
      {0.1827147248336122, -0.22263749845725794, -0.38457434815816366, 1.2606208562349694,
       -0.9854815849254523});
  // optim.AdamW(p, .05, weight_decay=.2)
  check_rule("adamw", optim::AdamW{.lr = .05, .weight_decay = .2},
             {0.20055780343250146, 0.14599982521013524, -0.3687974306181509, 1.0979946280229238,
              -0.9431401270483354});
  // optim.AdamW(p, .05, betas=(.8, .9), weight_decay=.2, amsgrad=True)
  check_rule("adamw, amsgrad",
             optim::AdamW{.lr = .05, .beta1 = .8, .beta2 = .9, .weight_decay = .2, .amsgrad = true},
             {0.18566422801569998, -0.026169734984963545, -0.3630895264605136, 1.1845521291047705,
              -0.9066716078843786});
  // optim.NAdam(p, .05, foreach=True): the other implementation of 1.13 multiplies the product of
  // the momenta by mu(t) twice, against its own documentation and later versions.
  check_rule("nadam", optim::NAdam{.lr = .05},
             {0.20227682278293221, -0.25055768305874815, -0.4305341136626872, 1.8113420253992305,
              -1.025152174030343});
  // optim.NAdam(p, .05, betas=(.8, .9), weight_decay=.1, momentum_decay=.05, foreach=True)
  check_rule(
      "nadam, decay",
      optim::NAdam{.lr = .05, .beta1 = .8, .beta2 = .9, .weight_decay = .1, .momentum_decay = .05},
      {0.22346819532675008, -0.06312297739485041, -0.40720921624059736, 1.1397401579746111,
       -0.985156068783128});
}

TEST_CASE("a momentum that is turned on later begins then, as in torch.optim") {
  // The loop above with optim.SGD(p, .02, dampening=d), and before each step
  //   o.param_groups[0]["momentum"] = momentum(t)
  bool saved = false;
  const auto check = [&](double dampening, auto momentum, const std::vector<double>& expected) {
    const auto change = [&](optim::Optimizer<optim::Sgd>& opt, int t) {
      optim::Sgd rule = opt.rule();
      rule.momentum = momentum(t);
      opt.set_rule(rule);
      if (!saved) return;
      opt.visit_state([](const std::string&, const auto&) {});
      opt.visit_numbers([](const std::string&, double) {});
    };
    const auto found = fifty_steps(optim::Sgd{.lr = .02, .dampening = dampening}, change);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO("weight " << i);
      CHECK(std::abs(found[i] - expected[i]) <= 1e-12);
    }
  };
  const auto late = [](int t) { return t <= 10 ? 0 : .9; };
  // A checkpoint that is saved between does not count as the first step.
  saved = GENERATE(false, true);
  check(0, late,
        {0.2359611442677354, 0.5932507534826258, -0.3972815917852982, 1.94056199260168,
         -0.9716849177022561});
  check(.4, late,
        {0.12391281314106145, 0.35399728486942705, -0.32980409080867285, 2.2690265055006655,
         -1.037017318306329});
  // Off in between: the velocity waits.
  check(.4, [](int t) { return t <= 10 || t > 20 ? .9 : 0; },
        {0.12918430954731333, 0.3954996049486838, -0.3034470373537775, 2.3500139921457897,
         -1.0730546061832738});
}

TEST_CASE("lion takes the steps of its paper") {
  // NumPy: w -= lr (sign(b1 m + (1 - b1) g) + wd w); m = b2 m + (1 - b2) g
  check_rule("lion", optim::Lion{.lr = .03},
             {-0.14000000000000062, -0.49999999999999867, -0.9400000000000008, 1.620000000000006,
              -1.480000000000001});
  check_rule("lion, decay", optim::Lion{.lr = .03, .beta1 = .8, .beta2 = .95, .weight_decay = .3},
             {0.26407343310748893, -0.060429210886173264, -0.4852379273334716, 0.8320316969276178,
              -1.2158647909002576});
  // A gradient that is not a number must show in the weight.
  Point<double> net{Tensor<double, 1>({1}, {1.0})};
  optim::Optimizer opt(net, optim::Lion{});
  set_gradient(net.w, {std::nan("")});
  opt.step();
  CHECK(std::isnan(net.w.value()(0)));
}

namespace {
/// A rule as a user writes it.
struct Momentum {
  static constexpr int states = 1;
  double lr = 0.01, beta = 0.9;
  template <class T>
  EBB_HD void update(T& w, T g, T* state, const optim::StepInfo&) const {
    state[0] = T(beta) * state[0] + g;
    w -= T(lr) * state[0];
  }
};
/// The smallest rule: no state, no learning rate, no name.
struct SignDescent {
  static constexpr int states = 0;
  template <class T>
  EBB_HD void update(T& w, T g, T*, const optim::StepInfo& step) const {
    w -= (g > T(0) ? T(1) : T(-1)) / T(step.number);
  }
};
}  // namespace

TEST_CASE("a rule of one's own is a struct of ten lines") {
  check_rule("momentum", Momentum{.lr = .02, .beta = .9},  // as SGD with momentum above
             {0.26255689412862726, 0.44134485201047996, -0.46015019473099406, 1.78783170327553,
              -1.0681945481153277});
  Point<double> net{Tensor<double, 1>({2}, {0.0, 0.0})};
  optim::Optimizer opt(net, SignDescent{});
  for (int i = 0; i < 3; ++i) {
    set_gradient(net.w, {1.0, -1.0});
    opt.step();
  }
  CHECK(net.w.value().values() == std::vector<double>{-1 - 1. / 2 - 1. / 3, 1 + 1. / 2 + 1. / 3});
  CHECK_THROWS_WITH(optim::Optimizer(net, Momentum{.lr = -1}), Contains("lr = -1"));
}

TEST_CASE("many parameters of all sizes are updated in one pass, alike for any thread count") {
  const auto run = [](int threads) {
    const test::Threads switched(threads);
    Many net;
    for (const Index size : {1, 3, 16 * 1024, 16 * 1024 + 1, 7, 70001, 5})
      net.parts.emplace_back(Tensor<float, 1>::ones({size}));
    optim::Optimizer opt(net, optim::Adam{.lr = 0.1});
    for (int step = 0; step < 3; ++step) {
      for (const auto& p : net.parts) {
        std::vector<float> g(static_cast<std::size_t>(p.size()));
        for (std::size_t i = 0; i < g.size(); ++i) g[i] = static_cast<float>(i % 7) - 2.5f;
        set_gradient(p, g);
      }
      opt.step();
    }
    std::vector<std::vector<float>> values;
    for (const auto& p : net.parts) values.push_back(p.value().values());
    return values;
  };
  const auto one = run(1), two = run(2);
  CHECK(one == two);
  // Adam's first steps are lr each way, whatever the gradient's size.
  for (const auto& values : one)
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(values[i] == Approx(i % 7 < 3 ? 1.3 : 0.7).epsilon(1e-4));
}

TEST_CASE("frozen parameters, and those without a gradient, are left alone") {
  nn::Sequential net(nn::Linear<double>(2, 2), nn::Linear<double>(2, 1));
  nn::freeze(net.get<0>());
  optim::Optimizer opt(net, optim::Adam{});
  const auto frozen = net.get<0>().weight.value().values();
  const auto weight = net.get<1>().weight.value().values();
  const auto bias = net.get<1>().bias.value().values();
  net.get<1>().bias.cell()->slot.give(Tensor<double, 1>::ones({1}));
  opt.step();
  CHECK(net.get<0>().weight.value().values() == frozen);
  CHECK(net.get<1>().weight.value().values() == weight);
  CHECK(net.get<1>().bias.value()(0) == Approx(bias[0] - 1e-3));
  opt.visit_numbers([](const std::string& name, double& n) {
    if (name == "1.weight.step" || name == "0.weight.step") CHECK(n == 0);
    if (name == "1.bias.step" || name == "steps") CHECK(n == 1);
  });
  opt.zero_grad();
  CHECK_FALSE(net.get<1>().bias.grad().defined());
}

TEST_CASE("groups have settings of their own") {
  nn::Sequential net(nn::Linear<>(3, 2));
  const auto is_bias = [](std::string_view name) { return name.ends_with("bias"); };
  const auto is_weight = [&](std::string_view name) { return !is_bias(name); };
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1}, is_weight);
  opt.add_group(net, optim::Sgd{.lr = 0.5}, is_bias);
  CHECK(opt.groups() == 2);
  const auto w = net.get<0>().weight.value().values();
  const auto b = net.get<0>().bias.value().values();
  net.get<0>().weight.cell()->slot.give(Tensor<float, 2>::ones({2, 3}));
  net.get<0>().bias.cell()->slot.give(Tensor<float, 1>::ones({2}));
  opt.step();
  CHECK(net.get<0>().weight.value()(0, 0) == Approx(w[0] - 0.1f));
  CHECK(net.get<0>().bias.value()(1) == Approx(b[1] - 0.5f));
  opt.set_lr(0.25, 1);
  CHECK(opt.lr() == 0.1);
  CHECK(opt.lr(1) == 0.25);
  opt.set_lr(1);
  CHECK(opt.lr(0) == 1);
  CHECK(opt.lr(1) == 1);

  CHECK_THROWS_WITH(opt.add_group(net, optim::Sgd{}),
                    Contains("sgd: parameter 0.weight is in this optimizer already"));
  CHECK_THROWS_WITH(opt.add_group(net, optim::Sgd{}, [](auto) { return false; }),
                    Contains("there are no parameters to optimize"));
  CHECK(opt.groups() == 2);
  CHECK_THROWS_WITH(opt.lr(2), Contains("no group 2"));
  CHECK_THROWS_AS(optim::Optimizer(relu, optim::Sgd{}), ValueError);
}

TEST_CASE("settings that make no sense are refused in a sentence") {
  nn::Linear<> net(2, 1);
  const auto refused = [&](auto rule, const char* text) {
    CHECK_THROWS_WITH(optim::Optimizer(net, rule), Contains(text));
    CHECK_THROWS_AS(optim::Optimizer(net, rule), ValueError);
  };
  refused(optim::Sgd{.lr = -0.1}, "sgd: lr = -0.1 must be a finite number that is not negative");
  refused(optim::Sgd{.lr = std::nan("")}, "sgd: lr = nan");
  refused(optim::Sgd{.lr = INFINITY}, "sgd: lr = inf");
  refused(optim::Sgd{.nesterov = true}, "sgd: nesterov needs a momentum above 0");
  refused(optim::Sgd{.momentum = .9, .dampening = .1, .nesterov = true}, "no dampening");
  refused(optim::Sgd{.momentum = -1}, "momentum = -1");
  refused(optim::Sgd{.weight_decay = -1}, "weight_decay = -1");
  refused(optim::GradientDescent{.lr = -1}, "gradient descent: lr");
  refused(optim::Adagrad{.lr_decay = -1}, "adagrad: lr_decay");
  refused(optim::RMSprop{.alpha = 1}, "rmsprop: alpha = 1 must be at least 0 and below 1");
  refused(optim::Adadelta{.rho = -0.1}, "adadelta: rho = -0.1");
  refused(optim::Adam{.beta1 = 1}, "adam: beta1 = 1 must be at least 0 and below 1");
  refused(optim::Adam{.beta2 = -0.5}, "adam: beta2 = -0.5");
  refused(optim::Adam{.eps = -1}, "adam: eps");
  refused(optim::AdamW{.beta1 = 2}, "adamw: beta1 = 2");
  refused(optim::NAdam{.momentum_decay = -1}, "nadam: momentum_decay");
  refused(optim::Lion{.beta2 = 1}, "lion: beta2");
  optim::Optimizer opt(net, optim::Adam{});
  CHECK_THROWS_WITH(opt.set_lr(-1), Contains("adam: lr = -1"));
  CHECK(opt.lr() == 1e-3);
}

TEST_CASE("an optimizer follows its network through moves and assignments") {
  Point<double> net{Tensor<double, 1>({1}, {1.0})};
  optim::Optimizer opt(net, optim::Sgd{.lr = 1});
  Point<double> moved = std::move(net);
  set_gradient(moved.w, {0.25});
  opt.step();
  CHECK(moved.w.value()(0) == 0.75);

  const Point<double> copy = moved;  // with a parameter of its own
  moved.w.zero_grad();
  set_gradient(moved.w, {0.25});
  opt.step();
  CHECK(moved.w.value()(0) == 0.5);
  CHECK(copy.w.value()(0) == 0.75);

  moved = copy;  // back to the best weights
  set_gradient(moved.w, {1.0});
  opt.step();
  CHECK(moved.w.value()(0) == -0.25);
  CHECK(copy.w.value()(0) == 0.75);

  optim::Optimizer other = std::move(opt);
  set_gradient(moved.w, {1.0});
  other.step();
  CHECK(moved.w.value()(0) == -1.25);
  CHECK(other.steps() == 4);
}

TEST_CASE("state saved and restored continues with the same bits") {
  const auto gradients = [](const Point<float>& net, int step) {
    std::vector<float> g(3);
    for (std::size_t i = 0; i < 3; ++i)
      g[i] = std::sin(static_cast<float>(step) + static_cast<float>(i));
    set_gradient(net.w, g);
  };
  const auto straight_and_resumed = [&](auto rule) {
    Point<float> net{Tensor<float, 1>({3}, {1, 2, 3})};
    optim::Optimizer opt(net, rule);
    for (int step = 0; step < 5; ++step) gradients(net, step), opt.step();

    std::vector<std::pair<std::string, std::vector<float>>> tensors;
    std::vector<std::pair<std::string, double>> numbers;
    opt.visit_state([&](const std::string& name, auto& t) {
      const auto values = t.values();
      tensors.emplace_back(name, std::vector<float>(values.begin(), values.end()));
    });
    opt.visit_numbers([&](const std::string& name, double& n) { numbers.emplace_back(name, n); });

    Point<float> copy = net;
    rule.lr = 123;  // comes back with the numbers
    optim::Optimizer resumed(copy, rule);
    std::size_t at = 0;
    resumed.visit_state([&]<class T>(const std::string& name, Tensor<T, 1>& t) {
      REQUIRE(name == tensors[at].first);
      if constexpr (std::is_same_v<T, float>)
        t = Tensor<float, 1>::from(t.shape(), tensors[at].second);
      ++at;
    });
    CHECK(at == tensors.size());
    at = 0;
    resumed.visit_numbers([&](const std::string& name, double& n) {
      REQUIRE(name == numbers[at].first);
      n = numbers[at++].second;
    });
    CHECK(resumed.steps() == 5);
    for (int step = 5; step < 9; ++step) {
      gradients(net, step), opt.step();
      gradients(copy, step), resumed.step();
    }
    CHECK(net.w.value().values() == copy.w.value().values());
    return tensors;
  };
  const auto adam = straight_and_resumed(optim::Adam{});
  REQUIRE(adam.size() == 2);
  CHECK(adam[0].first == "w.exp_avg");
  CHECK(adam[1].first == "w.exp_avg_sq");
  straight_and_resumed(optim::NAdam{});
  straight_and_resumed(optim::Sgd{.momentum = .9, .dampening = .1});
  straight_and_resumed(optim::Adagrad{.lr_decay = .1, .initial_accumulator_value = 1});
  straight_and_resumed(optim::Lion{});
  CHECK(straight_and_resumed(optim::Sgd{}).empty());
}

TEST_CASE("a steady step allocates nothing") {
  nn::Linear<> net(40, 30);
  optim::Optimizer opt(net, optim::Adam{});
  const auto step = [&] {
    for (int i = 0; i < 2; ++i) {
      const auto into = net.weight.cell()->slot.into();
      fill(Cpu{}, into.view(), 0.5f);
      opt.step();
      opt.zero_grad();
    }
  };
  step();
  const auto before = Cpu::stats().allocations;
  step();
  CHECK(Cpu::stats().allocations == before);
}

TEST_CASE("networks of one optimizer may differ in scalar type") {
  Mixed net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 1, .momentum = .5});
  set_gradient(net.a, {0.5});
  set_gradient(net.b, {0.25f});
  opt.step();
  CHECK(net.a.value()(0) == 0.5);
  CHECK(net.b.value()(0) == 0.75f);
  int tensors = 0;
  opt.visit_state([&](const std::string&, auto&) { ++tensors; });
  CHECK(tensors == 2);
}
