/// \file
/// Loops compiled for the vector instructions of the machine they run on: users compile these
/// headers for a baseline processor, and a plain loop must still fill its registers.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/isa.hpp>

#include <utility>

/// Whether loops are compiled a second time, for AVX2 with FMA. (Where the compiler may assume
/// AVX2 anyway, once is enough, and so it is under a sanitizer, whose checks make the wide copies
/// slow to compile and find nothing the others do not. AVX-512 has nothing to give here: these
/// loops wait for memory.)
#if EBB_X86 && !(defined(__AVX2__) && defined(__FMA__)) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#  define EBB_WIDE_LOOPS 1
#else
#  define EBB_WIDE_LOOPS 0
#endif

namespace ebb::inline EBB_ABI::kernel::simd {

/// Whether loops run in their wide copy. Ask before a parallel region: it may throw.
inline bool wide_loops() { return EBB_WIDE_LOOPS != 0 && isa() != Isa::portable; }

/// A task of a parallel loop, without its type: kernels are many, and the loop over tasks is one.
using TaskCall = void (*)(void* task, Index i);

template <class Task>
void call(void* task, Index i) {
  (*static_cast<Task*>(task))(i);
}

#if EBB_WIDE_LOOPS
/// `flatten` draws everything the task calls into this function, where the wider instructions are
/// allowed; code that is not drawn in stays as it was compiled elsewhere, so nothing recursive.
template <class Task>
__attribute__((target("avx2,fma"), flatten)) void call_wide(void* task, Index i) {
  (*static_cast<Task*>(task))(i);
}
#endif

/// The copy of a task that is compiled for AVX2 and FMA if `wide`, else for the compiler's
/// baseline.
///
/// The copies differ in rounding, because one contracts a * b + c to a single operation; each gives
/// the same bits every time.
template <class Task>
TaskCall copy_for([[maybe_unused]] bool wide) {
#if EBB_WIDE_LOOPS
  if (wide) return &call_wide<Task>;
#endif
  return &call<Task>;
}

}  // namespace ebb::kernel::simd
