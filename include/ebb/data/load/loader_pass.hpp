/// \file
/// One pass of a loader over a dataset: its batches, made ahead of time by background threads.
#pragma once

#include <ebb/data/augment/transforms.hpp>
#include <ebb/data/sets/dataset.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// Some images (count, channels, height, width) and their labels (count).
struct Batch {
  Tensor<float, 4> images;
  Tensor<int, 1> labels;

  Index size() const { return labels.extent(0); }
};

struct LoaderOptions {
  Index batch_size = 64;
  bool shuffle = false;      ///< a new order each epoch: a pure function of seed and epoch
  bool drop_last = false;    ///< leave out the last batch when it is smaller than the others
  std::uint64_t seed = 0;    ///< of the order and of random transforms
  Index prefetch = 4;        ///< batches made ahead of time, where there are threads to make them
  int threads = 1;           ///< that make batches in the background; 0: made when asked for
  Transform transform = {};  ///< applied to each image, after bytes became floats from 0 to 1
};

namespace detail {

/// What an epoch's order and its samples' random numbers derive from.
constexpr RandomStream epoch_stream(std::uint64_t seed, std::uint64_t epoch) {
  return derive(derive({seed, 0}, 3), epoch);
}
/// The order of n samples in an epoch that shuffles them.
inline std::vector<Index> shuffled(Index n, RandomStream epoch) {
  return permutation(n, derive(epoch, 0));
}

/// One pass over a dataset: hands out batches in order, whichever thread made them.
template <Pixel T>
class Pass {
 public:
  Pass(const Dataset<T>& dataset, const LoaderOptions& options, std::uint64_t epoch)
      : dataset_(dataset), options_(options), random_(epoch_stream(options.seed, epoch)) {
    const Index n = dataset.size(), b = options.batch_size;
    batches_ = options.drop_last ? n / b : (n + b - 1) / b;
    if (batches_ == 0) return;
    if (options.shuffle) order_ = shuffled(n, random_);
    // The extents of the batches are those of the first image once transformed. Buffers for all
    // batches there can be at a time are taken here, so that how much memory a pass takes does not
    // depend on how its threads take turns.
    image_ = sample(source(0)).shape();
    slots_.resize(static_cast<std::size_t>(
        options.threads > 0 ? std::min(options.prefetch, batches_) + 1 : 1));
    for (Slot& slot : slots_) slot.buffer = buffer(std::min(n, b));
    try {
      for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
      fetch();
    } catch (...) {  // no more threads are to be had, or the first batch failed
      stop();        // those there are must end first
      throw;
    }
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;
  ~Pass() { stop(); }

  bool done() const { return next_ >= batches_; }
  const Batch& batch() const { return current_; }

  /// Gives the current batch's buffers back and waits for the next one.
  /// \throws what making it threw.
  void advance() {
    current_ = {};
    move_to(next_ + 1);
    if (!done()) fetch();
  }

 private:
  static constexpr std::uint64_t samples_key = 1;  // 0 is the order's

  struct Slot {
    Batch buffer;              ///< of a full batch, used again and again
    Batch made;                ///< what is handed out
    std::exception_ptr error;  ///< or what went wrong
    Index number = -1;         ///< of the batch that is ready in it
  };

  Slot& slot_of(Index number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }

  Batch buffer(Index count) const {
    return {Tensor<float, 4>({count, image_[0], image_[1], image_[2]}), Tensor<int, 1>({count})};
  }

  /// Position in the dataset of sample `i` of this pass.
  Index source(Index i) const { return order_.empty() ? i : order_[static_cast<std::size_t>(i)]; }

  void to_floats(Index position, float* to) const {
    const auto from = dataset_.image(position);
    for (Index i = 0; i < from.size(); ++i) to[i] = to_float(from.data[i]);
  }

  Image sample(Index position) const {
    Image x(dataset_.image(position).shape);
    to_floats(position, x.mutable_data());
    return options_.transform(
        x, derive(derive(random_, samples_key), static_cast<std::uint64_t>(position)));
  }

  /// Fills `slot` with batch number `number`, or with the exception that stopped that.
  void make(Index number, Slot& slot) {
    try {
      const Index first = number * options_.batch_size;
      const Index count = std::min(options_.batch_size, dataset_.size() - first);
      slot.made = {};
      if (count != slot.buffer.size()) {  // the last batch of a pass
        slot.made = buffer(count);
      } else {
        // A buffer somebody still holds is theirs now.
        if (slot.buffer.images.shared() || slot.buffer.labels.shared()) slot.buffer = buffer(count);
        slot.made = slot.buffer;
      }
      const Index pixels = image_.size();
      for (Index i = 0; i < count; ++i) {
        const Index position = source(first + i);
        float* to = slot.made.images.mutable_data() + i * pixels;
        slot.made.labels(i) = dataset_.label(position);
        if (!options_.transform) {
          to_floats(position, to);
          continue;
        }
        const Image x = sample(position);
        if (!(x.shape() == image_))
          throw ShapeError(message("loader: the transform gave image ", position, " the shape ",
                                   x.shape(), " and another one ", image_,
                                   "; the images of a batch must have one size, so let the "
                                   "transform end with a crop"));
        Cpu::copy(to, x.data(), static_cast<std::size_t>(pixels) * sizeof(float));
      }
    } catch (...) {
      slot.error = std::current_exception();
    }
  }

  /// Makes the next batch the current one.
  void fetch() {
    Slot& slot = slot_of(next_);
    if (threads_.empty()) {
      make(next_, slot);
    } else {
      std::unique_lock lock(mutex_);
      made_.wait(lock, [&] { return slot.number == next_; });
    }
    if (slot.error) {
      const std::exception_ptr error = slot.error;
      end();
      std::rethrow_exception(error);
    }
    current_ = std::move(slot.made);
  }

  void move_to(Index number) {
    {
      const std::scoped_lock lock(mutex_);
      next_ = number;
    }
    room_.notify_all();
  }

  /// A pass that failed has ended. No thread may begin another batch: its slot may be that of one
  /// that is still being made.
  void end() {
    const std::scoped_lock lock(mutex_);
    next_ = begun_ = batches_;
    room_.notify_all();
  }

  /// What a background thread does: makes the next batch nobody has begun, once its slot is free.
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      room_.wait(lock, [&] {
        return stopping_ || begun_ >= batches_ ||
               begun_ < next_ + static_cast<Index>(slots_.size());
      });
      if (stopping_ || begun_ >= batches_) return;
      const Index number = begun_++;
      Slot& slot = slot_of(number);
      lock.unlock();
      make(number, slot);
      lock.lock();
      slot.number = number;
      made_.notify_all();
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const Dataset<T> dataset_;
  const LoaderOptions options_;
  const RandomStream random_;
  Index batches_ = 0;
  std::vector<Index> order_;  ///< empty: as they come
  Shape<3> image_{};
  std::vector<Slot> slots_;
  Batch current_;

  std::mutex mutex_;
  std::condition_variable made_, room_;
  Index next_ = 0;   ///< number of the current batch; only the consumer writes it
  Index begun_ = 0;  ///< batches the threads have taken on
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace detail

}  // namespace ebb::data
