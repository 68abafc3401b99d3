/// \file
/// The words that vector kernels are written in, for every instruction set; a kernel's own file is
/// compiled for each of them by per_isa.inl, and finds there `Vec`, `lanes_of`, `load`, `store` and
/// `transpose_square`.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/isa.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::kernel::simd {

template <class T, int bytes>
struct RegisterOf {
  typedef T Type __attribute__((vector_size(bytes)));
};
/// A vector of so many bytes: arithmetic on it is one instruction where a register is as wide.
template <class T, int bytes>
using Register = typename RegisterOf<T, bytes>::Type;

#define EBB_PER_ISA <ebb/device/simd/registers.inl>
#include <ebb/device/simd/per_isa.inl>

}  // namespace ebb::kernel::simd
