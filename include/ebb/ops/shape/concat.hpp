/// \file
/// Tensors one behind the other along an axis.
#pragma once

#include <ebb/kit/slab.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

#include <initializer_list>
#include <span>
#include <tuple>
#include <vector>

namespace ebb::inline EBB_ABI {

namespace detail {

/// Gathers the joint shape of the operands of `concat`, then the place of each in it.
template <int N>
struct Concatenation {
  Shape<N> shape{};
  int axis = 0;
  Index seen = 0;

  void add(const Shape<N>& x) {
    if (seen++ == 0) {
      shape = x;
      return;
    }
    for (int k = 0; k < N; ++k)
      if (k != axis && x[k] != shape[k]) {
        shape[axis] = x[axis];  // report the first operand as it would be, not as it grew
        throw ShapeError(message("concat: operand ", seen - 1, " has shape ", x,
                                 ", but those before it have extent ", shape[k], " on axis ", k,
                                 "; only axis ", axis,
                                 ", along which they are joined, may differ"));
      }
    shape[axis] += x[axis];
  }

  /// The slab of the result that an operand of shape `x` fills, beginning at `begin` on the axis.
  kernel::Slab place(const Shape<N>& x, Index begin) const {
    const Index inner = shape.stride(axis), length = x[axis] * inner, row = shape[axis] * inner;
    return {row == 0 ? 0 : shape.size() / row, length, length, 0, row, begin * inner};
  }
};

template <class X>
struct ConcatPart {
  kernel::Slab slab;
  Sink<X> dx;

  template <class Tens>
  void pull(const Tens& dy) const {
    if (dx)
      copy_slab(typename Tens::device{}, slab.reversed(), kernel::flat(dy.view()),
                kernel::flat(dx.into()));
  }
};

}  // namespace detail

/// Operands of one type, equal on all axes but `axis` -> one tensor whose extent there is the sum
/// of theirs: `concat({a, b}, 1)` joins channels. A list is an initializer list, a vector or a
/// span. \throws ShapeError on an empty list or extents that differ.
template <Operand X>
auto concat(std::span<const X> list, int axis) {
  static_assert(rank_of<X> >= 1, "ebb::concat: scalars have no axis to join along; use ebb::stack");
  using Tens = tensor_of<X>;
  using Device = device_of<X>;
  if (list.empty()) throw ShapeError("concat: the list of operands is empty; give at least one");
  detail::Concatenation<rank_of<X>> joint;
  joint.axis = normalize_axis("concat", axis, rank_of<X>);
  for (const X& x : list) joint.add(x.shape());

  Tens y(joint.shape);
  std::vector<detail::ConcatPart<X>> parts;
  if constexpr (is_var<X>) parts.reserve(list.size());
  Index begin = 0;
  for (const X& x : list) {
    const kernel::Slab slab = joint.place(x.shape(), begin);
    begin += x.shape()[joint.axis];
    copy_slab(Device{}, slab, kernel::flat(value(x).view()), kernel::flat(kernel::over(y.mut())));
    if constexpr (is_var<X>) parts.push_back({slab, sink(x)});
  }
  return track(
      "concat", y,
      [parts = std::move(parts)](const auto& dy) {
        for (const auto& part : parts) part.pull(dy);
      },
      list);
}

template <Operand X>
auto concat(const std::vector<X>& list, int axis) {
  return concat(std::span<const X>(list), axis);
}
template <Operand X>
auto concat(std::initializer_list<X> list, int axis) {
  return concat(std::span<const X>(list.begin(), list.size()), axis);
}

/// The same for operands of several types (a tensor beside a variable): `concat<1>(a, b, c)`.
template <int Axis, Operand X, Operand... Others>
requires SameKind<X, Others...>
auto concat(const X& x, const Others&... others) {
  constexpr int rank = rank_of<X>;
  static_assert(((rank_of<Others> == rank) && ...),
                "ebb::concat: the operands have different ranks; use ebb::reshape first");
  static_assert(Axis < rank && Axis >= -rank, "ebb::concat: the axis is out of range");
  using Tens = tensor_of<X>;
  using Device = device_of<X>;
  detail::Concatenation<rank> joint;
  joint.axis = Axis < 0 ? Axis + rank : Axis;
  joint.add(x.shape());
  (joint.add(others.shape()), ...);

  Tens y(joint.shape);
  Index begin = 0;
  const auto join = [&]<class Z>(const Z& z) {
    const kernel::Slab slab = joint.place(z.shape(), begin);
    begin += z.shape()[joint.axis];
    copy_slab(Device{}, slab, kernel::flat(value(z).view()), kernel::flat(kernel::over(y.mut())));
    return detail::ConcatPart<Z>{slab, sink(z)};
  };
  // Braces evaluate from left to right, so each operand finds where the one before it ended.
  std::tuple<detail::ConcatPart<X>, detail::ConcatPart<Others>...> parts{join(x), join(others)...};
  return track(
      "concat", y,
      [parts = std::move(parts)](const auto& dy) {
        std::apply([&](const auto&... part) { (part.pull(dy), ...); }, parts);
      },
      x, others...);
}

/// The same where some are of dual numbers, and the others constants.
template <int Axis, Operand X, Operand... Others>
requires MixesDual<X, Others...>
auto concat(const X& x, const Others&... others) {
  return with_lifted([](const auto&... all) { return concat<Axis>(all...); }, x, others...);
}

}  // namespace ebb
