/// \file
/// Batches of any source of samples: shuffled, weighted, transformed, and made ahead of time by
/// background threads.
#pragma once

#include <ebb/data/load/loader_pass.hpp>
#include <ebb/data/sets/dataset.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI::data {

/// Batches of a source's samples, for a range-based for loop; each loop is one epoch:
///
///     Loader loader(train, {.batch_size = 64, .shuffle = true, .seed = 1});
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [images, labels] : loader) ...
///
/// A source is a `Dataset`, `MaskedImages`, a `TensorSet` or a type of one's own (source.hpp).
/// Order and random transforms are pure functions of (seed, epoch, sample): the batches are the
/// same bits whatever the number of threads. The epoch counts up by itself with each loop;
/// `set_epoch` sets it, to resume a run or to repeat an epoch. Batches may be kept: the loader
/// makes itself a new buffer then. What a source or a transform throws is thrown by the loop, at
/// the batch it belongs to, and names the sample; leaving the loop early ends the threads.
template <class S, class Device = Cpu>
class Loader {
  static_assert(detail::expect_source<S>());
  static_assert(std::is_same_v<Device, Cpu>,
                "ebb::data::Loader: include <ebb/data/load/cuda_loader.cuh> for batches on a GPU");

 public:
  using Options = LoaderOptionsFor<detail::transform_of<S>>;
  using Batch = detail::batch_of<S>;

  /// \throws ValueError when an option is out of its range.
  explicit Loader(S source, Options options = {}) {
    const auto samples = static_cast<Index>(source.size());
    detail::check(options, samples);
    if (options.resident)
      throw ValueError(
          "loader: resident says that the images lie on a GPU; give the loader Cuda{} as its third "
          "argument, or leave resident out");
    from_ = std::make_shared<const detail::Loaded<S>>(
        detail::Loaded<S>{std::move(source), std::move(options), samples});
  }

  /// One epoch under way; moves only.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;

    explicit Iterator(std::unique_ptr<detail::Pass<S>> pass) : pass_(std::move(pass)) {}
    const Batch& operator*() const { return pass_->batch(); }
    const Batch* operator->() const { return &pass_->batch(); }
    Iterator& operator++() {
      pass_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.pass_->done(); }

   private:
    std::unique_ptr<detail::Pass<S>> pass_;
  };

  /// Starts the next epoch.
  Iterator begin() { return Iterator(std::make_unique<detail::Pass<S>>(from_, epoch_++)); }
  std::default_sentinel_t end() const { return {}; }

  /// Number of the epoch the next loop will be.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

  /// Batches per epoch.
  Index size() const { return detail::batches_of(options(), from_->samples); }
  /// Samples per epoch, with their repeats and without those that drop_last leaves out.
  Index samples() const {
    return options().drop_last ? size() * options().batch_size
                               : detail::drawn_samples(options(), from_->samples);
  }
  const S& source() const { return from_->source; }
  const Options& options() const { return from_->options; }

 private:
  std::shared_ptr<const detail::Loaded<S>> from_;
  std::uint64_t epoch_ = 0;
};

template <class S>
Loader(S) -> Loader<S>;
template <class S>
Loader(S, LoaderOptionsFor<detail::transform_of<S>>) -> Loader<S>;

}  // namespace ebb::data
