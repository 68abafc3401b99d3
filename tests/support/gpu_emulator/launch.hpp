/// \file
/// Runs a kernel: its grid, block by block.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/barriers.hpp"
#include "tests/support/gpu_emulator/memory.hpp"

namespace ebb::inline EBB_ABI::gpu::emulator {

/// What a GPU refuses to launch.
/// \throws KernelError
inline void check_launch(dim3 grid, dim3 block, std::size_t dynamic_shared) {
  const auto text = [](dim3 d) {
    return std::to_string(d.x) + " x " + std::to_string(d.y) + " x " + std::to_string(d.z);
  };
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (threads < 1 || threads > 1024 || block.z > 64)
    throw KernelError("a block of " + text(block) + " threads; there may be 1 to 1024, 64 along z");
  if (grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.x > 0x7fffffffu || grid.y > 65535 ||
      grid.z > 65535)
    throw KernelError("a grid of " + text(grid) +
                      " blocks; there may be 1 to 2147483647 x 65535 x 65535");
  if (dynamic_shared > most_shared)
    throw KernelError(std::to_string(dynamic_shared) +
                      " bytes of shared memory; a block may have " + std::to_string(most_shared));
}

/// Blocks a GPU of config.multiprocessors holds at once, at least (by threads alone).
inline std::size_t resident_blocks(dim3 block) {
  return static_cast<std::size_t>(config.multiprocessors) * (2048 / (block.x * block.y * block.z));
}

/// Runs `call(argument)` as every thread of the grid.
/// \throws KernelError
inline void run_grid(dim3 grid, dim3 block, std::size_t dynamic_shared, bool cooperative,
                     void (*call)(void*), void* argument) {
  const std::size_t count = std::size_t{grid.x} * grid.y * grid.z;
  const auto index = [&](std::size_t i) {
    return uint3{static_cast<unsigned>(i % grid.x), static_cast<unsigned>(i / grid.x % grid.y),
                 static_cast<unsigned>(i / (std::size_t{grid.x} * grid.y))};
  };
  if (cooperative) {
    if (count > resident_blocks(block))
      throw KernelError("a cooperative launch of " + std::to_string(count) + " blocks, of which " +
                        std::to_string(resident_blocks(block)) + " fit on the GPU at once");
    std::vector<std::unique_ptr<Block>> blocks;
    std::vector<Block*> all;
    {
      const Quiet quiet;
      for (std::size_t i = 0; i < count; ++i) {
        blocks.push_back(std::make_unique<Block>());
        blocks.back()->start(index(i), grid, block, dynamic_shared);
        all.push_back(blocks.back().get());
      }
    }
    Scheduler& scheduler = Scheduler::own();
    scheduler.set_kernel(call, argument);
    scheduler.begin_launch();
    scheduler.run(all);
    scheduler.end_launch();
    return;
  }

  std::string failure;
#if defined(_OPENMP) && !defined(EBB_EMULATOR_TSAN)
#  pragma omp parallel if (config.parallel && count > 1)
#endif
  {
    static thread_local Block own;
    Block* const one = &own;
    Scheduler& scheduler = Scheduler::own();
    scheduler.set_kernel(call, argument);
    scheduler.begin_launch();
#if defined(_OPENMP) && !defined(EBB_EMULATOR_TSAN)
#  pragma omp for schedule(dynamic)
#endif
    for (std::size_t i = 0; i < count; ++i) {
      try {
        one->start(index(config.order == Order::reverse ? count - 1 - i : i), grid, block,
                   dynamic_shared);
        scheduler.run({one});
      } catch (const std::exception& thrown) {
#if defined(_OPENMP) && !defined(EBB_EMULATOR_TSAN)
#  pragma omp critical
#endif
        failure = thrown.what();
      }
    }
    scheduler.end_launch();
  }
  if (!failure.empty()) throw KernelError(failure);
}

}  // namespace ebb::gpu::emulator
