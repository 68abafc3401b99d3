/// \file
/// The connected components of a mask.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <limits>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::morphology {

/// Which neighbours hang together: those that share a face (4 in an image, 6 in a volume), or those
/// that share a corner, too (8, 26).
enum class Connectivity { faces, corners };

/// Components are numbered from 1 in the order of their first elements, row by row.
template <int N>
struct Components {
  Tensor<int, N> labels;  ///< 0 where there is none
  int count = 0;
};

namespace detail {

/// Sets that are joined: the root of a tree is the smallest number in it.
class Forest {
 public:
  int add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int root(int i) {
    while (parent(i) != i) i = parent(i) = parent(parent(i));
    return i;
  }
  int join(int i, int j) {
    i = root(i), j = root(j);
    if (i > j) std::swap(i, j);
    parent(j) = i;
    return i;
  }
  std::size_t size() const { return parent_.size(); }

 private:
  int& parent(int i) { return parent_[static_cast<std::size_t>(i)]; }
  std::vector<int> parent_;
};

/// Steps to neighbours, one of each opposite pair: those that come before in row-major order.
template <int N>
std::vector<Shape<N>> steps_back(Connectivity connectivity) {
  std::vector<Shape<N>> steps;
  int all = 1;
  for (int axis = 0; axis < N; ++axis) all *= 3;
  for (int code = 0; code < all / 2; ++code) {  // the second half are the opposites
    Shape<N> step{};
    int moved = 0;
    for (int axis = N, rest = code; axis-- > 0; rest /= 3) {
      step[axis] = rest % 3 - 1;
      moved += step[axis] != 0;
    }
    if (connectivity == Connectivity::corners || moved == 1) steps.push_back(step);
  }
  return steps;
}

/// The position of element `i`.
template <int N>
Shape<N> position(const Shape<N>& shape, Index i) {
  Shape<N> at{};
  for (int axis = N; axis-- > 0; i /= shape[axis]) at[axis] = i % shape[axis];
  return at;
}
/// The element `sign` steps from `at`, or -1 outside.
template <int N>
Index neighbour(const Shape<N>& shape, const Shape<N>& at, const Shape<N>& step, Index sign = 1) {
  Index i = 0;
  for (int axis = 0; axis < N; ++axis) {
    const Index x = at[axis] + sign * step[axis];
    if (x < 0 || x >= shape[axis]) return -1;
    i = i * shape[axis] + x;
  }
  return i;
}

}  // namespace detail

/// The components of the elements equal to `foreground` of an image (rows, columns) or a volume
/// (slices, rows, columns). Two passes with joined sets: Rosenfeld & Pfaltz, "Sequential operations
/// in digital picture processing", J. ACM 13 (1966).
/// \throws ShapeError when there are more elements than an int can number.
template <class T, int N>
Components<N> components(const Tensor<T, N>& mask, std::type_identity_t<T> foreground,
                         Connectivity connectivity) {
  static_assert(N == 2 || N == 3, "ebb::shape: masks have two or three axes");
  const Shape<N> shape = mask.shape();
  if (shape.size() > std::numeric_limits<int>::max() - 1)
    throw ShapeError(message("components: a mask of shape ", shape,
                             " has more elements than can be numbered; cut it into parts"));
  const auto steps = detail::steps_back<N>(connectivity);
  Components<N> found{Tensor<int, N>(shape), 0};
  int* const label = found.labels.mutable_data();
  detail::Forest sets;
  sets.add();  // 0: no component
  for (Index i = 0; i < shape.size(); ++i) {
    label[i] = 0;
    if (!(mask.data()[i] == foreground)) continue;
    const Shape<N> at = detail::position(shape, i);
    for (const Shape<N>& step : steps) {
      const Index j = detail::neighbour(shape, at, step);
      if (j < 0 || label[j] == 0) continue;
      label[i] = label[i] == 0 ? sets.root(label[j]) : sets.join(label[i], label[j]);
    }
    if (label[i] == 0) label[i] = sets.add();
  }
  std::vector<int> number(sets.size());
  for (Index i = 0; i < shape.size(); ++i) {
    if (label[i] == 0) continue;
    int& own = number[static_cast<std::size_t>(sets.root(label[i]))];
    if (own == 0) own = ++found.count;
    label[i] = own;
  }
  return found;
}

}  // namespace ebb::morphology
