/// \file
/// Elementwise functions of two tensors, with NumPy's broadcasting: one kernel forward and one
/// backward serve them all.
#pragma once

#include <ebb/ops/elementwise/broadcast/cpu.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

/// A view without memory: the shape of an operand whose values a pullback does not need.
template <class Tens>
struct ShapeOnly {
  Shape<Tens::rank> shape;
  View<const typename Tens::scalar, Tens::rank> view() const { return {nullptr, shape}; }
};

/// What a pullback keeps of an operand: the tensor, or its shape alone.
template <bool keep, class Tens>
auto keep_if(const Tens& x) {
  if constexpr (keep)
    return x;
  else
    return ShapeOnly<Tens>{x.shape()};
}

/// Whether the gradient of an operand is the output's own: its slope is the constant 1.
template <class F, kernel::Side side>
inline constexpr bool passes_on = [] {
  if constexpr (!kernel::constant_slope<F, side>)
    return false;
  else if constexpr (side == kernel::Side::a)
    return requires {
      requires F::slope_a()
      == 1;
    };
  else
    return requires {
      requires F::slope_b()
      == 1;
    };
}();

/// The layers of two operands, put into words only if an error speaks of them.
template <class A, class B>
struct LayersOf {
  const A& a;
  const B& b;
  friend std::string to_string(const LayersOf& of) { return layer_of(of.a) + layer_of(of.b); }
};

/// Leaves the gradient of one operand in its sink.
template <kernel::Side side, class F, class A, class B, class DY, class Shape, class S>
void pull_zip(const F& f, const A& a, const B& b, const DY& dy, const Shape& shape, const S& dx) {
  if (!dx) return;
  if constexpr (passes_on<F, side>)
    if (dy.size() == shape.size()) {
      if constexpr (DY::rank == Shape::rank)
        return dx.give(dy);
      else
        return dx.give(dy.reshape(shape));
    }
  zip_backward<side>(typename DY::device{}, f, a.view(), b.view(), dy.view(), dx.into());
}

}  // namespace detail

/// Makes a scalar function of two arguments an operation on tensors, variables and parameters of
/// any ranks, broadcast as NumPy has it. Derive from it, and give the function a name, its value,
/// and its slope in each argument:
///
///     struct Distance : ebb::Binary<Distance> {
///       static constexpr const char* name = "distance";
///       template <class T> EBB_HD T value(T a, T b) const {
///         using std::sqrt;
///         return sqrt(a * a + b * b);
///       }
///       template <class T> EBB_HD T slope_a(T a, T b) const { return a / value(a, b); }
///       template <class T> EBB_HD T slope_b(T a, T b) const { return b / value(a, b); }
///     };
///     inline constexpr Distance distance;
///
/// A constant slope is a static constexpr function without arguments. Where all slopes that matter
/// are constants nothing is saved, and where one is 1 the gradient is handed on without a copy.
///
/// Shapes: a and b broadcast to y; each gradient has the shape of its operand.
/// \throws ShapeError when the shapes do not broadcast.
template <class F>
struct Binary {
  /// Elementary operations per element, for deciding when threads pay; redefine for costly ones.
  static constexpr Index cost = 1;

  /// Plain numbers beside dual ones are constants (tape/lift.hpp).
  template <Operand A, Operand B>
  requires MixesDual<A, B>
  auto operator()(const A& a, const B& b) const { return with_lifted(*this, a, b); }

  template <Operand A, Operand B>
  auto operator()(const A& a, const B& b) const {
    static_assert(std::is_same_v<scalar_of<A>, scalar_of<B>>,
                  "ebb: the operands have different scalar types (float and double, say), and "
                  "nothing is converted silently; make both tensors of one type");
    static_assert(std::is_same_v<device_of<A>, device_of<B>>,
                  "ebb: the operands are on different devices; copy one of them with "
                  "ebb::to<Device>(x)");
    if constexpr (SameKind<A, B>) {
      using Device = device_of<A>;
      constexpr int N = rank_of < A >> rank_of<B> ? rank_of<A> : rank_of<B>;
      const F& f = static_cast<const F&>(*this);
      Tensor<scalar_of<A>, N, Device> y(
          kernel::broadcast_shape(F::name, detail::LayersOf<A, B>{a, b}, a.shape(), b.shape()));
      zip(Device{}, f, value(a).view(), value(b).view(), y.mut());

      constexpr bool keep = (!is_tensor<A> && !kernel::constant_slope<F, kernel::Side::a>) ||
                            (!is_tensor<B> && !kernel::constant_slope<F, kernel::Side::b>);
      return track(
          F::name, std::move(y),
          [f, ka = detail::keep_if<keep>(value(a)), kb = detail::keep_if<keep>(value(b)),
           da = sink(a), db = sink(b)](const auto& dy) {
            detail::pull_zip<kernel::Side::a>(f, ka, kb, dy, ka.view().shape, da);
            detail::pull_zip<kernel::Side::b>(f, ka, kb, dy, kb.view().shape, db);
          },
          a, b);
    }
  }
};

}  // namespace ebb
