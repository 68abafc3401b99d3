/// \file
/// The operators + - * / and unary minus, between tensors (broadcast as NumPy has it) and with
/// plain numbers on either side; maximum and minimum.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/broadcast.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// A plain number beside a tensor: any arithmetic type, converted to the tensor's scalar; or that
/// scalar itself (a dual number, say).
template <class C, class X>
concept NumberFor = Operand<X> &&(std::is_arithmetic_v<C> || std::same_as<C, scalar_of<X>>);

/// y = a + b; both gradients are dy itself, nothing is saved.
struct Add : Binary<Add> {
  static constexpr const char* name = "add";
  template <class T>
  EBB_HD T value(T a, T b) const {
    return a + b;
  }
  EBB_HD static constexpr int slope_a() { return 1; }
  EBB_HD static constexpr int slope_b() { return 1; }
};

/// y = a - b; da = dy, db = -dy, nothing is saved.
struct Sub : Binary<Sub> {
  static constexpr const char* name = "sub";
  template <class T>
  EBB_HD T value(T a, T b) const {
    return a - b;
  }
  EBB_HD static constexpr int slope_a() { return 1; }
  EBB_HD static constexpr int slope_b() { return -1; }
};

/// y = a b; da = b dy, db = a dy.
struct Mul : Binary<Mul> {
  static constexpr const char* name = "mul";
  template <class T>
  EBB_HD T value(T a, T b) const {
    return a * b;
  }
  template <class T>
  EBB_HD T slope_a(T, T b) const {
    return b;
  }
  template <class T>
  EBB_HD T slope_b(T a, T) const {
    return a;
  }
};

/// y = a / b; da = dy / b, db = -a dy / b^2.
struct Div : Binary<Div> {
  static constexpr const char* name = "div";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T a, T b) const {
    return a / b;
  }
  template <class T>
  EBB_HD T slope_a(T, T b) const {
    return T(1) / b;
  }
  template <class T>
  EBB_HD T slope_b(T a, T b) const {
    return -(a / b) / b;
  }
};

/// y = the larger of a and b, nan where either is; the gradient goes to the larger, half to each
/// where they are equal, and all of it to both where one is nan, as PyTorch has it.
struct Maximum : Binary<Maximum> {
  static constexpr const char* name = "maximum";
  template <class T>
  EBB_HD T value(T a, T b) const {
    return math::select((a > b) | math::is_nan(a), a, b);
  }
  template <class T>
  EBB_HD T slope_a(T a, T b) const {
    return math::select(a < b, T(0), math::select(a == b, T(0.5), T(1)));
  }
  template <class T>
  EBB_HD T slope_b(T a, T b) const {
    return slope_a(b, a);
  }
};

/// y = the smaller of a and b, nan where either is; the gradient goes to the smaller, half to each
/// where they are equal, and all of it to both where one is nan, as PyTorch has it.
struct Minimum : Binary<Minimum> {
  static constexpr const char* name = "minimum";
  template <class T>
  EBB_HD T value(T a, T b) const {
    return math::select((a < b) | math::is_nan(a), a, b);
  }
  template <class T>
  EBB_HD T slope_a(T a, T b) const {
    return math::select(a > b, T(0), math::select(a == b, T(0.5), T(1)));
  }
  template <class T>
  EBB_HD T slope_b(T a, T b) const {
    return slope_a(b, a);
  }
};

/// y = -x.
struct Neg : Elementwise<Neg> {
  static constexpr const char* name = "neg";
  template <class T>
  EBB_HD T value(T x) const {
    return -x;
  }
  EBB_HD static constexpr int slope() { return -1; }
};

namespace detail {

/// y = c x, and y = x / c, which rounds once.
template <class C>
struct Scale : Elementwise<Scale<C>> {
  static constexpr const char* name = "mul";
  C c;
  explicit Scale(C factor) : c(factor) {}
  EBB_HD C value(C x) const { return c * x; }
  EBB_HD C slope() const { return c; }
};
template <class C>
struct DivideBy : Elementwise<DivideBy<C>> {
  static constexpr const char* name = "div";
  static constexpr Index cost = 4;
  C c;
  explicit DivideBy(C divisor) : c(divisor) {}
  EBB_HD C value(C x) const { return x / c; }
  EBB_HD C slope() const { return C(1) / c; }
};
/// y = c / x.
template <class C>
struct DivideFrom : Elementwise<DivideFrom<C>> {
  static constexpr const char* name = "div";
  static constexpr Index cost = 4;
  C c;
  explicit DivideFrom(C dividend) : c(dividend) {}
  EBB_HD C value(C x) const { return c / x; }
  EBB_HD C slope_at_input(C x) const { return -(c / x) / x; }
};
/// y = c - x.
template <class C>
struct SubtractFrom : Elementwise<SubtractFrom<C>> {
  static constexpr const char* name = "sub";
  C c;
  explicit SubtractFrom(C minuend) : c(minuend) {}
  EBB_HD C value(C x) const { return c - x; }
  EBB_HD static constexpr int slope() { return -1; }
};
/// v -> v + c, for `shift`.
template <class C>
struct Shift {
  static constexpr Index cost = 1;
  C c;
  EBB_HD C value(C x) const { return x + c; }
};

/// y = x + c, whose gradient is handed on as it is.
template <Operand X>
auto shift(const char* name, const X& x, scalar_of<X> c) {
  tensor_of<X> y(x.shape());
  map_forward(device_of<X>{}, Shift<scalar_of<X>>{c}, value(x).view(), y.mut());
  return track(
      name, y,
      [dx = sink(x)](const auto& dy) {
        if (dx) dx.give(dy);
      },
      x);
}

}  // namespace detail

template <Operand A, Operand B>
auto operator+(const A& a, const B& b) {
  return Add{}(a, b);
}
template <Operand A, Operand B>
auto operator-(const A& a, const B& b) {
  return Sub{}(a, b);
}
template <Operand A, Operand B>
auto operator*(const A& a, const B& b) {
  return Mul{}(a, b);
}
template <Operand A, Operand B>
auto operator/(const A& a, const B& b) {
  return Div{}(a, b);
}
template <Operand X>
auto operator-(const X& x) {
  return Neg{}(x);
}

template <Operand X, NumberFor<X> C>
auto operator+(const X& x, C c) {
  return detail::shift("add", x, scalar_of<X>(c));
}
template <Operand X, NumberFor<X> C>
auto operator+(C c, const X& x) {
  return detail::shift("add", x, scalar_of<X>(c));
}
template <Operand X, NumberFor<X> C>
auto operator-(const X& x, C c) {
  return detail::shift("sub", x, -scalar_of<X>(c));
}
template <Operand X, NumberFor<X> C>
auto operator-(C c, const X& x) {
  return detail::SubtractFrom<scalar_of<X>>(scalar_of<X>(c))(x);
}
template <Operand X, NumberFor<X> C>
auto operator*(const X& x, C c) {
  return detail::Scale<scalar_of<X>>(scalar_of<X>(c))(x);
}
template <Operand X, NumberFor<X> C>
auto operator*(C c, const X& x) {
  return detail::Scale<scalar_of<X>>(scalar_of<X>(c))(x);
}
template <Operand X, NumberFor<X> C>
auto operator/(const X& x, C c) {
  return detail::DivideBy<scalar_of<X>>(scalar_of<X>(c))(x);
}
template <Operand X, NumberFor<X> C>
auto operator/(C c, const X& x) {
  return detail::DivideFrom<scalar_of<X>>(scalar_of<X>(c))(x);
}

/// The larger of a and b, elementwise and broadcast; for the largest element of one tensor see
/// `max` (ops/reduce/max.hpp).
template <Operand A, Operand B>
auto maximum(const A& a, const B& b) {
  return Maximum{}(a, b);
}
/// The larger of x and a number.
template <Operand X, NumberFor<X> C>
auto maximum(const X& x, C c) {
  return Maximum{}(x, Tensor<scalar_of<X>, 0, device_of<X>>(scalar_of<X>(c)));
}
/// The smaller of a and b, elementwise and broadcast.
template <Operand A, Operand B>
auto minimum(const A& a, const B& b) {
  return Minimum{}(a, b);
}
/// The smaller of x and a number.
template <Operand X, NumberFor<X> C>
auto minimum(const X& x, C c) {
  return Minimum{}(x, Tensor<scalar_of<X>, 0, device_of<X>>(scalar_of<X>(c)));
}

EBB_COMPILED_BINARY(Add)
EBB_COMPILED_BINARY(Sub)
EBB_COMPILED_BINARY(Mul)
EBB_COMPILED_BINARY(Div)
EBB_COMPILED_ELEMENTWISE(Neg)
#define EBB_NUMBERS(T)                                                     \
  EBB_COMPILED_ELEMENTWISE_OF(ebb::detail::Scale<T>, T)                    \
  EBB_COMPILED_ELEMENTWISE_OF(ebb::detail::DivideBy<T>, T)                 \
  EBB_COMPILED_ELEMENTWISE_OF(ebb::detail::DivideFrom<T>, T)               \
  EBB_COMPILED_ELEMENTWISE_OF(ebb::detail::SubtractFrom<T>, T)             \
  EBB_COMPILED(void kernel::detail::map_numbers<ebb::detail::Shift<T>, T>( \
      const ebb::detail::Shift<T>&, Index, const T*, T*))
EBB_NUMBERS(float)
EBB_NUMBERS(double)
#undef EBB_NUMBERS

}  // namespace ebb
