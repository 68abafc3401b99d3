// Every loss with its options, beside PyTorch in double: tests/oracle/losses.py.

#include "follow.hpp"

#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>

using namespace ebb;
using namespace parity;

namespace {

/// loss(scores of 7 rows, labels).
template <class Loss>
void classes(Fixture& fixture, const char* name, Loss loss) {
  follow(fixture, name, nn::Linear<double>(6, 5), [=](const auto& net, const auto& data) {
    return loss(net(data.input(Shape{7, 6})), data.labels(5, Shape{7}));
  });
}

/// loss(scores of every pixel, labels).
template <class Loss>
void segments(Fixture& fixture, const char* name, Loss loss) {
  follow(fixture, name, nn::Conv2d<double>(3, 5, 1), [=](const auto& net, const auto& data) {
    return loss(net(data.input(Shape{2, 3, 4, 3})), data.labels(5, Shape{2, 4, 3}));
  });
}

/// loss(values, target(data)).
template <class Loss, class Target>
void values(Fixture& fixture, const char* name, Loss loss, Target target) {
  follow(fixture, name, nn::Linear<double>(6, 5), [=](const auto& net, const auto& data) {
    return loss(net(data.input(Shape{7, 6})), target(data));
  });
}

const auto real = [](const auto& data) { return data.target(Shape{7, 5}); };

/// A target from the random one, element by element.
template <class F>
auto from_target(F f) {
  return [=](const auto& data) {
    auto numbers = data.target(Shape{7, 5}).values();
    for (double& x : numbers) x = f(x);
    return Tensor<double, 2>::from({7, 5}, numbers);
  };
}

}  // namespace

TEST_CASE("PyTorch parity: losses of classes") {
  Fixture f("losses.json", "cross_entropy", "nll_loss");
  const Tensor<double, 1> w({5}, {0.5, 1.0, 2.0, 0.25, 1.5});
  const auto cross = [](CrossEntropyOptions<double> options) {
    return [=](const auto& y, const auto& t) { return cross_entropy(y, t, options); };
  };
  const auto cross_sum = [](CrossEntropyOptions<double> options) {
    options.reduction = Reduction::sum;
    return [=](const auto& y, const auto& t) { return cross_entropy(y, t, options) / 7; };
  };
  classes(f, "cross_entropy", cross({}));
  classes(f, "cross_entropy sum", cross_sum({}));
  classes(f, "cross_entropy weights", cross({.weights = w}));
  classes(f, "cross_entropy ignore 2", cross({.ignore_index = 2}));
  classes(f, "cross_entropy smoothing 0.1", cross({.label_smoothing = 0.1}));
  classes(f, "cross_entropy weights, ignore 1, smoothing 0.2",
          cross({.weights = w, .ignore_index = 1, .label_smoothing = 0.2}));
  classes(f, "cross_entropy sum, weights, smoothing 0.2",
          cross_sum({.weights = w, .label_smoothing = 0.2}));
  segments(f, "cross_entropy of pixels", cross({}));
  segments(f, "cross_entropy of pixels, weights, ignore 3, smoothing 0.1",
           cross({.weights = w, .ignore_index = 3, .label_smoothing = 0.1}));

  const auto nll = [](NllOptions<double> options) {
    return [=](const auto& y, const auto& t) { return nll_loss(log_softmax(y, 1), t, options); };
  };
  classes(f, "nll_loss", nll({}));
  classes(f, "nll_loss weights, ignore 0", nll({.weights = w, .ignore_index = 0}));
  segments(f, "nll_loss of pixels", nll({}));
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: losses of values") {
  Fixture f("losses.json", "mse_loss", "l1_loss", "huber_loss", "bce_with_logits");
  values(f, "mse_loss", mse_loss, real);
  values(
      f, "mse_loss sum",
      [](const auto& y, const auto& t) { return mse_loss(y, t, Reduction::sum) / 35; }, real);
  values(f, "l1_loss", l1_loss, real);
  values(
      f, "l1_loss sum",
      [](const auto& y, const auto& t) { return l1_loss(y, t, Reduction::sum) / 35; }, real);
  values(f, "huber_loss", huber_loss, real);
  values(f, "huber_loss delta 0.3", HuberLoss{0.3}, real);
  values(
      f, "huber_loss sum",
      [](const auto& y, const auto& t) { return huber_loss(y, t, 0.3, Reduction::sum) / 35; },
      real);

  const auto yes_no = from_target([](double x) { return x > 0 ? 1.0 : 0.0; });
  const auto soft = from_target([](double x) { return (x + 1) / 2; });
  const auto bce = [](BceOptions<double> options) {
    return [=](const auto& y, const auto& t) { return bce_with_logits(y, t, options); };
  };
  values(f, "bce_with_logits", bce({}), yes_no);
  values(f, "bce_with_logits soft targets", bce({}), soft);
  values(
      f, "bce_with_logits sum",
      [](const auto& y, const auto& t) {
        return bce_with_logits(y, t, {.reduction = Reduction::sum}) / 35;
      },
      yes_no);
  const Tensor<double, 1> positive({5}, {0.5, 2.0, 3.0, 1.0, 1.5});
  values(f, "bce_with_logits positive weight", bce({.pos_weight = positive}), yes_no);
  CHECK(f.left().empty());
}
