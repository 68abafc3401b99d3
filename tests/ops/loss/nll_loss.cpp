#include <ebb/ops/loss/nll_loss.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("nll_loss: values and gradients as PyTorch has them", "[ops][loss]") {
  // x, l = ramp(3, 4).requires_grad_(), torch.tensor([2, 0, 3])             # rows
  // x, l = ramp(2, 4, 2, 2).requires_grad_(), torch.tensor([[[2, 0], [3, 1]], [[1, 1], [0, 2]]])
  // w = torch.tensor([0.5, 1, 2, 0.25], dtype=torch.float64)
  // y = F.nll_loss(x, l, [arguments]); y.backward(); print(y.item(), x.grad.flatten().tolist())
  const auto rows = test::ramp<double>(Shape{3, 4});
  const auto pixels = test::ramp<double>(Shape{2, 4, 2, 2});
  const Tensor<int, 1> rows_labels({3}, {2, 0, 3});
  const Tensor<int, 3> pixel_labels({2, 2, 2}, {2, 0, 3, 1, 1, 1, 0, 2});
  const Tensor<double, 1> w({4}, {0.5, 1, 2, 0.25});
  const auto check = [](const auto& x, const auto& labels, const NllOptions<double>& options,
                        double value, const std::vector<double>& dx) {
    INFO(to_string(x.shape()) << ", value " << value);
    CHECK(std::abs(nll_loss(x, labels, options).item() - value) < 1e-13);
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = nll_loss(v, labels, options);
    backward(y, Retain::yes);
    CHECK(test::difference(v.grad(), dx) < 1e-14);
    backward(y);  // adds up
    std::vector<double> twice;
    for (double d : dx) twice.push_back(2 * d);
    CHECK(test::difference(v.grad(), twice) < 1e-14);
    CHECK_GRADIENTS([&](const auto& z) { return nll_loss(z, labels, options); }, x);
  };
  // (defaults)
  check(rows, rows_labels, {}, 0.25,
        {0.0, 0.0, -0.3333333333333333, 0.0, -0.3333333333333333, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
         -0.3333333333333333});
  check(pixels, pixel_labels, {}, -0.3125,
        {0.0, -0.125, 0.0, 0.0,    0.0, 0.0,    0.0, -0.125, -0.125, 0.0,    0.0,
         0.0, 0.0,    0.0, -0.125, 0.0, 0.0,    0.0, -0.125, 0.0,    -0.125, -0.125,
         0.0, 0.0,    0.0, 0.0,    0.0, -0.125, 0.0, 0.0,    0.0,    0.0});
  // reduction='sum'
  check(rows, rows_labels, {.reduction = Reduction::sum}, 0.75,
        {0.0, 0.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0});
  check(pixels, pixel_labels, {.reduction = Reduction::sum}, -2.5,
        {0.0, -1.0, 0.0,  0.0, 0.0,  0.0,  0.0, -1.0, -1.0, 0.0, 0.0, 0.0,  0.0, 0.0, -1.0, 0.0,
         0.0, 0.0,  -1.0, 0.0, -1.0, -1.0, 0.0, 0.0,  0.0,  0.0, 0.0, -1.0, 0.0, 0.0, 0.0,  0.0});
  // weight=[0.5, 1, 2, 0.25]
  check(rows, rows_labels, {.weights = w}, 0.18181818181818182,
        {0.0, 0.0, -0.7272727272727273, 0.0, -0.18181818181818182, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
         -0.09090909090909091});
  check(pixels, pixel_labels, {.weights = w}, 0.045454545454545456,
        {0.0,
         -0.06060606060606061,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.12121212121212122,
         -0.24242424242424243,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.030303030303030304,
         0.0,
         0.0,
         0.0,
         -0.06060606060606061,
         0.0,
         -0.12121212121212122,
         -0.12121212121212122,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.24242424242424243,
         0.0,
         0.0,
         0.0,
         0.0});
  // ignore_index=0
  check(rows, rows_labels, {.ignore_index = 0}, 0.625,
        {0.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5});
  check(pixels, pixel_labels, {.ignore_index = 0}, -0.25,
        {0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.16666666666666666,
         -0.16666666666666666,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.16666666666666666,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.16666666666666666,
         -0.16666666666666666,
         0.0,
         0.0,
         0.0,
         0.0,
         0.0,
         -0.16666666666666666,
         0.0,
         0.0,
         0.0,
         0.0});
  // weight=[0.5, 1, 2, 0.25], ignore_index=1, reduction='sum'
  check(rows, rows_labels, {.weights = w, .ignore_index = 1, .reduction = Reduction::sum}, 0.5,
        {0.0, 0.0, -2.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.25});
  check(pixels, pixel_labels, {.weights = w, .ignore_index = 1, .reduction = Reduction::sum}, 1.625,
        {0.0, -0.5, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0,  0.0, 0.0, -0.25, 0.0,
         0.0, 0.0,  -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, -2.0, 0.0, 0.0, 0.0,   0.0});
}

TEST_CASE("nll_loss: shapes, labels and weights that do not fit", "[ops][loss]") {
  const Tensor<float, 2> x(Shape{3, 10});
  const Tensor<float, 4> image(Shape{2, 5, 4, 3});
  const auto text = [](const auto& scores, const auto& labels,
                       const NllOptions<float>& options = {}) {
    return test::error_of<Error>([&] { nll_loss(scores, labels, options); });
  };
  CHECK(text(x, Tensor<int, 1>({3}, {0, 10, 2})) ==
        "nll_loss: label 10 at position (1) is out of range; with 10 classes labels are 0 to 9, or "
        "-100 to be ignored");
  CHECK(contains(
      text(x, Tensor<int, 1>({3}, {0, 1, -1}), {.ignore_index = -7}),
      "label -1 at position (2) is out of range; with 10 classes labels are 0 to 9, or -7"));
  auto labels = Tensor<int, 3>::zeros(Shape{2, 4, 3});
  labels(1, 2, 1) = 99;
  labels(1, 3, 2) = -5;
  CHECK(contains(text(image, labels), "label 99 at position (1, 2, 1)"));
  CHECK(text(x, Tensor<int, 1>::zeros(Shape{4})) ==
        "nll_loss: labels of shape (4) do not fit an input of shape (3, 10) (batch, classes, ...); "
        "they "
        "need shape (3)");
  CHECK(contains(text(image, Tensor<int, 3>::zeros(Shape{2, 3, 4})), "they need shape (2, 4, 3)"));
  CHECK(text(x, Tensor<int, 1>::zeros(Shape{3}), {.weights = Tensor<float, 1>::ones(Shape{9})}) ==
        "nll_loss: 9 class weights are given, but an input of shape (3, 10) has 10 classes on axis "
        "1");
  CHECK(contains(text(Tensor<float, 2>(Shape{3, 0}), Tensor<int, 1>::zeros(Shape{3})),
                 "(3, 0) has no classes on axis 1"));

  // Where no label counts PyTorch yields nan (a mean) or 0 (a sum).
  const auto ignored = Tensor<int, 1>::full(Shape{3}, -100);
  const auto zeros = Tensor<float, 2>::zeros(Shape{3, 10});
  CHECK(text(zeros, ignored) ==
        "nll_loss: every label of the batch is the ignored one, and the mean of no terms is not "
        "defined; skip such a batch, or use Reduction::sum, which is 0");
  Tape tape;
  const auto v = tape.watch(zeros);
  const auto y = nll_loss(v, ignored, {.reduction = Reduction::sum});
  CHECK(y.item() == 0);
  backward(y);
  CHECK(test::same_bits(v.grad(), zeros));
}

TEST_CASE("nll_loss: any number of threads, and dual numbers", "[ops][loss]") {
  const auto many = test::random<float>(Shape{8, 10, 60, 61}, 1);
  Tensor<int, 3> labels(Shape{8, 60, 61});
  for (Index i = 0; i < labels.size(); ++i)
    labels.mutable_data()[i] = i % 17 == 0 ? -100 : static_cast<int>(i * 7 % 10);
  const auto loss = [&](const auto& x) { return nll_loss(x, labels); };
  CHECK(test::same_for_any_threads([&] { return loss(many); }));
  CHECK(test::same_for_any_threads([&] {
    Tape tape;
    const auto v = tape.watch(many);
    backward(loss(v));
    return v.grad();
  }));
  long bad = 0;
  labels.mutable_data()[20001] = 10;  // found wherever it is
  labels.mutable_data()[29000] = -1;
  for (int threads : {1, 3}) {
    const test::Threads switched(threads);
    bad += contains(test::error_of<ValueError>([&] { loss(many); }),
                    "label 10 at position (5, 27, 54)");
  }
  CHECK(bad == 2);

  const auto x = test::random<double>(Shape{3, 4}, 1);
  const auto along = test::random<double>(Shape{3, 4}, 2);
  const Tensor<int, 1> few({3}, {3, 1, 0});
  const auto f = [&](const auto& v) { return nll_loss(v, few, {.ignore_index = 1}); };
  Tape tape;
  const auto v = tape.watch(x);
  backward(f(v));
  double product = 0;
  const auto dx = v.grad().values();
  for (std::size_t i = 0; i < dx.size(); ++i) product += dx[i] * along.values()[i];
  const auto y = jvp(f, x, along);
  CHECK(std::abs(y.value.item() - f(x).item()) < 1e-14);
  CHECK(std::abs(y.tangent.item() - product) < 1e-14);
}
