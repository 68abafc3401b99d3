/// \file
/// Matrix products of a warp (tensor cores), asynchronous copies to shared memory, and the barrier
/// of a whole grid. Of compute capability 8.0 on; layouts and rules are those of the PTX ISA,
/// "Matrix multiply-accumulate" and "Asynchronous copy".
#pragma once

#include <ebb/device/gpu/launch.cuh>

namespace ebb::inline EBB_ABI::gpu {

// --- numbers of tensor cores
// ----------------------------------------------------------------------

/// The upper half of a float: 8 bits of exponent, 7 of fraction.
struct Bf16 {
  std::uint16_t bits;
};

EBB_HD inline std::uint32_t float_bits(float f) {
  std::uint32_t u;
  std::memcpy(&u, &f, 4);
  return u;
}
EBB_HD inline float bits_float(std::uint32_t u) {
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

/// Rounds to the nearest, ties to even.
EBB_HD inline Bf16 to_bf16(float f) {
  const std::uint32_t u = float_bits(f);
  if ((u & 0x7fffffffu) > 0x7f800000u)  // not-a-number stays one
    return {static_cast<std::uint16_t>((u >> 16) | 0x40)};
  return {static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}
EBB_HD inline float to_float(Bf16 b) {
  return bits_float(static_cast<std::uint32_t>(b.bits) << 16);
}

/// Two numbers rounded to bf16, in one word: `low` in its lower half.
EBB_HD inline std::uint32_t to_bf16_pair(float low, float high) {
#if defined(__CUDA_ARCH__)
  std::uint32_t both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
#else
  return static_cast<std::uint32_t>(to_bf16(low).bits) |
         static_cast<std::uint32_t>(to_bf16(high).bits) << 16;
#endif
}

/// A float with 10 bits of fraction, as a register of an mma: rounds to the nearest, ties away from
/// zero.
EBB_HD inline std::uint32_t to_tf32(float f) {
#if defined(__CUDA_ARCH__)
  std::uint32_t r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(f));
  return r;
#else
  const std::uint32_t u = float_bits(f);
  return (u & 0x7f800000u) == 0x7f800000u ? u : (u + 0x1000u) & ~0x1fffu;
#endif
}

// --- products of a warp
// ---------------------------------------------------------------------------

/// d += a b for a [16, 8], b [8, 8], d [16, 8]; called by all lanes of a warp. With g = lane / 4
/// and t = lane % 4, a lane holds
///   a: (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4);  b: (t, g), (t + 4, g);
///   d: (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
EBB_DEVICE void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4],
                                 const std::uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDACC__)
  emulator::mma_m16n8k8_tf32(d, a, b);
#endif
}

/// d += a b for a [16, 16], b [16, 8], d [16, 8], two numbers a register, the first in its lower
/// half. A lane holds
///   a: (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8), each with its right neighbour;
///   b: (2t, g), (2t + 8, g), each with the one below; d as above.
EBB_DEVICE void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDACC__)
  emulator::mma_m16n8k16_bf16(d, a, b);
#endif
}

// --- asynchronous copies
// --------------------------------------------------------------------------

/// Begins to copy 16 bytes from global to shared memory; both addresses are multiples of 16. They
/// are there for this thread after a `cp_async_wait`, for others after a barrier behind it.
EBB_DEVICE void cp_async16(void* shared, const void* global) {
#if defined(__CUDA_ARCH__)
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(global) : "memory");
#elif !defined(__CUDACC__)
  emulator::copy_async(shared, global, 16, 16);
#endif
}
/// `cp_async16`, or zeros where there is nothing to copy; `global` may then be any address.
EBB_DEVICE void cp_async16_or_zeros(void* shared, const void* global, bool there) {
#if defined(__CUDA_ARCH__)
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global),
               "r"(there ? 16 : 0)
               : "memory");
#elif !defined(__CUDACC__)
  emulator::copy_async(shared, global, 16, there ? 16 : 0);
#endif
}
/// The same of 16 bytes or 4; addresses are multiples of that. (What decides is a predicate here,
/// for a size in a register takes five more instructions.)
template <int Bytes>
EBB_DEVICE void cp_async_or_zeros(void* shared, const void* global, bool there) {
  static_assert(Bytes == 16 || Bytes == 4);
#if defined(__CUDA_ARCH__)
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  if constexpr (Bytes == 16)
    asm volatile(
        "{ .reg .pred none; setp.eq.u32 none, %2, 0;\n"
        "cp.async.cg.shared.global [%0], [%1], 16, none; }" ::"r"(to),
        "l"(global), "r"(static_cast<unsigned>(there))
        : "memory");
  else
    asm volatile(
        "{ .reg .pred none; setp.eq.u32 none, %2, 0;\n"
        "cp.async.ca.shared.global [%0], [%1], 4, none; }" ::"r"(to),
        "l"(global), "r"(static_cast<unsigned>(there))
        : "memory");
#elif !defined(__CUDACC__)
  emulator::copy_async(shared, global, Bytes, there ? Bytes : 0);
#endif
}
/// Ends a group of copies.
EBB_DEVICE void cp_async_commit() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#elif !defined(__CUDACC__)
  emulator::commit_copies();
#endif
}
/// Waits until at most the latest N groups of this thread are under way.
template <int N>
EBB_DEVICE void cp_async_wait() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#elif !defined(__CUDACC__)
  emulator::wait_for_copies(N);
#endif
}

// --- the barrier of a grid
// ------------------------------------------------------------------------

/// Waits for all threads of a `launch_cooperative`. `counter` is a number in device memory that is
/// zero when the launch begins.
EBB_DEVICE void grid_sync(unsigned* counter) {
#if defined(__CUDA_ARCH__)
  __syncthreads();
  if (threadIdx.x + threadIdx.y + threadIdx.z == 0) {
    __threadfence();
    const unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
    const unsigned target = (atomicAdd(counter, 1u) / blocks + 1) * blocks;
    while (*static_cast<volatile unsigned*>(counter) < target) {
    }
    __threadfence();
  }
  __syncthreads();
#elif !defined(__CUDACC__)
  static_cast<void>(counter);
  emulator::Scheduler::own().grid_barrier();
#endif
}

// --- registers
// ------------------------------------------------------------------------------------

/// The same number, of which the compiler does not know where it came from: what follows from it is
/// worked out again, not kept in registers.
EBB_DEVICE unsigned forgotten(unsigned number) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(number));
#endif
  return number;
}

}  // namespace ebb::gpu
