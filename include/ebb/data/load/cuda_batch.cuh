/// \file
/// Batches of a loader on the GPU.
#pragma once

#include <ebb/data/load/fields.hpp>
#include <ebb/data/sets/dataset.hpp>
#include <ebb/tensor/storage.cuh>

#include <tuple>

namespace ebb::inline EBB_ABI::data {

/// Some images (count, channels, height, width) on the GPU, and their labels (count).
struct CudaBatch {
  Tensor<float, 4, Cuda> images;
  Tensor<int, 1, Cuda> labels;

  Index size() const { return labels.extent(0); }
};

namespace detail {

template <class Tens>
using on_cuda = Tensor<typename Tens::scalar, Tens::rank, Cuda>;

/// What a batch of the host is on the GPU: a tuple of its parts there.
template <class HostBatch>
struct OnCuda {
  template <class... Part>
  static std::tuple<on_cuda<Part>...> parts(std::type_identity<std::tuple<Part&...>>);
  using type = decltype(parts(std::type_identity<fields_of<HostBatch>>()));
};
template <>
struct OnCuda<Batch> {
  using type = CudaBatch;
};
template <class HostBatch>
using cuda_batch_of = typename OnCuda<HostBatch>::type;

}  // namespace detail

}  // namespace ebb::data
