/// \file
/// What kernels that only move memory are made of: sixteen bytes at a time, and indices taken apart
/// without division.
#pragma once

#include <ebb/device/gpu/launch.cuh>

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace ebb::inline EBB_ABI::gpu {

/// V neighbouring elements, loaded and stored by one instruction where they fill 16 bytes.
template <class T, int V>
struct alignas(V * sizeof(T)) Pack {
  T v[V];
  EBB_DEVICE T& operator[](int k) { return v[k]; }
  EBB_DEVICE const T& operator[](int k) const { return v[k]; }
};

/// Elements of a 16-byte pack.
template <class T>
inline constexpr int pack_of = 16 / static_cast<int>(sizeof(T));

template <int V, class T>
EBB_DEVICE Pack<T, V> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, V>*>(from);
}
template <int V, class T>
EBB_DEVICE void store_pack(T* to, const Pack<T, V>& pack) {
  *reinterpret_cast<Pack<T, V>*>(to) = pack;
}

/// Whether packs may begin at all these addresses (an absent one does not matter).
template <class... T>
bool packable(const T*... p) {
  return ((reinterpret_cast<std::uintptr_t>(p) % 16 == 0) && ...);
}

/// Division by a number that all threads share. For 64-bit indices it is what it says; 32-bit ones,
/// below 2^31, are multiplied and shifted: Granlund & Montgomery, "Division by invariant integers
/// using multiplication", PLDI 1994, figure 4.1.
template <class I>
struct Divisor {
  I by;

  explicit Divisor(Index d) : by(static_cast<I>(d)) {}
  EBB_DEVICE I quotient(I n) const { return n / by; }
  EBB_DEVICE I remainder(I n) const { return n % by; }
};
template <>
struct Divisor<unsigned> {
  unsigned by, factor;
  int shift;

  /// (One that is too large for 32 bits is for kernels that will not use it.)
  explicit Divisor(Index d)
      : by(d < Index{1} << 31 ? static_cast<unsigned>(d) : 1u),
        shift(static_cast<int>(std::bit_width(by - 1u))) {
    const std::uint64_t spare = (std::uint64_t{1} << shift) - by;
    factor = static_cast<unsigned>((spare << 32) / by + 1);
  }
  EBB_DEVICE unsigned quotient(unsigned n) const {
    const auto high = static_cast<unsigned>(static_cast<std::uint64_t>(n) * factor >> 32);
    return (high + n) >> shift;
  }
  EBB_DEVICE unsigned remainder(unsigned n) const { return n - quotient(n) * by; }
};

/// The same for kernels of either kind of index.
struct AnyDivisor {
  Divisor<unsigned> narrow;
  Divisor<Index> wide;

  explicit AnyDivisor(Index d) : narrow(d), wide(d) {}
  EBB_DEVICE unsigned quotient(unsigned n) const { return narrow.quotient(n); }
  EBB_DEVICE Index quotient(Index n) const { return wide.quotient(n); }
  EBB_DEVICE unsigned remainder(unsigned n) const { return narrow.remainder(n); }
  EBB_DEVICE Index remainder(Index n) const { return wide.remainder(n); }
};

/// The greatest number of elements whose indices are 32 bits wide; tests lower it.
inline Index short_indices = std::numeric_limits<int>::max();

/// Calls f with a zero of the type that indices of `n` elements have in a kernel: 32 bits where
/// they suffice, for 64-bit arithmetic takes several instructions.
template <class F>
void with_index(Index n, F&& f) {
  if (n <= short_indices)
    f(0u);
  else
    f(Index{0});
}

/// This thread's number, and how many there are, in the type of a kernel's indices.
template <class I>
EBB_DEVICE I thread_as() {
  return static_cast<I>(blockIdx.x) * static_cast<I>(blockDim.x) + static_cast<I>(threadIdx.x);
}
template <class I>
EBB_DEVICE I threads_as() {
  return static_cast<I>(gridDim.x) * static_cast<I>(blockDim.x);
}

/// Calls f with the elements of a pack as a constant, one where packs cannot be, and with a zero of
/// the type that indices of n elements have.
template <class T, class F>
void with_pack_and_index(bool packs, Index n, F&& f) {
  with_index(n, [&](auto zero) {
    if (packs)
      f(std::integral_constant<int, pack_of<T>>{}, zero);
    else
      f(std::integral_constant<int, 1>{}, zero);
  });
}

}  // namespace ebb::gpu
