/// \file
/// The GPU's memory pools, one a stream: what one kernel gave back, the next may use at once,
/// because the stream runs them one after the other.
#pragma once

#include <ebb/device/gpu/memory.cuh>
#include <ebb/device/pool.hpp>

#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::gpu {
namespace detail {

/// A block, the stream whose pool it belongs to, and the capture it was taken in (0: none).
struct DeviceBlock : kernel::Block {
  int stream = 0, capture = 0;
};

/// The GPU is full; take_block says more.
struct NoMemory {};

/// Memory that graphs of a stream go on using: blocks that were given back, and blocks that its
/// pool was to free.
struct KeptBlocks {
  std::mutex mutex;
  std::vector<kernel::Block*> given, freed;
};
inline KeptBlocks& kept_blocks(int stream) {
  static auto* const kept = new KeptBlocks[most_streams];
  return kept[stream];
}

struct PoolSource {
  static kernel::Block* create(std::size_t bytes) {
    auto* const block = new DeviceBlock;
    block->stream = stream().number;
    block->data = driver::try_allocate(bytes);
    if (block->data) return block;
    delete block;
    throw NoMemory{};
  }
  static void destroy(kernel::Block* block) {
    const int home = static_cast<DeviceBlock*>(block)->stream;
    if (const Stream& stream = *process().streams[home]; stream.capturing || stream.graphs > 0) {
      const std::scoped_lock lock(kept_blocks(home).mutex);
      kept_blocks(home).freed.push_back(block);
      return;
    }
    driver::release(block->data);
    delete static_cast<DeviceBlock*>(block);
  }
};

using DevicePool = kernel::Pool<PoolSource>;

/// Never destroyed: tensors of static lifetime may outlive any order of destructors.
inline DevicePool& pool_of(int stream) {
  static auto* const pools = new DevicePool[most_streams];
  return pools[stream];
}

/// A number of bytes for people.
inline std::string in_units(std::size_t bytes) {
  const auto amount = static_cast<double>(bytes);
  if (bytes < std::size_t{1} << 20) return ebb::detail::fixed(amount / 1024, 1) + " KiB";
  if (bytes < std::size_t{1} << 30) return ebb::detail::fixed(amount / (1 << 20), 1) + " MiB";
  return ebb::detail::fixed(amount / (1 << 30), 2) + " GiB";
}

}  // namespace detail

/// All pools together.
inline MemoryStats memory_stats() {
  MemoryStats sum;
  for (int i = 0; i < most_streams; ++i) {
    const MemoryStats one = detail::pool_of(i).stats();
    sum.allocations += one.allocations;
    sum.bytes_in_use += one.bytes_in_use;
    sum.bytes_reserved += one.bytes_reserved;
    sum.bytes_peak += one.bytes_peak;
    auto& kept = detail::kept_blocks(i);
    const std::scoped_lock lock(kept.mutex);
    for (const kernel::Block* block : kept.freed) {  // in use by graphs
      sum.bytes_in_use += detail::DevicePool::bytes_of(block->size_class);
      sum.bytes_reserved += detail::DevicePool::bytes_of(block->size_class);
    }
  }
  return sum;
}

/// Gives what waits in the pools back to the GPU, which is waited for. Captured steps keep theirs.
inline void trim_pools() {
  for (int i = 0; i < most_streams; ++i) {
    const Stream* const of = detail::process().streams[i];
    if (of && !of->capturing && of->graphs == 0) detail::pool_of(i).trim();
  }
}

/// \throws OutOfMemory
inline kernel::Block* take_block(std::size_t bytes) {
  const Stream& on = stream();
  detail::DevicePool& pool = detail::pool_of(on.number);
  kernel::Block* block = nullptr;
  try {
    block = pool.take(bytes);
  } catch (const detail::NoMemory&) {  // the pool has emptied itself; other streams' may hold some
    try {
      if (!on.capturing) trim_pools();
      block = pool.take(bytes);
    } catch (const detail::NoMemory&) {
      const MemoryStats held = memory_stats();
      const driver::Memory memory = driver::memory();
      throw OutOfMemory(
          message("out of GPU memory: ", detail::in_units(bytes),
                  " are wanted; tensors of this process hold ", detail::in_units(held.bytes_in_use),
                  ", ", detail::in_units(held.bytes_reserved - held.bytes_in_use),
                  " wait for reuse, and ", detail::in_units(memory.free), " of the GPU's ",
                  detail::in_units(memory.total), " are free (", driver::device_name(device()),
                  "). A smaller batch needs less; what is there can still be used"));
    }
  }
  static_cast<detail::DeviceBlock*>(block)->capture = on.capturing ? on.captures : 0;
  driver::lend(on.handle, block->data, bytes, detail::DevicePool::bytes_of(block->size_class));
  return block;
}

/// Puts a block back into the pool it is from, ordered behind the calling thread's stream. What a
/// graph uses waits until the graph goes.
inline void give_block(kernel::Block* block) {
  const auto [home, capture] = [block] {
    const auto* const own = static_cast<detail::DeviceBlock*>(block);
    return std::pair(own->stream, own->capture);
  }();
  const Stream& from = *detail::process().streams[home];
  const Stream* const here = detail::current_stream;
  const bool elsewhere = here && here != &from;
  const bool of_this_capture = from.capturing && capture == from.captures;
  const int keeper = elsewhere && here->capturing                          ? here->number
                     : capture != 0 && from.graphs > 0 && !of_this_capture ? home
                                                                           : -1;
  if (keeper >= 0) {
    auto& kept = detail::kept_blocks(keeper);
    const std::scoped_lock lock(kept.mutex);
    kept.given.push_back(block);
    return;
  }
  if (elsewhere) {
    try {
      order(*here, from);
    } catch (const Error&) {  // a broken GPU says so at the next call
    }
  }
  driver::take_back(from.handle, block->data, detail::DevicePool::bytes_of(block->size_class));
  detail::pool_of(home).give(block);
}

/// The blocks that wait in a stream's pool are from now on for its graphs alone.
inline void keep_waiting_blocks(const Stream& of) { detail::pool_of(of.number).trim(); }

/// When the last graph of a stream goes, what it kept is free again.
inline void release_kept_blocks(const Stream& of) {
  auto& kept = detail::kept_blocks(of.number);
  std::vector<kernel::Block*> given, freed;
  {
    const std::scoped_lock lock(kept.mutex);
    given.swap(kept.given);
    freed.swap(kept.freed);
  }
  for (kernel::Block* block : given) give_block(block);
  for (kernel::Block* block : freed) detail::PoolSource::destroy(block);
}

}  // namespace ebb::gpu
