/// \file
/// What a process made by `fork()` finds: it has the thread that forked and no other, so that a
/// lock which another thread held stays locked in it, and a team of OpenMP threads is gone though
/// the runtime still counts on it.
#pragma once

#include <ebb/core/config.hpp>

/// Whether there is a `fork`.
#if defined(__unix__) || defined(__APPLE__)
#  define EBB_FORKS 1
#  include <pthread.h>
#else
#  define EBB_FORKS 0
#endif
#if defined(_OPENMP)
#  include <omp.h>
#endif

#if EBB_FORKS && defined(_OPENMP) && defined(__linux__)
/// A function of LLVM's OpenMP runtime (and Intel's): not null where that one is at work, whichever
/// the program was compiled for.
extern "C" int __kmpc_global_thread_num(void*) __attribute__((weak));  // NOLINT
#endif

namespace ebb::inline EBB_ABI::kernel::detail {

/// Has `before` called before each `fork()`, and `after` after it, in both processes.
inline void around_forks([[maybe_unused]] void (*before)(), [[maybe_unused]] void (*after)()) {
#if EBB_FORKS
  pthread_atfork(before, after, after);
#endif
}

#if EBB_FORKS && defined(_OPENMP) && defined(__linux__)
/// GCC's runtime keeps a team waiting between parallel regions, and has no thought of forks: the
/// first region of the child would wait for it for ever. So the forking thread lets its team go
/// before; either process makes itself a new one when it needs one. (LLVM's runtime does as much by
/// itself, under locks that it holds when this is called.)
inline const bool team_ends_before_forks = [] {
  around_forks(
      [] {
        if (!__kmpc_global_thread_num) omp_pause_resource_all(omp_pause_hard);
      },
      nullptr);
  return true;
}();
#endif

}  // namespace ebb::kernel::detail
