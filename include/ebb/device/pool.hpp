/// \file
/// Memory that is kept for the next time: after its first step, training allocates nothing.
#pragma once

#include <ebb/core/error.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace ebb::inline EBB_ABI::kernel {

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
  /// The most that was ever in use; for blocks that threads keep in stock (stock.hpp), to
  /// within 32 KiB a thread.
  std::size_t bytes_peak = 0;
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
      add(size_class, 1);
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
    add(block->size_class, -1);
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
    const std::ptrdiff_t now = in_use();
    return {allocations_, static_cast<std::size_t>(now), reserved_,
            static_cast<std::size_t>(now > peak_ ? now : peak_)};
  }

  /// For a fork, whose child must find no lock that another thread holds (device/cpu/fork.hpp).
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  // --- for the stocks of threads (stock.hpp) ---

  /// Bytes that a thread has taken from its stock, less those it has put there: written by that
  /// thread alone, without a lock.
  struct Tally {
    std::atomic<std::ptrdiff_t> bytes{0};
    Tally *next = nullptr, *previous = nullptr;
  };

  void enrol(Tally& tally) {
    const std::scoped_lock lock(mutex_);
    tally.next = tallies_.next;
    tally.previous = &tallies_;
    if (tally.next) tally.next->previous = &tally;
    tallies_.next = &tally;
  }
  void strike_off(Tally& tally) {
    const std::scoped_lock lock(mutex_);
    in_use_ += tally.bytes.load(std::memory_order_relaxed);
    tally.previous->next = tally.next;
    if (tally.next) tally.next->previous = tally.previous;
  }
  /// Brings the peak up to date with the tallies.
  void note_peak() {
    const std::scoped_lock lock(mutex_);
    if (const std::ptrdiff_t now = in_use(); now > peak_) peak_ = now;
  }

  /// A list of up to `most` waiting blocks, or of one from the system, that nobody uses yet; how
  /// many goes to `got`.
  Block* stock_up(std::uint32_t size_class, int most, int& got) {
    got = 1;
    {
      const std::scoped_lock lock(mutex_);
      if (Block* const first = free_[size_class]) {
        Block* last = first;
        for (; got < most && last->next; ++got) last = last->next;
        free_[size_class] = std::exchange(last->next, nullptr);
        return first;
      }
      add(size_class, 1);  // as take_from_system has it
    }
    Block* block = take_from_system(size_class);
    block->next = nullptr;
    const std::scoped_lock lock(mutex_);
    in_use_ -= static_cast<std::ptrdiff_t>(bytes_of(size_class));
    return block;
  }

  /// Puts a list of blocks of one class back that nobody uses.
  void put_back(Block* list) {
    const std::scoped_lock lock(mutex_);
    while (list) {
      Block* block = std::exchange(list, list->next);
      block->next = free_[block->size_class];
      free_[block->size_class] = block;
    }
  }

 private:
  std::ptrdiff_t in_use() const {
    std::ptrdiff_t bytes = in_use_;
    for (const Tally* tally = tallies_.next; tally; tally = tally->next)
      bytes += tally->bytes.load(std::memory_order_relaxed);
    return bytes;
  }

  /// Notes one block more or less in use.
  void add(std::uint32_t size_class, int blocks) {
    in_use_ += blocks * static_cast<std::ptrdiff_t>(bytes_of(size_class));
    if (blocks < 0) return;
    if (const std::ptrdiff_t now = in_use(); now > peak_) peak_ = now;
  }

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
        add(size_class, -1);
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
  Tally tallies_;
  std::ptrdiff_t in_use_ = 0;  ///< less what the tallies say
  std::ptrdiff_t peak_ = 0;
  std::size_t allocations_ = 0, reserved_ = 0;
};

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI {
using kernel::MemoryStats;
}  // namespace ebb
