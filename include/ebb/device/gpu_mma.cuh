/// \file
/// Matrix products of a warp, and asynchronous copies to shared memory.
#pragma once

#include <ebb/device/gpu.cuh>

namespace ebb::gpu {
struct Bf16 { std::uint16_t bits; };
EBB_HD inline std::uint32_t float_bits(float f) { std::uint32_t u; std::memcpy(&u, &f, 4); return u; }
EBB_HD inline float bits_float(std::uint32_t u) { float f; std::memcpy(&f, &u, 4); return f; }
EBB_HD inline Bf16 to_bf16(float f) {  // round to nearest even
  std::uint32_t u = float_bits(f); if ((u & 0x7fffffffu) > 0x7f800000u) return {std::uint16_t((u >> 16) | 0x40)};
  return {std::uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)}; }
EBB_HD inline float to_float(Bf16 b) { return bits_float(std::uint32_t(b.bits) << 16); }
EBB_HD inline std::uint32_t to_tf32(float f) {  // cvt.rna.tf32.f32 : round half away, 10-bit mantissa
#if defined(__CUDA_ARCH__)
  std::uint32_t r; asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(f)); return r;
#else
  std::uint32_t u = float_bits(f); return (u & 0x7f800000u) == 0x7f800000u ? u : (u + 0x1000u) & ~0x1fffu;
#endif
}
// D(16x8) += A(16x8,row) * B(8x8,col), one warp; fragments as in the PTX ISA.
EBB_DEVICE void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDACC__)
  struct Frag { std::uint32_t a[4], b[2]; } f; std::memcpy(f.a, a, 16); std::memcpy(f.b, b, 8);
  emulator::warp_collective(0xffffffffu, "mma.m16n8k8.tf32", f, [&](auto peer) {
    const unsigned lane = emulator::cur->flat & 31, g = lane >> 2, t = lane & 3;
    for (int i = 0; i < 4; ++i) {
      const unsigned row = g + (i >= 2 ? 8 : 0), col = t * 2 + (i & 1);
      float acc = d[i];
      for (unsigned k = 0; k < 8; ++k) {   // A(row,k) lives in lane (row%8)*4+k%4, reg (row/8)+2*(k/4)
        float av = bits_float(peer((row & 7) * 4 + (k & 3)).a[(row >> 3) + 2 * (k >> 2)] & ~0x1fffu);
        float bv = bits_float(peer(col * 4 + (k & 3)).b[k >> 2] & ~0x1fffu);
        acc += av * bv;
      }
      d[i] = acc;
    }
  });
#endif
}
// D(16x8) += A(16x16,row) * B(16x8,col), Bf16 inputs packed two per register, low half = lower k.
EBB_DEVICE void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDACC__)
  struct Frag { std::uint32_t a[4], b[2]; } f; std::memcpy(f.a, a, 16); std::memcpy(f.b, b, 8);
  emulator::warp_collective(0xffffffffu, "mma.m16n8k16.bf16", f, [&](auto peer) {
    const unsigned lane = emulator::cur->flat & 31, g = lane >> 2, t = lane & 3;
    auto half = [](std::uint32_t r, unsigned hi) { return bits_float(hi ? r & 0xffff0000u : r << 16); };
    for (int i = 0; i < 4; ++i) {
      const unsigned row = g + (i >= 2 ? 8 : 0), col = t * 2 + (i & 1);
      float acc = d[i];
      for (unsigned k = 0; k < 16; ++k)    // A(row,k): lane (row%8)*4+(k%8)/2, reg (row/8)+2*(k/8), half k&1
        acc += half(peer((row & 7) * 4 + (k & 7) / 2).a[(row >> 3) + 2 * (k >> 3)], k & 1) *
               half(peer(col * 4 + (k & 7) / 2).b[k >> 3], k & 1);
      d[i] = acc;
    }
  });
#endif
}
// 16-byte asynchronous copy global->shared. Emulation performs it as LATE as allowed (at the wait), so a
// missing wait reads poison.
EBB_DEVICE void cp_async16(void* smem, const void* gmem) {
#if defined(__CUDA_ARCH__)
  unsigned s = (unsigned)__cvta_generic_to_shared(smem);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(s), "l"(gmem) : "memory");
#elif !defined(__CUDACC__)
  emulator::cp_async(smem, gmem, 16);
#endif
}
EBB_DEVICE void cp_async_commit() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#elif !defined(__CUDACC__)
  emulator::cp_commit();
#endif
}
template <int N> EBB_DEVICE void cp_async_wait() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#elif !defined(__CUDACC__)
  emulator::cp_wait(N);
#endif
}
// grid-wide barrier for persistent kernels (launch_cooperative only). CUDA: sense-reversing counter in global memory.
EBB_DEVICE void grid_sync(unsigned* counter) {
#if defined(__CUDA_ARCH__)
  __syncthreads();
  if (threadIdx.x + threadIdx.y + threadIdx.z == 0) {
    __threadfence();
    const unsigned nb = gridDim.x * gridDim.y * gridDim.z;
    const unsigned mine = atomicAdd(counter, 1u), target = (mine / nb + 1) * nb;
    while (*(volatile unsigned*)counter < target) {}
    __threadfence();
  }
  __syncthreads();
#elif !defined(__CUDACC__)
  (void)counter; emulator::gridsync();
#endif
}

/// Two numbers rounded to bf16, the nearest, in one word: `low` in its lower half.
EBB_DEVICE std::uint32_t to_bf16_pair(float low, float high) {
#if defined(__CUDA_ARCH__)
  std::uint32_t both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
#else
  return static_cast<std::uint32_t>(to_bf16(low).bits) |
         static_cast<std::uint32_t>(to_bf16(high).bits) << 16;
#endif
}

/// `cp_async16`, or zeros where there is nothing to copy; `global` may then be any address.
EBB_DEVICE void cp_async16_or_zeros(void* shared, const void* global, bool there) {
#if defined(__CUDA_ARCH__)
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global),
               "r"(there ? 16 : 0)
               : "memory");
#else
  alignas(16) static constexpr float zeros[4]{};
  cp_async16(shared, there ? global : zeros);
#endif
}


/// The same number, of which the compiler does not know where it came from: what follows from it is
/// worked out again, not kept in registers.
EBB_DEVICE unsigned forgotten(unsigned number) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(number));
#endif
  return number;
}

}  // namespace ebb::gpu
