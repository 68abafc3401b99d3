/// \file
/// CUDA kernel of every update rule: one launch for all parameters.
#pragma once

#include <ebb/device/cuda/step.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/device/math.hpp>
#include <ebb/optim/kernel.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Jobs as an argument of the kernel: they travel with the launch, so nothing is uploaded and the
/// host never waits. Devices of compute capability 7.0 and above take 32764 bytes of arguments
/// (CUDA C++ Programming Guide, "__global__ function argument processing"); half of that holds
/// about 80 parameters, and a network of more takes a few launches.
template <class R, class T>
struct UpdateTable {
  static constexpr int room = static_cast<int>(16000 / sizeof(UpdateJob<R, T>));
  Index count;
  bool packs;  ///< of all jobs' memory: sixteen bytes at a time
  UpdateJob<R, T> jobs[room];
};

template <class R, class T>
bool packable(const UpdateJob<R, T>& job) {
  bool all = gpu::packable(job.weight, job.gradient);
  for (int k = 0; k < job.states_used; ++k) all = all && gpu::packable(job.state[k]);
  return all;
}

/// Elements that a block updates before it looks for its next job.
inline constexpr Index update_elements_a_block = 1024;

/// V elements from i on: all of them are loaded before the first is stored.
template <int V, int Used, class R, class T>
EBB_DEVICE void update_pack(const UpdateJob<R, T>& job, const UpdateNumbers<R>& numbers, Index i) {
  constexpr int states = R::states > 0 ? R::states : 1;
  auto w = gpu::load_pack<V>(job.weight + i);
  const auto g = gpu::load_pack<V>(job.gradient + i);
  gpu::Pack<T, V> state[states] = {};
  EBB_UNROLL
  for (int k = 0; k < Used; ++k) state[k] = gpu::load_pack<V>(job.state[k] + i);
  EBB_UNROLL
  for (int e = 0; e < V; ++e) {
    T local[states] = {};
    EBB_UNROLL
    for (int k = 0; k < Used; ++k) local[k] = state[k][e];
    numbers.rule.update(w[e], g[e], local, numbers.step);
    EBB_UNROLL
    for (int k = 0; k < Used; ++k) state[k][e] = local[k];
  }
  gpu::store_pack(job.weight + i, w);
  EBB_UNROLL
  for (int k = 0; k < Used; ++k) gpu::store_pack(job.state[k] + i, state[k]);
}

/// Updates wait for memory: sixteen bytes an access where addresses permit.
template <int Used, class R, class T>
EBB_DEVICE void update_strip(const UpdateJob<R, T>& job, const UpdateNumbers<R>& numbers,
                             Index begin, Index end, bool packs) {
  constexpr int V = gpu::pack_of<T>;
  Index i = begin + threadIdx.x;
  if (packs) {
    const Index whole = begin + (end - begin) / V * V;
    for (Index p = begin + V * static_cast<Index>(threadIdx.x); p < whole; p += V * blockDim.x)
      update_pack<V, Used>(job, numbers, p);
    i = whole + threadIdx.x;
  }
  for (; i < end; i += blockDim.x) update_pack<1, Used>(job, numbers, i);
}

template <int Used, class R, class T>
EBB_DEVICE void update_strip_of(const UpdateJob<R, T>& job, const UpdateNumbers<R>& numbers,
                                Index begin, Index end, bool packs) {
  if constexpr (Used == optim::detail::fewest_states<R>()) {
    update_strip<Used>(job, numbers, begin, end, packs);
  } else {
    if (job.states_used == Used)
      update_strip<Used>(job, numbers, begin, end, packs);
    else
      update_strip_of<Used - 1>(job, numbers, begin, end, packs);
  }
}

/// A block takes strips of `update_elements_a_block` elements; `first_piece` counts in strips. The
/// jobs' numbers are read from `numbers` where that is given: in a captured step, whose arguments
/// stay what they were.
template <class R, class T>
EBB_KERNEL update_kernel(const UpdateTable<R, T> table, Index strips,
                         const UpdateNumbers<R>* numbers, UpdateGate gate) {
  if (gate.norm && !math::is_finite(*gate.norm)) {
    if (gate.left_out && gpu::thread() == 0) ++*gate.left_out;
    return;
  }
  for (Index strip = blockIdx.x; strip < strips; strip += gridDim.x) {
    Index low = 0, high = table.count;  // the job this strip belongs to
    while (high - low > 1) {
      const Index middle = (low + high) / 2;
      (table.jobs[middle].first_piece <= strip ? low : high) = middle;
    }
    const UpdateJob<R, T>& job = table.jobs[low];
    const Index begin = (strip - job.first_piece) * update_elements_a_block;
    const Index end = begin + update_elements_a_block;
    UpdateNumbers<R> own = job;
    if (numbers) own = numbers[low];
    update_strip_of<R::states>(job, own, begin, end < job.size ? end : job.size, table.packs);
  }
}

}  // namespace detail

/// Kernel: applies a rule to every element of every job. While a step is captured, and before each
/// replay, its numbers are left where the captured kernels read them. The gate is looked at by the
/// kernels, so that nothing waits for what it says.
template <class R, class T>
void update_parameters(Cuda, const UpdateJob<R, T>* jobs, Index count, UpdateGate gate = {}) {
  using Table = detail::UpdateTable<R, T>;
  static_assert(Table::room > 0, "an update rule with so many settings does not fit the launch");
  gpu::StepNumbers* const step = gpu::detail::step_numbers;
  gpu::StepNumbers::Room<UpdateNumbers<R>> room{};
  if (step) {
    room = step->take<UpdateNumbers<R>>(count);
    for (Index j = 0; j < count; ++j) room.host[j] = jobs[j];
    if (step->replaying()) return;
  }
  Table table{};
  for (Index done = 0; done < count; done += table.count) {
    table.count = count - done < Table::room ? count - done : Table::room;
    Index strips = 0;
    table.packs = true;
    for (Index j = 0; j < table.count; ++j) {
      table.jobs[j] = jobs[done + j];
      table.jobs[j].first_piece = strips;
      table.packs = table.packs && detail::packable(jobs[done + j]);
      strips += (jobs[done + j].size + detail::update_elements_a_block - 1) /
                detail::update_elements_a_block;
    }
    if (strips == 0) continue;
    const Index most = static_cast<Index>(16) * gpu::multiprocessors();
    gpu::launch(static_cast<int>(strips < most ? strips : most), gpu::block_size, 0,
                detail::update_kernel<R, T>, table, strips,
                room.device ? room.device + done : nullptr, gate);
    gate.left_out = nullptr;  // one launch counts for all
  }
}

}  // namespace ebb::kernel
