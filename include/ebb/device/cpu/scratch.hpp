/// \file
/// Pooled working memory for CPU kernels.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Uninitialised memory for `count` elements per thread, from the pool and back to it. Taken before
/// a parallel loop starts, because nothing may throw inside one.
template <class T>
class Scratch {
 public:
  explicit Scratch(Index count, Index threads = 1)
      : stride_(rounded(count)),
        block_(Cpu::take(static_cast<std::size_t>(stride_ * threads) * sizeof(T))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { Cpu::give(block_); }

  /// The first thread's elements (all of them, where only one was asked for).
  T* data() const { return static_cast<T*>(block_->data); }

  /// A piece for each thread of the next parallel loop: `Scratch<T> s = Scratch<T>::per_thread(n)`.
  static Scratch per_thread(Index count) { return Scratch(count, loop_threads()); }
  /// The calling thread's piece, inside that loop.
  T* mine() const { return data() + (nested_ ? 0 : thread()) * stride_; }

 private:
  /// Threads start on cache lines of their own.
  static Index rounded(Index count) {
    const Index line = static_cast<Index>((Cpu::alignment + sizeof(T) - 1) / sizeof(T));
    return (count + line - 1) / line * line;
  }
#if defined(_OPENMP)
  static bool in_parallel() { return omp_in_parallel() != 0; }
  static Index thread() { return omp_get_thread_num(); }
#else
  static bool in_parallel() { return false; }
  static Index thread() { return 0; }
#endif
  /// Inside another parallel region loops run on the calling thread alone.
  static Index loop_threads() { return in_parallel() ? 1 : num_threads(); }

  Index stride_;
  Block* block_;
  bool nested_ = in_parallel();
};

}  // namespace ebb::kernel
