/// \file
/// A tensor as text.
#pragma once

#include <ebb/core/stream.hpp>
#include <ebb/tensor/tensor.hpp>

#include <string>
#include <vector>

namespace ebb::inline EBB_ABI {

namespace detail {

/// Writes the elements of the axes from `axis` on, nested in brackets; long axes are cut in the
/// middle.
template <class T, int N>
void print_axis(std::string& text, const Shape<N>& shape, const T* values, int axis) {
  if (axis == N) {
    Part(*values).append_to(text);
    return;
  }
  constexpr Index edge = 3;  // elements kept at each end of an axis that is cut
  const Index extent = shape[axis], stride = shape.stride(axis);
  const std::string indent(static_cast<std::size_t>(axis + 1), ' ');
  text += "[";
  for (Index i = 0; i < extent; ++i) {
    if (i > 0) text += axis + 1 == N ? ", " : ",\n" + indent;
    if (extent > 2 * edge + 2 && i == edge) {
      text += axis + 1 == N ? "..., " : "...,\n" + indent;
      i = extent - edge;
    }
    print_axis(text, shape, values + i * stride, axis + 1);
  }
  text += "]";
}

}  // namespace detail

/// "[[1, 2],\n [3, 4]]"; axes of more than eight elements show the first and last three.
template <class T, int N, class Device>
std::string to_string(const Tensor<T, N, Device>& x) {
  if (!x.defined()) return "undefined";
  const std::vector<T> values = x.values();
  std::string text;
  detail::print_axis(text, x.shape(), values.data(), 0);
  return text;
}

}  // namespace ebb
