/// \file
/// The CPU as a device: a tag type that owns a memory pool. Kernels for it are overloads that take
/// a `Cpu` first.
#pragma once

#include <ebb/device/pool.hpp>

#include <cstring>
#include <new>

namespace ebb {

/// Tag of host memory. A device type offers what this one does:
///  - `host_accessible`: whether a plain pointer dereference works on its memory;
///  - `take` / `give`: pooled blocks;
///  - `upload` / `download` / `copy`: bytes from the host, to the host, within the device;
///  - `stats` / `trim`: what the pool holds, and how to let go of it.
struct Cpu {
  static constexpr const char* name = "cpu";
  static constexpr bool host_accessible = true;
  static constexpr std::size_t alignment = 64;  ///< a cache line, and an AVX-512 register

  static Block* take(std::size_t bytes) { return pool().take(bytes); }
  static void give(Block* block) { pool().give(block); }

  static void upload(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void download(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }

  static MemoryStats stats() { return pool().stats(); }
  static void trim() { pool().trim(); }

 private:
  struct Source {
    /// The block's own record sits in the cache line before its data: one allocation, one free.
    static_assert(sizeof(Block) <= alignment);
    static Block* create(std::size_t bytes) {
      auto* raw =
          static_cast<std::byte*>(::operator new (alignment + bytes, std::align_val_t{alignment}));
      auto* block = new (raw) Block;
      block->data = raw + alignment;
      return block;
    }
    static void destroy(Block* block) {
      ::operator delete (static_cast<void*>(block), std::align_val_t{alignment});
    }
  };

  /// Never destroyed: tensors of static lifetime may outlive any destructor order.
  static Pool<Source>& pool() {
    static auto* const pool = new Pool<Source>;
    return *pool;
  }
};

}  // namespace ebb
