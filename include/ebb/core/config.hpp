/// \file
/// Compiler facts every other header relies on. Other compiler `#if`s are in device/ and in the
/// files that are compiled once per instruction set; those of an operating system are in
/// core/system.hpp and core/process.hpp.
#pragma once

#include <cstddef>

#define EBB_VERSION_MAJOR 0
#define EBB_VERSION_MINOR 1
#define EBB_VERSION_PATCH 0

/// The namespace inside of `ebb`, inline, that everything is in: two libraries of one process that
/// were compiled with different versions each have symbols of their own. Programs never name it.
#define EBB_ABI_NAME(major, minor, patch) v##major##_##minor##_##patch
#define EBB_ABI_OF(major, minor, patch) EBB_ABI_NAME(major, minor, patch)
#define EBB_ABI EBB_ABI_OF(EBB_VERSION_MAJOR, EBB_VERSION_MINOR, EBB_VERSION_PATCH)

#if defined(__GNUC__) && !defined(__EXCEPTIONS)
#  error \
      "ebb reports errors by exceptions: compile what includes it without -fno-exceptions (one file that catches ebb::Error and returns codes can stand between ebb and the rest of a program)"
#endif

/// Marks a function that runs on the host and inside a CUDA kernel.
#if defined(__CUDACC__)
#  define EBB_HD __host__ __device__
#else
#  define EBB_HD
#endif

/// Before a loop: its iterations do not depend on each other, so vectorise it. (Clang does so
/// unasked, and where it is asked warns of each loop that it leaves as it is.)
#if defined(__clang__)
#  define EBB_SIMD
#elif defined(_OPENMP)
#  define EBB_SIMD _Pragma("omp simd")
#elif defined(__GNUC__)
#  define EBB_SIMD _Pragma("GCC ivdep")
#else
#  define EBB_SIMD
#endif

namespace ebb::inline EBB_ABI {

/// Signed type of every extent, index and element count (the same type as Eigen's).
using Index = std::ptrdiff_t;

namespace detail {

/// `count` as the extent of an array. (GCC's -Wsign-conversion takes a signed one for a mistake
/// where it depends on a template's argument.)
EBB_HD constexpr std::size_t array_size(Index count) { return static_cast<std::size_t>(count); }

}  // namespace detail

/// The devices, and what is computed on them: kernels, and what those are made of. A kernel is
/// found by the tag of its device, its first argument; of the rest, what programs call is named in
/// `ebb` as well.
namespace kernel::detail {
using ebb::detail::array_size;
}  // namespace kernel::detail

}  // namespace ebb
