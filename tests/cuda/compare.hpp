/// \file
/// `CHECK_ON_CUDA(tolerance, f, x...)`: an operation on Cuda beside the same on the CPU, forward
/// and backward. A test that uses it includes tests/support/gpu_emulator.hpp first, where there is
/// no nvcc.
#pragma once

#include <ebb/cuda.cuh>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ebb::test {

/// One of each kind of activation that an operation takes in.
inline constexpr Activation some_activations[] = {relu6, leaky_relu, Clamp{-0.2, 0.4}, sigmoid,
                                                  silu,  hard_swish, Activation::none};

/// What float and double may differ by, relative to the largest number of the CPU's result.
inline constexpr double near_float = 1e-5, near_double = 1e-12;

/// The largest |a - b| relative to the largest finite |b|; infinite where the numbers of elements
/// differ, or one is nan or infinite and the other not the same.
template <class A, class B>
double deviation(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (std::isfinite(x) && std::isfinite(y)) {
      largest = std::fmax(largest, std::fabs(y));
      apart = std::fmax(apart, std::fabs(x - y));
    } else if (!(x == y) && !(std::isnan(x) && std::isnan(y))) {
      return INFINITY;
    }
  }
  return largest > 0 ? apart / largest : apart;
}
template <class T, class From, class To, int N>
double deviation(const Tensor<T, N, From>& a, const Tensor<T, N, To>& b) {
  return a.shape() == b.shape() ? deviation(a.values(), b.values()) : INFINITY;
}

/// While it lives, kernels take the path of tensors with more than 2^31 elements.
struct WideIndices {
  Index before = std::exchange(gpu::short_indices, Index{0});
  WideIndices() = default;
  WideIndices(const WideIndices&) = delete;
  WideIndices& operator=(const WideIndices&) = delete;
  ~WideIndices() { gpu::short_indices = before; }
};

/// What an operation gave on a device: its value, and the gradients of its operands after one
/// backward pass, and after another that added to them.
struct Outcome {
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;
  bool operator==(const Outcome&) const = default;
};

namespace detail {

template <class T, int N, class Device>
std::vector<double> numbers(const Tensor<T, N, Device>& x) {
  if (!x.defined()) return {};
  const std::vector<T> values = x.values();
  return std::vector<double>(values.begin(), values.end());
}

/// An operand on the device: a variable, or as it is where it is of whole numbers (labels).
template <class Device, class T, int N>
auto operand(Tape& tape, const Tensor<T, N>& x) {
  if constexpr (std::is_integral_v<T>)
    return to<Device>(x);
  else
    return tape.watch(to<Device>(x));
}

template <class X>
void note_gradient(const X& x, std::vector<std::vector<double>>& gradients) {
  if constexpr (is_var<X>) gradients.push_back(numbers(x.grad()));
}

}  // namespace detail

/// Runs `f` on copies of x on the device, forward and twice backward from fixed random numbers. `f`
/// must be generic; tensors of whole numbers go in as plain tensors, others as variables.
template <class Device, class F, class... X>
Outcome outcome(F&& f, const X&... x) {
  Tape tape;
  const auto operands = std::make_tuple(detail::operand<Device>(tape, x)...);
  const auto y = std::apply(f, operands);
  Outcome all{detail::numbers(value(y)), {}};
  if constexpr (is_var<std::remove_cvref_t<decltype(y)>>) {
    const auto dy = to<Device>(random<scalar_of<std::remove_cvref_t<decltype(y)>>>(y.shape(), 99));
    const auto note = [&](const auto&... operand) {
      (detail::note_gradient(operand, all.gradients), ...);
    };
    backward(y, dy.clone(), Retain::yes);
    std::apply(note, operands);
    backward(y, dy.clone());
    std::apply(note, operands);
  }
  return all;
}

/// What `compare` finds; `message` says what differs, and by how much.
struct Comparison {
  bool passed = true;
  std::string message;
};

/// Compares `f` on Cuda with `f` on the CPU: its value and gradients within the tolerance, the same
/// bits each time, and the same bits of plain tensors as of variables.
template <class F, class... X>
Comparison compare(double tolerance, F&& f, const X&... x) {
  Comparison found;
  const auto expect = [&](double apart, double most, const std::string& what) {
    if (apart <= most) return;
    found.passed = false;
    found.message += what + " by " + std::to_string(apart / tolerance) + " tolerances; ";
  };
  const Outcome cpu = outcome<Cpu>(f, x...), cuda = outcome<Cuda>(f, x...);
  expect(deviation(cuda.value, cpu.value), tolerance, "the value differs from the CPU's");
  for (std::size_t i = 0; i < cpu.gradients.size(); ++i)
    expect(deviation(cuda.gradients[i], cpu.gradients[i]), tolerance,
           "gradient " + std::to_string(i % sizeof...(X)) +
               (i < cpu.gradients.size() / 2 ? "" : " of a second pass") +
               " differs from the CPU's");
  const Outcome again = outcome<Cuda>(f, x...);
  expect(deviation(again.value, cuda.value), 0, "the value differs from run to run");
  for (std::size_t i = 0; i < cuda.gradients.size(); ++i)
    expect(deviation(again.gradients[i], cuda.gradients[i]), 0,
           "a gradient differs from run to run");
  const auto plain = f(to<Cuda>(x)...);
  expect(deviation(detail::numbers(value(plain)), cuda.value), 0,
         "the value of plain tensors differs from that of variables");
  return found;
}

}  // namespace ebb::test

#define CHECK_ON_CUDA(...)                                    \
  do {                                                        \
    const auto comparison_ = ebb::test::compare(__VA_ARGS__); \
    INFO(comparison_.message);                                \
    CHECK(comparison_.passed);                                \
  } while (false)
