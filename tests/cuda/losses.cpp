#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using Catch::Matchers::Contains;
using test::near_double;
using test::near_float;

namespace {

template <int N>
Tensor<int, N> labels_of(const Shape<N>& shape, int classes, int ignored = -100) {
  Tensor<int, N> labels(shape);
  for (Index i = 0; i < labels.size(); ++i)
    labels.mutable_data()[i] = i % 5 == 3 ? ignored : static_cast<int>(i * 7 % classes);
  return labels;
}

template <class T>
Tensor<T, 1> weights_of(Index classes) {
  return test::random<T>(Shape{classes}, 9, 0.5, 2);
}

/// Cross entropy with every option, of logits (N, C, ...).
template <class T, int N>
void check_cross_entropy(double tolerance, const Shape<N>& shape) {
  Shape<N - 1> lines{};
  for (int axis = 0; axis < N - 1; ++axis) lines[axis] = shape[axis == 0 ? 0 : axis + 1];
  const auto x = test::random<T>(shape, 1, -4, 4);
  const auto labels = labels_of(lines, static_cast<int>(shape[1]));
  const auto weights = weights_of<T>(shape[1]);
  for (const double smoothing : {0.0, 0.1})
    for (const bool weighs : {false, true})
      for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        const auto f = [&](const auto& logits, const auto& l) {
          using Device = device_of<std::remove_cvref_t<decltype(l)>>;
          CrossEntropyOptions<T, Device> options;
          if (weighs) options.weights = to<Device>(weights);
          options.label_smoothing = smoothing;
          options.reduction = reduction;
          return cross_entropy(logits, l, options);
        };
        CHECK_ON_CUDA(tolerance, f, x, labels);
      }
}

}  // namespace

TEST_CASE("cuda: cross entropy agrees with the CPU") {
  check_cross_entropy<float>(near_float, Shape{7, 10});
  check_cross_entropy<float>(near_float, Shape{70, 10});
  check_cross_entropy<float>(near_float, Shape{4, 300});
  check_cross_entropy<float>(near_float, Shape{1, 700});
  check_cross_entropy<float>(near_float, Shape{2, 4500});
  check_cross_entropy<float>(near_float, Shape{2, 5, 3, 4});
  check_cross_entropy<float>(near_float, Shape{2, 40, 3});
  check_cross_entropy<double>(near_double, Shape{20, 21});
}

TEST_CASE("cuda: nll_loss agrees with the CPU") {
  const auto f = [](const auto& x, const auto& l) { return nll_loss(x, l); };
  CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{70, 10}, 1), labels_of(Shape{70}, 10));
  CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{2, 5, 3, 4}, 1),
                labels_of(Shape{2, 3, 4}, 5));
  const auto weights = weights_of<float>(6);
  CHECK_ON_CUDA(
      near_float,
      [&](const auto& x, const auto& l) {
        using Device = device_of<std::remove_cvref_t<decltype(l)>>;
        return nll_loss(x, l, {to<Device>(weights), 2, Reduction::sum});
      },
      test::random<float>(Shape{30, 6}, 1), labels_of(Shape{30}, 6, 2));
}

TEST_CASE("cuda: pointwise losses agree with the CPU, for input and target") {
  for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
    const auto check = [&](const auto& loss) {
      const auto f = [&](const auto& x, const auto& t) { return loss(x, t, reduction); };
      CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{5, 7}, 1, -2, 2),
                    test::random<float>(Shape{5, 7}, 2, -2, 2));
      CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{9001}, 1, -2, 2),
                    test::random<float>(Shape{9001}, 2, -2, 2));
      CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{3, 2, 7}, 1, -2, 2),
                    test::random<double>(Shape{3, 2, 7}, 2, -2, 2));
    };
    check(mse_loss);
    check(l1_loss);
    check(huber_loss);
    check(HuberLoss{0.3});
  }
  CHECK_ON_CUDA(
      0, [](const auto& x, const auto& t) { return mse_loss(x, t, Reduction::sum); },
      Tensor<float, 2>(Shape{0, 3}), Tensor<float, 2>(Shape{0, 3}));
  // Twice these differences is no float, and the gradient of their mean square is one.
  Tape tape;
  const auto x = tape.watch(to<Cuda>(Tensor<float, 1>({2}, {2.5e38f, -3e38f})));
  backward(mse_loss(x, Tensor<float, 1, Cuda>::zeros({2})));
  CHECK(x.grad().values() == std::vector<float>{2.5e38f, -3e38f});
}

TEST_CASE("cuda: bce_with_logits agrees with the CPU, with weights of the positive class") {
  const auto plain = [](const auto& x, const auto& t) { return bce_with_logits(x, t); };
  const auto x = test::random<float>(Shape{4, 6, 5}, 1, -9, 9);
  const auto t = test::random<float>(Shape{4, 6, 5}, 2, 0, 1);
  CHECK_ON_CUDA(near_float, plain, x, t);
  CHECK_ON_CUDA(near_double, plain, test::random<double>(Shape{40}, 1, -9, 9),
                test::random<double>(Shape{40}, 2, 0, 1));
  for (const Index n : {1, 6}) {
    const auto weights = weights_of<float>(n);
    CHECK_ON_CUDA(
        near_float,
        [&](const auto& a, const auto& b) {
          using Device = device_of<std::remove_cvref_t<decltype(a)>>;
          return bce_with_logits(a, b, {to<Device>(weights), Reduction::sum});
        },
        x, t);
  }
}

TEST_CASE("cuda: labels that are no classes are told at the next read-back, not before") {
  auto labels = labels_of(Shape{40}, 10);
  labels.mutable_data()[17] = 10;
  labels.mutable_data()[30] = -3;
  const auto x = to<Cuda>(test::random<float>(Shape{40, 10}, 1));
  const auto bad = to<Cuda>(labels);
  const auto sentence = Contains(
      "label 10 at position 17 is out of range; with 10 classes labels "
      "are 0 to 9, or -100 to be ignored");
  {
    Tape tape;
    const auto v = tape.watch(x);
    const auto loss = cross_entropy(v, bad);
    CHECK_NOTHROW(backward(loss));
    CHECK_THROWS_WITH(loss.item(), sentence);
    CHECK_NOTHROW(v.grad().values());  // it was told once
  }
  const auto long_rows = to<Cuda>(test::random<float>(Shape{40, 5000}, 1));
  auto high = labels_of(Shape{40}, 10);
  high.mutable_data()[5] = 5000;
  CHECK_THROWS_WITH(cross_entropy(long_rows, to<Cuda>(high)).item(), Contains("label 5000 at "));
  CHECK_THROWS_AS(nll_loss(x, bad).item(), ValueError);
  CHECK_NOTHROW(nll_loss(x, to<Cuda>(labels_of(Shape{40}, 10))).item());
}

TEST_CASE("cuda: a mean of no labels is an error") {
  const auto none = Tensor<int, 1, Cuda>::full({6}, -100);
  const auto x = to<Cuda>(test::random<float>(Shape{6, 10}, 1));
  CHECK_THROWS_WITH(cross_entropy(x, none).item(), Contains("every label of the batch is the "
                                                            "ignored one"));
  CHECK_THROWS_WITH(nll_loss(x, none).item(), Contains("every label of the batch"));
  CHECK(cross_entropy(x, none, {.reduction = Reduction::sum}).item() == 0.0f);
  const Tensor<float, 2, Cuda> nothing(Shape{0, 10});  // whose mean is nan, as in PyTorch
  const Tensor<int, 1, Cuda> no_labels(Shape{0});
  CHECK(std::isnan(cross_entropy(nothing, no_labels).item()));
  CHECK(cross_entropy(nothing, no_labels, {.reduction = Reduction::sum}).item() == 0.0f);
}
