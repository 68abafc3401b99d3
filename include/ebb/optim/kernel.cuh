/// \file
/// CUDA kernel of every update rule: one launch for all parameters.
#pragma once

#include <ebb/device/cuda_step.cuh>
#include <ebb/device/math.hpp>
#include <ebb/optim/kernel.hpp>

namespace ebb {

namespace detail {

/// Jobs as an argument of the kernel: they travel with the launch, so nothing is uploaded and the
/// host never waits. Devices of compute capability 7.0 and above take 32764 bytes of arguments
/// (CUDA C++ Programming Guide, "__global__ function argument processing"); half of that holds
/// about 80 parameters, and a network of more takes a few launches.
template <class R, class T>
struct UpdateTable {
  static constexpr int room = static_cast<int>(16000 / sizeof(UpdateJob<R, T>));
  Index count;
  UpdateJob<R, T> jobs[room];
};

/// Elements that a block updates before it looks for its next job.
inline constexpr Index update_elements_a_block = 1024;

template <int Used, class R, class T>
EBB_DEVICE void update_strip(const UpdateJob<R, T>& job, const UpdateNumbers<R>& numbers,
                             Index begin, Index end) {
  for (Index i = begin + threadIdx.x; i < end; i += blockDim.x) {
    T local[R::states > 0 ? R::states : 1] = {};
    EBB_UNROLL
    for (int k = 0; k < Used; ++k) local[k] = job.state[k][i];
    T w = job.weight[i];
    numbers.rule.update(w, job.gradient[i], local, numbers.step);
    job.weight[i] = w;
    EBB_UNROLL
    for (int k = 0; k < Used; ++k) job.state[k][i] = local[k];
  }
}

template <int Used, class R, class T>
EBB_DEVICE void update_strip_of(const UpdateJob<R, T>& job, const UpdateNumbers<R>& numbers,
                                Index begin, Index end) {
  if constexpr (Used == optim::detail::fewest_states<R>()) {
    update_strip<Used>(job, numbers, begin, end);
  } else {
    if (job.states_used == Used)
      update_strip<Used>(job, numbers, begin, end);
    else
      update_strip_of<Used - 1>(job, numbers, begin, end);
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
    update_strip_of<R::states>(job, own, begin, end < job.size ? end : job.size);
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
    for (Index j = 0; j < table.count; ++j) {
      table.jobs[j] = jobs[done + j];
      table.jobs[j].first_piece = strips;
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

}  // namespace ebb
