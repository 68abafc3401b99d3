/// \file
/// The little that kernels share with the host through device memory, so that a step never waits
/// for the GPU and can be captured into a graph: what changes from one replay of a captured step to
/// the next (`StepState`), and what a kernel found wrong (`Faults`).
///
/// A captured kernel is replayed with the very arguments it was captured with. What must differ
/// each time, it reads through a pointer:
///
///     template <class T>
///     EBB_KERNEL noise_kernel(Index n, RandomStream stream, const gpu::StepState* state, T* y) {
///       stream = gpu::shifted(stream, state);
///       for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = stream.uniform<T>(i);
///     }
///     gpu::launch(blocks, threads, 0, noise_kernel<T>, n, stream, gpu::step_state(), y);
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/device/gpu/launch.cuh>
#include <ebb/device/gpu/memory.cuh>

#include <atomic>
#include <mutex>

namespace ebb::inline EBB_ABI::gpu {

/// What a captured step reads from device memory. Outside a captured step it is all zeros.
struct StepState {
  /// Added to every stream of random numbers: a replay draws the streams that the same step, run
  /// eagerly, would have drawn from the default generator.
  RandomStream shift;
};

/// The stream this run of the step draws from, for one that was taken when it was captured.
EBB_DEVICE RandomStream shifted(const RandomStream& stream, const StepState* state) {
  return {stream.seed + state->shift.seed, stream.stream + state->shift.stream};
}

/// What kernels found wrong, for the host to throw at the next read-back (`Cuda::download`).
/// All ones: nothing. Filled with atomic minima, so the report does not depend on the order of
/// threads.
struct Faults {
  unsigned long long bad_label;  ///< position << 25 | label + 2^24, of the first label out of range
  unsigned long long classes;    ///< number of classes << 32 | ignore_index, of that loss
  unsigned long long no_label;   ///< 0: the mean of no term was asked for
};

/// Notes a label that is neither a class nor the ignored one. The kernel must then go on without
/// it, and read nothing out of bounds.
EBB_DEVICE void report_bad_label(Faults* faults, Index position, int label, Index classes,
                                 int ignore_index) {
  constexpr int bound = 1 << 24;
  const int shown = label < -bound ? -bound : label >= bound ? bound - 1 : label;
  atomicMin(&faults->bad_label, static_cast<unsigned long long>(position) << 25 |
                                    static_cast<unsigned long long>(shown + bound));
  atomicMin(&faults->classes,
            static_cast<unsigned long long>(classes) << 32 | static_cast<unsigned>(ignore_index));
}

/// Notes that a mean was wanted of a batch in which no label counts.
EBB_DEVICE void report_no_label(Faults* faults) { atomicMin(&faults->no_label, 0ull); }

namespace detail {

/// The state of the captured step that the calling thread is recording, if it is.
inline const StepState*& captured_state() {
  static thread_local const StepState* state = nullptr;
  return state;
}

template <class State>
State* new_state(unsigned char byte) {
  unsigned char bytes[sizeof(State)];
  std::memset(bytes, byte, sizeof bytes);
  auto* const state = static_cast<State*>(allocate(sizeof(State)));
  upload(state, bytes, sizeof bytes);
  return state;
}

/// Whether any kernel was ever given the faults: reading them back is spared until then.
inline std::atomic<bool>& faults_are_watched() {
  static std::atomic<bool> watched{false};
  return watched;
}

}  // namespace detail

/// What to hand to a kernel that draws random numbers. Not while capturing for the first time: the
/// first run of a captured step sees to that.
inline const StepState* step_state() {
  if (detail::captured_state()) return detail::captured_state();
  static StepState* const zeros = detail::new_state<StepState>(0);  // lives as long as the process
  return zeros;
}

/// What to hand to a kernel that checks values the host does not see.
inline Faults* faults() {
  static Faults* const all = detail::new_state<Faults>(0xff);
  detail::faults_are_watched() = true;
  return all;
}

/// Waits for the GPU and throws what kernels reported since the last call.
/// \throws ValueError on labels that are no classes.
inline void check_faults() {
  if (!detail::faults_are_watched()) return;
  constexpr unsigned long long none = ~0ull;
  Faults found;
  download(&found, faults(), sizeof found);
  if (found.bad_label == none && found.no_label == none) return;
  const Faults clear{none, none, none};
  upload(faults(), &clear, sizeof clear);
  if (found.bad_label != none) {
    const auto classes = static_cast<Index>(found.classes >> 32);
    throw ValueError(message(
        "a loss on class numbers: label ",
        static_cast<Index>(found.bad_label & 0x1ffffff) - (1 << 24), " at position ",
        static_cast<Index>(found.bad_label >> 25), " is out of range; with ", classes,
        " classes labels are 0 to ", classes - 1, ", or ",
        static_cast<int>(found.classes & 0xffffffff),
        " to be ignored. The GPU found it in a step that has been run since the last result was "
        "read back"));
  }
  throw ValueError(
      "a loss on class numbers: every label of the batch is the ignored one, and the mean of no "
      "terms is not defined; skip such a batch, or use Reduction::sum, which is 0");
}

}  // namespace ebb::gpu
