/// \file
/// An NVIDIA GPU as a device: a tag type that owns memory pools. Kernels for it are overloads that
/// take a `Cuda` first, in a file `cuda.cuh` beside the `cpu.hpp` of the same kernels.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cuda/pools.cuh>
#include <ebb/device/cuda/state.cuh>
#include <ebb/device/gpu/launch.cuh>

namespace ebb::inline EBB_ABI::kernel {

/// Tag of GPU memory; see `Cpu` for what a device offers.
struct Cuda {
  static constexpr const char* name = "cuda";
  static constexpr bool host_accessible = false;

  /// \throws DeviceError where there is no GPU, OutOfMemory where it is full.
  static Block* take(std::size_t bytes) { return gpu::take_block(bytes); }
  static void give(Block* block) { gpu::give_block(block); }

  static void upload(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) gpu::upload(to, from, bytes);
  }
  /// \throws also what a kernel found wrong in the values it was given (device/cuda/state.cuh).
  static void download(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    gpu::download(to, from, bytes);
    gpu::check_faults();
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) gpu::copy(to, from, bytes);
  }

  static MemoryStats stats() { return gpu::memory_stats(); }
  static void trim() { gpu::trim_pools(); }

  // --- more than other devices have ---

  /// How many GPUs there are; 0 on a machine without one.
  static int count() { return gpu::device_count(); }
  /// Chooses the GPU of this process, before anything else is done with one.
  static void select(int number) { gpu::select_device(number); }
  static std::string device_name() { return gpu::device_name(); }
  /// Waits for what the calling thread has asked of the GPU.
  static void synchronize() { gpu::synchronize(); }
};

detail::Devices<Cpu, Cuda> known_devices(const Cpu&);
detail::Devices<Cpu, Cuda> known_devices(const Cuda&);

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI {
using kernel::Cuda;
}  // namespace ebb
