/// \file
/// Which vector instructions the CPU kernels use: the headers are compiled for any machine, and the
/// best set is chosen when the program runs.
#pragma once

#include <ebb/core/error.hpp>

#include <atomic>
#include <cstdlib>
#include <string_view>

/// Whether kernels for x86 vector extensions are compiled in.
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#  define EBB_X86 1
#else
#  define EBB_X86 0
#endif

/// Elements of two vectors at constant positions: those of `a` count from 0, those of `b` follow.
#if defined(__clang__) || defined(__CUDACC__)
#  define EBB_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#  define EBB_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype(a == b){__VA_ARGS__})
#endif

namespace ebb::inline EBB_ABI {

/// Vector instruction sets with kernels of their own. `portable` is what the compiler was told to
/// assume (SSE2 on x86-64, NEON on ARM).
enum class Isa { portable, avx2, avx512 };

inline const char* to_string(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "portable";
}

/// Whether this processor, and this build, can run it. AVX2 stands for AVX2 with FMA, AVX-512 for
/// its foundation (F).
inline bool supports(Isa isa) {
#if EBB_X86
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512) return __builtin_cpu_supports("avx512f");
#endif
  return isa == Isa::portable;
}

namespace detail {

/// The best this processor has, or what the environment variable EBB_ISA asks for.
inline Isa choose_isa() {
  if (const char* wanted = std::getenv("EBB_ISA"); wanted != nullptr && *wanted != '\0') {
    for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
      if (std::string_view(wanted) != to_string(isa)) continue;
      if (!supports(isa))
        throw ValueError(message("EBB_ISA=", wanted,
                                 ": this processor does not have it; unset the "
                                 "variable to use the best it has"));
      return isa;
    }
    throw ValueError(message("EBB_ISA=", wanted, ": the choices are portable, avx2 and avx512"));
  }
  return supports(Isa::avx512) ? Isa::avx512 : supports(Isa::avx2) ? Isa::avx2 : Isa::portable;
}

inline std::atomic<Isa>& chosen_isa() {
  static std::atomic<Isa> isa{choose_isa()};
  return isa;
}

}  // namespace detail

/// The set in use. \throws ValueError when EBB_ISA asks for one that does not exist here.
inline Isa isa() { return detail::chosen_isa().load(std::memory_order_relaxed); }

/// Chooses for the whole process. AVX2 and AVX-512 give the same bits; `portable` rounds products
/// before it adds them, so that its results differ from theirs.
/// \throws ValueError when this processor does not have it.
inline void set_isa(Isa isa) {
  if (!supports(isa))
    throw ValueError(message("set_isa: this processor does not have ", to_string(isa)));
  detail::chosen_isa().store(isa, std::memory_order_relaxed);
}

namespace kernel {

/// Lanes of T in the widest register. Sums that run along memory gather in so many lanes, whatever
/// the register, and what decides the order of a sum counts in them: so that every instruction set
/// adds the same numbers in the same order.
template <class T>
inline constexpr int sum_lanes = 64 / static_cast<int>(sizeof(T));

}  // namespace kernel

}  // namespace ebb
