/// \file
/// Runs CUDA kernels on the CPU, thread by thread, from the very source that nvcc compiles. Include
/// it before anything else, then <ebb/cuda.cuh>. Where nvcc compiles the file it does nothing: the
/// same test then runs on a GPU.
///
/// Every CUDA thread is a fiber; the threads of a block take turns, and change over where they must
/// wait for each other. What a kernel gets wrong shows up as follows.
///
///  * Always: shared memory and device memory begin as not-a-number (all bits set), so that what
///    was never written spoils the result. Divergent barriers, collectives of a warp in which not
///    all named lanes take part, deadlocks, misaligned asynchronous copies, too much shared memory
///    and impossible grids are errors. Asynchronous copies arrive as late as is allowed. Three
///    orders of threads (`config.order`) uncover most barriers that are missing.
///  * With AddressSanitizer: reads and writes beyond a shared array or a device allocation. The
///    memory pool rounds sizes up, so overruns of a tensor by a few bytes may stay inside its
///    block.
///  * With ThreadSanitizer: each CUDA thread is one of its fibers, and barriers, collectives and
///  the
///    edges of a launch are all that orders them. A missing barrier, or a plain += from several
///    blocks, is reported as a race at the kernel's line. At most 4 blocks of 128 threads, one test
///    a process (memory); of g++: clang 14's gives false reports.
///  * With `config.late`: streams run only when somebody waits for them, so that a missing wait
///    reads not-a-number.
///
/// What it cannot show: the memory model (a missing fence between blocks), races that its orders
/// do not uncover where ThreadSanitizer does not look, bank conflicts, coalescing, occupancy and
/// speed; the hardware's rounding and order of sums in mma, its approximate functions (__expf and
/// rsqrtf are exact here), flushing of denormals; registers, spills and the stack of a thread;
/// waiting in a loop for another block, which hangs (`gpu::grid_sync` does not). Left out:
/// clusters, TMA, wgmma, textures, dynamic parallelism.
///
/// A switch of threads costs about 30 ns on x86-64, where it is done by hand; elsewhere ucontext is
/// used, which is slower.
#pragma once

#if !defined(__CUDACC__)
#  define EBB_GPU_EMULATOR 1
#  include "tests/support/gpu_emulator/launch.hpp"
#  include "tests/support/gpu_emulator/mma.hpp"
#  include "tests/support/gpu_emulator/names.hpp"
#  include "tests/support/gpu_emulator/runtime.hpp"
#endif
