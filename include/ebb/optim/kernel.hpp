/// \file
/// The kernel every update rule becomes: one pass over all parameters at once.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/optim/rule.hpp>
#include <ebb/tape/factors.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::kernel {

/// The numbers of a parameter's update, which differ from step to step.
template <class R>
struct UpdateNumbers {
  R rule;
  optim::detail::Prepared<R> step;
};

/// One parameter's share of a step: plain pointers and numbers, so that it can be copied to where
/// the kernel runs.
template <class R, class T>
struct UpdateJob : UpdateNumbers<R> {
  T* weight = nullptr;
  const T* gradient = nullptr;
  Factors<T> factors = {};  ///< of the gradient, where it is not written out
  T* state[R::states > 0 ? R::states : 1] = {};
  int states_used = R::states;
  Index size = 0;
  Index first_piece = 0;  ///< position of its first piece of `chunk` elements among all pieces
};

/// What a device looks at before it updates anything: where `norm`, a number in its memory, is not
/// finite, it leaves all as it is, and counts that.
struct UpdateGate {
  const double* norm = nullptr;  ///< nothing to look at
  std::int64_t* left_out = nullptr;
};

namespace detail {

/// Updates element `i`. A function of its own, with constant indices, so that the copies of the
/// states become registers and the loop over elements vectorises.
template <class R, class Step, class T, std::size_t... Used>
inline void update_one(const R& rule, const Step& step, T* weight, const T* gradient,
                       T* const* state, Index i, std::index_sequence<Used...>) {
  T local[R::states > 0 ? R::states : 1] = {state[Used][i]...};
  T w = weight[i];
  rule.update(w, gradient[i], local, step);
  weight[i] = w;
  ((state[Used][i] = local[Used]), ...);
}

/// Updates elements [begin, end) with the first `Used` states.
template <int Used, class R, class T>
void update_range(const UpdateJob<R, T>& job, Index begin, Index end) {
  const R rule = job.rule;  // copies, so that the loop below sees constants
  const auto step = job.step;
  T* const weight = job.weight;
  const T* const gradient = job.gradient;
  T* state[R::states > 0 ? R::states : 1] = {};
  for (int k = 0; k < Used; ++k) state[k] = job.state[k];
  EBB_SIMD
  for (Index i = begin; i < end; ++i)
    update_one(rule, step, weight, gradient, state, i,
               std::make_index_sequence<std::size_t{Used}>{});
}

template <int Used, class R, class T>
void update_piece(const UpdateJob<R, T>& job, Index begin, Index end) {
  if constexpr (Used == optim::detail::fewest_states<R>()) {
    update_range<Used>(job, begin, end);
  } else {
    if (job.states_used == Used)
      update_range<Used>(job, begin, end);
    else
      update_piece<Used - 1>(job, begin, end);
  }
}

/// Updates elements [begin, end); a gradient in factors is expanded into the nearest cache first.
template <class R, class T>
inline void update_elements(const UpdateJob<R, T>& job, Index begin, Index end) {
  if (!job.factors) return update_piece<R::states>(job, begin, end);
  constexpr Index room = 2048;
  T gradient[room];
  UpdateJob<R, T> part = job;
  part.gradient = gradient;
  for (; begin < end; begin += room) {
    const Index count = end - begin < room ? end - begin : room;
    job.factors.expand(job.factors, begin, begin + count, gradient);
    part.weight = job.weight + begin;
    for (int k = 0; k < job.states_used; ++k) part.state[k] = job.state[k] + begin;
    update_piece<R::states>(part, 0, count);
  }
}

}  // namespace detail

/// Kernel: applies a rule to every element of every job, in one parallel loop over pieces of equal
/// size, so that many small parameters cost no more than one large one.
template <class R, class T>
void update_parameters(Cpu, const UpdateJob<R, T>* jobs, Index count) {
  if (count == 0) return;
  const UpdateJob<R, T>& last = jobs[count - 1];
  const Index pieces = last.first_piece + divide_up(last.size, chunk);
  Index elements = 0;
  for (Index j = 0; j < count; ++j) elements += jobs[j].size;
  vector_for(pieces, elements * (2 + R::states), [&](Index piece) {
    Index low = 0, high = count;  // the job this piece belongs to
    while (high - low > 1) {
      const Index middle = (low + high) / 2;
      (jobs[middle].first_piece <= piece ? low : high) = middle;
    }
    const UpdateJob<R, T>& job = jobs[low];
    const Index begin = (piece - job.first_piece) * chunk;
    detail::update_elements(job, begin, begin + chunk < job.size ? begin + chunk : job.size);
  });
}

}  // namespace ebb::kernel

/// Lists the kernel of an update rule, at the end of its header (device/compiled.hpp).
#define EBB_COMPILED_RULE(R)                                                                    \
  EBB_COMPILED(                                                                                 \
      void kernel::update_parameters<R, float>(Cpu, const kernel::UpdateJob<R, float>*, Index)) \
  EBB_COMPILED(                                                                                 \
      void kernel::update_parameters<R, double>(Cpu, const kernel::UpdateJob<R, double>*, Index))
