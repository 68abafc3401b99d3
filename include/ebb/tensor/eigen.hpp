/// \file
/// Tensors on the CPU are Eigen tensors to their user: maps without a copy, and construction from
/// tensors and expressions.
#pragma once

#include <ebb/tensor/eigen_library.hpp>
#include <ebb/tensor/tensor.hpp>

namespace ebb::inline EBB_ABI {

template <class X>
requires std::is_base_of_v<Eigen::TensorBase<X, Eigen::ReadOnlyAccessors>, X>
inline constexpr bool is_eigen_tensor<X> = true;

/// The type of `x.eigen()`: readable, assignable and usable in any Eigen expression.
template <class T, int N>
using EigenTensorMap = Eigen::TensorMap<Eigen::Tensor<T, N, Eigen::RowMajor>, Eigen::Aligned64>;

template <class T, int N>
EigenTensorMap<T, N> eigen_tensor_map(const Tensor<T, N, Cpu>& x) {
  Eigen::array<Eigen::Index, static_cast<std::size_t>(N)> extents{};
  for (int axis = 0; axis < N; ++axis) extents[static_cast<std::size_t>(axis)] = x.shape()[axis];
  return {x.mutable_data(), extents};
}

template <class T>
auto eigen_matrix_map(const Tensor<T, 2, Cpu>& x) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<Matrix, Eigen::Aligned64>(x.mutable_data(), x.extent(0), x.extent(1));
}

template <class T>
auto eigen_vector_map(const Tensor<T, 1, Cpu>& x) {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  return Eigen::Map<Vector, Eigen::Aligned64>(x.mutable_data(), x.extent(0));
}

/// Evaluates a row-major Eigen tensor expression into a fresh tensor.
template <class Tens, class Expression>
Tens from_eigen(const Expression& expression) {
  using Evaluator = Eigen::TensorEvaluator<const Expression, Eigen::DefaultDevice>;
  static_assert(
      static_cast<int>(Eigen::internal::array_size<typename Evaluator::Dimensions>::value) ==
          Tens::rank,
      "ebb::Tensor: the Eigen expression has another rank than the tensor");
  static_assert(
      static_cast<int>(Evaluator::Layout) == static_cast<int>(Eigen::RowMajor) || Tens::rank <= 1,
      "ebb::Tensor: this Eigen tensor is column-major and ebb's are row-major; declare it "
      "Eigen::Tensor<T, N, Eigen::RowMajor>, or copy it with ebb::from_column_major(x)");
  static_assert(std::is_same_v<typename Expression::Scalar, typename Tens::scalar>,
                "ebb::Tensor: the Eigen expression has another scalar type; use .cast<T>() on it");
  Eigen::DefaultDevice device;
  const Evaluator evaluator(expression, device);
  Shape<Tens::rank> shape{};
  for (int axis = 0; axis < Tens::rank; ++axis)
    shape[axis] = evaluator.dimensions()[static_cast<std::size_t>(axis)];
  Tens y(shape);
  if constexpr (static_cast<int>(Evaluator::Layout) == static_cast<int>(Eigen::RowMajor))
    y.eigen() = expression;
  else  // rank 0 or 1: the order of the axes means nothing
    Eigen::TensorMap<Eigen::Tensor<typename Tens::scalar, Tens::rank>>(
        y.mutable_data(), evaluator.dimensions()) = expression;
  return y;
}

/// A row-major copy of a column-major Eigen tensor: the same element at every index.
template <class T, int N>
Tensor<T, N> from_column_major(const Eigen::Tensor<T, N, Eigen::ColMajor>& x) {
  Shape<N> shape{};
  Eigen::array<int, static_cast<std::size_t>(N)> reversed{};
  for (int axis = 0; axis < N; ++axis) {
    shape[axis] = x.dimension(axis);
    reversed[static_cast<std::size_t>(axis)] = N - 1 - axis;
  }
  Tensor<T, N> y(shape);
  y.eigen() = x.swap_layout().shuffle(reversed);
  return y;
}

/// A copy of an Eigen matrix of any storage order.
template <class Derived>
Tensor<typename Derived::Scalar, 2> from_matrix(const Eigen::MatrixBase<Derived>& x) {
  Tensor<typename Derived::Scalar, 2> y({x.rows(), x.cols()});
  y.matrix() = x;
  return y;
}

}  // namespace ebb
