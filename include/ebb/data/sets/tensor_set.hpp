/// \file
/// Tensors whose first axis counts samples: tables, and whatever else lies in memory.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/data/load/fields.hpp>

#include <span>
#include <tuple>

namespace ebb::inline EBB_ABI::data {

/// Samples that lie side by side in tensors, sample i at place i of the first axis of each, as in
/// PyTorch's TensorDataset. A table of features, (n, features), with its targets, (n):
///
///     data::Loader loader(data::TensorSet(features, targets), {.batch_size = 32});
///     for (const auto& [x, y] : loader) ...
template <class... Tens>
class TensorSet {
  static_assert(sizeof...(Tens) >= 1 && (detail::is_host_tensor<Tens> && ...),
                "ebb::data::TensorSet: it is made of one or more tensors in host memory");
  static_assert(
      ((Tens::rank >= 1) && ...),
      "ebb::data::TensorSet: the first axis of each tensor counts samples, so none may be "
      "a scalar");

 public:
  using Batch = std::tuple<Tens...>;  ///< what a loader hands out: so many of each

  /// \throws ShapeError when the tensors are not of the same number of samples, ValueError when one
  /// is undefined.
  explicit TensorSet(Tens... tensors) : tensors_(std::move(tensors)...) {
    std::apply(
        [&](const Tens&... each) {
          (static_cast<void>(each.data()), ...);  // throws when undefined
          if (((each.extent(0) != size()) || ...)) {
            std::string all;
            ((all += (all.empty() ? "" : ", ") + to_string(each.shape())), ...);
            throw ShapeError(message("TensorSet: tensors of shapes ", all,
                                     " were given; the first extent of all is the number of "
                                     "samples and must be the same"));
          }
        },
        tensors_);
  }

  Index size() const { return std::get<0>(tensors_).extent(0); }
  const Batch& tensors() const { return tensors_; }

  /// Copies of the parts of sample i: a number of each tensor of rank 1, else a tensor of one axis
  /// less. \throws ValueError when there is no sample i.
  auto get(Index i) const {
    check(i);
    return std::apply([&](const Tens&... each) { return std::tuple(part(each, i)...); }, tensors_);
  }
  /// Copies of those samples, in this order. \throws ValueError when one is out of range.
  Batch batch(std::span<const Index> samples) const {
    for (const Index i : samples) check(i);
    return std::apply([&](const Tens&... each) { return Batch(rows(each, samples)...); }, tensors_);
  }

 private:
  void check(Index i) const {
    if (i < 0 || i >= size())
      throw ValueError(
          message("TensorSet: there is no sample ", i, "; there are ", size(), " samples"));
  }

  template <class T, int N>
  static auto part(const Tensor<T, N>& from, Index i) {
    if constexpr (N == 1) {
      return from.data()[i];
    } else {
      Shape<N - 1> shape{};
      for (int axis = 1; axis < N; ++axis) shape[axis - 1] = from.shape()[axis];
      Tensor<T, N - 1> made(shape);
      Cpu::copy(made.mutable_data(), from.data() + i * made.size(), made.bytes());
      return made;
    }
  }
  template <class T, int N>
  static Tensor<T, N> rows(const Tensor<T, N>& from, std::span<const Index> samples) {
    Shape<N> shape = from.shape();
    shape[0] = static_cast<Index>(samples.size());
    Tensor<T, N> made(shape);
    const Index row = from.shape().stride(0);
    for (std::size_t i = 0; i < samples.size(); ++i)
      Cpu::copy(made.mutable_data() + static_cast<Index>(i) * row, from.data() + samples[i] * row,
                static_cast<std::size_t>(row) * sizeof(T));
    return made;
  }

  Batch tensors_;
};

}  // namespace ebb::data
