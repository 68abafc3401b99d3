/// \file
/// Batches of a loader on the host, copied to the GPU ahead of time. Include it beside
/// <ebb/cuda.cuh>.
#pragma once

#include <ebb/data/load/cuda_batch.cuh>
#include <ebb/device/cuda/step.cuh>

#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::data {

namespace detail {

/// A tensor's elements in pinned memory, which grows to the largest tensor.
template <class T>
class PinnedBuffer {
 public:
  /// Copies x there, once what was there before has arrived on the GPU.
  template <int N>
  void fill(const Tensor<T, N>& x) {
    if (!host_ || host_->size() < x.size()) host_ = std::make_unique<CudaHost<T>>(x.size());
    host_->wait();
    Cpu::copy(host_->data(), x.data(), static_cast<std::size_t>(x.size()) * sizeof(T));
  }
  /// A tensor of the GPU with these elements; on the current stream.
  template <int N>
  Tensor<T, N, Cuda> sent(const Shape<N>& shape) {
    const Tensor<T, N, Cuda> x(shape);
    host_->upload_to(x.mutable_data(), x.size());
    return x;
  }

 private:
  std::unique_ptr<CudaHost<T>> host_;
};

/// Room in pinned memory for each part of a batch.
template <class HostBatch>
struct PinnedParts {
  template <class... Part>
  static std::tuple<PinnedBuffer<typename Part::scalar>...> of(
      std::type_identity<std::tuple<Part&...>>);
  using type = decltype(of(std::type_identity<fields_of<HostBatch>>()));
};

}  // namespace detail

/// The batches of any range on the host, copied to the GPU ahead of time. A `Loader` on `Cuda` does
/// so with those of its source; this is for a range of one's own:
///
///     data::CudaPrefetch batches(range);
///     for (const auto& [x, y] : batches) step(x, y);
///
/// While the GPU is at one batch, the next ones are copied from pinned memory on a stream of their
/// own; the GPU waits for a batch where that is not there yet, the host does not. The range's
/// elements are structs or tuples of tensors in host memory; it must outlive this. One pass is
/// under way at a time.
template <class Range>
class CudaPrefetch {
  using HostBatch = std::remove_cvref_t<decltype(*std::declval<Range&>().begin())>;

 public:
  using Batch = detail::cuda_batch_of<HostBatch>;

  /// Keeps `ahead` batches on their way. \throws ValueError when that is less than 1.
  explicit CudaPrefetch(Range& range, int ahead = 2) : range_(&range) {
    if (ahead < 1)
      throw ValueError(message("cuda prefetch: ", ahead,
                               " batches ahead were asked for; use 1 or more, 2 as a rule"));
    for (int i = 0; i < ahead; ++i) slots_.push_back(std::make_unique<Slot>());
  }

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;

    explicit Iterator(CudaPrefetch& of) : of_(&of) {}
    const Batch& operator*() const { return of_->current_; }
    const Batch* operator->() const { return &of_->current_; }
    Iterator& operator++() {
      of_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.ended(); }

   private:
    bool ended() const { return of_->done_; }

    CudaPrefetch* of_;
  };

  /// Starts the next pass over the range.
  Iterator begin() {
    start();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  // --- the same without an iterator ---

  void start() {
    source_.emplace(range_->begin());
    begun_ = false;
    turn_ = 0;
    done_ = false;
    current_ = Batch();
    for (const auto& slot : slots_) send(*slot);
    receive();
  }
  bool done() const { return done_; }
  const Batch& current() const { return current_; }
  void advance() {
    current_ = Batch();
    Slot& free = *slots_[turn_];
    turn_ = (turn_ + 1) % slots_.size();
    send(free);
    receive();
  }

 private:
  using Source = decltype(std::declval<Range&>().begin());

  struct Slot {
    typename detail::PinnedParts<const HostBatch>::type pinned;
    gpu::Event arrived;
    Batch batch;               ///< on its way, or there
    std::exception_ptr error;  ///< or what went wrong
    bool full = false;
  };

  /// The next batch of the loader on its way to the GPU, if there is one.
  void send(Slot& slot) {
    slot.error = nullptr;
    slot.full = false;
    try {
      if (begun_) ++*source_;
      begun_ = true;
      if (*source_ == range_->end()) return;
      slot.full = true;
      const HostBatch& batch = **source_;
      const auto from = detail::fields(batch);
      const auto to = detail::fields(slot.batch);
      [&]<std::size_t... k>(std::index_sequence<k...>) {
        (std::get<k>(slot.pinned).fill(std::get<k>(from)), ...);
        // The memory is from the pool of the copies' stream: a block that a batch gave back comes
        // with the order behind the work that was asked of it.
        const gpu::AsideScope aside(copies_.stream());
        ((std::get<k>(to) = std::get<k>(slot.pinned).sent(std::get<k>(from).shape())), ...);
      }
      (std::make_index_sequence<std::tuple_size_v<decltype(from)>>());
      slot.arrived.record(copies_.stream());
    } catch (...) {
      slot.full = true;  // thrown at the batch it belongs to
      slot.error = std::current_exception();
    }
  }

  /// Makes the batch whose turn it is the current one.
  void receive() {
    Slot& slot = *slots_[turn_];
    if (!slot.full) {
      done_ = true;
      return;
    }
    if (slot.error) {
      done_ = true;  // an epoch that failed has ended
      source_.reset();
      std::rethrow_exception(slot.error);
    }
    slot.arrived.hold(gpu::stream());
    current_ = std::exchange(slot.batch, Batch());
  }

  Range* range_;
  CudaStream copies_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::optional<Source> source_;
  bool begun_ = false, done_ = true;
  std::size_t turn_ = 0;  ///< the slot of the current batch
  Batch current_;
};

}  // namespace ebb::data
