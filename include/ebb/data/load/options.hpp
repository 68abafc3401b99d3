/// \file
/// How a loader loads.
#pragma once

#include <ebb/data/augment/transforms.hpp>
#include <ebb/data/load/sampling.hpp>

#include <optional>

namespace ebb::inline EBB_ABI::data {

/// The options of a loader whose samples are transformed by a `Transform`.
template <class Transform>
struct LoaderOptionsFor {
  Index batch_size = 64;
  /// How often each sample comes in an epoch, for random crops of it: none is once. Random
  /// transforms then draw by the place in the epoch, so that a sample looks different each time.
  std::optional<Index> repeats{};
  bool shuffle = false;    ///< a new order each epoch: a pure function of seed and epoch
  Sampling sampling{};     ///< other samples than each once: `weighted(...)`, `balanced(...)`
  bool drop_last = false;  ///< leave out the last batch when it is smaller than the others
  std::uint64_t seed = 0;  ///< of the order and of random transforms
  Index prefetch = 4;      ///< batches made ahead of time, where there are threads to make them
  int threads = 1;         ///< that make batches in the background; 0: made when asked for, by the
                           ///< thread that asks
  Transform transform = {};  ///< applied to each sample
  /// On a GPU: the images lie there as a whole, and no batch is copied (cuda_loader.cuh).
  bool resident = false;
};

/// The options of a loader of labelled images. Their transform is applied to each image, after
/// bytes became floats from 0 to 1.
using LoaderOptions = LoaderOptionsFor<Transform>;

namespace detail {

/// Samples in an epoch of a source of n, whole batches or not.
template <class T>
Index drawn_samples(const LoaderOptionsFor<T>& options, Index n) {
  if (options.sampling.draw) return options.sampling.samples;
  return n * options.repeats.value_or(1);
}
/// Batches in an epoch.
template <class T>
Index batches_of(const LoaderOptionsFor<T>& options, Index n) {
  const Index samples = drawn_samples(options, n), b = options.batch_size;
  return options.drop_last ? samples / b : (samples + b - 1) / b;
}

/// \throws ValueError when an option is out of its range.
template <class T>
void check(const LoaderOptionsFor<T>& options, Index n) {
  constexpr int most_threads = 256;
  if (options.batch_size < 1)
    throw ValueError(
        message("loader: a batch size of ", options.batch_size, " was given; use 1 or more"));
  if (options.threads < 0 || options.threads > most_threads)
    throw ValueError(message("loader: ", options.threads,
                             " threads were asked for; use 0 (make batches when they are asked "
                             "for) to ",
                             most_threads));
  if (options.threads > 0 && options.prefetch < 1)
    throw ValueError(message("loader: prefetching ", options.prefetch, " batches with ",
                             options.threads,
                             " threads was asked for; use 1 or more, or .threads = 0 for no "
                             "background work"));
  if (options.repeats && *options.repeats < 1)
    throw ValueError(
        message("loader: ", *options.repeats, " repeats were asked for; use 1 or more"));
  if (const Sampling& sampling = options.sampling; sampling.draw) {
    if (sampling.samples < 1 || (sampling.source > 0 && sampling.source != n))
      throw ValueError(
          message("loader: the sampling draws ", sampling.samples, " samples of a source of ",
                  sampling.source > 0 ? sampling.source : n, ", and this source has ", n,
                  "; draw 1 or more, and give as many weights as there are samples"));
    if (options.repeats)
      throw ValueError(
          "loader: repeats and a sampling were given, which both say how many samples an epoch "
          "has; leave repeats out and let the sampling draw more");
  }
  const Index samples = drawn_samples(options, n);
  if (options.drop_last && samples > 0 && samples < options.batch_size)
    throw ValueError(message("loader: a batch size of ", options.batch_size,
                             " with drop_last leaves nothing of an epoch of ", samples,
                             " samples; use a smaller batch size"));
}

/// The order of an epoch: which sample is at which place. Empty: as they come.
template <class T>
std::vector<Index> order_of(const LoaderOptionsFor<T>& options, Index n, RandomStream epoch) {
  const Sampling& sampling = options.sampling;
  if (!sampling.draw)
    return options.shuffle ? shuffled(drawn_samples(options, n), epoch) : std::vector<Index>();
  // Stream 0 is the shuffled order's, 1 the samples'.
  std::vector<Index> order = sampling.draw(n, derive(epoch, 2));
  bool right = static_cast<Index>(order.size()) == sampling.samples;
  for (const Index i : order) right = right && i >= 0 && i < n;
  if (!right)
    throw ValueError(message("loader: the sampling drew ", order.size(), " numbers; it must draw ",
                             sampling.samples, ", from 0 to ", n - 1));
  return order;
}

}  // namespace detail

}  // namespace ebb::data
