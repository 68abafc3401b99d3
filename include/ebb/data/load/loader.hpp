/// \file
/// Batches of a dataset, shuffled, transformed and made ahead of time by background threads.
#pragma once

#include <ebb/data/load/loader_pass.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace ebb::inline EBB_ABI::data {

/// Batches of a dataset, for a range-based for loop; each loop is one epoch:
///
///     Loader loader(train, {.batch_size = 64, .shuffle = true, .seed = 1});
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [images, labels] : loader) ...
///
/// Order and random transforms are pure functions of (seed, epoch, position in the dataset): the
/// batches are the same bits whatever the number of threads. The epoch counts up by itself with
/// each loop; `set_epoch` sets it, to resume a run or to repeat an epoch. Batches may be kept: the
/// loader makes itself a new buffer then. What a transform throws is thrown by the loop, at the
/// batch it belongs to; leaving the loop early ends the threads.
template <Pixel T>
class Loader {
 public:
  /// \throws ValueError when an option is out of its range.
  explicit Loader(Dataset<T> dataset, LoaderOptions options = {})
      : dataset_(std::move(dataset)), options_(std::move(options)) {
    if (options_.batch_size < 1)
      throw ValueError(
          message("loader: a batch size of ", options_.batch_size, " was given; use 1 or more"));
    if (options_.threads < 0 || options_.threads > most_threads)
      throw ValueError(message("loader: ", options_.threads,
                               " threads were asked for; use 0 (make "
                               "batches when they are asked for) to ",
                               most_threads));
    if (options_.threads > 0 && options_.prefetch < 1)
      throw ValueError(message("loader: prefetching ", options_.prefetch, " batches with ",
                               options_.threads,
                               " threads was asked for; use 1 or more, or .threads "
                               "= 0 for no background work"));
    if (options_.drop_last && dataset_.size() > 0 && dataset_.size() < options_.batch_size)
      throw ValueError(message("loader: a batch size of ", options_.batch_size,
                               " with drop_last "
                               "leaves nothing of a dataset of ",
                               dataset_.size(),
                               " images; use a "
                               "smaller batch size"));
  }

  /// One epoch under way; moves only.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;

    explicit Iterator(std::unique_ptr<detail::Pass<T>> pass) : pass_(std::move(pass)) {}
    const Batch& operator*() const { return pass_->batch(); }
    const Batch* operator->() const { return &pass_->batch(); }
    Iterator& operator++() {
      pass_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.pass_->done(); }

   private:
    std::unique_ptr<detail::Pass<T>> pass_;
  };

  /// Starts the next epoch.
  Iterator begin() {
    return Iterator(std::make_unique<detail::Pass<T>>(dataset_, options_, epoch_++));
  }
  std::default_sentinel_t end() const { return {}; }

  /// Number of the epoch the next loop will be.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

  /// Batches per epoch.
  Index size() const {
    const Index n = dataset_.size(), b = options_.batch_size;
    return options_.drop_last ? n / b : (n + b - 1) / b;
  }
  const Dataset<T>& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }

 private:
  static constexpr int most_threads = 256;

  Dataset<T> dataset_;
  LoaderOptions options_;
  std::uint64_t epoch_ = 0;
};

}  // namespace ebb::data
