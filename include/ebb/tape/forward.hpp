/// \file
/// Derivatives along a direction: Jacobian-vector products by forward mode, and Hessian-vector
/// products by forward mode over reverse mode (Pearlmutter, "Fast exact multiplication by the
/// Hessian", Neural Computation 6(1), 1994).
#pragma once

#include <ebb/tape/backward.hpp>
#include <ebb/tape/lift.hpp>

namespace ebb::inline EBB_ABI {

namespace kernel {

/// Kernel: the two parts of x.
template <class T>
void split_dual(Cpu, View<const Dual<T>, 1> x, View<T, 1> value, View<T, 1> tangent) {
  kernel::parallel_ranges(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      value.data[i] = x.data[i].value;
      tangent.data[i] = x.data[i].tangent;
    }
  });
}

}  // namespace kernel

/// A tensor of values and the direction that belongs to them.
template <class Tens>
struct Directional {
  Tens value, tangent;
};

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
/// with a tensor of `Dual<T>`. Plain tensors and parameters in it are constants: a network, a
/// product with a matrix, a loss with its target are such functions as they are.
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
/// backward pass over dual numbers. `f` must be generic: it is called with a `Var` of `Dual<T>`;
/// plain tensors and parameters in it are constants.
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
