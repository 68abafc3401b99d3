// Steps that are left out because the gradients are not finite.
#include <ebb/ebb.hpp>

#include "tests/support/catch.hpp"

#include <limits>

using namespace ebb;

namespace {

using Vector = Tensor<double, 1>;

struct Net {
  Param<Vector> weight{Vector({3}, {1, 2, 3})};
  Param<Tensor<float, 1>> single{Tensor<float, 1>({1}, {4})};
  static void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("single", self.single);
  }
};

void put(Net& net, const Vector& gradient) {
  net.weight.zero_grad();
  net.single.zero_grad();
  Tape tape;
  backward(tape.watch(net.weight) * 1.0, gradient);
  backward(tape.watch(net.single) * 1.0f, Tensor<float, 1>({1}, {0.5f}));
}

/// All that a step may change.
template <class R>
std::vector<double> everything(const Net& net, optim::Optimizer<R>& opt, bool numbers) {
  std::vector<double> all = net.weight.value().values();
  all.push_back(static_cast<double>(net.single.value()(0)));
  opt.visit_state([&](const std::string&, auto& x) {
    for (const auto v : x.values()) all.push_back(static_cast<double>(v));
  });
  if (numbers)
    opt.visit_numbers([&](const std::string&, double& number) { all.push_back(number); });
  return all;
}

}  // namespace

TEST_CASE("a step is left out where the norm of the gradients is not finite, and counts") {
  const Vector good({3}, {0.5, -1, 2});
  Net net, plain;
  optim::Optimizer opt(net, optim::Adam{.lr = 0.1}), as_ever(plain, optim::Adam{.lr = 0.1});
  put(net, good);
  put(plain, good);
  opt.step_if_finite(optim::grad_norm(net));
  as_ever.step();
  CHECK(everything(net, opt, true) == everything(plain, as_ever, true));
  CHECK(opt.skipped_steps() == 0);

  const auto before = everything(net, opt, false);
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    put(net, Vector({3}, {1, bad, 1}));
    opt.step_if_finite(optim::clip_grad_norm(net, 1.0));
    CHECK(everything(net, opt, false) == before);
  }
  CHECK(opt.skipped_steps() == 2);
  CHECK(opt.steps() == 3);
  double updates = 0;
  opt.visit_numbers([&](const std::string& name, double& number) {
    if (name == "weight.step") updates = number;
  });
  CHECK(updates == 3);

  put(net, good);
  opt.step_if_finite(optim::grad_norm(net));
  CHECK(everything(net, opt, false) != before);
  CHECK(opt.skipped_steps() == 2);
}
