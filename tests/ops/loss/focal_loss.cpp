#include <ebb/ops/loss/focal_loss.hpp>

#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/loss/cross_entropy.hpp>

#include "tests/support/losses.hpp"

using namespace ebb;

namespace {

struct Focal {
  double gamma, alpha;
  template <class X, class Y>
  auto operator()(const X& x, const Y& t, Reduction reduction) const {
    return BinaryFocalLoss{gamma, alpha}(x, t, reduction);
  }
};

}  // namespace

TEST_CASE("binary_focal_loss: values, gradients, errors", "[ops][loss]") {
  // x, t as in huber_loss.cpp; p = torch.sigmoid(x); r = p * t + (1 - p) * (1 - t)
  // y = ((alpha * t + (1 - alpha) * (1 - t)) * (1 - r)**gamma
  //      * F.binary_cross_entropy_with_logits(x, t, reduction='none')).mean()
  test::check_pointwise_loss("binary_focal_loss", Focal{2, 0.25},
                             {0.12138207910327159,
                              {0.006793144760929466, 0.0011719420729667017, -0.017093778008345564,
                               0.05716851916284401, -0.00404598696426259, 0.020289283729400892},
                              {0.019572044817690676, -0.0476417216214054, -0.015099556753806625,
                               -0.2850652661614718, -0.028069303699545224, 0.012810174446418464}});
  test::check_pointwise_loss(
      "binary_focal_loss", Focal{0.5, 0.7},
      {0.2532420460319727,
       {0.00948220789920384, 0.006788189424481664, -0.07344981756645694, 0.03842216742489847,
        -0.0070531991147662005, 0.01607474645064611},
       {0.05019302518677424, -0.0278020326183366, 0.07305625055452122, -0.030646443224492524,
        -0.014375437428273838, 0.027733692481073928}});
}

TEST_CASE("binary_focal_loss: the gradient of a certain target is finite", "[ops][loss]") {
  // x = torch.tensor([100, -100, 90, 20], dtype=torch.float64), t = torch.tensor([1, 0, 1, 0.5]...)
  // u = torch.sigmoid(x) * (1 - t) + torch.sigmoid(-x) * t
  // y = ((0.25 * t + 0.75 * (1 - t)) * u**gamma
  //      * F.binary_cross_entropy_with_logits(x, t, reduction='none')).sum()
  // print(torch.autograd.grad(y, t)) for gamma = 2, 0.5; 1 - p is denormal in float
  const Tensor<float, 1> x({4}, {100, -100, 90, 20}), t({4}, {1, 0, 1, 0.5f});
  const auto slopes = [&](double gamma) {
    Tape tape;
    const auto v = tape.watch(t);
    backward(BinaryFocalLoss(gamma)(x, v, Reduction::sum));
    return v.grad().values();
  };
  const auto by_square = slopes(2), by_root = slopes(0.5);
  for (std::size_t i = 0; i < 3; ++i) CHECK(by_square[i] == 0);
  CHECK(by_square[3] == Approx(-8.749999980676684).epsilon(1e-6));
  CHECK(by_root[0] == Approx(-4.8459839930093424e-21).epsilon(0.04));
  CHECK(by_root[1] == Approx(1.446562385972938e-20).epsilon(0.04));
  CHECK(by_root[2] == Approx(-6.476448288493003e-19).epsilon(1e-4));
  CHECK(by_root[3] == Approx(-14.142135610613847).epsilon(1e-6));
}

TEST_CASE("focal_loss: gradients", "[ops][loss]") {
  const auto x = test::random<double>(Shape{2, 3, 2, 2}, 1, -2, 2);
  const Tensor<int, 3> labels({2, 2, 2}, {0, 1, 2, -1, 1, 1, 0, 2});
  const Tensor<double, 1> w({3}, {0.5, 1, 2});
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.3})
    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
      const FocalOptions<double> options{gamma, w, -1, reduction};
      CHECK_GRADIENTS([&](const auto& z) { return focal_loss(z, labels, options); }, x);
      CHECK_GRADIENTS(
          [&](const auto& z) {
            return focal_loss(z, labels, options) + focal_loss(z, labels, options);
          },
          x);
    }
  CHECK(focal_loss(x, labels, {.gamma = 0, .ignore_index = -1}).item() ==
        Approx(cross_entropy(x, labels, {.ignore_index = -1}).item()).epsilon(1e-14));
}

TEST_CASE("focal_loss: certain and hopeless logits stay finite", "[ops][loss]") {
  for (const double gamma : {0.0, 0.5, 1.0, 2.0}) {
    const Tensor<float, 2> x({2, 2}, {300, -300, 300, -300});
    Tape tape;
    const auto v = tape.watch(x);
    const auto y =
        focal_loss(v, Tensor<int, 1>({2}, {0, 1}), {.gamma = gamma, .reduction = Reduction::sum});
    CHECK(y.item() == 600);
    backward(y);
    CHECK(v.grad().values() == std::vector<float>{0, 0, 1, -1});
    Tape other;
    const auto u = other.watch(Tensor<float, 1>({4}, {300, -300, -300, 300}));
    const auto z =
        BinaryFocalLoss{gamma, 0.5}(u, Tensor<float, 1>({4}, {1, 0, 1, 0}), Reduction::sum);
    CHECK(z.item() == 300);
    backward(z);
    CHECK(u.grad().values() == std::vector<float>{0, 0, -0.5f, 0.5f});
  }
}

TEST_CASE("focal_loss: any number of threads, floats, and what does not fit", "[ops][loss]") {
  const auto many = test::random<float>(Shape{4, 5, 60, 61}, 1);
  Tensor<double, 4> exact(many.shape());
  for (Index i = 0; i < many.size(); ++i)
    exact.mutable_data()[i] = static_cast<double>(many.data()[i]);
  Tensor<int, 3> labels(Shape{4, 60, 61});
  for (Index i = 0; i < labels.size(); ++i) labels.mutable_data()[i] = static_cast<int>(i * 7 % 5);
  const double wide = focal_loss(exact, labels).item();
  CHECK(std::abs(static_cast<double>(focal_loss(many, labels).item()) / wide - 1) < 1e-6);
  CHECK(test::same_for_any_threads([&] {
    Tape tape;
    const auto v = tape.watch(many);
    backward(focal_loss(v, labels));
    return v.grad();
  }));
  const auto text = [](const auto& f) { return test::error_of<Error>(f); };
  labels(1, 2, 3) = 5;
  CHECK(test::contains(text([&] { focal_loss(many, labels); }),
                       "focal_loss: label 5 at position (1, 2, 3)"));
  CHECK(test::contains(text([&] { focal_loss(many, labels, {.gamma = -1}); }), "gamma is -1"));
  CHECK(test::contains(text([&] { BinaryFocalLoss(2, 25); }), "alpha 25"));
}
