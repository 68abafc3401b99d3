/// \file
/// Kernels compiled once for a program of many files: each costs a compiler a second or more, or
/// there are many. With EBB_COMPILED_KERNELS defined, headers only declare those of floats and
/// doubles, and ebb/kernels.cpp, compiled into the program (CMake: link ebb::kernels), holds them.
/// Without it, every file compiles what it uses, and there is nothing to link.
///
/// The same for GPUs, where products and convolutions take a compiler minutes:
/// EBB_COMPILED_CUDA_KERNELS, and ebb/cuda_kernels.cu (CMake: ebb::cuda_kernels).
#pragma once

#if defined(EBB_COMPILE_KERNELS)  // in kernels.cpp
#  define EBB_COMPILED(...) template __VA_ARGS__;
#elif defined(EBB_COMPILED_KERNELS)
#  define EBB_COMPILED(...) extern template __VA_ARGS__;
#else
#  define EBB_COMPILED(...)
#endif

#if defined(EBB_COMPILE_CUDA_KERNELS)  // in cuda_kernels.cu
#  define EBB_COMPILED_ON_CUDA(...) template __VA_ARGS__;
#elif defined(EBB_COMPILED_CUDA_KERNELS)
#  define EBB_COMPILED_ON_CUDA(...) extern template __VA_ARGS__;
#else
#  define EBB_COMPILED_ON_CUDA(...)
#endif
