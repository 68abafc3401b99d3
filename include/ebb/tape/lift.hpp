/// \file
/// Plain numbers among dual ones. A function that is differentiated forward holds constants of its
/// own (weights, targets, masks) in plain scalars; operations lift them to dual numbers that do not
/// move, so that it need not be written for both.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/tape/dual.hpp>
#include <ebb/tape/var.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI {

namespace kernel {

/// Kernel: y = x + e v.
template <class T>
void join_dual(Cpu, View<const T, 1> x, View<const T, 1> v, View<Dual<T>, 1> y) {
  kernel::parallel_ranges(y.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y.data[i] = {x.data[i], v.data[i]};
  });
}

}  // namespace kernel

/// The dual tensor x + e v. \throws ShapeError when the shapes differ.
template <class T, int N, class Device>
Tensor<Dual<T>, N, Device> dual(const Tensor<T, N, Device>& x, const Tensor<T, N, Device>& v) {
  if (!(x.shape() == v.shape()))
    throw ShapeError(message("dual: the point has shape ", x.shape(), " but the direction has ",
                             v.shape(), "; they must be the same"));
  Tensor<Dual<T>, N, Device> y(x.shape());
  const Shape<1> flat{x.size()};
  join_dual(Device{}, x.reshape(flat).view(), v.reshape(flat).view(), y.reshape(flat).mut());
  return y;
}

/// What a tensor of dual numbers may be made of: Dual<T>, Dual<Dual<T>> and so on of T.
template <class U, class T>
inline constexpr bool stands_for<Dual<U>, T> = std::is_same_v<U, T> || stands_for<U, T>;

/// x as constants, in the type `To`.
template <class To, class T, int N, class Device>
To as_constants(const Tensor<T, N, Device>& x, std::type_identity<To> to) {
  if constexpr (std::is_same_v<typename To::scalar, T>) {
    return x;
  } else {
    if (!x.defined()) return {};
    const auto more = dual(x, Tensor<T, N, Device>::zeros(x.shape()));
    return as_constants(more, to);
  }
}

namespace detail {

/// The scalar among several that each other stands for, void where there is none.
template <class S, class... Others>
struct Widest {
  using type = S;
};
template <class S, class T, class... Others>
struct Widest<S, T, Others...>
    : Widest<
          std::conditional_t<stands_for<T, S>, T,
                             std::conditional_t<std::is_same_v<S, T> || stands_for<S, T>, S, void>>,
          Others...> {};
template <Operand... X>
using widest_scalar = typename Widest<scalar_of<X>...>::type;

}  // namespace detail

/// Operands of which some are dual and others the plain numbers that those are made of.
template <class X, class... Others>
concept MixesDual = Operand<X> &&(Operand<Others>&&...) &&
                    !(std::is_same_v<scalar_of<X>, scalar_of<Others>> && ...) &&
                    !std::is_void_v<detail::widest_scalar<X, Others...>>;

/// x itself where its scalar is S, otherwise its elements as constants. A variable that gathers
/// plain gradients cannot be lifted.
template <class S, Operand X>
decltype(auto) lifted(const X& x) {
  if constexpr (std::is_same_v<scalar_of<X>, S>) {
    return (x);
  } else {
    static_assert(!is_var<X>,
                  "ebb: a variable of plain numbers is beside dual ones, and its gradient would be "
                  "lost; give jvp and hvp functions of tensors and parameters");
    return Tensor<S, rank_of<X>, device_of<X>>(value(x));
  }
}

/// f(operands), all lifted to the scalar that has room for every one.
template <class F, Operand... X>
auto with_lifted(F&& f, const X&... x) {
  using S = detail::widest_scalar<X...>;
  return f(lifted<S>(x)...);
}

}  // namespace ebb
