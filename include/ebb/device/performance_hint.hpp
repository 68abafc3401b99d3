/// \file
/// Why a program is slow.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/isa.hpp>

#include <cstdlib>
#include <string>

namespace ebb::inline EBB_ABI {

namespace detail {

#if defined(EBB_COMPILED_KERNELS) || defined(EBB_COMPILE_KERNELS)
extern const bool kernels_are_optimised;  // in kernels.cpp
#endif

/// What a program was built with, and what it runs on.
struct PerformanceFacts {
  bool optimised = true;          ///< the file that asks
  bool optimised_kernels = true;  ///< and those that hold the kernels
  bool sanitized = false;
  bool openmp = true;
  int threads = 1, processors = 1;
  Isa isa = Isa::portable, best_isa = Isa::portable;
  std::string conv = {};  ///< the algorithm that EBB_CONV forces
};

inline std::string performance_hint(const PerformanceFacts& f) {
  std::string text = message(
      "ebb ", EBB_VERSION_MAJOR, ".", EBB_VERSION_MINOR, ".", EBB_VERSION_PATCH, ": ",
      f.optimised && f.optimised_kernels ? "optimised" : "not optimised", ", ", to_string(f.isa),
      " instructions, ", f.threads, f.threads == 1 ? " thread of " : " threads of ", f.processors,
      f.processors == 1 ? " processor\n" : " processors\n");
  if (!f.optimised || !f.optimised_kernels)
    text += message("slow: ", f.optimised ? "the kernels are" : "this file is",
                    " compiled without optimisation, some twenty times slower; with CMake, set "
                    "CMAKE_BUILD_TYPE=Release, else compile with -O2\n");
  if (f.sanitized) text += "slow: compiled with a sanitizer; build without for other work\n";
  if (!f.openmp)
    text +=
        "slow: compiled without OpenMP, so one thread does all; compile and link with -fopenmp "
        "(Apple's clang: install libomp; with CMake, link ebb::ebb)\n";
  else if (f.threads < f.processors)
    text += message("slow: ", f.processors,
                    " processors are there; OMP_NUM_THREADS or set_num_threads asks for fewer "
                    "threads\n");
  if (f.isa != f.best_isa)
    text += message("slow: EBB_ISA or set_isa asks for ", to_string(f.isa),
                    " instructions, and this processor has ", to_string(f.best_isa), "\n");
  if (!f.conv.empty())
    text += message("perhaps slow: EBB_CONV=", f.conv, " decides how convolutions are computed\n");
  return text;
}

/// The facts but for those of the file that asks.
inline PerformanceFacts performance_facts() {
  PerformanceFacts f;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  f.sanitized = true;
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  f.sanitized = true;
#  endif
#endif
  f.threads = num_threads();
#if defined(_OPENMP)
  f.processors = omp_get_num_procs();
#else
  f.openmp = false;
#endif
  f.isa = isa();
  for (const Isa known : {Isa::avx2, Isa::avx512})
    if (supports(known)) f.best_isa = known;
  if (const char* conv = std::getenv("EBB_CONV")) f.conv = conv;
  return f;
}

}  // namespace detail

/// What the library runs on, and a line for each thing that makes it slower than need be, with what
/// to do about it: a build without optimisation, a sanitizer, one thread where there could be more,
/// instructions narrower than the processor's.
///
///     std::fputs(ebb::performance_hint().c_str(), stderr);
///
/// It speaks of the file that calls it: flags may differ from file to file, so each has its own.
[[maybe_unused]] static inline std::string performance_hint() {
  detail::PerformanceFacts facts = detail::performance_facts();
#if !defined(__OPTIMIZE__) && defined(__GNUC__)
  facts.optimised = false;
#endif
#if defined(EBB_COMPILED_KERNELS)
  facts.optimised_kernels = detail::kernels_are_optimised;
#endif
  return detail::performance_hint(facts);
}

}  // namespace ebb
