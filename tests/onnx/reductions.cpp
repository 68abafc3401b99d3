// Reductions over axes, and the position of the largest element.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>

#include <algorithm>

namespace onnx_vectors {
namespace {

/// The axes a vector reduces over, from an attribute or an input; counted from the front, sorted.
std::vector<int> axes_of(const Vector& v) {
  std::vector<std::int64_t> axes = v.integers("axes");
  if (v.given(1))
    for (double axis : v.inputs[1].numbers) axes.push_back(static_cast<std::int64_t>(axis));
  const int rank = v.inputs.at(0).rank();
  std::vector<int> sorted;
  for (auto axis : axes) sorted.push_back(static_cast<int>(axis < 0 ? axis + rank : axis));
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() && v.integer("noop_with_empty_axes", 0) == 0)
    for (int k = 0; k < rank; ++k) sorted.push_back(k);
  return sorted;
}

/// `reduce(x, axes...)` by ebb: over everything, one axis or two, kept or not; then `after`.
template <class Reduce, class Before, class After>
Results reduced(const Vector& v, Reduce reduce, Before before, After after) {
  const std::vector<int> axes = axes_of(v);
  const bool keep = v.integer("keepdims", 1) != 0;
  return {with_tensor<1, 3>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>& input) {
    const auto x = before(input);
    const auto count = static_cast<int>(axes.size());
    if (count == 0) return result(after(x));
    if (count == N) return reshaped(result(after(reduce(x))), v.outputs.at(0).shape);
    if (count == 1)
      return keep ? result(after(reduce(x, axes[0], ebb::keep_axis)))
                  : result(after(reduce(x, axes[0])));
    if constexpr (N > 2) {
      const ebb::Axes two{axes[0], axes[1]};
      return keep ? result(after(reduce(x, two, ebb::keep_axis))) : result(after(reduce(x, two)));
    }
    throw Skip("axes");
  })};
}

constexpr auto same = [](const auto& x) { return x; };
constexpr auto add = [](const auto&... arguments) { return ebb::sum(arguments...); };
constexpr auto average = [](const auto&... arguments) { return ebb::mean(arguments...); };
constexpr auto largest = [](const auto&... arguments) { return ebb::max(arguments...); };
constexpr auto smallest = [](const auto&... arguments) { return ebb::min(arguments...); };

template <class Reduce, class Before, class After>
auto reduction(Reduce reduce, Before before, After after) {
  return [=](const Vector& v) { return reduced(v, reduce, before, after); };
}

Results argmax(const Vector& v) {
  if (v.integer("select_last_index", 0) != 0)
    throw Skip("select_last_index: ebb::argmax takes the first of equals, as PyTorch does");
  const int axis = static_cast<int>(v.integer("axis", 0));
  return {with_tensor<1, 3>(v.inputs.at(0), [&](const auto& x) {
    return reshaped(result(ebb::argmax(x, axis)), v.outputs.at(0).shape);
  })};
}

Results argmin(const Vector& v) {
  if (v.integer("select_last_index", 0) != 0)
    throw Skip("select_last_index: ebb::argmax takes the first of equals, as PyTorch does");
  const int axis = static_cast<int>(v.integer("axis", 0));
  return {with_tensor<1, 3>(v.inputs.at(0), [&](const auto& x) {
    return reshaped(result(ebb::argmax(-x, axis)), v.outputs.at(0).shape);
  })};
}

}  // namespace

void add_reductions(Table& table) {
  using namespace ebb;
  const auto logarithm = [](const auto& x) { return log(x); };
  table["ReduceSum"] = reduction(add, same, same);
  table["ReduceMean"] = reduction(average, same, same);
  table["ReduceMax"] = reduction(largest, same, same);
  table["ReduceMin"] = reduction(smallest, same, same);
  table["ReduceL1"] = reduction(
      add, [](const auto& x) { return abs(x); }, same);
  table["ReduceL2"] = reduction(
      add, [](const auto& x) { return square(x); }, [](const auto& x) { return sqrt(x); });
  table["ReduceSumSquare"] = reduction(
      add, [](const auto& x) { return square(x); }, same);
  table["ReduceLogSum"] = reduction(add, same, logarithm);
  table["ReduceLogSumExp"] = reduction(
      add, [](const auto& x) { return exp(x); }, logarithm);
  table["ArgMax"] = argmax;
  table["ArgMin"] = argmin;
}

}  // namespace onnx_vectors
