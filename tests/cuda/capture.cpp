// Captured training steps: replays beside the same steps run one by one.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/train/evaluate.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

#include <functional>

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

/// A convolution with batch norm, dropout, two dense layers.
template <class Device = Cuda>
struct Net {
  nn::Conv2d<float, Device> conv{1, 3, 3, {.padding = 1}};
  nn::BatchNorm2d<float, Device> norm{3};
  nn::Dropout<float, Device> drop{0.4};
  nn::Linear<float, Device> first{3 * 4 * 4, 7}, second{7, 4};

  auto operator()(const auto& x) const {
    return second(relu(first(drop(flatten(relu(norm(conv(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv", self.conv);
    f("norm", self.norm);
    f("drop", self.drop);
    f("first", self.first);
    f("second", self.second);
  }
};

template <class Device>
struct Many {
  std::vector<Param<Tensor<double, 1, Device>>> all;
  static void visit(auto& self, auto&& f) {
    int i = 0;
    for (auto& part : self.all) f("p" + std::to_string(i++), part);
  }
};

struct Samples {
  Tensor<float, 4, Cuda> x;
  Tensor<int, 1, Cuda> y;
};
Samples samples(int step, Index count = 6) {
  Tensor<int, 1> labels({count});
  for (Index i = 0; i < count; ++i) labels.mutable_data()[i] = static_cast<int>(i * 3 + step) % 4;
  return {
      to<Cuda>(test::random<float>(Shape<4>{count, 1, 4, 4}, 50u + static_cast<unsigned>(step))),
      to<Cuda>(labels)};
}

/// All there is after some steps: losses, then weights and buffers, then where the thread's random
/// numbers are.
struct Trained {
  std::vector<double> numbers;
  Generator generator;
  bool operator==(const Trained&) const = default;
};

/// How steps are run: as they are, or captured.
enum class By { asking, replaying };

/// Six steps of a rule, with a schedule where there is one; `between(step, net, optimizer)`
/// comes before each.
template <class R, class S = optim::ConstantLr, class Between>
Trained trained(By by, const R& rule, const S& schedule, Between&& between) {
  manual_seed(3);
  Net<> net;
  optim::Optimizer opt(net, rule);
  optim::Scheduler scheduler(opt, schedule);
  const auto one = [&](const auto& x, const auto& y) {
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(x)), y);
    opt.zero_grad();
    backward(loss);
    optim::clip_grad_norm<Cuda>(net, 0.5);
    opt.step();
    if (!std::is_same_v<S, optim::ConstantLr>) scheduler.step();
    return loss;
  };
  const Samples like = samples(0);
  auto step = capture(one, like.x, like.y);
  Trained result;
  for (int i = 0; i < 6; ++i) {
    between(i, net, opt);
    const Samples batch = samples(i);
    if (by == By::replaying) {
      step(batch.x, batch.y);
      result.numbers.push_back(step.loss());
    } else {
      result.numbers.push_back(one(batch.x, batch.y).value().item());
    }
  }
  CHECK(opt.steps() == 6);
  nn::visit_state(net, [&](const std::string&, const auto& part) {
    for (const auto v : part.value().values()) result.numbers.push_back(static_cast<double>(v));
  });
  opt.template visit_numbers<Cuda>(
      [&](const std::string&, double& number) { result.numbers.push_back(number); });
  opt.template visit_state<Cuda>([&](const std::string&, auto& state) {
    for (const auto v : state.values()) result.numbers.push_back(static_cast<double>(v));
  });
  result.generator = default_generator();
  return result;
}

constexpr auto nothing = [](int, Net<>&, auto&) {};

template <class R, class S = optim::ConstantLr, class Between = decltype(nothing)>
void check_replays(const R& rule, const S& schedule = {}, Between between = {}) {
  const Trained expected = trained(By::asking, rule, schedule, between);
  CHECK(trained(By::replaying, rule, schedule, between) == expected);
#if defined(EBB_GPU_EMULATOR)
  gpu::emulator::config.late = true;
  CHECK(trained(By::replaying, rule, schedule, between) == expected);
  gpu::emulator::config.late = false;
#endif
}

}  // namespace

TEST_CASE("cuda: a captured step gives the bits of the steps themselves") {
  check_replays(optim::Sgd{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01});
  check_replays(optim::AdamW{.lr = 0.01},
                optim::WarmUp<optim::CosineLr>{.steps = 2, .then = {.steps = 5}});
  check_replays(optim::NAdam{.lr = 0.01});
  check_replays(optim::Sgd{.lr = 0.05, .momentum = 0.9},
                optim::OneCycleLr{.max_lr = 0.1, .total_steps = 6});
}

TEST_CASE("cuda: a learning rate that changes between replays takes effect") {
  const auto lower = [](int step, Net<>&, auto& opt) {
    if (step == 4) opt.set_lr(0.001);
  };
  const optim::Adam rule{.lr = 0.02};
  check_replays(rule, optim::ConstantLr{}, lower);
  CHECK(trained(By::replaying, rule, optim::ConstantLr{}, lower) !=
        trained(By::replaying, rule, optim::ConstantLr{}, nothing));
}

TEST_CASE("cuda: random numbers of replays follow the thread's generator") {
  const auto reseeded = [](int step, Net<>&, auto&) {
    if (step == 3) manual_seed(77);
  };
  check_replays(optim::Sgd{.lr = 0.05}, optim::ConstantLr{}, reseeded);
}

TEST_CASE("cuda: a recorded graph alone keeps the rate it was recorded with (planted)") {
  // What check_replays must be able to see.
  const auto weight = [](auto&& run) {
    nn::Linear<float, Cuda> net(2, 1);
    net.weight.set(Tensor<float, 2, Cuda>::ones({1, 2}));
    optim::Optimizer opt(net, optim::Sgd{.lr = 0.5});
    const auto x = Tensor<float, 2, Cuda>::ones({1, 2});
    const auto one = [&](const auto& input) {
      Tape tape;
      const auto loss = sum(net(tape.input(input)));
      opt.zero_grad();
      backward(loss);
      opt.step();
      return loss;
    };
    run(one, opt, x);
    return net.weight.value().values()[0];
  };
  const float baked = weight([](const auto& one, auto& opt, const auto& x) {
    const CudaStream own;
    const CudaStream::Scope scope(own);
    one(x);
    const auto graph = gpu::Graph::record([&] { one(x); });
    opt.set_lr(0);
    graph.replay();
  });
  const float followed = weight([](const auto& one, auto& opt, const auto& x) {
    auto step = capture(one, x);
    step(x);
    opt.set_lr(0);
    step(x);
    step(x);
  });
  CHECK(baked == 0.0f);
  CHECK(followed == 0.5f);
}

TEST_CASE("cuda: a captured step takes batches of the host and of the GPU") {
  nn::Linear<float, Cuda> net(5, 3);
  const auto x = test::random<float>(Shape<2>{4, 5}, 1),
             other = test::random<float>(Shape<2>{4, 5}, 2);
  auto predict = capture([&](const auto& input) { return softmax(net(input), 1); }, x);
  CHECK_THROWS_WITH(predict.result(), Contains("has not been called yet"));
  for (int i = 0; i < 3; ++i) {
    CHECK(predict(x).values() == softmax(net(to<Cuda>(x)), 1).values());
    CHECK(predict(to<Cuda>(other)).values() == softmax(net(to<Cuda>(other)), 1).values());
  }
  CHECK(predict.runs() == 6);
}

TEST_CASE("cuda: a batch of another shape than the captured one is refused") {
  Net<> net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  const Samples like = samples(0), fewer = samples(1, 5);
  auto step = capture(net, opt, CrossEntropy{}, like.x, like.y, {.clip_norm = 1, .clip_value = 2});
  step(like.x, like.y);
  CHECK_THROWS_WITH(step(fewer.x, fewer.y),
                    Contains("an input has shape (5, 1, 4, 4), but the step was captured with "
                             "(6, 1, 4, 4)") &&
                        Contains("drop_last"));
  step(like.x, like.y);
  CHECK(std::isfinite(step.loss()));
  CHECK(opt.steps() == 2);
}

TEST_CASE("cuda: a captured loss tells of bad labels when it is read") {
  Net<> net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  const Samples good = samples(0);
  const Tensor<int, 1> bad({6}, {0, 1, 9, 3, 2, 1});
  auto step = capture(net, opt, CrossEntropy{}, good.x, good.y);
  for (int i = 0; i < 3; ++i) step(good.x, good.y);
  step(good.x, bad);
  CHECK_THROWS_WITH(step.loss(), Contains("label 9 at position 2 is out of range"));
}

TEST_CASE("cuda: what a captured step must not do is refused with a sentence") {
  const auto x = test::random<float>(Shape<1>{4}, 1);
  auto reads =
      capture([](const auto& input) { return input * static_cast<float>(sum(input).item()); }, x);
  reads(x);  // as it is
  CHECK_THROWS_WITH(reads(x), Contains("read back in a step that is being captured"));
  CHECK_THROWS_WITH(reads(x), Contains("being captured"));  // the stream is as it was
  auto inner = capture([](const auto& input) { return exp(input); }, x);
  inner(x);
  auto outer = capture([&](const auto& input) { return inner(input).clone(); }, x);
  outer(x);
  CHECK_THROWS_WITH(outer(x), Contains("may not run another"));
  CHECK(inner(x).values() == exp(to<Cuda>(x)).values());
}

TEST_CASE("cuda: a step is recorded anew where the recorded one would not be right any more") {
  const optim::Sgd rule{.lr = 0.05, .momentum = 0.9};
  const optim::ConstantLr same;
  check_replays(rule, same, [&](int step, Net<>& net, auto&) {  // other memory
    if (step == 3)
      net.first.weight.set(Tensor<float, 2, Cuda>::full(net.first.weight.shape(), 0.1f));
  });
  check_replays(rule, same, [best = Net<>()](int step, Net<>& net, auto&) mutable {  // buffers too
    if (step == 2) best = net;
    if (step == 4) net = best;
  });
  check_replays(rule, same, [&](int step, Net<>& net, auto&) {  // one buffer alone
    if (step == 3) net.norm.running_mean.set(Tensor<float, 1, Cuda>::ones({3}));
  });
  check_replays(rule, same, [&](int step, Net<>& net, auto&) {
    if (step == 3) net.second.weight.set_trainable(false);
    if (step == 5) net.second.weight.set_trainable(true);
  });
  check_replays(optim::Sgd{.lr = 0.05}, same, [&](int step, Net<>&, auto& opt) {  // more state
    if (step == 3) opt.set_rule(rule);
  });
  check_replays(optim::Adam{}, same, [&](int step, Net<>&, auto& opt) {  // state that is replaced
    if (step == 4)
      opt.template visit_state<Cuda>(
          [](const std::string&, auto& state) { state = state.clone(); });
  });
}

TEST_CASE("cuda: captured updates of more parameters than one launch takes") {
  const auto weights = [](By by, const auto& rule) {
    Many<Cuda> net;
    for (int i = 0; i < 200; ++i) net.all.emplace_back(Tensor<double, 1, Cuda>::ones({3}));
    const auto first = [](std::string_view name) { return name.size() < 4; };  // a hundred
    optim::Optimizer opt(net, rule, first);
    opt.add_group(net, rule, std::not_fn(first));
    opt.add_group(Many<Cuda>{{Tensor<double, 1, Cuda>::ones({2})}},
                  rule);  // one that gets no gradient
    const auto x = test::random<double>(Shape<1>{3}, 1);
    const auto one = [&](const auto& input) {
      Tape tape;
      opt.zero_grad();
      auto total = sum(square(tape.watch(net.all[0]) - input));
      for (const auto& w : net.all) total = total + sum(square(tape.watch(w) - input));
      backward(total);
      opt.step();
      return total;
    };
    auto step = capture(one, x);
    std::vector<double> numbers;
    for (int i = 0; i < 4; ++i) {
      opt.set_lr(0.1 / (i + 1), 0);
      numbers.push_back(by == By::replaying ? step(x).item() : one(to<Cuda>(x)).value().item());
    }
    for (const auto& w : net.all)
      for (const double v : w.value().values()) numbers.push_back(v);
    return numbers;
  };
  CHECK(weights(By::replaying, optim::Adam{}) == weights(By::asking, optim::Adam{}));
  CHECK(weights(By::replaying, optim::GradientDescent{}) ==
        weights(By::asking, optim::GradientDescent{}));
}

TEST_CASE("cuda: after it was recorded, none of a captured step's code is run") {
  int asked = 0;
  const auto x = test::random<float>(Shape<1>{4}, 1);
  auto step = capture(
      [&](const auto& input) {
        ++asked;
        return exp(input);
      },
      x);
  for (int i = 0; i < 5; ++i) step(x);
  CHECK(asked == 2);
}

TEST_CASE("cuda: captured steps keep their memory, and take no more") {
  Net<> net;
  optim::Optimizer opt(net, optim::Adam{.lr = 0.01});
  const Samples like = samples(0), few = samples(0, 3);
  auto step = capture(net, opt, CrossEntropy{}, like.x, like.y);
  auto smaller = capture(net, opt, CrossEntropy{}, few.x, few.y);
  for (int i = 0; i < 2; ++i) {
    step(like.x, like.y);
    smaller(few.x, few.y);
  }
  const auto eager = [&] {  // with others' memory in between
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(like.x)), like.y);
    opt.zero_grad();
    backward(loss);
    opt.step();
    return loss.value().item();
  };
  eager();
  Cuda::trim();
  eager();
  const std::size_t before = Cuda::stats().allocations;
  double last = eager();
  for (int i = 0; i < 10; ++i) {
    step(like.x, like.y);
    smaller(few.x, few.y);
    last = eager();
  }
  CHECK(std::isfinite(last));
  CHECK(Cuda::stats().allocations == before);
  CHECK(opt.steps() == 4 + 3 + 30);
}
