/// \file
/// An activation that is chosen while the program runs, and its gradient, on the CPU.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/epilogue_tile.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = activation(y) for n numbers.
template <class T>
void activate(Cpu, const Activation& activation, Index n, T* y) {
  constexpr Index cost = 4;
  const simd::Afterwards<T> run(y, nullptr, activation);
  parallel_for(divide_up(n, chunk), n * cost,
               [&](Index piece) { run(y + piece * chunk, std::min(chunk, n - piece * chunk)); });
}

/// Kernel: dx = slope dy for n numbers. `kept` holds the results of the activation, or where these
/// do not tell its slope what went in. dx may be dy.
template <class T>
void activate_backward(Cpu, const Activation& activation, Index n, const T* kept, const T* dy,
                       T* dx) {
  constexpr Index cost = 4;
  parallel_ranges(n, cost, [&](Index begin, Index end) {
    const T *const at = kept, *const from = dy;
    T* const to = dx;
    activation.visit([=](const auto& f) {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] = detail::slope_by(f, at[i]) * from[i];
    });
  });
}

#define EBB_ACTIVATED(T)                                            \
  EBB_COMPILED(void activate<T>(Cpu, const Activation&, Index, T*)) \
  EBB_COMPILED(void activate_backward<T>(Cpu, const Activation&, Index, const T*, const T*, T*))
EBB_ACTIVATED(float)
EBB_ACTIVATED(double)
#undef EBB_ACTIVATED

}  // namespace ebb::kernel
