/// \file
/// The matrix products of a warp. Fragments lie as the PTX ISA says; sums are of floats, one after
/// another, where hardware sums in an order and precision of its own.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/barriers.hpp"

#include <bit>

namespace ebb::inline EBB_ABI::gpu::emulator {

/// What a lane brings.
struct Fragments {
  std::uint32_t a[4], b[2];
};
inline Fragments fragments(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  return {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
}

/// d += a b; a_at(peer, row, k) and b_at(peer, k, column) find elements with the lanes that hold
/// them.
template <class A, class B>
void mma(const char* kind, float (&d)[4], const Fragments& own, unsigned depth, A&& a_at,
         B&& b_at) {
  warp_collective(~0u, kind, own, [&](auto peer) {
    const unsigned g = lane() / 4, t = lane() % 4;
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = g + i / 2 * 8, column = 2 * t + i % 2;
      for (unsigned k = 0; k < depth; ++k) d[i] += a_at(peer, row, k) * b_at(peer, k, column);
    }
  });
}

/// Tensor cores do not look at the lower 13 bits of a tf32.
inline void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
  const auto number = [](std::uint32_t bits) { return std::bit_cast<float>(bits & ~0x1fffu); };
  mma(
      "mma.m16n8k8.tf32", d, fragments(a, b), 8,
      [&](auto& peer, unsigned row, unsigned k) {
        return number(peer(row % 8 * 4 + k % 4).a[row / 8 + k / 4 * 2]);
      },
      [&](auto& peer, unsigned k, unsigned column) {
        return number(peer(column * 4 + k % 4).b[k / 4]);
      });
}

inline void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4],
                              const std::uint32_t (&b)[2]) {
  const auto half = [](std::uint32_t bits, unsigned k) {
    return std::bit_cast<float>(k % 2 ? bits & 0xffff0000u : bits << 16);
  };
  mma(
      "mma.m16n8k16.bf16", d, fragments(a, b), 16,
      [&](auto& peer, unsigned row, unsigned k) {
        return half(peer(row % 8 * 4 + k % 8 / 2).a[row / 8 + k / 8 * 2], k);
      },
      [&](auto& peer, unsigned k, unsigned column) {
        return half(peer(column * 4 + k % 8 / 2).b[k / 8], k);
      });
}

}  // namespace ebb::gpu::emulator
