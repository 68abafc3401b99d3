/// \file
/// What tests of fast kernels share: comparison with a reference, every instruction set, numbers of
/// threads, and the patterns that fixtures are made of.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/isa.hpp>
#include <ebb/tensor/tensor.hpp>

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"
#include "tests/support/tensors.hpp"

namespace ebb::test {

/// Calls f() with each instruction set this processor has, and puts the first choice back.
template <class F>
void each_isa(F&& f) {
  for (const Isa set : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (!supports(set)) continue;
    const OnlyIsa only(set);
    f(set);
  }
}

/// The largest difference between two tensors; infinite where one is not a number.
template <class T, int N>
double absolute_difference(const Tensor<T, N>& a, const Tensor<T, N>& b) {
  if (!(a.shape() == b.shape())) return INFINITY;
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]));
    if (!(d <= largest)) largest = std::isnan(d) ? INFINITY : d;
  }
  return largest;
}

/// Checks that f() gives the same bits with 1, 2, 3 and 7 threads.
template <class F>
void check_threads(F&& f) {
  const auto with = [&f](int threads) {
    const Threads switched(threads);
    return f();
  };
  const auto alone = with(1);
  for (const int threads : {2, 3, 7}) {
    INFO(threads << " threads");
    CHECK(same_bits(with(threads), alone));
  }
}

/// ((7 i + 3) mod 11 - 5) / 4, which the PyTorch scripts quoted in tests call `fill`: sums of
/// products of such numbers are exact, so they compare equal.
template <class T = double, int N>
Tensor<T, N> fill(const Shape<N>& shape) {
  Tensor<T, N> x(shape);
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = static_cast<T>((7 * i + 3) % 11 - 5) / T(4);
  return x;
}

/// Where a kernel writes: all of a tensor.
template <class T, int N>
Into<T, N> into(const Tensor<T, N>& x, bool add = false) {
  return {x.mutable_data(), x.shape(), add};
}

}  // namespace ebb::test
