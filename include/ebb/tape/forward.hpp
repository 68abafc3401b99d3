/// \file
/// Derivatives along a direction: Jacobian-vector products by forward mode, and Hessian-vector
/// products by forward mode over reverse mode (Pearlmutter, "Fast exact multiplication by the
/// Hessian", Neural Computation 6(1), 1994).
#pragma once

#include <ebb/tape/backward.hpp>
#include <ebb/tape/dual.hpp>

namespace ebb {

/// Kernel: y = x + e v.
template <class T>
void join_dual(Cpu, View<const T, 1> x, View<const T, 1> v, View<Dual<T>, 1> y) {
  parallel_ranges(y.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y.data[i] = {x.data[i], v.data[i]};
  });
}

/// Kernel: the two parts of x.
template <class T>
void split_dual(Cpu, View<const Dual<T>, 1> x, View<T, 1> value, View<T, 1> tangent) {
  parallel_ranges(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      value.data[i] = x.data[i].value;
      tangent.data[i] = x.data[i].tangent;
    }
  });
}

/// A tensor of values and the direction that belongs to them.
template <class Tens>
struct Directional {
  Tens value, tangent;
};

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

/// The value and tangent parts of a dual tensor.
template <class T, int N, class Device>
Directional<Tensor<T, N, Device>> split(const Tensor<Dual<T>, N, Device>& x) {
  Directional<Tensor<T, N, Device>> parts{Tensor<T, N, Device>(x.shape()),
                                          Tensor<T, N, Device>(x.shape())};
  const Shape<1> flat{x.size()};
  split_dual(Device{}, x.reshape(flat).view(), parts.value.reshape(flat).mut(),
             parts.tangent.reshape(flat).mut());
  return parts;
}

/// f(x) and its derivative along v, J(x) v, in one forward pass. `f` must be generic: it is called
/// with a tensor of `Dual<T>`.
/// \throws ShapeError when x and v differ in shape.
template <class F, class T, int N, class Device>
auto jvp(F&& f, const Tensor<T, N, Device>& x, const Tensor<T, N, Device>& v) {
  return split(f(dual(x, v)));
}

/// What `hvp` finds at a point: f, its gradient, and its Hessian times the direction.
template <class Tens>
struct HessianProduct {
  typename Tens::scalar value;
  Tens gradient, product;
};

/// f(x), its gradient, and H(x) v for a scalar-valued `f`, at the cost of one forward and one
/// backward pass over dual numbers. `f` must be generic: it is called with a `Var` of `Dual<T>`.
/// \throws ShapeError when x and v differ in shape.
template <class F, class T, int N, class Device>
HessianProduct<Tensor<T, N, Device>> hvp(F&& f, const Tensor<T, N, Device>& x,
                                         const Tensor<T, N, Device>& v) {
  Tape tape;
  const auto point = tape.watch(dual(x, v));
  const auto y = f(point);
  backward(y);
  const auto gradient = split(point.grad());
  return {y.item().value, gradient.value, gradient.tangent};
}

}  // namespace ebb
