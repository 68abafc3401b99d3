#include <ebb/ops/loss/bce_with_logits.hpp>

#include "tests/support/losses.hpp"

using namespace ebb;

namespace {

/// bce_with_logits with the weights in every scalar type the checks use.
struct Weighted {
  std::vector<double> weights;

  template <class X, class Y>
  auto operator()(const X& x, const Y& t, Reduction reduction) const {
    using T = scalar_of<X>;
    std::vector<T> w;
    for (double v : weights) w.push_back(static_cast<T>(v));
    BceOptions<T> options{.reduction = reduction};
    if (!w.empty()) options.pos_weight = Tensor<T, 1>::from(Shape{static_cast<Index>(w.size())}, w);
    return bce_with_logits(x, t, options);
  }
};

}  // namespace

TEST_CASE("bce_with_logits: values, gradients, errors", "[ops][loss]") {
  // x, t as above; p = torch.ones(3) (and 0.5 below)
  // y = F.binary_cross_entropy_with_logits(x, t.detach(), pos_weight=p); y.backward()
  // z = -(p * t * F.logsigmoid(x) + (1 - t) * F.logsigmoid(-x)).mean()
  // print(y.item(), x.grad.tolist(), torch.autograd.grad(z, t))
  test::check_pointwise_loss("bce_with_logits", Weighted{},
                             {0.7292732266424888,
                              {0.03649023689499919, 0.02152978319589882, -0.10202941681429968,
                               0.10709574603227394, -0.008756778133024242, 0.09625677813302425},
                              {0.16666666666666666, -0.125, 0.04166666666666666, -0.25,
                               -0.08333333333333334, 0.08333333333333334}});
  test::check_pointwise_loss("bce_with_logits", Weighted{{0.5}},
                             {0.6204305249971199,
                              {0.03953631430595753, 0.036234092817026636, -0.052838972986792354,
                               0.10975611825444996, 0.012479884486871429, 0.08588245594632667},
                              {0.05722819270681476, -0.157239250509575, -0.027161618323236963,
                               -0.26678443983189604, -0.12283974868167556, 0.002160251318324452}});
}

TEST_CASE("bce_with_logits: a weight per class", "[ops][loss]") {
  // p = torch.tensor([0.5, 2, 3], dtype=torch.float64), else as above
  const auto x = test::ramp<double>(Shape{2, 3});
  Tensor<double, 2> t(Shape{2, 3});
  for (Index i = 0; i < 6; ++i) t.mutable_data()[i] = x.data()[5 - i] / 2 + 0.3;
  const Tensor<double, 1> p({3}, {0.5, 2, 3});
  const test::ExpectedLoss expected{
      1.0338011936002969,
      {0.03953631430595753, -0.007878836046356827, -0.29879119212432903, 0.10975611825444996,
       -0.051230103372815604, 0.13775406687981454},
      {0.05722819270681476, -0.06052149898085002, 0.3169798066262811, -0.26678443983189604,
       -0.004320502636648904, 0.40802566139336893}};
  Tape tape;
  const auto v = tape.watch(x), vt = tape.watch(t);
  const auto y = bce_with_logits(v, vt, {.pos_weight = p});
  backward(y);
  CHECK(std::abs(y.item() - expected.value) < 1e-14);
  CHECK(test::difference(v.grad(), expected.input_grad) < 1e-14);
  CHECK(test::difference(vt.grad(), expected.target_grad) < 1e-14);
  // Classes on axis 1, whatever the rank, and on the only axis.
  const auto f = [&](const auto& a, const auto& b) {
    return bce_with_logits(a, b, {.pos_weight = p});
  };
  CHECK_GRADIENTS(f, test::random<double>(Shape{2, 3, 2, 2}, 1),
                  test::random<double>(Shape{2, 3, 2, 2}, 2));
  CHECK_GRADIENTS(f, test::random<double>(Shape{3}, 1), test::random<double>(Shape{3}, 2));
  Tensor<double, 2> first = test::random<double>(Shape{2, 3}, 1),
                    zeros = Tensor<double, 2>::zeros({2, 3});
  CHECK(bce_with_logits(first.reshape(Shape{2, 3, 1, 1}), zeros.reshape(Shape{2, 3, 1, 1}),
                        {.pos_weight = p})
            .item() == bce_with_logits(first, zeros, {.pos_weight = p}).item());
}

TEST_CASE("bce_with_logits: large logits", "[ops][loss]") {
  const Tensor<float, 1> x({4}, {1e4f, -1e4f, 1e4f, -1e4f}), t({4}, {1, 0, 0, 1});
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = bce_with_logits(v, t, {.reduction = Reduction::sum});
  CHECK(y.item() == 2e4f);
  backward(y);
  CHECK(v.grad().values() == std::vector<float>{0, 0, 1, -1});
}

TEST_CASE("bce_with_logits: a logit of -infinity has a slope by its target, also where p < 1") {
  // x = torch.tensor([-math.inf]); F.binary_cross_entropy_with_logits(x, t, pos_weight=p) for
  // t = 0 and 1, p = .3, 1 and 3: t.grad is inf
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float weight : {0.3f, 1.0f, 3.0f})
    for (const float target : {0.0f, 1.0f}) {
      const Tensor<float, 1> x({1}, {-infinity}), t({1}, {target}), p({1}, {weight});
      Tape tape;
      const auto v = tape.watch(t);
      const auto y = bce_with_logits(x, v, {.pos_weight = p});
      backward(y);
      CHECK(v.grad().item() == infinity);
      if (target == 1) CHECK(y.item() == infinity);
    }
}

TEST_CASE("bce_with_logits: small losses and slopes keep their digits", "[ops][loss]") {
  // x = torch.tensor([-100, -50, -20, 50], dtype=torch.float64); t = torch.tensor([0, 0, 0, 1]...)
  // F.softplus(torch.where(t == 1, -x, x)), torch.sigmoid(x) - t by sigmoid(-x) where t is 1
  const std::vector<double> terms = {3.720075976020836e-44, 1.9287498479639178e-22,
                                     2.061153620314381e-09, 1.9287498479639178e-22};
  const std::vector<double> slopes = {3.720075976020836e-44, 1.9287498479639178e-22,
                                      2.0611536181902037e-09, -1.9287498479639178e-22};
  const double x[] = {-100, -50, -20, 50}, t[] = {0, 0, 0, 1};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto check = [&](auto scalar, double tolerance) {
      using T = decltype(scalar);
      Tape tape;
      const auto v = tape.watch(Tensor<T, 1>({1}, {static_cast<T>(x[i])}));
      const auto y = bce_with_logits(v, Tensor<T, 1>({1}, {static_cast<T>(t[i])}));
      backward(y);
      INFO(x[i]);
      CHECK(static_cast<double>(y.item()) == Approx(terms[i]).epsilon(tolerance));
      CHECK(static_cast<double>(v.grad()(0)) == Approx(slopes[i]).epsilon(tolerance));
    };
    check(double(), 1e-14);
    check(float(), i == 0 ? 0.04 : 1e-6);  // e^-100 has five bits in float
  }
}

TEST_CASE("bce_with_logits: weights of the wrong length", "[ops][loss]") {
  const auto x = test::random<float>(Shape{2, 3});
  const Tensor<float, 1> two({2}, {1, 1});
  CHECK(test::error_of<ShapeError>([&] { bce_with_logits(x, x, {.pos_weight = two}); }) ==
        "bce_with_logits: pos_weight has 2 elements; for logits of shape (2, 3) it needs 1, or one "
        "per class (the extent of axis 1)");
  const Tensor<float, 0> one(1);
  CHECK(test::contains(
      test::error_of<ShapeError>([&] { bce_with_logits(one, one, {.pos_weight = two}); }),
      "for logits of shape () it needs 1"));
}
