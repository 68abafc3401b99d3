/// \file
/// An activation that is chosen while the program runs, and its gradient, on CUDA.
#pragma once

#include <ebb/ops/elementwise/activated_cpu.hpp>
#include <ebb/ops/elementwise/elementwise_cuda.cuh>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// An activation as a function of one number; what is kept may be its result or what went in.
struct AnyActivation {
  Activation activation;

  template <class T>
  EBB_HD T value(T x) const {
    return activation.value(x);
  }
  template <class T>
  EBB_HD T slope_at_output(T kept) const {
    T slope(1);
    activation.visit([&](const auto& f) { slope = slope_by(f, kept); });
    return slope;
  }
};

}  // namespace detail

/// Kernel: y = activation(y) for n numbers.
template <class T>
void activate(Cuda device, const Activation& activation, Index n, T* y) {
  const View<T, 1> all{y, {n}};
  map_forward(device, detail::AnyActivation{activation}, View<const T, 1>{y, {n}}, all);
}

/// Kernel: dx = slope dy for n numbers, as on the CPU; dx may be dy.
template <class T>
void activate_backward(Cuda device, const Activation& activation, Index n, const T* kept,
                       const T* dy, T* dx) {
  map_backward(device, detail::AnyActivation{activation}, View<const T, 1>{kept, {n}},
               View<const T, 1>{dy, {n}}, Into<T, 1>{dx, {n}, false});
}

}  // namespace ebb::kernel
