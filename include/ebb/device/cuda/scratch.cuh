/// \file
/// Pooled working memory for CUDA kernels.
#pragma once

#include <ebb/device/cuda/cuda.cuh>

namespace ebb::inline EBB_ABI::kernel {

/// Uninitialised device memory for `count` elements, from the pool and, when this object goes, back
/// to it: whoever takes it next is ordered behind these kernels by the stream.
template <class T>
class CudaScratch {
 public:
  explicit CudaScratch(Index count)
      : block_(Cuda::take(static_cast<std::size_t>(count) * sizeof(T))) {}
  CudaScratch(const CudaScratch&) = delete;
  CudaScratch& operator=(const CudaScratch&) = delete;
  ~CudaScratch() { Cuda::give(block_); }

  T* data() const { return static_cast<T*>(block_->data); }

 private:
  Block* block_;
};

}  // namespace ebb::kernel
