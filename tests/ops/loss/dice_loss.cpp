#include <ebb/ops/loss/dice_loss.hpp>

#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/ops/loss/tversky_loss.hpp>
#include <ebb/ops/loss/weighted_losses.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

namespace {

const Tensor<int, 3> labels({2, 2, 3}, {0, 1, 2, 2, 1, 0, 1, 1, -1, 0, 1, 0});

}  // namespace

TEST_CASE("dice_loss: values by hand", "[ops][loss]") {
  // Logits so large that probabilities are 0 and 1: the soft counts are counts.
  const Tensor<double, 4> logits({1, 2, 1, 4}, {0, 0, 0, 0, 99, 99, -99, -99});
  const Tensor<int, 3> truth({1, 1, 4}, {0, 1, 1, 1});
  const RegionOptions plain{.smooth = 0};
  // Class 0: 2 predicted, 1 true, none in common. Class 1: 2 predicted, 3 true, 1 in common.
  CHECK(dice_loss(logits, truth, plain).item() ==
        Approx(1 - (0.0 / 3 + 2.0 / 5) / 2).epsilon(1e-14));
  CHECK(DiceLoss{{.smooth = 1, .first_class = 1}}(logits, truth).item() ==
        Approx(1 - 3.0 / 6).epsilon(1e-14));
  // TP 1, FP 1, FN 2.
  CHECK(TverskyLoss{{{.smooth = 0, .first_class = 1}, 0.3, 0.7}}(logits, truth).item() ==
        Approx(1 - 1 / (1 + 0.3 + 1.4)).epsilon(1e-14));
  // Weights 1 and 1/9.
  CHECK(generalised_dice_loss(logits, truth, plain).item() ==
        Approx(1 - 2 * (0 + 1.0 / 9) / (3 + 5.0 / 9)).epsilon(1e-14));
  // Foreground: 2, 3, 1 in common; background 2, 1, 0.
  const Tensor<double, 4> one({1, 1, 1, 4}, {99, 99, -99, -99}), mask({1, 1, 1, 4}, {0, 1, 1, 1});
  CHECK(dice_loss(one, mask, plain).item() == Approx(1 - 2.0 / 5).epsilon(1e-14));
  CHECK(generalised_dice_loss(one, mask, plain).item() ==
        Approx(1 - 2 * (0 + 1.0 / 9) / (3 + 5.0 / 9)).epsilon(1e-14));
}

TEST_CASE("dice_loss: nothing there and nothing predicted is no loss", "[ops][loss]") {
  const auto empty = Tensor<float, 4>::zeros({1, 1, 2, 2});
  const auto never = Tensor<float, 4>::full({1, 1, 2, 2}, -200);
  Tape tape;
  const auto x = tape.watch(never);
  const auto y = dice_loss(x, empty);
  CHECK(y.item() == 0);
  backward(y);
  CHECK(x.grad().values() == std::vector<float>(4, 0.0f));
  CHECK(dice_loss(never, empty, {.smooth = 0}).item() == 0);
  CHECK(dice_loss(Tensor<float, 4>::zeros({1, 1, 2, 2}), empty).item() > 0.99f);
}

TEST_CASE("generalised_dice_loss: regions of next to no mass", "[ops][loss]") {
  // 1 / G^2 of these is beyond float but not beyond double, which says what is right.
  for (const float mass : {1e-12f, 1e-18f, 1e-25f, 1e-38f}) {
    const Tensor<float, 4> logits({1, 2, 1, 3}, {0.5f, -1, 2, -0.25f, 0.5f, -60});
    const Tensor<float, 4> mask({1, 2, 1, 3}, {mass, 0, 0, 1, 0.5f, 0});
    const auto with = [&](auto scalar) {
      using T = decltype(scalar);
      const auto as = [](const Tensor<float, 4>& x) {
        std::vector<T> values;
        for (const float v : x.values()) values.push_back(static_cast<T>(v));
        return Tensor<T, 4>::from(x.shape(), values);
      };
      Tape tape;
      const auto x = tape.watch(as(logits));
      const auto y = generalised_dice_loss(x, as(mask), {.smooth = 1e-5});
      backward(y);
      std::vector<double> all{static_cast<double>(y.item())};
      for (const T d : x.grad().values()) all.push_back(static_cast<double>(d));
      return all;
    };
    const auto found = with(float()), right = with(double());
    INFO(mass);
    for (std::size_t i = 0; i < right.size(); ++i)
      CHECK(std::abs(found[i] - right[i]) <= 1e-6 * std::abs(right[i]) + 1e-37);
  }
}

TEST_CASE("dice_loss: gradients of overlap losses", "[ops][loss]") {
  const auto x = test::random<double>(Shape{2, 3, 2, 3}, 1, -2, 2);
  const auto mask = test::random<double>(Shape{2, 3, 2, 3}, 2, 0, 1);
  for (const bool batch : {false, true})
    for (const int first : {0, 1}) {
      const RegionOptions options{
          .smooth = 0.1, .batch = batch, .first_class = first, .ignore_index = -1};
      CHECK_GRADIENTS([&](const auto& z) { return dice_loss(z, labels, options); }, x);
      CHECK_GRADIENTS([&](const auto& z) { return generalised_dice_loss(z, labels, options); }, x);
      CHECK_GRADIENTS(
          [&](const auto& z) {
            return tversky_loss(z, labels, {options, 0.4, 0.9});
          },
          x);
      CHECK_GRADIENTS([&](const auto& z) { return dice_loss(z, mask, options); }, x);
      CHECK_GRADIENTS([&](const auto& z) { return tversky_loss(z, mask, {options, 0.4, 0.9}); }, x);
    }
  for (const bool batch : {false, true})
    CHECK_GRADIENTS([&](const auto& z) { return generalised_dice_loss(z, mask, {.batch = batch}); },
                    x);
  // Without further axes, and used twice: gradients add.
  const auto rows = test::random<double>(Shape{5, 4}, 3);
  const Tensor<int, 1> few({5}, {3, 0, 1, 1, 2});
  const auto both = weighted_losses(
      {2, 0.5}, DiceLoss{{.batch = true}},
      [](const auto& z, const auto& t) { return cross_entropy(z, t); }, tversky_loss);
  static_assert(sizeof both.weights == 3 * sizeof(double));
  CHECK_GRADIENTS([&](const auto& z) { return both(z, few) + dice_loss(z, few); }, rows);
}

TEST_CASE("dice_loss: any number of threads, floats and dual numbers", "[ops][loss]") {
  const auto wide = test::random<float>(Shape{3, 4, 60, 61}, 1);
  Tensor<double, 4> exact(wide.shape());
  for (Index i = 0; i < wide.size(); ++i)
    exact.mutable_data()[i] = static_cast<double>(wide.data()[i]);
  Tensor<int, 3> many(Shape{3, 60, 61});
  for (Index i = 0; i < many.size(); ++i)
    many.mutable_data()[i] = i % 17 == 0 ? -100 : static_cast<int>(i * 7 % 4);
  const auto check = [&](const auto& loss) {
    CHECK(std::abs(static_cast<double>(loss(wide, many).item()) / loss(exact, many).item() - 1) <
          1e-6);
    CHECK(test::same_for_any_threads([&] { return loss(wide, many); }));
    CHECK(test::same_for_any_threads([&] {
      Tape tape;
      const auto v = tape.watch(wide);
      backward(loss(v, many));
      return v.grad();
    }));
  };
  check(dice_loss);
  check(GeneralisedDiceLoss{{.batch = true}});

  const auto x = test::random<double>(Shape{2, 3, 2, 3}, 1);
  const auto along = test::random<double>(Shape{2, 3, 2, 3}, 2);
  const auto f = [&](const auto& v) { return dice_loss(v, labels, {.ignore_index = -1}); };
  Tape tape;
  const auto v = tape.watch(x);
  backward(f(v));
  double product = 0;
  for (Index i = 0; i < x.size(); ++i) product += v.grad().data()[i] * along.data()[i];
  const auto y = jvp(f, x, along);
  CHECK(std::abs(y.value.item() - f(x).item()) < 1e-14);
  CHECK(std::abs(y.tangent.item() - product) < 1e-14);
}

TEST_CASE("dice_loss: what does not fit is said", "[ops][loss]") {
  const auto x = Tensor<float, 4>::zeros({2, 3, 2, 3});
  const auto text = [](const auto& f) { return test::error_of<Error>(f); };
  CHECK(contains(text([&] {
                   dice_loss(x, Tensor<int, 3>::zeros({2, 3, 2}));
                 }),
                 "they need shape (2, 2, 3)"));
  CHECK(contains(text([&] { dice_loss(x, labels); }), "dice_loss: label -1 at position (1, 0, 2)"));
  CHECK(contains(text([&] {
                   dice_loss(x, Tensor<float, 4>::zeros({2, 1, 2, 3}));
                 }),
                 "dice_loss: the input has shape (2, 3, 2, 3) and the target (2, 1, 2, 3)"));
  const auto ignored = Tensor<int, 3>::full({2, 2, 3}, -100);
  CHECK(
      contains(text([&] { tversky_loss(x, ignored); }), "every label of the batch is the ignored"));
  CHECK(contains(text([&] { dice_loss(x, labels, {.first_class = 3}); }), "first_class is 3"));
  CHECK(contains(text([&] { dice_loss(x, labels, {.smooth = -1}); }), "smooth is -1"));
  CHECK(contains(text([&] { generalised_dice_loss(x, x, {.first_class = 1}); }), "no background"));
  CHECK(contains(text([&] { tversky_loss(x, labels, {{}, -1, 1}); }), "alpha = -1"));
  const Tensor<float, 4> none(Shape{1, 3, 0, 3});
  CHECK(contains(text([&] {
                   dice_loss(none, Tensor<int, 3>(Shape{1, 0, 3}));
                 }),
                 "without elements"));
}
