// The words of kernels for one instruction set: its register, moves to and from memory, and the
// transposition of a square. device/simd/registers.hpp includes this file for each of them
// (per_isa.inl).

/// A register of numbers of type T, and how many it holds. Arithmetic is written with + - * / and
/// <, a number stands for a register full of it: `v += 2.0f * w`.
template <class T>
using Vec = Register<T, EBB_ISA_BYTES>;
template <class T>
inline constexpr int lanes_of = EBB_ISA_BYTES / static_cast<int>(sizeof(T));

/// v = what is in memory from `from` on, which need not be aligned; and back.
template <class V>
EBB_ISA_INLINE void load(const void* from, V& v) {
  __builtin_memcpy(&v, from, sizeof v);
}
template <class V>
EBB_ISA_INLINE void store(const V& v, void* to) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// Transposes a square of registers: in each step, neighbouring blocks of `half` lanes change
/// places with those of the register `half` further on.
template <class T, int half, int... lane>
EBB_ISA_INLINE void transpose_step(void* square, std::integer_sequence<int, lane...>) {
  constexpr int lanes = sizeof...(lane);
  using Vector = Vec<T>;
  Vector* v = static_cast<Vector*>(square);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) {
    if (i & half) continue;
    const Vector a = v[i], b = v[i + half];
#if defined(__CUDACC__)  // which loses the pack on its way to the host's compiler
    for (int l = 0; l < lanes; ++l) {
      v[i][l] = (l & half) ? b[l - half] : a[l];
      v[i + half][l] = (l & half) ? b[l] : a[l + half];
    }
#else
    v[i] = EBB_SHUFFLE(a, b, ((lane & half) ? lanes + lane - half : lane)...);
    v[i + half] = EBB_SHUFFLE(a, b, ((lane & half) ? lanes + lane : lane + half)...);
#endif
  }
}
template <class T>
EBB_ISA_INLINE void transpose_square(void* square) {
  constexpr int lanes = EBB_ISA_BYTES / static_cast<int>(sizeof(T));
  constexpr auto all = std::make_integer_sequence<int, lanes>{};
  if constexpr (lanes > 8) transpose_step<T, 8 % lanes>(square, all);
  if constexpr (lanes > 4) transpose_step<T, 4 % lanes>(square, all);
  if constexpr (lanes > 2) transpose_step<T, 2 % lanes>(square, all);
  transpose_step<T, 1>(square, all);
}
