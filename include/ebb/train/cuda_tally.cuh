/// \file
/// Loss and accuracy of an epoch, added up on the GPU, so that a step need not be waited for.
/// Include it beside <ebb/cuda.cuh>.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/device/math.hpp>
#include <ebb/tensor/storage.cuh>

namespace ebb::inline EBB_ABI {

/// What a `CudaTally` has counted.
struct TallyCounts {
  long long steps = 0, samples = 0;
  long long bad_step = 0;  ///< the first, from 1, whose loss was nan or infinite; 0: none was
  double bad_loss = 0;     ///< and what it was
  unsigned long long correct = 0, labels = 0;
};

namespace detail {

/// One thread: a step is one number.
template <class T>
EBB_KERNEL tally_loss_kernel(const T* loss, Index samples, double* sum, TallyCounts* counts) {
  if (gpu::thread() != 0) return;
  const double value = static_cast<double>(*loss);
  *sum += value * static_cast<double>(samples);
  counts->samples += samples;
  ++counts->steps;
  if (!math::is_finite(value) && counts->bad_step == 0) {
    counts->bad_step = counts->steps;
    counts->bad_loss = value;
  }
}

/// A thread looks at the scores of one position after another, as `Accuracy` does. (Whole numbers:
/// their sum does not depend on who adds first.)
template <class T>
EBB_KERNEL tally_correct_kernel(Index positions, Index classes, Index inner, const T* scores,
                                const int* labels, int ignore_index, TallyCounts* counts) {
  unsigned correct = 0, counted = 0;
  for (Index i = gpu::thread(); i < positions; i += gpu::threads()) {
    const int truth = labels[i];
    // (The loss says so of a label that is no class.)
    if (truth == ignore_index || truth < 0 || truth >= classes) continue;
    const T* const score = scores + i / inner * classes * inner + i % inner;
    const T mine = score[truth * inner];
    bool first = mine == mine;
    for (Index c = 0; c < truth; ++c) first = first && score[c * inner] < mine;
    for (Index c = truth + 1; c < classes; ++c) first = first && score[c * inner] <= mine;
    correct += first ? 1u : 0u;
    ++counted;
  }
  correct = gpu::warp_sum(correct);
  counted = gpu::warp_sum(counted);
  if (threadIdx.x % 32 == 0 && counted > 0) {
    atomicAdd(&counts->correct, static_cast<unsigned long long>(correct));
    atomicAdd(&counts->labels, static_cast<unsigned long long>(counted));
  }
}

}  // namespace detail

/// Running loss and accuracy in device memory. `add` waits for nothing and may stand in a captured
/// step; `read` waits.
///
///     CudaTally tally;
///     auto step = capture([&](const auto& x, const auto& y) {
///       ...
///       tally.add(loss.value(), x.extent(0));
///       return loss;
///     }, images, labels);
///     for (const auto& [x, y] : loader) step(x, y);
///     std::printf("%g\n", tally.read().loss());
///
/// It must stay where it is while a captured step uses it.
class CudaTally {
 public:
  struct Totals : TallyCounts {
    double loss_sum = 0;

    /// Mean over the samples; 0 when there are none.
    double loss() const { return samples > 0 ? loss_sum / static_cast<double>(samples) : 0.0; }
    /// Share of right answers, in [0, 1]; 0 when no scores were added.
    double accuracy() const {
      return labels > 0 ? static_cast<double>(correct) / static_cast<double>(labels) : 0.0;
    }
  };

  CudaTally() { reset(); }
  CudaTally(const CudaTally&) = delete;
  CudaTally& operator=(const CudaTally&) = delete;

  /// Begins at nothing again, behind the steps asked for so far.
  void reset() {
    const double zero = 0;
    const TallyCounts none;
    Cuda::upload(loss_sum_.mutable_data(), &zero, sizeof zero);
    Cuda::upload(counts_.data(), &none, sizeof none);
  }

  /// The mean loss of a batch of `samples`.
  template <class T>
  void add(const Tensor<T, 0, Cuda>& loss, Index samples) {
    gpu::launch(1, 32, 0, detail::tally_loss_kernel<T>, loss.data(), samples,
                loss_sum_.mutable_data(), counts_.data());
  }

  /// How many of the scores (B, C, ...) are highest for the class in `labels` (B, ...), as
  /// `Accuracy` counts them. \throws ShapeError when the shapes do not belong together.
  template <class T, int N>
  void add_scores(const Tensor<T, N, Cuda>& scores, const Tensor<int, N - 1, Cuda>& labels,
                  int ignore_index = -100) {
    static_assert(N >= 2, "CudaTally: scores have at least two axes, (batch, classes, ...)");
    const Index classes = scores.extent(1), positions = labels.size();
    Shape<N - 1> expected{};
    expected[0] = scores.extent(0);
    for (int axis = 2; axis < N; ++axis) expected[axis - 1] = scores.extent(axis);
    if (!(labels.shape() == expected))
      throw ShapeError(message("CudaTally: scores of shape ", scores.shape(),
                               " need labels of shape ", expected,
                               ", one class index for each; these have shape ", labels.shape()));
    if (positions == 0) return;
    gpu::launch(gpu::blocks_for(positions), gpu::block_size, 0, detail::tally_correct_kernel<T>,
                positions, classes, scores.shape().stride(1), scores.data(), labels.data(),
                ignore_index, counts_.data());
  }

  /// The sum of loss times samples, on the GPU: not a finite number from the first such loss on, so
  /// that `opt.step_if_finite(tally.loss_sum())` leaves the weights as they were then.
  const Tensor<double, 1, Cuda>& loss_sum() const { return loss_sum_; }

  /// What was added since the beginning. Waits for it.
  /// \throws ValueError when a label was no class.
  Totals read() const {
    Totals totals;
    Cuda::download(&static_cast<TallyCounts&>(totals), counts_.data(), sizeof(TallyCounts));
    Cuda::download(&totals.loss_sum, loss_sum_.data(), sizeof(double));
    return totals;
  }

 private:
  Tensor<double, 1, Cuda> loss_sum_{Shape<1>{1}};
  kernel::CudaScratch<TallyCounts> counts_{1};
};

}  // namespace ebb
