/// \file
/// Batches of a data set that lies on the GPU as a whole: nothing but the order of each epoch goes
/// there while training. Include it beside <ebb/cuda.cuh>.
#pragma once

#include <ebb/core/replay.hpp>
#include <ebb/data/load/cuda_gather.cuh>
#include <ebb/data/load/loader.hpp>
#include <ebb/device/cuda/step.cuh>
#include <ebb/tensor/storage.cuh>

#include <limits>
#include <optional>

namespace ebb::inline EBB_ABI::data {

/// Some images (count, channels, height, width) on the GPU, and what they are: labels (count), or
/// what else a loader gives.
template <class X = Tensor<float, 4, Cuda>, class Y = Tensor<int, 1, Cuda>>
struct CudaBatch {
  X images;
  Y labels;

  Index size() const { return labels.extent(0); }
};

struct CudaLoaderOptions {
  Index batch_size = 64;
  bool shuffle = false;    ///< a new order each epoch, the same as a Loader's of this seed
  bool drop_last = false;  ///< leave out the last batch when it is smaller than the others
  std::uint64_t seed = 0;
  std::optional<Normalize> normalize{};  ///< after bytes became floats from 0 to 1
};

/// Batches of a data set that it keeps on the GPU, for a range-based for loop:
///
///     data::CudaLoader loader(train, {.batch_size = 64, .shuffle = true, .drop_last = true,
///                                     .normalize = data::Normalize(0.1307f, 0.3081f)});
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [x, y] : loader) step(x, y);
///
/// The batches are those of a `Loader` with the same options, to the last bit. A captured step may
/// also load its own batches: `const auto [x, y] = loader.next()` inside it gathers the next batch
/// at each replay, with nothing copied. The loader must then stay where it is.
template <Pixel T>
class CudaLoader {
 public:
  /// \throws ValueError when an option is out of its range, ShapeError when the normalisation is
  /// of another number of channels, OutOfMemory when the data set does not fit the GPU.
  explicit CudaLoader(Dataset<T> dataset, CudaLoaderOptions options = {})
      : dataset_(std::move(dataset)), options_(std::move(options)) {
    check();
    const Index n = dataset_.size(), channels = dataset_.channels();
    images_ = to<Cuda>(dataset_.images());
    labels_ = to<Cuda>(dataset_.labels());
    if (options_.shuffle) orders_ = Tensor<int, 1, Cuda>({2 * n});
    if (options_.normalize) {
      const auto each = [&](const std::vector<float>& v) {
        return Tensor<float, 1, Cuda>::from(
            {channels},
            v.size() == 1 ? std::vector<float>(static_cast<std::size_t>(channels), v[0]) : v);
      };
      mean_ = each(options_.normalize->mean());
      std_ = each(options_.normalize->std());
    }
  }

  /// One epoch under way; it must not outlive the loader.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = CudaBatch<>;

    Iterator(CudaLoader& loader, std::uint64_t epoch) : loader_(&loader), epoch_(epoch) { load(); }
    const CudaBatch<>& operator*() const { return batch_; }
    const CudaBatch<>* operator->() const { return &batch_; }
    Iterator& operator++() {
      batch_ = {};
      ++number_;
      load();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      return it.number_ >= it.loader_->size();
    }

   private:
    void load() {
      if (number_ < loader_->size()) batch_ = loader_->batch(epoch_, number_);
    }

    CudaLoader* loader_;
    std::uint64_t epoch_;
    Index number_ = 0;
    CudaBatch<> batch_;
  };

  /// Starts the next epoch.
  Iterator begin() {
    turn_ = 0;
    return Iterator(*this, epoch_++);
  }
  std::default_sentinel_t end() const { return {}; }

  /// The next batch of epochs that follow each other without end. In a step that is being captured,
  /// each replay gathers the batch after the last one.
  /// \throws ValueError when the last batch of an epoch is smaller and `drop_last` is not said.
  CudaBatch<> next() {
    const Index b = options_.batch_size;
    if (size() == 0 || (!options_.drop_last && dataset_.size() % b != 0))
      throw ValueError(message("cuda loader: next() gives batches of one size, ", b,
                               ", but the last of an epoch of ", dataset_.size(),
                               " images is smaller; set drop_last, or use another batch size"));
    CudaBatch<> made = empty_batch(b);
    const detail::BatchPlace place = next_place();
    const detail::BatchPlace* later = nullptr;
    if (auto* const step = gpu::detail::step_numbers) {
      const auto room = step->template take<detail::BatchPlace>(1);
      *room.host = place;
      later = room.device;
    }
    detail::gather(source(), b, place, later, made.images.mutable_data(),
                   made.labels.mutable_data());
    on_replay([this] {
      const detail::BatchPlace again = next_place();
      *gpu::detail::step_numbers->template take<detail::BatchPlace>(1).host = again;
    });
    return made;
  }

  /// Number of the epoch the next loop will be, or that `next()` is in.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) {
    epoch_ = epoch;
    turn_ = 0;
  }

  /// Batches per epoch.
  Index size() const {
    const Index n = dataset_.size(), b = options_.batch_size;
    return options_.drop_last ? n / b : (n + b - 1) / b;
  }
  const Dataset<T>& dataset() const { return dataset_; }
  const CudaLoaderOptions& options() const { return options_; }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};

  void check() const {
    const Index n = dataset_.size(), b = options_.batch_size;
    if (b < 1)
      throw ValueError(message("cuda loader: a batch size of ", b, " was given; use 1 or more"));
    if (options_.drop_last && n > 0 && n < b)
      throw ValueError(message("cuda loader: a batch size of ", b,
                               " with drop_last leaves nothing of a dataset of ", n,
                               " images; use a smaller batch size"));
    if (n > std::numeric_limits<int>::max() / 2)
      throw ValueError(message("cuda loader: ", n, " images are more than can be numbered"));
    if (!options_.normalize) return;
    const auto given = static_cast<Index>(options_.normalize->mean().size());
    if (given != 1 && given != dataset_.channels())
      throw ShapeError(message("cuda loader: ", given, " means were given for images of ",
                               dataset_.channels(), " channels"));
  }

  detail::GatherSource<T> source() const {
    const Index plane = dataset_.image_size().height * dataset_.image_size().width;
    return {images_.data(),
            labels_.data(),
            orders_.defined() ? orders_.data() : nullptr,
            mean_.defined() ? mean_.data() : nullptr,
            std_.defined() ? std_.data() : nullptr,
            dataset_.channels() * plane,
            plane};
  }

  CudaBatch<> empty_batch(Index count) const {
    Shape<4> shape = dataset_.images().shape();
    shape[0] = count;
    return {Tensor<float, 4, Cuda>(shape), Tensor<int, 1, Cuda>({count})};
  }

  /// Sees that the order of an epoch is on the GPU, where there is room for two.
  void hold(std::uint64_t epoch) {
    if (!options_.shuffle || held_[epoch % 2] == epoch) return;
    const std::vector<Index> order =
        detail::shuffled(dataset_.size(), detail::epoch_stream(options_.seed, epoch));
    const std::vector<int> narrow(order.begin(), order.end());
    Cuda::upload(orders_.mutable_data() + order_of(epoch), narrow.data(),
                 narrow.size() * sizeof(int));
    held_[epoch % 2] = epoch;
  }
  Index order_of(std::uint64_t epoch) const {
    return options_.shuffle && epoch % 2 == 1 ? dataset_.size() : 0;
  }

  CudaBatch<> batch(std::uint64_t epoch, Index number) {
    hold(epoch);
    const Index first = number * options_.batch_size, rest = dataset_.size() - first;
    const Index count = options_.batch_size < rest ? options_.batch_size : rest;
    CudaBatch<> made = empty_batch(count);
    detail::gather(source(), count, {first, order_of(epoch)}, nullptr, made.images.mutable_data(),
                   made.labels.mutable_data());
    return made;
  }

  /// While a step is recorded nothing can be uploaded, so the order of the epoch after this one is
  /// there already.
  detail::BatchPlace next_place() {
    if (!recording_step()) {
      hold(epoch_);
      hold(epoch_ + 1);
    } else if (options_.shuffle && held_[epoch_ % 2] != epoch_) {
      throw ValueError(
          "cuda loader: a captured step takes more batches than an epoch has; use a smaller batch "
          "size");
    }
    const detail::BatchPlace place{turn_ * options_.batch_size, order_of(epoch_)};
    if (++turn_ == size()) {
      turn_ = 0;
      ++epoch_;
    }
    return place;
  }

  Dataset<T> dataset_;
  CudaLoaderOptions options_;
  Tensor<T, 4, Cuda> images_;
  Tensor<int, 1, Cuda> labels_, orders_;
  Tensor<float, 1, Cuda> mean_, std_;
  std::uint64_t held_[2] = {none, none};
  std::uint64_t epoch_ = 0;
  Index turn_ = 0;  ///< the batch of the epoch that `next()` gives
};

}  // namespace ebb::data
