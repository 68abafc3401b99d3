/// \file
/// Shared ownership of a pooled block of device memory, and the kernels every tensor needs.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/pool.hpp>

#include <utility>

namespace ebb::inline EBB_ABI {

/// A reference-counted handle to a block of a device's pool. Counting is atomic, so handles to one
/// block may be copied and dropped from several threads.
template <class Device>
class Storage {
 public:
  Storage() = default;
  explicit Storage(std::size_t bytes) : block_(Device::take(bytes)) {}
  Storage(const Storage& other) : block_(other.block_) {
    if (block_) block_->users.fetch_add(1, std::memory_order_relaxed);
  }
  Storage(Storage&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Storage& operator=(Storage other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Storage() {
    if (block_) leave();
  }

  bool defined() const { return block_ != nullptr; }
  void* data() const { return block_->data; }
  std::uint32_t users() const { return block_ ? block_->users.load(std::memory_order_acquire) : 0; }

 private:
  void leave() {
    // The only handle: nobody can make another from elsewhere, so a plain read is enough.
    if (block_->users.load(std::memory_order_acquire) == 1 ||
        block_->users.fetch_sub(1, std::memory_order_acq_rel) == 1)
      Device::give(block_);
  }

  kernel::Block* block_ = nullptr;
};

namespace kernel {

namespace detail {

/// `fill` and `accumulate` of n numbers.
template <class T>
void fill_numbers(Index n, T value, T* y) {
  kernel::parallel_ranges(n, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y[i] = value;
  });
}
template <class T>
void accumulate_numbers(Index n, const T* x, T* y, bool add) {
  kernel::parallel_ranges(n, 1, [&](Index begin, Index end) {
    const T* const from = x;
    T* const to = y;
    if (add) {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] += from[i];
    } else {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] = from[i];
    }
  });
}

}  // namespace detail

/// Kernel: every element of `y` becomes `value`.
template <class T, int N>
void fill(Cpu, View<T, N> y, T value) {
  detail::fill_numbers(y.size(), value, y.data);
}

/// Kernel: `x` into `y`, overwriting or adding as `y` says.
template <class T, int N>
void accumulate(Cpu, View<const T, N> x, Into<T, N> y) {
  detail::accumulate_numbers(y.size(), x.data, y.data, y.add);
}

}  // namespace kernel

}  // namespace ebb
