/// \file
/// Runs ONNX operator vectors through ebb: tensors from vectors and back, and the table of
/// operators.
#pragma once

#include "model.hpp"

#include <ebb/tensor/tensor.hpp>

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace onnx_vectors {

/// Thrown where ebb has no counterpart for what a vector asks; says why.
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What ebb computes for a vector: the outputs to be compared, the first ones of the vector's.
using Results = std::vector<Value>;
using Table = std::map<std::string, std::function<Results(const Vector&)>>;

// Each adds the operators of one family.
void add_elementwise(Table& table);
void add_reductions(Table& table);
void add_shapes(Table& table);
void add_products(Table& table);
void add_images(Table& table);
void add_normalisation(Table& table);
void add_losses(Table& table);
void add_optimizers(Table& table);

/// Operators that ebb has nothing like, each with the reason in a few words.
const std::map<std::string, std::string>& without_counterpart();

template <int N>
ebb::Shape<N> shape_of(const Value& v) {
  if (v.rank() != N)
    throw Skip("rank " + std::to_string(v.rank()) + " where ebb takes rank " + std::to_string(N));
  ebb::Shape<N> shape{};
  for (int axis = 0; axis < N; ++axis) shape[axis] = v.shape[static_cast<std::size_t>(axis)];
  return shape;
}

template <class T, int N>
ebb::Tensor<T, N> tensor(const Value& v, const ebb::Shape<N>& shape) {
  std::vector<T> elements;
  for (double x : v.numbers) elements.push_back(static_cast<T>(x));
  return ebb::Tensor<T, N>::from(shape, elements);
}

/// \throws Skip when the vector's tensor has another rank.
template <class T, int N>
ebb::Tensor<T, N> tensor(const Value& v) {
  return tensor<T, N>(v, shape_of<N>(v));
}

template <class T, int N>
Value result(const ebb::Tensor<T, N>& x) {
  Value v;
  v.kind = std::is_integral_v<T>      ? Kind::integer
           : std::is_same_v<T, float> ? Kind::real32
                                      : Kind::real64;
  for (int axis = 0; axis < N; ++axis) v.shape.push_back(x.shape()[axis]);
  for (T element : x.values()) v.numbers.push_back(static_cast<double>(element));
  return v;
}

/// The same elements under another shape.
inline Value reshaped(Value v, std::vector<std::int64_t> shape) {
  v.shape = std::move(shape);
  return v;
}

/// Calls f(T{}) with the scalar type of a real tensor.
template <class F>
auto with_real(const Value& v, F&& f) {
  switch (v.kind) {
    case Kind::real32:
      return f(float{});
    case Kind::real64:
      return f(double{});
    default:
      throw Skip("element type " + v.type + ": ebb differentiates real numbers");
  }
}

/// Calls f with the rank of a tensor as a constant. \throws Skip outside [Low, High].
template <int Low, int High, class F>
auto with_rank(const Value& v, F&& f) {
  if constexpr (Low == High) {
    if (v.rank() != Low) throw Skip("rank " + std::to_string(v.rank()));
    return f(std::integral_constant<int, Low>{});
  } else {
    if (v.rank() == Low) return f(std::integral_constant<int, Low>{});
    return with_rank<Low + 1, High>(v, std::forward<F>(f));
  }
}

/// Calls f(tensor) with a real tensor of its own scalar type and rank.
template <int Low, int High, class F>
auto with_tensor(const Value& v, F&& f) {
  return with_real(v, [&]<class T>(T) {
    return with_rank<Low, High>(v, [&](auto rank) { return f(tensor<T, rank()>(v)); });
  });
}

}  // namespace onnx_vectors
