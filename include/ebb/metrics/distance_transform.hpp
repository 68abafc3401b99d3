/// \file
/// Exact Euclidean distances to a set of elements: Felzenszwalb & Huttenlocher, "Distance
/// transforms of sampled functions", Theory of Computing 8 (2012).
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/spacing.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/tensor/tensor.hpp>

#include <cmath>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

namespace detail {

/// One line: f(x) becomes the lowest, at x, of the parabolas f(p) + (step (x - p))^2. Infinite
/// numbers raise none.
class LowerEnvelope {
 public:
  explicit LowerEnvelope(Index longest)
      : value_(static_cast<std::size_t>(longest)),
        apex_(static_cast<std::size_t>(longest)),
        begins_(static_cast<std::size_t>(longest)) {}

  void apply(double* f, Index n, Index stride, double step) {
    std::size_t count = 0;  // of parabolas in the envelope, from left to right
    const double square = step * step;
    for (Index p = 0; p < n; ++p) {
      const double height = f[p * stride];
      value_[static_cast<std::size_t>(p)] = height;
      if (math::is_infinite(height)) continue;
      double begins = -HUGE_VAL;
      while (count > 0) {
        const Index last = apex_[count - 1];
        // Where the parabolas of `last` and p meet; p lies below to the right of it.
        begins = 0.5 * (static_cast<double>(p + last) +
                        (height - value_[static_cast<std::size_t>(last)]) /
                            (square * static_cast<double>(p - last)));
        if (begins > begins_[count - 1]) break;
        --count;
        begins = -HUGE_VAL;
      }
      apex_[count] = p;
      begins_[count++] = begins;
    }
    if (count == 0) return;
    for (std::size_t k = 0, x = 0; x < static_cast<std::size_t>(n); ++x) {
      const auto at = static_cast<double>(x);
      while (k + 1 < count && begins_[k + 1] < at) ++k;
      const double away = step * (at - static_cast<double>(apex_[k]));
      f[static_cast<Index>(x) * stride] = value_[static_cast<std::size_t>(apex_[k])] + away * away;
    }
  }

 private:
  std::vector<double> value_;
  std::vector<Index> apex_;
  std::vector<double> begins_;
};

/// In place, from 0 where the set is and infinity elsewhere.
template <int N>
void spread_squares(const Tensor<double, N>& squares, const Spacing<N>& spacing) {
  const Shape<N> shape = squares.shape();
  double* const data = squares.mutable_data();
  for (int axis = N; axis-- > 0;) {
    const Index n = shape[axis], stride = shape.stride(axis), size = shape.size();
    if (n == 0 || size == 0) continue;
    const Index lines = size / n, group = std::max<Index>(1, 8192 / n);
    parallel_for((lines + group - 1) / group, 4 * size, [&](Index task) {
      LowerEnvelope envelope(n);
      for (Index line = task * group; line < std::min(lines, (task + 1) * group); ++line)
        envelope.apply(data + line / stride * n * stride + line % stride, n, stride,
                       spacing[static_cast<std::size_t>(axis)]);
    });
  }
}

}  // namespace detail

/// For each element, the squared distance to the nearest one for which `in_set(value)` holds (0 at
/// those themselves), between centres; infinite where the set is empty.
/// \throws ValueError when a spacing is not positive.
template <class T, int N, class InSet>
Tensor<double, N> squared_distances(const Tensor<T, N>& x, const InSet& in_set,
                                    const Spacing<N>& spacing = unit_spacing<N>()) {
  static_assert(N >= 1, "ebb::metrics: a distance needs at least one axis");
  check_spacing("squared_distances", spacing);
  Tensor<double, N> squares(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    squares.mutable_data()[i] = in_set(x.data()[i]) ? 0.0 : HUGE_VAL;
  detail::spread_squares(squares, spacing);
  return squares;
}

}  // namespace ebb::metrics
