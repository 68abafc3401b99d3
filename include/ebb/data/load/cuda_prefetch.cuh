/// \file
/// Batches of a loader on the host, copied to the GPU ahead of time. Include it beside
/// <ebb/cuda.cuh>.
#pragma once

#include <ebb/data/load/cuda_loader.cuh>

#include <exception>
#include <memory>
#include <optional>
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

template <class Tens>
using on_cuda = Tensor<typename Tens::scalar, Tens::rank, Cuda>;

}  // namespace detail

/// The batches of a loader on the GPU, for data sets that do not fit there, or that are transformed
/// on the CPU:
///
///     data::Loader loader(train, {.batch_size = 64, .shuffle = true, .threads = 4});
///     data::CudaPrefetch batches(loader);
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [x, y] : batches) step(x, y);
///
/// While the GPU is at one batch, the next ones are copied from pinned memory on a stream of their
/// own; the GPU waits for a batch where that is not there yet, the host does not. The loader is any
/// range whose elements are two tensors in host memory; it must outlive this. One epoch is under
/// way at a time.
template <class HostLoader>
class CudaPrefetch {
  static auto types_of(HostLoader& loader) {
    auto it = loader.begin();
    const auto& [x, y] = *it;
    return std::pair(x, y);
  }
  using Types = decltype(types_of(std::declval<HostLoader&>()));
  using X = typename Types::first_type;
  using Y = typename Types::second_type;

 public:
  using Batch = CudaBatch<detail::on_cuda<X>, detail::on_cuda<Y>>;

  /// Keeps `ahead` batches on their way. \throws ValueError when that is less than 1.
  explicit CudaPrefetch(HostLoader& loader, int ahead = 2) : loader_(&loader) {
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

  /// Starts the loader's next epoch.
  Iterator begin() {
    source_.emplace(loader_->begin());
    begun_ = false;
    turn_ = 0;
    done_ = false;
    current_ = {};
    for (const auto& slot : slots_) send(*slot);
    receive();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  // --- the loader's own ---

  Index size() const { return loader_->size(); }
  std::uint64_t epoch() const { return loader_->epoch(); }
  void set_epoch(std::uint64_t epoch) { loader_->set_epoch(epoch); }
  const auto& dataset() const { return loader_->dataset(); }
  const auto& options() const { return loader_->options(); }

 private:
  using Source = decltype(std::declval<HostLoader&>().begin());

  struct Slot {
    detail::PinnedBuffer<typename X::scalar> images;
    detail::PinnedBuffer<typename Y::scalar> labels;
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
      if (*source_ == loader_->end()) return;
      slot.full = true;
      const auto& [x, y] = **source_;
      slot.images.fill(x);
      slot.labels.fill(y);
      // The memory is from the pool of the copies' stream: a block that a batch gave back comes
      // with the order behind the work that was asked of it.
      const gpu::AsideScope aside(copies_.stream());
      slot.batch.images = slot.images.sent(x.shape());
      slot.batch.labels = slot.labels.sent(y.shape());
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
    current_ = std::exchange(slot.batch, {});
  }

  void advance() {
    current_ = {};
    Slot& free = *slots_[turn_];
    turn_ = (turn_ + 1) % slots_.size();
    send(free);
    receive();
  }

  HostLoader* loader_;
  CudaStream copies_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::optional<Source> source_;
  bool begun_ = false, done_ = true;
  std::size_t turn_ = 0;  ///< the slot of the current batch
  Batch current_;
};

}  // namespace ebb::data
