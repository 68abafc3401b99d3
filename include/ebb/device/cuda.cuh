/// \file
/// An NVIDIA GPU as a device: a tag type that owns a memory pool. Kernels for it are overloads that
/// take a `Cuda` first, in a file `cuda.cuh` beside the `cpu.hpp` of the same kernels.
#pragma once

#include <ebb/device/cuda_state.cuh>
#include <ebb/device/gpu.cuh>
#include <ebb/device/pool.hpp>

namespace ebb {

/// Tag of GPU memory; see `Cpu` for what a device offers.
struct Cuda {
  static constexpr const char* name = "cuda";
  static constexpr bool host_accessible = false;

  static Block* take(std::size_t bytes) { return pool().take(bytes); }
  static void give(Block* block) { pool().give(block); }

  static void upload(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) gpu::upload(to, from, bytes);
  }
  /// \throws also what a kernel found wrong in the values it was given (device/cuda_state.cuh).
  static void download(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    gpu::download(to, from, bytes);
    gpu::check_faults();
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) gpu::copy(to, from, bytes);
  }
  static void synchronize() { gpu::synchronize(); }

  static MemoryStats stats() { return pool().stats(); }
  static void trim() { pool().trim(); }

 private:
  struct Source {
    static Block* create(std::size_t bytes) {
      auto* block = new Block;
      try {
        block->data = gpu::allocate(bytes);
      } catch (...) {
        delete block;
        throw;
      }
      return block;
    }
    static void destroy(Block* block) {
      gpu::release(block->data);
      delete block;
    }
  };

  /// Never destroyed: tensors of static lifetime may outlive any destructor order.
  static Pool<Source>& pool() {
    static auto* const pool = new Pool<Source>;
    return *pool;
  }
};

}  // namespace ebb
