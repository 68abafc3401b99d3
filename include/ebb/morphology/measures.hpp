/// \file
/// What can be measured of the components of a mask, in physical units.
#pragma once

#include <ebb/morphology/boundary.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::morphology {

/// One component. Lengths, areas and volumes are in the units of the spacing that was given (1: in
/// elements); positions are of the centres of elements, the first of which lies at 0.
template <int N>
struct Measures {
  int label = 0;
  Index elements = 0;
  double size = 0;        ///< area, or volume
  double boundary = 0;    ///< perimeter, or surface area (boundary.hpp), holes included
  Spacing<N> centroid{};  ///< along each axis
  Spacing<N>
      axis_lengths{};  ///< of the ellipse or ellipsoid of equal second moments, longest first
  std::array<Spacing<N>, static_cast<std::size_t>(N)> axes{};  ///< their directions, unit vectors
  double eccentricity = 0;  ///< of the longest and the shortest axis: 0 for a disc, to 1 for a line
  double compactness = 0;  ///< 4 pi area / perimeter^2, or 36 pi volume^2 / surface^3: 1 for a ball
  double equivalent_diameter = 0;   ///< of the disc or ball of this size
  Shape<N> box_begin{}, box_end{};  ///< the bounding box in elements; the end is one past the last
};

namespace detail {

/// The eigenvalues of a symmetric matrix, largest first, and their vectors, by Jacobi's rotations
/// (Golub & Van Loan, "Matrix computations", section 8.5).
template <std::size_t N>
void eigen_of(std::array<std::array<double, N>, N> a, std::array<double, N>& values,
              std::array<std::array<double, N>, N>& vectors) {
  std::array<std::array<double, N>, N> v{};
  for (std::size_t i = 0; i < N; ++i) v[i][i] = 1;
  for (int sweep = 0; sweep < 30; ++sweep)
    for (std::size_t p = 0; p < N; ++p)
      for (std::size_t q = p + 1; q < N; ++q) {
        if (a[p][q] == 0) continue;
        const double theta = 0.5 * (a[q][q] - a[p][p]) / a[p][q];
        const double t = (theta < 0 ? -1 : 1) / (std::fabs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0), s = t * c;
        for (std::size_t k = 0; k < N; ++k) {
          const double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y, a[k][q] = s * x + c * y;
        }
        for (std::size_t k = 0; k < N; ++k) {
          const double x = a[p][k], y = a[q][k];
          a[p][k] = c * x - s * y, a[q][k] = s * x + c * y;
        }
        for (std::size_t k = 0; k < N; ++k) {
          const double x = v[k][p], y = v[k][q];
          v[k][p] = c * x - s * y, v[k][q] = s * x + c * y;
        }
        a[p][q] = a[q][p] = 0;
      }
  std::array<std::size_t, N> order{};
  for (std::size_t i = 0; i < N; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return a[i][i] > a[j][j]; });
  for (std::size_t i = 0; i < N; ++i) {
    values[i] = std::fmax(0.0, a[order[i]][order[i]]);
    // A vector and its opposite say the same: the largest part is made positive.
    std::size_t largest = 0;
    for (std::size_t k = 1; k < N; ++k)
      if (std::fabs(v[k][order[i]]) > std::fabs(v[largest][order[i]])) largest = k;
    const double sign = v[largest][order[i]] < 0 ? -1 : 1;
    for (std::size_t k = 0; k < N; ++k) vectors[i][k] = sign * v[k][order[i]];
  }
}

/// What follows from size, boundary and second moments.
template <int N>
void conclude(Measures<N>& m, const std::array<Spacing<N>, static_cast<std::size_t>(N)>& moments) {
  constexpr double pi = 3.14159265358979323846;
  Spacing<N> variances{};
  eigen_of(moments, variances, m.axes);
  // The variance along a half axis a is a^2 / 4 in an ellipse, a^2 / 5 in an ellipsoid.
  for (std::size_t k = 0; k < variances.size(); ++k)
    m.axis_lengths[k] = 2 * std::sqrt((N == 2 ? 4 : 5) * variances[k]);
  if (variances.front() > 0) m.eccentricity = std::sqrt(1 - variances.back() / variances.front());
  const double s = m.boundary;
  m.compactness = N == 2 ? 4 * pi * m.size / (s * s) : 36 * pi * m.size * m.size / (s * s * s);
  m.equivalent_diameter = N == 2 ? std::sqrt(4 * m.size / pi) : std::cbrt(6 * m.size / pi);
}

}  // namespace detail

/// Measures of each component, in the order of their labels. Moments are those of the elements'
/// centres, as scikit-image has them: a row of single elements has no width, a single element no
/// axes (their lengths are 0). \throws ValueError when a spacing is not positive.
template <int N>
std::vector<Measures<N>> measure(const Components<N>& components,
                                 const Spacing<N>& spacing = unit_spacing<N>()) {
  check_spacing("measure", spacing);
  constexpr auto axes = static_cast<std::size_t>(N);
  const Shape<N> shape = components.labels.shape();
  const int* const label = components.labels.data();
  double element = 1;
  for (const double s : spacing) element *= s;
  const auto count = static_cast<std::size_t>(components.count);
  std::vector<Measures<N>> found(count);
  std::vector<std::array<Spacing<N>, axes>> moments(count);
  const auto each = [&](const auto& f) {
    for (Index i = 0; i < shape.size(); ++i)
      if (label[i] != 0) f(static_cast<std::size_t>(label[i] - 1), detail::position(shape, i));
  };
  each([&](std::size_t c, const Shape<N>& at) {
    Measures<N>& m = found[c];
    for (int k = 0; k < N; ++k) {
      m.centroid[static_cast<std::size_t>(k)] += static_cast<double>(at[k]);
      m.box_begin[k] = m.elements == 0 ? at[k] : std::min(m.box_begin[k], at[k]);
      m.box_end[k] = std::max(m.box_end[k], at[k] + 1);
    }
    ++m.elements;
  });
  const auto boundary = boundaries(components, spacing);
  for (std::size_t c = 0; c < count; ++c) {
    Measures<N>& m = found[c];
    m.label = static_cast<int>(c) + 1;
    m.size = element * static_cast<double>(m.elements);
    m.boundary = boundary[c];
    for (std::size_t k = 0; k < axes; ++k)
      m.centroid[k] *= spacing[k] / static_cast<double>(m.elements);
  }
  each([&](std::size_t c, const Shape<N>& at) {
    Spacing<N> off{};
    for (std::size_t k = 0; k < axes; ++k)
      off[k] = static_cast<double>(at[static_cast<int>(k)]) * spacing[k] - found[c].centroid[k];
    for (std::size_t j = 0; j < axes; ++j)
      for (std::size_t k = 0; k < axes; ++k) moments[c][j][k] += off[j] * off[k];
  });
  for (std::size_t c = 0; c < count; ++c) {
    for (auto& row : moments[c])
      for (double& x : row) x /= static_cast<double>(found[c].elements);
    detail::conclude(found[c], moments[c]);
  }
  return found;
}

}  // namespace ebb::morphology
