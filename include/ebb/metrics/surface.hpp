/// \file
/// How far the surfaces of two masks lie apart, in physical units.
#pragma once

#include <ebb/metrics/bootstrap.hpp>
#include <ebb/metrics/distance_transform.hpp>
#include <ebb/metrics/overlap.hpp>

namespace ebb::inline EBB_ABI::metrics {

/// The distances of the surface elements of each mask from the other mask's surface.
struct SurfaceDistances {
  std::vector<double> from_predicted, from_truth;  ///< sorted, neither empty

  /// The farthest that a surface lies from the other, in either direction: Huttenlocher, Klanderman
  /// & Rucklidge, "Comparing images using the Hausdorff distance", IEEE PAMI 15 (1993). One stray
  /// element decides it.
  double hausdorff() const { return std::max(from_predicted.back(), from_truth.back()); }

  /// The larger of the two directions' percentiles (numpy's, between neighbours in a straight
  /// line). `hausdorff(0.95)` is HD95 as challenges of segmentation report it; some programs take
  /// the percentile of both directions together, which is smaller.
  /// \throws ValueError when the share is not in [0, 1].
  double hausdorff(double share) const {
    if (!(share >= 0 && share <= 1))
      throw ValueError(message("hausdorff: a share of ", share,
                               " was asked for; use 0.95 for the 95th percentile"));
    return std::max(detail::quantile_of_sorted(from_predicted, share),
                    detail::quantile_of_sorted(from_truth, share));
  }

  /// Average symmetric surface distance: the mean over the elements of both surfaces.
  double average() const {
    double sum = 0;
    for (const auto* distances : {&from_predicted, &from_truth})
      for (const double d : *distances) sum += d;
    return sum / static_cast<double>(from_predicted.size() + from_truth.size());
  }

  /// The share of both surfaces that lies within `tolerance` of the other; also "surface Dice"
  /// (Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck
  /// anatomy for radiotherapy", 2018), here by counts of elements.
  double within(double tolerance) const {
    std::ptrdiff_t near = 0;
    for (const auto* d : {&from_predicted, &from_truth})
      near += std::upper_bound(d->begin(), d->end(), tolerance) - d->begin();
    return static_cast<double>(near) /
           static_cast<double>(from_predicted.size() + from_truth.size());
  }
};

namespace detail {

/// 1 at the elements of the foreground that have a neighbour across a face that is not: where the
/// mask ends at the edge of the image, too.
template <class T, int N>
Tensor<std::uint8_t, N> surface_of(const Tensor<T, N>& mask, T foreground) {
  const Shape<N> shape = mask.shape();
  const T* const x = mask.data();
  Tensor<std::uint8_t, N> surface(shape);
  for (Index i = 0; i < shape.size(); ++i) {
    bool bare = false;
    for (int axis = 0; axis < N && x[i] == foreground && !bare; ++axis) {
      const Index stride = shape.stride(axis), at = i / stride % shape[axis];
      bare = at == 0 || at + 1 == shape[axis] || x[i - stride] != foreground ||
             x[i + stride] != foreground;
    }
    surface.mutable_data()[i] = bare;
  }
  return surface;
}

template <int N>
std::vector<double> sorted_distances(const Tensor<std::uint8_t, N>& from,
                                     const Tensor<std::uint8_t, N>& to, const Spacing<N>& spacing) {
  const auto squares = squared_distances(
      to, [](std::uint8_t s) { return s != 0; }, spacing);
  std::vector<double> distances;
  for (Index i = 0; i < from.size(); ++i)
    if (from.data()[i] != 0) distances.push_back(std::sqrt(squares.data()[i]));
  std::sort(distances.begin(), distances.end());
  return distances;
}

}  // namespace detail

/// The surface of a mask is its foreground elements with a neighbour, across a face, that is not
/// foreground or lies outside of the image; distances are exact, between centres of elements.
/// `spacing` is the distance of neighbouring elements along each axis of the mask: (row, column)
/// for an image, (slice, row, column) for a volume.
/// \throws ShapeError when the shapes differ; ValueError when a mask is empty (then no distance is
/// defined), or a spacing is not positive.
template <class T, int N>
SurfaceDistances surface_distances(const Tensor<T, N>& predicted, const Tensor<T, N>& truth,
                                   std::type_identity_t<T> foreground,
                                   const Spacing<N>& spacing = unit_spacing<N>()) {
  static_assert(N == 2 || N == 3, "ebb::metrics: surfaces are of masks of two or three axes");
  detail::require_one_shape("surface_distances", predicted.shape(), truth.shape());
  const auto surface = [&](const char* which, const Tensor<T, N>& mask) {
    auto found = detail::surface_of<T, N>(mask, foreground);
    for (Index i = 0; i < found.size(); ++i)
      if (found.data()[i] != 0) return found;
    throw ValueError(message("surface_distances: the ", which,
                             " mask has no foreground, so no distance is defined; count such "
                             "images apart"));
  };
  const auto of_predicted = surface("predicted", predicted), of_truth = surface("true", truth);
  return {detail::sorted_distances(of_predicted, of_truth, spacing),
          detail::sorted_distances(of_truth, of_predicted, spacing)};
}

}  // namespace ebb::metrics
