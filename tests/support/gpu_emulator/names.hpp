/// \file
/// CUDA's names, and those of device/gpu/runtime.cuh that kernels are written with.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/launch.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#define EBB_KERNEL void
#define EBB_DEVICE inline
#define EBB_UNROLL
#define EBB_UNROLL_BY(turns)
#define EBB_BOUNDS(...)
#define EBB_SHARED(type, name, ...)                                                      \
  static const char name##_key_ = 0;                                                     \
  using name##_array_ = type __VA_ARGS__;                                                \
  name##_array_& name = *static_cast<name##_array_*>(::ebb::gpu::emulator::shared_array( \
      &name##_key_, sizeof(name##_array_), alignof(type) > 16 ? alignof(type) : 16))
#define EBB_DYNAMIC_SHARED(type, name)                                                           \
  type* const name = static_cast<type*>(::ebb::gpu::emulator::shared_array(                      \
      &::ebb::gpu::emulator::dynamic_array, ::ebb::gpu::emulator::current->block->dynamic_bytes, \
      128))

#define threadIdx (::ebb::gpu::emulator::current->index)
#define blockIdx (::ebb::gpu::emulator::current->block->index)
#define blockDim (::ebb::gpu::emulator::current->block->size)
#define gridDim (::ebb::gpu::emulator::current->block->grid)

// --- vectors
// --------------------------------------------------------------------------------------

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// --- barriers and collectives
// ---------------------------------------------------------------------

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  ebb::gpu::emulator::block_barrier(file, line);
}
inline void __syncwarp(unsigned mask = ~0u) {
  ebb::gpu::emulator::warp_collective(mask, "__syncwarp", 0, [](auto) {});
}
template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  const auto w = static_cast<unsigned>(width), lane = ebb::gpu::emulator::lane();
  return ebb::gpu::emulator::shuffle(mask, "__shfl_sync", value,
                                     (lane & ~(w - 1)) | (static_cast<unsigned>(from) & (w - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int change, int width = 32) {
  const auto w = static_cast<unsigned>(width), lane = ebb::gpu::emulator::lane();
  const unsigned from = lane ^ static_cast<unsigned>(change);
  // Of a later part of the warp, a lane keeps its own value.
  return ebb::gpu::emulator::shuffle(mask, "__shfl_xor_sync", value,
                                     (from & ~(w - 1)) > (lane & ~(w - 1)) ? lane : from);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const auto w = static_cast<unsigned>(width), lane = ebb::gpu::emulator::lane();
  return ebb::gpu::emulator::shuffle(mask, "__shfl_down_sync", value,
                                     (lane & (w - 1)) + by < w ? lane + by : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const auto w = static_cast<unsigned>(width), lane = ebb::gpu::emulator::lane();
  return ebb::gpu::emulator::shuffle(mask, "__shfl_up_sync", value,
                                     (lane & (w - 1)) >= by ? lane - by : lane);
}
inline unsigned __ballot_sync(unsigned mask, int vote) {
  return ebb::gpu::emulator::ballot(mask, "__ballot_sync", vote != 0);
}
inline int __any_sync(unsigned mask, int vote) {
  return ebb::gpu::emulator::ballot(mask, "__any_sync", vote != 0) != 0;
}
inline int __all_sync(unsigned mask, int vote) {
  return ebb::gpu::emulator::ballot(mask, "__all_sync", vote == 0) == 0;
}
inline void __threadfence() { ebb::gpu::emulator::Scheduler::fence(); }
inline void __threadfence_block() {}

// --- atomics: relaxed, as a GPU's are
// -------------------------------------------------------------

namespace ebb::inline EBB_ABI::gpu::emulator {
/// Replaces *p by change(*p) at once; returns what was there.
template <class T, class F>
T atomically(T* p, F&& change) {
  std::atomic_ref<T> place(*p);
  T old = place.load(std::memory_order_relaxed);
  while (!place.compare_exchange_weak(old, change(old), std::memory_order_relaxed)) {
  }
  return old;
}
}  // namespace ebb::gpu::emulator

template <class T>
T atomicAdd(T* p, T v) {
  return ebb::gpu::emulator::atomically(p, [v](T old) { return static_cast<T>(old + v); });
}
template <class T>
T atomicMax(T* p, T v) {
  return ebb::gpu::emulator::atomically(p, [v](T old) { return old < v ? v : old; });
}
template <class T>
T atomicMin(T* p, T v) {
  return ebb::gpu::emulator::atomically(p, [v](T old) { return v < old ? v : old; });
}
template <class T>
T atomicOr(T* p, T v) {
  return ebb::gpu::emulator::atomically(p, [v](T old) { return static_cast<T>(old | v); });
}
template <class T>
T atomicExch(T* p, T v) {
  return ebb::gpu::emulator::atomically(p, [v](T) { return v; });
}
template <class T>
T atomicCAS(T* p, T expected, T v) {
  return ebb::gpu::emulator::atomically(p, [=](T old) { return old == expected ? v : old; });
}
/// Counts up to `last`, then from 0 again.
inline unsigned atomicInc(unsigned* p, unsigned last) {
  return ebb::gpu::emulator::atomically(p,
                                        [last](unsigned old) { return old >= last ? 0 : old + 1; });
}

// --- arithmetic
// -----------------------------------------------------------------------------------

template <class T>
T __ldg(const T* p) {
  return *p;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>(static_cast<unsigned long long>(x) * y >> 32);
}
using std::max;
using std::min;
