/// \file
/// What losses on class numbers have in common: their options, and the checks of labels and
/// weights.
#pragma once

#include <ebb/ops/loss/classes_cpu.hpp>
#include <ebb/ops/loss/reduction.hpp>
#include <ebb/tape/var.hpp>

namespace ebb::inline EBB_ABI::detail {

/// "(2, 0, 5)": where element `at` of a tensor lies.
template <int N>
std::string position_of(Index at, const Shape<N>& shape) {
  Shape<N> position{};
  for (int axis = N - 1; axis >= 0; --axis) {
    position[axis] = at % shape[axis];
    at /= shape[axis];
  }
  return to_string(position);
}

/// Compile-time sentences for a loss of (input with classes on axis 1, labels).
template <class X, class L>
constexpr void check_label_types() {
  static_assert(rank_of<X> >= 2,
                "ebb: a loss on class numbers takes an input of rank 2 or more, (batch, classes, "
                "...); reshape a single sample to (1, classes)");
  static_assert(
      is_tensor<L>,
      "ebb: the labels of this loss are a plain ebb::Tensor<int, N - 1> of class numbers; for a "
      "std::vector<int> v of n labels write ebb::Tensor<int, 1>::from({n}, v)");
  if constexpr (is_tensor<L>) {
    static_assert(
        std::is_same_v<typename L::scalar, int> || !std::is_integral_v<typename L::scalar>,
        "ebb: the labels of this loss are of int, not of another type of integers; with "
        "const auto v = labels.values() write "
        "ebb::Tensor<int, N - 1>::from(labels.shape(), std::vector<int>(v.begin(), v.end()))");
    static_assert(
        std::is_same_v<typename L::scalar, int> || std::is_integral_v<typename L::scalar>,
        "ebb: the labels of this loss are class numbers, a Tensor<int, N - 1>; for targets "
        "in floating point use bce_with_logits or mse_loss");
    static_assert(
        L::rank == rank_of<X> - 1,
        "ebb: the labels have the rank of the input less one: (batch, ...) for an input of "
        "(batch, classes, ...)");
    static_assert(std::is_same_v<typename L::device, device_of<X>>,
                  "ebb: the labels and the input of a loss must be on one device; copy one of them "
                  "with ebb::to<Device>(x)");
  }
}

/// The options of a loss as its kernels see them.
template <class Options>
auto class_terms(const Options& options, double smoothing) {
  using T = typename decltype(options.weights)::scalar;
  return kernel::ClassTerms<T>{
      options.weights.defined() ? options.weights.view() : View<const T, 1>{}, options.ignore_index,
      T(smoothing), options.reduction == Reduction::mean};
}

/// Checks shapes, weights and labels at run time.
/// \throws ShapeError on shapes that do not belong together; ValueError on a label out of range,
/// and where a mean is wanted of labels that are all ignored.
template <class Tens, class Labels, class Weights>
void check_labels(const char* loss, const Tens& input, const Labels& labels, const Weights& weights,
                  int ignore_index, Reduction reduction) {
  constexpr int M = Labels::rank;
  const Index classes = input.shape()[1];
  Shape<M> expected{};
  for (int axis = 0; axis < M; ++axis) expected[axis] = input.shape()[axis == 0 ? 0 : axis + 1];
  if (!(labels.shape() == expected))
    throw ShapeError(message(loss, ": labels of shape ", labels.shape(),
                             " do not fit an input of "
                             "shape ",
                             input.shape(), " (batch, classes, ...); they need shape ", expected));
  if (classes == 0)
    throw ShapeError(
        message(loss, ": an input of shape ", input.shape(), " has no classes on axis 1"));
  if (weights.defined() && weights.size() != classes)
    throw ShapeError(message(loss, ": ", weights.size(),
                             " class weights are given, but an input of "
                             "shape ",
                             input.shape(), " has ", classes, " classes on axis 1"));

  if (labels.size() == 0) return;
  const kernel::LabelCount found =
      count_labels(typename Tens::device{}, classes, ignore_index, labels.view());
  if (found.first_bad >= 0) {
    const int label = labels.values()[static_cast<std::size_t>(found.first_bad)];
    throw ValueError(message(loss, ": label ", label, " at position ",
                             position_of(found.first_bad, labels.shape()),
                             " is out of range; with ", classes, " classes labels are 0 to ",
                             classes - 1, ", or ", ignore_index, " to be ignored"));
  }
  if (reduction == Reduction::mean && found.counted == 0)
    throw ValueError(message(loss,
                             ": every label of the batch is the ignored one, and the mean of no "
                             "terms is not defined; skip such a batch, or use Reduction::sum, "
                             "which is 0"));
}

}  // namespace ebb::detail
