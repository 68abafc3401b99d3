/// \file
/// The state of CUDA threads and blocks while they run.
#pragma once

#include "tests/support/gpu_emulator/fiber.hpp"

#include <ebb/core/error.hpp>

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <vector>

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned width = 1, unsigned height = 1, unsigned depth = 1)
      : x(width), y(height), z(depth) {}
};

namespace ebb::inline EBB_ABI::gpu::emulator {

/// What is wrong with a kernel.
struct KernelError : Error {
  using Error::Error;
};

enum class Order { forward, reverse, random };

/// How kernels are run, and the GPU that there seems to be.
struct Config {
  Order order = Order::forward;    ///< of threads, and of blocks
  unsigned seed = 1;               ///< of the random order
  std::size_t stack = 128 * 1024;  ///< bytes a thread
  bool parallel = false;           ///< blocks run on several CPU threads
  bool late = false;               ///< streams run only when somebody waits for them
  int devices = 1;                 ///< GPUs that are there
  int multiprocessors = 2;
  std::size_t memory = std::size_t{64} << 30;  ///< bytes of the GPU
};
inline Config config;

enum class State : unsigned char { fresh, ready, at_barrier, at_warp, at_grid, done };

struct Block;

struct Thread {  // hot: fits one cache line
  Block* block = nullptr;
  Fiber* fiber = nullptr;
  uint3 index{};
  unsigned flat = 0;
  State state = State::fresh;
  int line = 0;  ///< where it waits
  const char* file = "";
};

/// One collective of a warp: what each lane brought.
struct WarpOp {
  unsigned mask = 0, arrived = 0, left = 0;
  const char* kind = nullptr;
  alignas(16) unsigned char values[32][32];
};

/// Asynchronous copies of one thread.
struct Copy {
  void* to;
  const void* from;
  unsigned bytes, valid;
};
struct AsyncCopies {
  std::deque<std::vector<Copy>> groups;
  std::vector<Copy> open;
};

struct SharedArray {
  const void* key;
  std::size_t offset;
};

/// What a multiprocessor (of compute capability 9.0) gives to a block.
inline constexpr std::size_t most_shared = 227 * 1024, most_static_shared = 48 * 1024;

struct Block {
  uint3 index{};
  dim3 size, grid;
  std::vector<Thread> threads;
  std::vector<AsyncCopies> copies;
  unsigned live = 0, waiting = 0;             ///< threads: not done; at the barrier
  std::vector<std::vector<WarpOp*>> pending;  ///< of each warp
  std::vector<unsigned> exited;               ///< lanes of each warp
  unsigned char tags[2] = {};                 ///< of barriers, which alternate
  unsigned barriers = 0;
  int barrier_line = 0;

  // Shared memory: arrays with forbidden bytes between them.
  std::unique_ptr<unsigned char[]> arena;
  std::size_t arena_used = 0, static_bytes = 0, dynamic_bytes = 0;
  std::vector<SharedArray> arrays;

  static constexpr std::size_t red_zone = 64;
  static constexpr std::size_t arena_bytes = most_shared + 128 * red_zone;

  void start(uint3 block_index, dim3 grid_size, dim3 block_size, std::size_t dynamic) {
    const Quiet quiet;
    index = block_index, size = block_size, grid = grid_size;
    const unsigned count = size.x * size.y * size.z, warps = (count + 31) / 32;
    threads.assign(count, Thread{});
    for (unsigned i = 0; i < count; ++i) {
      threads[i].block = this;
      threads[i].index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
      threads[i].flat = i;
    }
    live = count;
    waiting = barriers = 0;
    pending.assign(warps, {});
    exited.assign(warps, 0);
    copies.assign(count, {});
    if (!arena || races_are_watched) {  // blocks must not seem to use each other's memory
      arena.reset(new unsigned char[arena_bytes]);
      arena_used = arena_bytes;
    }
    unpoison(arena.get(), arena_bytes);
    std::fill_n(arena.get(), arena_used, static_cast<unsigned char>(0xff));
    poison(arena.get(), arena_bytes);
    arrays.clear();
    arena_used = red_zone;
    static_bytes = 0;
    dynamic_bytes = dynamic;
  }
};

/// The CUDA thread that runs on this thread of the CPU, and the stack of the scheduler.
inline constinit thread_local Thread* current = nullptr;
inline constinit thread_local Fiber* scheduler_fiber = nullptr;

inline unsigned lane() { return current->flat % 32; }

/// Leaves the current thread in `state`; returns when the scheduler comes back to it.
inline void park(State state, const char* file, int line) {
  Thread* const self = current;
  self->state = state;
  self->file = file;
  self->line = line;
  switch_fibers(*self->fiber, *scheduler_fiber);
  current = self;
}

}  // namespace ebb::gpu::emulator
