/// \file
/// Memory that is kept for the next time: after its first step, training allocates nothing.
#pragma once

#include <ebb/core/error.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace ebb {

/// One reference-counted piece of device memory; lives in host memory.
struct Block {
  std::atomic<std::uint32_t> users{1};
  std::uint32_t size_class = 0;
  void* data = nullptr;
  Block* next = nullptr;  ///< in a free list
};

/// What a device's pool has done so far. Counts are totals of the process.
struct MemoryStats {
  std::size_t allocations = 0;     ///< requests that went to the system; a steady step adds none
  std::size_t bytes_in_use = 0;    ///< held by live tensors, rounded up to their size class
  std::size_t bytes_reserved = 0;  ///< taken from the system, in use or waiting for reuse
  std::size_t bytes_peak = 0;      ///< the most that was ever in use
};

/// Free lists of blocks, one per size class, for one device.
/// `Source` takes memory from the system: `Block* create(bytes)` (which may throw) and
/// `void destroy(Block*)`.
template <class Source>
class Pool {
 public:
  /// Classes are an eighth of a power of two apart, so at most 12.5 % of a block is unused.
  static constexpr std::size_t smallest = 64;
  static constexpr std::uint32_t classes = 8 * 48;

  static constexpr std::uint32_t class_of(std::size_t bytes) {
    if (bytes <= smallest) return 0;
    const auto width = static_cast<std::uint32_t>(std::bit_width(bytes - 1)) - 1;  // floor(log2)
    const auto eighth = static_cast<std::uint32_t>((bytes - 1) >> (width - 3)) - 8;
    return 8 * (width - 6) + eighth + 1;
  }

  static constexpr std::size_t bytes_of(std::uint32_t size_class) {
    if (size_class == 0) return smallest;
    const std::uint32_t width = (size_class - 1) / 8 + 6, eighth = (size_class - 1) % 8 + 1;
    return (std::size_t{8} + eighth) << (width - 3);
  }

  /// A block of at least `bytes` bytes with one user; its contents are arbitrary.
  Block* take(std::size_t bytes) {
    const std::uint32_t size_class = class_of(bytes);
    if (size_class >= classes)
      throw ValueError(message("a tensor of ", bytes,
                               " bytes was asked for, more than any "
                               "machine holds; check the extents that led to it"));
    {
      const std::scoped_lock lock(mutex_);
      in_use_ += bytes_of(size_class);
      if (in_use_ > peak_) peak_ = in_use_;
      if (Block* block = free_[size_class]) {
        free_[size_class] = block->next;
        block->users.store(1, std::memory_order_relaxed);
        return block;
      }
    }
    return take_from_system(size_class);
  }

  /// Puts a block without users back.
  void give(Block* block) {
    const std::scoped_lock lock(mutex_);
    in_use_ -= bytes_of(block->size_class);
    block->next = free_[block->size_class];
    free_[block->size_class] = block;
  }

  /// Returns every waiting block to the system.
  void trim() {
    const std::scoped_lock lock(mutex_);
    for (std::uint32_t c = 0; c < classes; ++c) {
      while (Block* block = free_[c]) {
        free_[c] = block->next;
        reserved_ -= bytes_of(c);
        Source::destroy(block);
      }
    }
  }

  MemoryStats stats() const {
    const std::scoped_lock lock(mutex_);
    return {allocations_, in_use_, reserved_, peak_};
  }

 private:
  Block* take_from_system(std::uint32_t size_class) {
    const std::size_t bytes = bytes_of(size_class);
    Block* block = nullptr;
    try {
      block = Source::create(bytes);
    } catch (...) {  // make room and try once more before giving up
      trim();
      try {
        block = Source::create(bytes);
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        in_use_ -= bytes;
        throw;
      }
    }
    block->size_class = size_class;
    const std::scoped_lock lock(mutex_);
    ++allocations_;
    reserved_ += bytes;
    return block;
  }

  mutable std::mutex mutex_;
  Block* free_[classes] = {};
  std::size_t allocations_ = 0, in_use_ = 0, reserved_ = 0, peak_ = 0;
};

}  // namespace ebb
