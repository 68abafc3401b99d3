/// \file
/// Types told apart while the program runs, also where a compiler is told to leave out the
/// language's own means (`-fno-rtti`).
#pragma once

#include <ebb/core/config.hpp>

#if defined(__GNUC__)
#  define EBB_SHARED_SYMBOL __attribute__((visibility("default")))
#else
#  define EBB_SHARED_SYMBOL
#endif

namespace ebb::inline EBB_ABI::detail {

/// Its address is one for each type, in all files and libraries of a program.
template <class T>
EBB_SHARED_SYMBOL inline constexpr char type_tag = 0;

}  // namespace ebb::detail

#undef EBB_SHARED_SYMBOL
