/// \file
/// Extents of a row-major tensor.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>

namespace ebb::inline EBB_ABI {

/// Extents of a row-major tensor of static rank N; the last axis is contiguous.
/// `Shape{2, 3}` deduces its rank; `Shape<0>{}` is the shape of a scalar.
template <int N>
struct Shape {
  static_assert(N >= 0, "ebb::Shape: a rank cannot be negative");
  static constexpr int rank = N;

  Index extent[detail::array_size(N > 0 ? N : 1)];

  EBB_HD constexpr Index& operator[](int axis) { return extent[axis]; }
  EBB_HD constexpr Index operator[](int axis) const { return extent[axis]; }

  /// Number of elements: the product of all extents (1 for a scalar).
  EBB_HD constexpr Index size() const {
    Index n = 1;
    for (int axis = 0; axis < N; ++axis) n *= extent[axis];
    return n;
  }

  /// Elements between neighbours along `axis`: the product of the extents after it.
  EBB_HD constexpr Index stride(int axis) const {
    Index n = 1;
    for (int later = axis + 1; later < N; ++later) n *= extent[later];
    return n;
  }

  friend EBB_HD constexpr bool operator==(const Shape& a, const Shape& b) {
    for (int axis = 0; axis < N; ++axis)
      if (a.extent[axis] != b.extent[axis]) return false;
    return true;
  }
};

template <class... Extents>
Shape(Extents...) -> Shape<static_cast<int>(sizeof...(Extents))>;

/// A shape inside of an object: that of a scalar takes no room where it is declared
/// `[[no_unique_address]]`. `Owner` tells the objects apart, which the address must.
template <int N, class Owner>
class KeptShape {
 public:
  KeptShape() = default;
  explicit KeptShape(const Shape<N>& shape) : shape_(shape) {}
  const Shape<N>& get() const { return shape_; }

 private:
  Shape<N> shape_{};
};
template <class Owner>
class KeptShape<0, Owner> {
 public:
  KeptShape() = default;
  explicit KeptShape(const Shape<0>&) {}
  const Shape<0>& get() const {
    static constexpr Shape<0> scalar{};
    return scalar;
  }
};

/// "(64, 1, 28, 28)"; "()" for a scalar.
template <int N>
std::string to_string(const Shape<N>& shape) {
  std::string text = "(";
  for (int axis = 0; axis < N; ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + ")";
}

/// Turns an axis counted from the end (-1 is the last) into one counted from the front.
/// \throws ShapeError when `axis` is not in [-rank, rank).
inline int normalize_axis(const char* op, int axis, int rank) {
  const int counted = axis < 0 ? axis + rank : axis;
  if (counted < 0 || counted >= rank)
    throw ShapeError(message(op, ": axis ", axis, " is out of range for a tensor of rank ", rank,
                             "; use ", -rank, " to ", rank - 1));
  return counted;
}

}  // namespace ebb
