/// \file
/// The wrappers of device/gpu.cuh on a real GPU.
#pragma once

#include <ebb/core/error.hpp>

#include <cuda_runtime.h>
#include <utility>

/// Marks a kernel, which must be a template.
#define EBB_KERNEL __global__ void
/// Marks a function that kernels call.
#define EBB_DEVICE __device__ __forceinline__
#define EBB_UNROLL _Pragma("unroll")
/// As many turns of a loop as one, where all of them would take too many registers.
#define EBB_UNROLL_BY(turns) EBB_PRAGMA(unroll turns)
#define EBB_PRAGMA(text) _Pragma(#text)
/// Threads a block has at most (and blocks a multiprocessor should hold): `EBB_BOUNDS(256, 2)`.
#define EBB_BOUNDS(...) __launch_bounds__(__VA_ARGS__)
/// Shared memory of a block: `EBB_SHARED(float, tile, [32][33]);`
#define EBB_SHARED(type, name, ...) __shared__ type name __VA_ARGS__
/// Shared memory whose size the launch says: `EBB_DYNAMIC_SHARED(float, buffer);`
#define EBB_DYNAMIC_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char ebb_dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(ebb_dynamic_shared)

namespace ebb::gpu {

using Stream = cudaStream_t;

/// \throws Error that says what was being done and what CUDA answered.
inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw Error(message(what, ": CUDA says '", cudaGetErrorString(status), "' (",
                        cudaGetErrorName(status), ")"));
}

inline Stream& stream() {
  static thread_local Stream current = nullptr;
  return current;
}

inline int multiprocessors() {
  static const int count = [] {
    int device = 0, number = 0;
    check(cudaGetDevice(&device), "finding the GPU");
    check(cudaDeviceGetAttribute(&number, cudaDevAttrMultiProcessorCount, device), "asking the GPU");
    return number;
  }();
  return count;
}

/// Runs a kernel on the current stream.
template <class... P, class... A>
void launch(dim3 grid, dim3 block, std::size_t shared_bytes, void (*kernel)(P...), A&&... args) {
  if (shared_bytes > 48 * 1024)
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)),
          "a kernel's shared memory");
  kernel<<<grid, block, shared_bytes, stream()>>>(static_cast<P>(std::forward<A>(args))...);
  check(cudaGetLastError(), "launching a kernel");
}

inline void* allocate(std::size_t bytes) {
  void* p = nullptr;
  check(cudaMalloc(&p, bytes), "device memory");
  return p;
}
inline void release(void* p) { static_cast<void>(cudaFree(p)); }
inline void upload(void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()), "copying to the GPU");
  check(cudaStreamSynchronize(stream()), "copying to the GPU");
}
inline void download(void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()), "copying from the GPU");
  check(cudaStreamSynchronize(stream()), "copying from the GPU");
}
inline void copy(void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream()), "copying on the GPU");
}
inline void synchronize() { check(cudaStreamSynchronize(stream()), "waiting for the GPU"); }

}  // namespace ebb::gpu
