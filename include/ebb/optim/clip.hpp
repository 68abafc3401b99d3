/// \file
/// Keeping gradients in bounds, between `backward` and `step`.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/nn/visit.hpp>

#include <algorithm>
#include <cmath>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: the sum of the squares of `x`, in double.
template <class T, int N>
double sum_of_squares(Cpu, View<const T, N> x) {
  return parallel_sum<double>(x.size(), 1, [&](Index begin, Index end) {
    return detail::lane_sum<double>(end - begin, [&](Index i) {
      const auto v = static_cast<double>(x.data[begin + i]);
      return v * v;
    });
  });
}

/// Kernel: the sum of the absolute values of `x`, in double.
template <class T, int N>
double sum_of_magnitudes(Cpu, View<const T, N> x) {
  return parallel_sum<double>(x.size(), 1, [&](Index begin, Index end) {
    double sum = 0;
    for (Index i = begin; i < end; ++i) sum += std::abs(static_cast<double>(x.data[i]));
    return sum;
  });
}

/// Kernel: the largest absolute value in `x`, or nan where there is one.
template <class T, int N>
double largest_magnitude(Cpu, View<const T, N> x) {
  double largest = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double v = std::abs(static_cast<double>(x.data[i]));
    if (!(v <= largest)) largest = v;
    if (math::is_nan(largest)) break;
  }
  return largest;
}

/// Kernel: x *= factor.
template <class T, int N>
void scale(Cpu, T factor, View<T, N> x) {
  parallel_ranges(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) x.data[i] *= factor;
  });
}

/// Kernel: x into [-bound, bound]; nan stays.
template <class T, int N>
void clamp_magnitude(Cpu, T bound, View<T, N> x) {
  parallel_ranges(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T v = x.data[i];
      x.data[i] = v > bound ? bound : v < -bound ? -bound : v;
    }
  });
}

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI::optim {

/// Which norm measures the gradients.
enum class Norm { one, two, infinity };

struct ClipOptions {
  Norm norm = Norm::two;
  bool error_if_nonfinite = false;  ///< throw NumericError when the norm is nan or infinite
};

namespace detail {

/// Calls f(cell, device) for every parameter that has a gradient.
template <class Net, class F>
void each_gradient(const Net& net, F&& f) {
  nn::visit_parameters(net, [&]<class Tens>(const std::string&, const Param<Tens>& p) {
    if (p.trainable() && p.grad().defined()) f(*p.cell(), typename Tens::device{});
  });
}

/// The gradient's memory, safe to write: nobody else's tensor shares it.
template <class Cell>
auto writable_gradient(Cell& cell) {
  const auto into = cell.grad_into();
  return into.view();
}

}  // namespace detail

/// The norm of all gradients of `net` as one vector; 0 when there are none.
template <class Net>
double grad_norm(const Net& net, Norm norm = Norm::two) {
  double total = 0;
  detail::each_gradient(net, [&](auto& cell, auto device) {
    const auto gradient = cell.flat_grad();
    if (norm == Norm::two) {
      total += sum_of_squares(device, gradient.view());
    } else if (norm == Norm::one) {
      total += sum_of_magnitudes(device, gradient.view());
    } else {
      const double largest = largest_magnitude(device, gradient.view());
      if (!math::is_nan(total) && !(largest <= total)) total = largest;
    }
  });
  return norm == Norm::two ? std::sqrt(total) : total;
}

/// Scales all gradients of `net` by one factor, max_norm / (norm + 1e-6), where that is below 1,
/// and returns the norm they had. Pascanu, Mikolov & Bengio, "On the difficulty of training
/// recurrent neural networks", ICML 2013. \throws ValueError when max_norm is not positive;
/// NumericError as the options say.
template <class Net>
double clip_grad_norm(const Net& net, double max_norm, ClipOptions options = {}) {
  if (!(max_norm > 0))
    throw ValueError(
        message("clip_grad_norm: max_norm = ", max_norm, " must be a positive number"));
  const double norm = grad_norm(net, options.norm);
  if (options.error_if_nonfinite && !math::is_finite(norm))
    throw NumericError(message("clip_grad_norm: the norm of the gradients is ", norm,
                               ", so they "
                               "cannot be scaled; lower the learning rate, or find the first bad "
                               "operation with Tape::Options{.check_finite = true}"));
  const double factor = max_norm / (norm + 1e-6);
  if (!(factor >= 1))  // true for nan as well: it must reach every weight, as in PyTorch
    detail::each_gradient(net, [&](auto& cell, auto device) {
      const auto gradient = detail::writable_gradient(cell);
      using T = std::remove_reference_t<decltype(gradient.data[0])>;
      scale(device, static_cast<T>(factor), gradient);
    });
  return norm;
}

/// Clamps every element of every gradient of `net` to [-bound, bound].
/// \throws ValueError when the bound is not positive.
template <class Net>
void clip_grad_value(const Net& net, double bound) {
  if (!(bound > 0))
    throw ValueError(message("clip_grad_value: bound = ", bound, " must be a positive number"));
  detail::each_gradient(net, [&](auto& cell, auto device) {
    const auto gradient = detail::writable_gradient(cell);
    using T = std::remove_reference_t<decltype(gradient.data[0])>;
    clamp_magnitude(device, static_cast<T>(bound), gradient);
  });
}

}  // namespace ebb::optim
