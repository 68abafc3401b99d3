/// \file
/// Comparing tensors, and asking errors what they say.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/tensor/tensor.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace ebb::test {

/// (7 i mod 11) / 4 - 1 at element i: what the PyTorch snippets beside the tests call
///     def ramp(*s): return ((torch.arange(math.prod(s)) * 7 % 11).double() / 4 - 1).reshape(s)
template <class T, int N>
Tensor<T, N> ramp(const Shape<N>& shape) {
  Tensor<T, N> x(shape);
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = static_cast<T>(static_cast<double>(i * 7 % 11) / 4 - 1);
  return x;
}

/// The largest |a - b| / max(1, |b|); infinite where the numbers of elements differ.
template <class A, class B>
double difference(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double expected = static_cast<double>(b[i]);
    const double d = std::fabs(static_cast<double>(a[i]) - expected);
    const double relative = d / std::fmax(1.0, std::fabs(expected));
    if (!(relative <= most)) most = std::isnan(relative) ? INFINITY : relative;
  }
  return most;
}
template <class T, int N>
double difference(const Tensor<T, N>& a, const Tensor<T, N>& b) {
  return a.shape() == b.shape() ? difference(a.values(), b.values()) : INFINITY;
}
template <class T, int N>
double difference(const Tensor<T, N>& a, const std::vector<double>& b) {
  return difference(a.values(), b);
}

template <class T, int N>
bool same_bits(const Tensor<T, N>& a, const Tensor<T, N>& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

/// Whether f(), a tensor, has the same bits with 1, 2, 3 and 7 threads.
template <class F>
bool same_for_any_threads(F&& f) {
  bool same = true;
  const auto with = [&f](int threads) {
    const Threads switched(threads);
    return f();
  };
  const auto one = with(1);
  for (const int threads : {2, 3, 7}) same = same && same_bits(one, with(threads));
  return same;
}

/// What the error of type E that f() throws says; "" when it throws none.
template <class E, class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ebb::test
