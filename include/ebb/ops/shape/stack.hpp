/// \file
/// Tensors side by side along a new axis.
#pragma once

#include <ebb/ops/shape/concat.hpp>

namespace ebb::inline EBB_ABI {

/// k operands of one shape -> one tensor with a new axis of extent k at `axis`: three images
/// (h, w) stacked at 0 are (3, h, w). A list is an initializer list, a vector or a span.
/// \throws ShapeError on an empty list or shapes that differ.
template <Operand X>
auto stack(std::span<const X> list, int axis) {
  constexpr int rank = rank_of<X>;
  using Device = device_of<X>;
  if (list.empty()) throw ShapeError("stack: the list of operands is empty; give at least one");
  const int at = normalize_axis("stack", axis, rank + 1);
  const auto each = list.front().shape();
  for (std::size_t k = 1; k < list.size(); ++k)
    if (!(list[k].shape() == each))
      throw ShapeError(message("stack: operand ", k, " has shape ", list[k].shape(),
                               ", the first one ", each, "; they must be equal"));

  const auto count = static_cast<Index>(list.size());
  Shape<rank + 1> shape{};
  for (int k = 0; k < rank; ++k) shape[k < at ? k : k + 1] = each[k];
  shape[at] = count;
  const Index inner = shape.stride(at), rows = inner == 0 ? 0 : each.size() / inner;

  Tensor<scalar_of<X>, rank + 1, Device> y(shape);
  std::vector<detail::ConcatPart<X>> parts;
  if constexpr (is_var<X>) parts.reserve(list.size());
  for (Index k = 0; k < count; ++k) {
    const X& x = list[static_cast<std::size_t>(k)];
    const kernel::Slab slab{rows, inner, inner, 0, count * inner, k * inner};
    copy_slab(Device{}, slab, kernel::flat(value(x).view()), kernel::flat(kernel::over(y.mut())));
    if constexpr (is_var<X>) parts.push_back({slab, sink(x)});
  }
  return track(
      "stack", y,
      [parts = std::move(parts)](const auto& dy) {
        for (const auto& part : parts) part.pull(dy);
      },
      list);
}

template <Operand X>
auto stack(const std::vector<X>& list, int axis) {
  return stack(std::span<const X>(list), axis);
}
template <Operand X>
auto stack(std::initializer_list<X> list, int axis) {
  return stack(std::span<const X>(list.begin(), list.size()), axis);
}

}  // namespace ebb
