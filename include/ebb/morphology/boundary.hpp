/// \file
/// The lengths of outlines and the areas of surfaces, estimated by Crofton's formula: the size of a
/// boundary is the mean number of times that lines cross it. Lines run along rows, columns and
/// diagonals of elements. Ohser & Muecklich, "Statistical analysis of microstructures in materials
/// science", Wiley 2000; Legland, Kieu & Devaux, "Computation of Minkowski measures on 2D and 3D
/// binary images", Image Analysis & Stereology 26 (2007). Right to a percent for curved outlines
/// tens of elements across; a straight side along an axis is seen 5 % too short.
#pragma once

#include <ebb/core/spacing.hpp>
#include <ebb/morphology/components.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::morphology {

namespace detail {

/// A direction of lines: a step from element to element, and what a crossing adds to the size.
template <int N>
struct Lines {
  Shape<N> step;
  double per_crossing = 0;
};

template <int N>
using Vector = std::array<double, static_cast<std::size_t>(N)>;

/// Shares of all directions to which each of `axes` (unit vectors and their opposites) is nearest.
/// In the plane they are exact, on the sphere counted over a Fibonacci lattice (to about 1e-4).
template <int N>
std::vector<double> nearest_shares(const std::vector<Vector<N>>& axes) {
  constexpr double pi = 3.14159265358979323846;
  std::vector<double> shares(axes.size());
  if constexpr (N == 2) {
    std::vector<double> angle;
    for (const auto& a : axes) {
      const double turned = std::atan2(a[0], a[1]);
      angle.push_back(turned < 0 ? turned + pi : turned >= pi ? turned - pi : turned);
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      double before = pi, after = pi;  // to the next axis on either side
      for (std::size_t j = 0; j < axes.size(); ++j) {
        if (i == j) continue;
        const double d = angle[j] - angle[i];
        after = std::fmin(after, d > 0 ? d : d + pi);
        before = std::fmin(before, d < 0 ? -d : pi - d);
      }
      shares[i] = 0.5 * (before + after) / pi;
    }
  } else {
    constexpr int points = 100000;
    constexpr double golden = 2.39996322972865332;  // radians
    for (int k = 0; k < points; ++k) {
      const double z = (k + 0.5) / points, r = std::sqrt(1 - z * z);  // half a sphere is enough
      const double x = r * std::cos(golden * k), y = r * std::sin(golden * k);
      std::size_t best = 0;
      double most = -1;
      for (std::size_t i = 0; i < axes.size(); ++i) {
        const double along = std::fabs(axes[i][0] * z + axes[i][1] * y + axes[i][2] * x);
        if (along > most) most = along, best = i;
      }
      shares[best] += 1.0 / points;
    }
  }
  return shares;
}

/// The 4 or 13 directions. A crossing of lines `step` apart stands for an element's size over the
/// length of the step; the mean over directions is times pi / 2 the length of an outline, times 2
/// the area of a surface.
template <int N>
std::vector<Lines<N>> crofton_lines(const Spacing<N>& spacing) {
  std::vector<Vector<N>> axes;
  std::vector<Lines<N>> lines;
  double element = 1;
  for (const double s : spacing) element *= s;
  for (const Shape<N>& step : steps_back<N>(Connectivity::corners)) {
    Vector<N> axis{};
    double square = 0;
    for (int k = 0; k < N; ++k) {
      const auto at = static_cast<std::size_t>(k);
      axis[at] = static_cast<double>(step[k]) * spacing[at];
      square += axis[at] * axis[at];
    }
    const double length = std::sqrt(square);
    for (double& a : axis) a /= length;
    axes.push_back(axis);
    lines.push_back({step, element / length * (N == 2 ? 1.57079632679489661923 : 2.0)});
  }
  const auto shares = nearest_shares<N>(axes);
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].per_crossing *= shares[i];
  return lines;
}

}  // namespace detail

/// The size of the boundary of each component, holes included: entry i belongs to component i + 1.
template <int N>
std::vector<double> boundaries(const Components<N>& components,
                               const Spacing<N>& spacing = unit_spacing<N>()) {
  check_spacing("boundaries", spacing);
  const Shape<N> shape = components.labels.shape();
  const int* const label = components.labels.data();
  const auto lines = detail::crofton_lines<N>(spacing);
  // Counted first, so that the order of elements does not matter to the sums.
  std::vector<Index> crossings(static_cast<std::size_t>(components.count) * lines.size());
  for (Index i = 0; i < shape.size(); ++i) {
    if (label[i] == 0) continue;
    const Shape<N> at = detail::position(shape, i);
    Index* const own = crossings.data() + static_cast<std::size_t>(label[i] - 1) * lines.size();
    for (std::size_t k = 0; k < lines.size(); ++k)
      for (const Index sign : {-1, 1}) {
        const Index j = detail::neighbour(shape, at, lines[k].step, sign);
        own[k] += j < 0 || label[j] != label[i];
      }
  }
  std::vector<double> sizes(static_cast<std::size_t>(components.count));
  for (std::size_t c = 0; c < sizes.size(); ++c)
    for (std::size_t k = 0; k < lines.size(); ++k)
      sizes[c] += lines[k].per_crossing * static_cast<double>(crossings[c * lines.size() + k]);
  return sizes;
}

}  // namespace ebb::morphology
