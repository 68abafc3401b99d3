/// \file
/// The CPU as a device: a tag type that owns a memory pool. Kernels for it are overloads that take
/// a `Cpu` first.
#pragma once

#include <ebb/device/cpu/fence.hpp>
#include <ebb/device/cpu/fork.hpp>
#include <ebb/device/cpu/stock.hpp>

#include <cstring>
#include <new>
#if defined(__linux__)
#  include <sys/mman.h>
#endif
#if defined(__GLIBC__)
#  include <malloc.h>
#endif

namespace ebb::inline EBB_ABI::kernel {

/// Tag of host memory. A device type offers what this one does:
///  - `host_accessible`: whether a plain pointer dereference works on its memory;
///  - `take` / `give`: pooled blocks;
///  - `upload` / `download` / `copy`: bytes from the host, to the host, within the device;
///  - `stats` / `trim`: what the pool holds, and how to let go of it.
struct Cpu {
  static constexpr const char* name = "cpu";
  static constexpr bool host_accessible = true;
  static constexpr std::size_t alignment = 64;  ///< a cache line, and an AVX-512 register

  static Block* take(std::size_t bytes) {
    Block* const block = take_class(bytes);
    detail::fence(block->data, bytes, Pool<Source>::bytes_of(block->size_class));
    return block;
  }
  static void give(Block* block) {
    detail::fence(block->data, 0, Pool<Source>::bytes_of(block->size_class));
    if (SmallBlocks::holds(block))
      if (SmallBlocks* stock = own_stock()) return stock->give(block);
    pool().give(block);
  }

  static void upload(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void download(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }

  static MemoryStats stats() { return pool().stats(); }
  /// Gives the memory back to the system that no tensor uses: after a large network is gone, say,
  /// in a program that goes on. What waits in the stocks of other threads stays there, at most 32
  /// KiB of each size up to 4 KiB.
  static void trim() {
    if (SmallBlocks* stock = own_stock()) stock->empty();
    pool().trim();
#if defined(__GLIBC__)
    malloc_trim(0);  // or the C library keeps the pages, in case they are wanted again
#endif
  }

 private:
  struct Source {
    /// The block's own record sits in the cache line before its data: one allocation, one free.
    static_assert(sizeof(Block) <= alignment);
    static Block* create(std::size_t bytes) {
      const std::align_val_t aligned = alignment_of(bytes);
      auto* raw = static_cast<std::byte*>(::operator new(alignment + bytes, aligned));
#if defined(MADV_HUGEPAGE)
      // Only whole huge pages, so that no memory is taken that the block does not need.
      if (aligned == std::align_val_t{huge_page})
        madvise(raw, (alignment + bytes) / huge_page * huge_page, MADV_HUGEPAGE);
#endif
      auto* block = new (raw) Block;
      block->data = raw + alignment;
      return block;
    }
    static void destroy(Block* block) {
      const std::size_t bytes = Pool<Source>::bytes_of(block->size_class);
#if defined(MADV_DONTNEED)
      // The C library may keep a freed block resident in the midst of its heap.
      if (bytes >= huge_page)
        madvise(block, (alignment + bytes) / huge_page * huge_page, MADV_DONTNEED);
#endif
      ::operator delete(static_cast<void*>(block), alignment_of(bytes));
    }

   private:
    /// Blocks of several huge pages begin on one: fewer misses of the translation buffers.
    static constexpr std::size_t huge_page = std::size_t{2} << 20;
    static std::align_val_t alignment_of(std::size_t bytes) {
      return std::align_val_t{bytes >= huge_page ? huge_page : alignment};
    }
  };

  using SmallBlocks = Stock<Source>;

  /// A block of the size class that `bytes` bytes are in.
  static Block* take_class(std::size_t bytes) {
    if (SmallBlocks::holds(bytes))
      if (SmallBlocks* stock = own_stock()) return stock->take(bytes);
    return pool().take(bytes);
  }

  /// The calling thread's stock; null once the thread is ending, where tensors of static or thread
  /// lifetime may still go.
  static SmallBlocks* own_stock() {
    return stock_ ? stock_ : stock_ended_ ? nullptr : start_stock();
  }
  static SmallBlocks* start_stock() {
    struct Owner {
      SmallBlocks stock{pool()};
      Owner() { stock_ = &stock; }
      ~Owner() {
        stock_ = nullptr;
        stock_ended_ = true;
      }
    };
    static thread_local Owner owner;
    return stock_;
  }
  static inline constinit thread_local SmallBlocks* stock_ = nullptr;
  static inline constinit thread_local bool stock_ended_ = false;

  /// Never destroyed: tensors of static lifetime may outlive any destructor order.
  static Pool<Source>& pool() {
    static auto* const pool = [] {
      detail::around_forks([] { Cpu::pool().lock(); }, [] { Cpu::pool().unlock(); });
      return new Pool<Source>;
    }();
    return *pool;
  }
};

namespace detail {
template <class... D>
struct Devices {};
}  // namespace detail

/// The devices that things on a device can be moved to, as far as a file has included them.
template <class Device>
detail::Devices<Cpu> known_devices(const Device&);

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI {
using kernel::Cpu;
}  // namespace ebb
