/// \file
/// What a GPU kernel is written with: thin wrappers around CUDA, so that the same source also runs
/// on the CPU, thread by thread, under sanitizers (tests/support/gpu_emulator.hpp).
///
/// A kernel is a template (that needs no linkage trick when several files include it):
///
///     template <class T>
///     EBB_KERNEL add_one(Index n, T* x) {
///       for (Index i = gpu::thread(); i < n; i += gpu::threads()) x[i] += T(1);
///     }
///     gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, add_one<float>, n, x);
#pragma once

#include <ebb/device/gpu/device.cuh>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <utility>

namespace ebb::inline EBB_ABI::gpu {

/// Numbers of blocks or threads; one may be of any integer type.
struct Extents : dim3 {
  template <std::integral I>
  Extents(I count) : dim3(static_cast<unsigned>(count)) {}
  Extents(const dim3& counts) : dim3(counts) {}
};

/// Runs a kernel on the current stream: on `grid` blocks of `block` threads, each block with
/// `shared_bytes` of EBB_DYNAMIC_SHARED.
template <class... P, class... A>
void launch(Extents grid, Extents block, std::size_t shared_bytes, void (*kernel)(P...),
            A&&... arguments) {
  driver::launch(stream().handle, false, grid, block, shared_bytes, kernel,
                 std::forward<A>(arguments)...);
}

/// The same with all blocks at once on the GPU, so that they may meet in `grid_sync`.
template <class... P, class... A>
void launch_cooperative(Extents grid, Extents block, std::size_t shared_bytes, void (*kernel)(P...),
                        A&&... arguments) {
  driver::launch(stream().handle, true, grid, block, shared_bytes, kernel,
                 std::forward<A>(arguments)...);
}

/// Threads of a block, for kernels that do not care.
inline constexpr int block_size = 256;

/// This thread's number in the grid, and how many there are; of one-dimensional launches.
EBB_DEVICE Index thread() { return static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; }
EBB_DEVICE Index threads() { return static_cast<Index>(gridDim.x) * blockDim.x; }

/// Blocks for n elements, one a thread, but no more than fill the machine a few times over: kernels
/// walk on in steps of `threads()`.
inline int blocks_for(Index n, int size = block_size) {
  const Index wanted = (n + size - 1) / size, most = static_cast<Index>(16) * multiprocessors();
  return static_cast<int>(wanted < 1 ? 1 : wanted < most ? wanted : most);
}

/// The sum over the 32 lanes of a warp, in a fixed tree; every lane receives it.
template <class T>
EBB_DEVICE T warp_sum(T v) {
  EBB_UNROLL
  for (int apart = 16; apart > 0; apart /= 2) v += __shfl_xor_sync(0xffffffffu, v, apart);
  return v;
}

}  // namespace ebb::gpu
