/// \file
/// Loops over CPU threads whose results never depend on how many there are: work is cut by the
/// problem, and sums have a fixed tree.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/cpu/fork.hpp>
#include <ebb/device/cpu/vectorize.hpp>

#include <atomic>
#include <type_traits>
#include <vector>
#if defined(_OPENMP)
#  include <omp.h>
#endif

namespace ebb::inline EBB_ABI {

namespace detail {
inline std::atomic<int>& thread_count() {
  static std::atomic<int> count{0};  // 0: as many as OpenMP offers
  return count;
}
}  // namespace detail

/// Threads a parallel loop may use: what `set_num_threads` said, else what OpenMP offers.
/// 1 in a build without OpenMP.
inline int num_threads() {
#if defined(_OPENMP)
  const int chosen = detail::thread_count().load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Sets the number of threads for the whole process; 0 goes back to OpenMP's own choice.
/// Results are the same bits whatever is chosen. Call it between computations, not while another
/// thread is inside one.
inline void set_num_threads(int count) {
  detail::thread_count().store(count > 0 ? count : 0, std::memory_order_relaxed);
}

}  // namespace ebb

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Consecutive tasks that one thread begins with.
struct alignas(64) TaskPart {
  std::atomic<Index> next{0};
  Index end = 0;
};

/// Every thread does its own part of the tasks first, which are mostly about the memory that it
/// wrote in the loop before, and so in its core's cache; then what others have not got to.
inline void for_tasks(Index tasks, [[maybe_unused]] Index work, simd::TaskCall call, void* task) {
#if defined(_OPENMP)
  constexpr Index worth_a_thread = 32 * 1024;
  const int threads = tasks > 1 && work >= worth_a_thread && !omp_in_parallel() ? num_threads() : 1;
  if (threads > 1) {
    constexpr int most_parts = 64;
    const int parts = threads < most_parts ? threads : most_parts;
    TaskPart part[most_parts];
    for (int p = 0; p < parts; ++p) {
      part[p].next.store(tasks * p / parts, std::memory_order_relaxed);
      part[p].end = tasks * (p + 1) / parts;
    }
#  pragma omp parallel num_threads(threads)
    for (int p = 0; p < parts; ++p) {
      TaskPart& mine = part[(omp_get_thread_num() + p) % parts];
      for (Index i; (i = mine.next.fetch_add(1, std::memory_order_relaxed)) < mine.end;)
        call(task, i);
    }
    return;
  }
#endif
  for (Index i = 0; i < tasks; ++i) call(task, i);
}

/// Where a task lies, for `for_tasks`.
template <class Task>
void* erased(Task& task) {
  return const_cast<void*>(static_cast<const void*>(&task));
}
}  // namespace detail

/// Calls `task(i)` for every i in [0, tasks), on several threads where that is worth a thread's
/// while: `work` is the number of elementary operations in all (one addition, say). Tasks must not
/// throw and must not write to each other's results.
template <class Task>
void parallel_for(Index tasks, Index work, Task&& task) {
  detail::for_tasks(tasks, work, &simd::call<std::remove_reference_t<Task>>, detail::erased(task));
}

/// The same for tasks made of simple loops: they are compiled for wider vectors too, and the copy
/// for this processor is taken (device/cpu/vectorize.hpp).
template <class Task>
void vector_for(Index tasks, Index work, Task&& task) {
  detail::for_tasks(tasks, work, simd::copy_for<std::remove_reference_t<Task>>(simd::wide_loops()),
                    detail::erased(task));
}

/// Elements of a parallel range that one task handles: fixed, so that results are too.
inline constexpr Index chunk = 16 * 1024;

/// Calls `body(begin, end)` on consecutive pieces of [0, n), as `vector_for` does. `cost` is the
/// number of elementary operations per element.
template <class Body>
void parallel_ranges(Index n, Index cost, Body&& body) {
  const Index pieces = (n + chunk - 1) / chunk;
  vector_for(pieces, n * cost, [&](Index piece) {
    const Index begin = piece * chunk, end = begin + chunk < n ? begin + chunk : n;
    body(begin, end);
  });
}

/// Adds up `partial(begin, end)` over consecutive pieces of [0, n), pairwise, in a fixed order.
template <class T, class Partial>
T parallel_sum(Index n, Index cost, Partial&& partial) {
  const Index pieces = (n + chunk - 1) / chunk;
  if (pieces <= 1) return n > 0 ? partial(Index{0}, n) : T(0);
  std::vector<T> sums(static_cast<std::size_t>(pieces));
  parallel_ranges(n, cost, [&](Index begin, Index end) {
    sums[static_cast<std::size_t>(begin / chunk)] = partial(begin, end);
  });
  for (std::size_t step = 1; step < sums.size(); step *= 2)
    for (std::size_t i = 0; i + step < sums.size(); i += 2 * step) sums[i] += sums[i + step];
  return sums[0];
}

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI {
using kernel::parallel_for;
}  // namespace ebb
