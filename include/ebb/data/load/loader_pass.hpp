/// \file
/// One pass of a loader over a source: its batches in order, whichever thread made them.
#pragma once

#include <ebb/data/load/background.hpp>
#include <ebb/data/load/options.hpp>
#include <ebb/data/load/sample_error.hpp>
#include <ebb/data/load/source.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

/// What the passes of a loader share.
template <class S>
struct Loaded {
  S source;
  LoaderOptionsFor<transform_of<S>> options;
  Index samples = 0;  ///< of the source
};

/// One pass over a source.
template <class S>
class Pass {
 public:
  using Batch = batch_of<S>;

  Pass(std::shared_ptr<const Loaded<S>> from, std::uint64_t epoch)
      : from_(std::move(from)), random_(epoch_stream(from_->options.seed, epoch)) {
    const auto& options = from_->options;
    batches_ = batches_of(options, from_->samples);
    if (batches_ == 0) return;
    by_place_ = options.repeats.has_value() || options.sampling.draw;
    order_ = order_of(options, from_->samples, random_);
    const Index slots = options.threads > 0 ? std::min(options.prefetch, batches_) + 1 : 1;
    slots_.resize(static_cast<std::size_t>(slots));
    if constexpr (collates<S>()) {
      // Buffers for all batches there can be at a time are taken here, by this thread, so that how
      // much memory a pass takes does not depend on how its threads take turns.
      if (!(HasBatch<S> && !options.transform)) {
        first_.emplace(sample(sample_at(0), random_at(0)));
        const Index count = std::min(options.batch_size, drawn_samples(options, from_->samples));
        for (Slot& slot : slots_) make_room(*first_, count, slot.buffer);
      }
    }
    if (options.threads > 0)
      background_ = std::make_unique<Background>(options.threads, batches_, slots,
                                                 [this](Index number) { make(number); });
    fetch();
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  bool done() const { return next_ >= batches_; }
  const Batch& batch() const { return current_; }

  /// Gives the current batch's buffers back and waits for the next one.
  /// \throws what making it threw.
  void advance() {
    current_ = Batch();
    ++next_;
    if (!done()) fetch();
  }

 private:
  static constexpr std::uint64_t samples_key = 1;  // 0 is the order's

  struct Slot {
    Batch buffer;              ///< of a full batch, used again and again
    Batch made;                ///< what is handed out
    std::exception_ptr error;  ///< or what went wrong
  };

  Slot& slot_of(Index number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }

  /// The number in the source of the sample at place `at` of this epoch.
  Index sample_at(Index at) const {
    return (order_.empty() ? at : order_[static_cast<std::size_t>(at)]) % from_->samples;
  }
  RandomStream random_at(Index at) const {
    const Index by = by_place_ ? at : sample_at(at);
    return derive(derive(random_, samples_key), static_cast<std::uint64_t>(by));
  }

  /// Fills the slot of batch number `number`, or notes the exception that stopped that.
  void make(Index number) {
    Slot& slot = slot_of(number);
    try {
      const Index first = number * from_->options.batch_size;
      const Index samples = drawn_samples(from_->options, from_->samples);
      const Index count = std::min(from_->options.batch_size, samples - first);
      slot.made = Batch();
      if constexpr (HasBatch<S>) {
        if (!from_->options.transform) return at_once(first, count, slot);
      }
      if constexpr (collates<S>()) one_by_one(first, count, slot);
    } catch (...) {
      slot.error = std::current_exception();
    }
  }

  /// A source that makes whole batches makes this one.
  void at_once(Index first, Index count, Slot& slot) {
    std::vector<Index> samples(static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) samples[static_cast<std::size_t>(i)] = sample_at(first + i);
    try {
      if constexpr (RandomBatch<S>) {
        std::vector<RandomStream> randoms(samples.size());
        for (Index i = 0; i < count; ++i)
          randoms[static_cast<std::size_t>(i)] = random_at(first + i);
        slot.made = from_->source.batch(std::span<const Index>(samples),
                                        std::span<const RandomStream>(randoms));
      } else {
        slot.made = from_->source.batch(std::span<const Index>(samples));
      }
    } catch (...) {
      throw_from_sample(samples[0], "the batch that begins with sample");
    }
  }

  auto sample(Index number, RandomStream random) const {
    try {
      auto made = get(from_->source, number, random);
      if (const auto& transform = from_->options.transform) {
        if constexpr (requires { made = transform(std::move(made), random); }) {
          made = transform(std::move(made), random);
        } else if constexpr (requires {
                               std::get<0>(fields(made)) =
                                   transform(std::get<0>(fields(made)), random);
                             }) {
          auto& part = std::get<0>(fields(made));
          part = transform(part, random);
        }
      }
      return made;
    } catch (...) {
      throw_from_sample(number);
    }
  }

  void one_by_one(Index first, Index count, Slot& slot) {
    // A smaller last batch has memory of its own, so that the next pass finds all as it was.
    const bool full = count == from_->options.batch_size || batches_ == 1;
    const auto take_room = [&](const auto& like) {
      make_room(like, count, full ? slot.buffer : slot.made);
      if (full) slot.made = slot.buffer;
    };
    if constexpr (requires { from_->source.put(first, slot.made, first); }) {
      if (!from_->options.transform) {  // its samples have one size
        take_room(*first_);
        for (Index i = 0; i < count; ++i) from_->source.put(sample_at(first + i), slot.made, i);
        return;
      }
    }
    for (Index i = 0; i < count; ++i) {
      const Index number = sample_at(first + i);
      const auto made = first + i == 0 ? *std::exchange(first_, std::nullopt)
                                       : sample(number, random_at(first + i));
      if (i == 0) take_room(made);
      if (const std::string wrong = put_sample(made, slot.made, i); !wrong.empty())
        throw ShapeError(message("loader: with sample ", number, " the batch has ", wrong,
                                 "; the samples of a batch must have one size, so let the "
                                 "transform end with a crop, or use a batch size of 1"));
    }
  }

  /// Makes the next batch the current one.
  void fetch() {
    if (background_)
      background_->want(next_);
    else
      make(next_);
    Slot& slot = slot_of(next_);
    if (slot.error) {
      const std::exception_ptr error = slot.error;
      next_ = batches_;  // a pass that failed has ended
      if (background_) background_->end();
      std::rethrow_exception(error);
    }
    current_ = std::move(slot.made);
  }

  const std::shared_ptr<const Loaded<S>> from_;
  const RandomStream random_;
  Index batches_ = 0;
  bool by_place_ = false;     ///< what random transforms draw by
  std::vector<Index> order_;  ///< empty: as they come
  std::optional<typename SampleOf<S>::type>
      first_;  ///< sample of the epoch, until it is in a batch
  std::vector<Slot> slots_;
  Batch current_;
  Index next_ = 0;                          ///< number of the current batch
  std::unique_ptr<Background> background_;  ///< last: its threads use what is above
};

}  // namespace ebb::data::detail
