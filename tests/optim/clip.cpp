// Clipping against torch.nn.utils (1.13).
#include <ebb/nn/linear.hpp>
#include <ebb/optim/clip.hpp>

#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

struct Two {
  Param<Tensor<double, 1>> a{Tensor<double, 1>::zeros({2})}, b{Tensor<double, 1>::zeros({2})};
  Param<Tensor<double, 1>> silent{Tensor<double, 1>::zeros({2})};  // never has a gradient
  static void visit(auto& self, auto&& f) {
    f("a", self.a);
    f("b", self.b);
    f("silent", self.silent);
  }
  void set(const Tensor<double, 1>& ga, const Tensor<double, 1>& gb) {
    nn::zero_grad(*this);
    a.cell()->slot.give(ga);
    b.cell()->slot.give(gb);
  }
};

using Vector = Tensor<double, 1>;

void check(const Vector& found, double x, double y) {
  CHECK(std::abs(found(0) - x) <= 1e-14);
  CHECK(std::abs(found(1) - y) <= 1e-14);
}

}  // namespace

TEST_CASE("clip_grad_norm scales all gradients by one factor") {
  // p[0].grad = torch.tensor([3., -4.]); p[1].grad = torch.tensor([0., 12.])
  // torch.nn.utils.clip_grad_norm_(p, max_norm, norm_type)
  Two net;
  const Vector a({2}, {3, -4}), b({2}, {0, 12});
  net.set(a, b);
  CHECK(optim::clip_grad_norm(net, 1) == 13);
  check(net.a.grad(), 0.23076921301775288, -0.3076922840236705);
  check(net.b.grad(), 0, 0.9230768520710115);
  CHECK(a(0) == 3);  // a tensor that was given as the gradient keeps its own values

  net.set(a, b);
  CHECK(optim::clip_grad_norm(net, 20) == 13);  // within bounds already
  check(net.a.grad(), 3, -4);

  net.set(a, b);
  CHECK(optim::clip_grad_norm(net, 1, {.norm = optim::Norm::infinity}) == 12);
  check(net.a.grad(), 0.24999997916666844, -0.3333333055555579);
  check(net.b.grad(), 0, 0.9999999166666738);

  net.set(a, b);
  CHECK(optim::clip_grad_norm(net, 1, {.norm = optim::Norm::one}) == 19);
  check(net.a.grad(), 0.15789472853185638, -0.21052630470914185);

  CHECK(optim::grad_norm(Two()) == 0);
  CHECK(optim::clip_grad_norm(Two(), 1) == 0);
  CHECK_FALSE(net.silent.grad().defined());
}

TEST_CASE("a norm that is not finite spoils every gradient, or throws where asked") {
  Two net;
  const double infinity = std::numeric_limits<double>::infinity();
  const Vector bad({2}, {std::nan(""), 1}), good({2}, {1, 1}), endless({2}, {infinity, 1});
  for (const auto norm : {optim::Norm::one, optim::Norm::two, optim::Norm::infinity}) {
    net.set(bad, good);
    CHECK(std::isnan(optim::clip_grad_norm(net, 1, {.norm = norm})));
    CHECK(std::isnan(net.b.grad()(0)));
    net.set(good, bad);
    CHECK(std::isnan(optim::grad_norm(net, norm)));
    net.set(endless, good);
    CHECK(optim::clip_grad_norm(net, 1, {.norm = norm}) == infinity);
    CHECK(net.b.grad()(0) == 0);
  }
  net.set(bad, good);
  CHECK_THROWS_AS(optim::clip_grad_norm(net, 1, {.error_if_nonfinite = true}), NumericError);
  CHECK_THROWS_WITH(optim::clip_grad_norm(net, 1, {.error_if_nonfinite = true}),
                    Contains("the norm of the gradients is nan"));
  CHECK(net.b.grad()(0) == 1);
  CHECK_THROWS_WITH(optim::clip_grad_norm(net, 0), Contains("max_norm = 0 must be a positive"));
  CHECK_THROWS_AS(optim::clip_grad_norm(net, std::nan("")), ValueError);
}

TEST_CASE("clip_grad_value clamps every element") {
  Two net;
  net.set(Vector({2}, {3, -4}), Vector({2}, {0.25, std::nan("")}));
  optim::clip_grad_value(net, 0.5);
  check(net.a.grad(), 0.5, -0.5);
  CHECK(net.b.grad()(0) == 0.25);
  CHECK(std::isnan(net.b.grad()(1)));
  CHECK_THROWS_WITH(optim::clip_grad_value(net, -1), Contains("bound = -1"));
}

TEST_CASE("the norm of many elements has the same bits for any number of threads") {
  struct {
    double operator()(int threads) const {
      const test::Threads switched(threads);
      nn::Linear<> net(300, 301);
      const auto into = net.weight.cell()->slot.into();
      for (Index i = 0; i < into.size(); ++i) into.data[i] = static_cast<float>(i % 1000) * 1e-3f;
      return optim::grad_norm(net);
    }
  } norm;
  CHECK(norm(1) == norm(2));
  CHECK(norm(1) == norm(3));
}
