/// \file
/// Loaders whose batches are on the GPU. Include it beside <ebb/cuda.cuh>.
#pragma once

#include <ebb/data/load/cuda_prefetch.cuh>
#include <ebb/data/load/cuda_resident.cuh>
#include <ebb/data/load/loader.hpp>

#include <memory>
#include <type_traits>

namespace ebb::inline EBB_ABI::data {

namespace detail {

/// Sources that may lie on the GPU as a whole.
template <class S>
struct ResidentOf {
  struct type {};
};
template <Pixel T>
struct ResidentOf<Dataset<T>> {
  using type = Resident<T>;
};

}  // namespace detail

/// A loader whose batches are on the GPU: the device is the third argument.
///
///     data::Loader loader(train, {.batch_size = 64, .shuffle = true, .drop_last = true,
///                                 .transform = data::Normalize(0.1307f, 0.3081f),
///                                 .resident = true}, Cuda{});
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [x, y] : loader) step(x, y);
///
/// The batches are those of the loader on the CPU, to the last bit. It makes them there, and copies
/// them ahead of time (`CudaPrefetch`); with `.resident = true` the images lie on the GPU as they
/// are, bytes or floats, and a kernel gathers each batch and normalises it. A captured step may
/// then also load its own batches: `const auto [x, y] = loader.next()` inside it gathers the next
/// batch at each replay, with nothing copied. One epoch is under way at a time.
template <class S>
class Loader<S, Cuda> {
  using Host = Loader<S, Cpu>;
  using Resident = typename detail::ResidentOf<S>::type;
  static constexpr bool may_reside = !std::is_empty_v<Resident>;

 public:
  using Options = typename Host::Options;
  using Batch = detail::cuda_batch_of<typename Host::Batch>;

  /// \throws ValueError when an option is out of its range, or the source cannot lie on the GPU;
  /// ShapeError when the normalisation is of another number of channels; OutOfMemory when the data
  /// set does not fit the GPU.
  explicit Loader(S source, Options options, Cuda = {}) : options_(options) {
    options.resident = false;
    host_ = std::make_unique<Host>(std::move(source), std::move(options));
    if (!options_.resident)
      streamed_ = std::make_unique<CudaPrefetch<Host>>(*host_);
    else if constexpr (may_reside)
      resident_ = std::make_unique<Resident>(host_->source(), options_);
    else
      throw ValueError(
          "cuda loader: only labelled images (data::Dataset) can lie on the GPU as a whole; leave "
          "resident out, and batches are copied there ahead of time");
  }

  /// The epoch under way; it must not outlive the loader.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;

    explicit Iterator(Loader& of) : of_(&of) {}
    const Batch& operator*() const {
      return of_->with([](auto& from) -> const Batch& { return from.current(); });
    }
    const Batch* operator->() const { return &**this; }
    Iterator& operator++() {
      of_->with([](auto& from) { from.advance(); });
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.ended(); }

   private:
    bool ended() const {
      return of_->with([](auto& from) { return from.done(); });
    }
    Loader* of_;
  };

  /// Starts the next epoch.
  Iterator begin() {
    with([](auto& from) { from.start(); });
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  /// The next batch of epochs that follow each other without end. In a step that is being captured,
  /// each replay gathers the batch after the last one.
  /// \throws ValueError when the data set does not lie on the GPU, or the last batch of an epoch is
  /// smaller and `drop_last` is not said.
  Batch next() requires may_reside {
    if (!resident_)
      throw ValueError(
          "cuda loader: next() gathers batches from a data set on the GPU; set resident");
    return resident_->next();
  }

  /// Number of the epoch the next loop will be, or that `next()` is in.
  std::uint64_t epoch() const {
    if constexpr (may_reside)
      if (resident_) return resident_->epoch();
    return host_->epoch();
  }
  void set_epoch(std::uint64_t epoch) {
    if constexpr (may_reside)
      if (resident_) resident_->set_epoch(epoch);
    host_->set_epoch(epoch);
  }

  /// Batches per epoch.
  Index size() const { return host_->size(); }
  /// Samples per epoch.
  Index samples() const { return host_->samples(); }
  const S& source() const { return host_->source(); }
  const Options& options() const { return options_; }

 private:
  /// Calls f with what makes the batches.
  template <class F>
  decltype(auto) with(F&& f) {
    if constexpr (may_reside)
      if (resident_) return f(*resident_);
    return f(*streamed_);
  }

  Options options_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Resident> resident_;
  std::unique_ptr<CudaPrefetch<Host>> streamed_;
};

template <class S>
Loader(S, LoaderOptionsFor<detail::transform_of<S>>, Cuda) -> Loader<S, Cuda>;

}  // namespace ebb::data
