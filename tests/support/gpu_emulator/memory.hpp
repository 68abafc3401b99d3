/// \file
/// Shared memory of a block, and asynchronous copies into it.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/scheduler.hpp"

#include <utility>

namespace ebb::inline EBB_ABI::gpu::emulator {

inline constexpr char dynamic_array = 0;  ///< its address names the array that the launch sizes

/// The array of the current block that `key` names: the same one for all of its threads.
inline void* shared_array(const void* key, std::size_t bytes, std::size_t alignment) {
  const Quiet quiet;
  Block& block = *current->block;
  for (const SharedArray& array : block.arrays)
    if (array.key == key) return block.arena.get() + array.offset;

  if (key != &dynamic_array) {
    block.static_bytes += bytes;
    if (block.static_bytes > most_static_shared)
      die("%zu bytes of shared arrays; a block may declare %zu", block.static_bytes,
          most_static_shared);
  }
  if (block.static_bytes + block.dynamic_bytes > most_shared)
    die("%zu bytes of shared memory; a block may have %zu",
        block.static_bytes + block.dynamic_bytes, most_shared);
  const std::size_t base = reinterpret_cast<std::uintptr_t>(block.arena.get());
  const std::size_t offset =
      (base + block.arena_used + alignment - 1) / alignment * alignment - base;
  if (offset + bytes + Block::red_zone > Block::arena_bytes)
    die("too many shared arrays for the emulator");
  block.arrays.push_back({key, offset});
  block.arena_used = offset + bytes + Block::red_zone;
  unsigned char* const array = block.arena.get() + offset;
  unpoison(array, bytes);
  return array;
}

/// cp.async: noted here, done as late as allowed. Bytes beyond `valid` become zero.
inline void copy_async(void* to, const void* from, unsigned bytes, unsigned valid) {
  const Quiet quiet;
  const auto address = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p); };
  if (address(to) % bytes != 0 || (valid > 0 && address(from) % bytes != 0))
    die("cp.async of %u bytes: an address is not a multiple of that", bytes);
  current->block->copies[current->flat].open.push_back({to, from, bytes, valid});
}

inline void commit_copies() {
  const Quiet quiet;
  AsyncCopies& copies = current->block->copies[current->flat];
  copies.groups.push_back(std::exchange(copies.open, {}));
}

/// Waits until at most `left` of this thread's groups are under way.
inline void wait_for_copies(std::size_t left) {
  for (;;) {
    std::vector<Copy> group;
    {
      const Quiet quiet;
      AsyncCopies& copies = current->block->copies[current->flat];
      if (copies.groups.size() <= left) return;
      group = std::move(copies.groups.front());
      copies.groups.pop_front();
    }
    for (const Copy& copy : group) {  // by this thread, as sanitizers see it
      auto* const to = static_cast<unsigned char*>(copy.to);
      auto* const from = static_cast<const unsigned char*>(copy.from);
      for (unsigned i = 0; i < copy.bytes; ++i) to[i] = i < copy.valid ? from[i] : 0;
    }
  }
}

}  // namespace ebb::gpu::emulator
