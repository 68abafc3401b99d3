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

/// `loss(logits, labels)` and `loss(logits, mask)` with logits (N, C, ...).
template <class T, int N, class Loss>
void check_regions(double tolerance, const Loss& loss, const Shape<N>& shape) {
  Shape<N - 1> lines{};
  for (int axis = 0; axis < N - 1; ++axis) lines[axis] = shape[axis == 0 ? 0 : axis + 1];
  const auto x = test::random<T>(shape, 1, -3, 3);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& logits, const auto& labels) { return loss(logits, labels); }, x,
      labels_of(lines, static_cast<int>(shape[1]), loss.options.ignore_index));
  if (loss.options.first_class != 0) return;
  const auto mask = test::random<T>(shape, 2, 0, 1);
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& logits) {
        return loss(logits, to<device_of<std::remove_cvref_t<decltype(logits)>>>(mask));
      },
      x);
}

template <class Loss>
void check_regions(const Loss& loss) {
  check_regions<float>(near_float, loss, Shape{3, 5, 7, 3});
  check_regions<float>(near_float, loss, Shape{1, 2, 4099});
  check_regions<float>(near_float, loss, Shape{7, 3, 1});
  check_regions<double>(near_double, loss, Shape{2, 3, 5, 9});
}

}  // namespace

TEST_CASE("cuda: losses on overlap agree with the CPU, of labels and of masks") {
  check_regions(DiceLoss{});
  check_regions(DiceLoss{{.smooth = 1, .batch = true}});
  check_regions(DiceLoss{{.first_class = 1, .ignore_index = 1}});
  check_regions(GeneralisedDiceLoss{});
  check_regions(GeneralisedDiceLoss{{.batch = true}});
  check_regions(GeneralisedDiceLoss{{.first_class = 1}});
  TverskyLoss tversky;
  check_regions(tversky);
  tversky.options.batch = true;
  check_regions(tversky);
}

TEST_CASE("cuda: losses on overlap take the path of wide indices") {
  const test::WideIndices wide;
  check_regions<float>(near_float, DiceLoss{}, Shape{3, 5, 7, 3});
}

TEST_CASE("cuda: focal losses agree with the CPU, with every option") {
  const auto weights = test::random<double>(Shape{6}, 9, 0.5, 2);
  const auto labels = labels_of(Shape{3, 5, 7}, 6);
  for (const double gamma : {0.0, 0.5, 2.0})
    for (const bool weighs : {false, true})
      for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        const auto f = [&](const auto& x, const auto& l) {
          using X = std::remove_cvref_t<decltype(x)>;
          using T = scalar_of<X>;
          FocalOptions<T, device_of<X>> options;
          options.gamma = gamma;
          options.reduction = reduction;
          if (weighs) {
            const auto w = weights.values();
            options.weights =
                Tensor<T, 1, device_of<X>>::from({6}, std::vector<T>(w.begin(), w.end()));
          }
          return focal_loss(x, l, options);
        };
        CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{3, 6, 5, 7}, 1, -3, 3), labels);
        CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{3, 6, 5, 7}, 1, -3, 3), labels);
      }
  const auto binary = [](const auto& x, const auto& t) { return binary_focal_loss(x, t); };
  CHECK_ON_CUDA(near_float, binary, test::random<float>(Shape{5, 7}, 1, -4, 4),
                test::random<float>(Shape{5, 7}, 2, 0, 1));
}

TEST_CASE("cuda: losses on overlap and focal losses tell of bad labels at the next read-back") {
  const auto x = to<Cuda>(test::random<float>(Shape{2, 4, 9}, 1));
  auto labels = labels_of(Shape{2, 9}, 4);
  labels.mutable_data()[11] = 4;
  const auto bad = to<Cuda>(labels);
  CHECK_THROWS_WITH(dice_loss(x, bad).item(), Contains("label 4 at position 11 is out of range"));
  CHECK_THROWS_WITH(focal_loss(x, bad).item(), Contains("label 4 at position 11 is out of range"));
  const auto none = Tensor<int, 2, Cuda>::full({2, 9}, -100);
  CHECK_THROWS_WITH(dice_loss(x, none).item(), Contains("every label of the batch"));
  CHECK_THROWS_WITH(focal_loss(x, none).item(), Contains("every label of the batch"));
}
