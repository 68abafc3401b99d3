/// \file
/// Batches of a data set that lies on the GPU as a whole: nothing but the order of each epoch goes
/// there while training.
#pragma once

#include <ebb/core/replay.hpp>
#include <ebb/data/load/cuda_batch.cuh>
#include <ebb/data/load/cuda_gather.cuh>
#include <ebb/data/load/options.hpp>
#include <ebb/device/cuda/step.cuh>
#include <ebb/tensor/storage.cuh>

#include <limits>

namespace ebb::inline EBB_ABI::data::detail {

/// A data set on the GPU, whose batches a kernel gathers, turns into floats and normalises.
template <Pixel T>
class Resident {
 public:
  /// \throws ValueError when the transform is another one than Normalize or there are too many
  /// images, ShapeError when the normalisation is of another number of channels, OutOfMemory when
  /// the data set does not fit the GPU.
  Resident(const Dataset<T>& dataset, LoaderOptions options)
      : shape_(dataset.images().shape()), options_(std::move(options)) {
    const Normalize* const normalize = options_.transform.template as<Normalize>();
    check(normalize);
    images_ = to<Cuda>(dataset.images());
    labels_ = to<Cuda>(dataset.labels());
    if (ordered()) orders_ = Tensor<int, 1, Cuda>({2 * samples()});
    if (normalize) {
      const Index channels = shape_[1];
      const auto each = [&](const std::vector<float>& v) {
        return Tensor<float, 1, Cuda>::from(
            {channels},
            v.size() == 1 ? std::vector<float>(static_cast<std::size_t>(channels), v[0]) : v);
      };
      mean_ = each(normalize->mean());
      std_ = each(normalize->std());
    }
  }

  /// Starts the next epoch.
  void start() {
    turn_ = 0;
    number_ = 0;
    running_ = epoch_++;
    load();
  }
  bool done() const { return number_ >= size(); }
  const CudaBatch& current() const { return current_; }
  void advance() {
    ++number_;
    load();
  }

  /// The next batch of epochs that follow each other without end. In a step that is being captured,
  /// each replay gathers the batch after the last one.
  /// \throws ValueError when the last batch of an epoch is smaller and `drop_last` is not said.
  CudaBatch next() {
    const Index b = options_.batch_size;
    if (size() == 0 || (!options_.drop_last && samples() % b != 0))
      throw ValueError(message("cuda loader: next() gives batches of one size, ", b,
                               ", but the last of an epoch of ", samples(),
                               " images is smaller; set drop_last, or use another batch size"));
    CudaBatch made = empty_batch(b);
    const BatchPlace place = next_place();
    const BatchPlace* later = nullptr;
    if (auto* const step = gpu::detail::step_numbers) {
      const auto room = step->template take<BatchPlace>(1);
      *room.host = place;
      later = room.device;
    }
    gather(source(), b, place, later, made.images.mutable_data(), made.labels.mutable_data());
    ebb::detail::on_replay([this] {
      const BatchPlace again = next_place();
      *gpu::detail::step_numbers->template take<BatchPlace>(1).host = again;
    });
    return made;
  }

  /// Number of the epoch the next loop will be, or that `next()` is in.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) {
    epoch_ = epoch;
    turn_ = 0;
  }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};

  Index samples() const { return drawn_samples(options_, shape_[0]); }
  Index size() const { return batches_of(options_, shape_[0]); }
  /// Whether samples come in another order than they lie, or more than once.
  bool ordered() const {
    return options_.shuffle || options_.repeats.value_or(1) > 1 || options_.sampling.draw;
  }

  void check(const Normalize* normalize) const {
    if (options_.transform && !normalize)
      throw ValueError(
          "cuda loader: images that lie on the GPU can be normalised and no more; let the "
          "transform "
          "be one data::Normalize, or leave resident out, and batches are transformed on the CPU");
    if (samples() > std::numeric_limits<int>::max() / 2)
      throw ValueError(
          message("cuda loader: ", samples(), " images are more than can be numbered"));
    if (!normalize) return;
    const auto given = static_cast<Index>(normalize->mean().size());
    if (given != 1 && given != shape_[1])
      throw ShapeError(message("cuda loader: ", given, " means were given for images of ",
                               shape_[1], " channels"));
  }

  GatherSource<T> source() const {
    const Index plane = shape_[2] * shape_[3];
    return {images_.data(),
            labels_.data(),
            orders_.defined() ? orders_.data() : nullptr,
            mean_.defined() ? mean_.data() : nullptr,
            std_.defined() ? std_.data() : nullptr,
            shape_[1] * plane,
            plane};
  }

  CudaBatch empty_batch(Index count) const {
    return {Tensor<float, 4, Cuda>({count, shape_[1], shape_[2], shape_[3]}),
            Tensor<int, 1, Cuda>({count})};
  }

  /// Sees that the order of an epoch is on the GPU, where there is room for two.
  void hold(std::uint64_t epoch) {
    if (!ordered() || held_[epoch % 2] == epoch) return;
    const std::vector<Index> order =
        order_of(options_, shape_[0], epoch_stream(options_.seed, epoch));
    std::vector<int> narrow(static_cast<std::size_t>(samples()));
    for (std::size_t i = 0; i < narrow.size(); ++i)
      narrow[i] = static_cast<int>((order.empty() ? static_cast<Index>(i) : order[i]) % shape_[0]);
    Cuda::upload(orders_.mutable_data() + place_of(epoch), narrow.data(),
                 narrow.size() * sizeof(int));
    held_[epoch % 2] = epoch;
  }
  Index place_of(std::uint64_t epoch) const { return ordered() && epoch % 2 == 1 ? samples() : 0; }

  /// Makes the batch whose turn it is in a loop.
  void load() {
    current_ = {};
    if (done()) return;
    hold(running_);
    const Index first = number_ * options_.batch_size, rest = samples() - first;
    const Index count = options_.batch_size < rest ? options_.batch_size : rest;
    current_ = empty_batch(count);
    gather(source(), count, {first, place_of(running_)}, nullptr, current_.images.mutable_data(),
           current_.labels.mutable_data());
  }

  /// While a step is recorded nothing can be uploaded, so the order of the epoch after this one is
  /// there already.
  BatchPlace next_place() {
    if (!ebb::detail::recording_step()) {
      hold(epoch_);
      hold(epoch_ + 1);
    } else if (ordered() && held_[epoch_ % 2] != epoch_) {
      throw ValueError(
          "cuda loader: a captured step takes more batches than an epoch has; use a smaller batch "
          "size");
    }
    const BatchPlace place{turn_ * options_.batch_size, place_of(epoch_)};
    if (++turn_ == size()) {
      turn_ = 0;
      ++epoch_;
    }
    return place;
  }

  const Shape<4> shape_;  ///< of all images
  const LoaderOptions options_;
  Tensor<T, 4, Cuda> images_;
  Tensor<int, 1, Cuda> labels_, orders_;
  Tensor<float, 1, Cuda> mean_, std_;
  std::uint64_t held_[2] = {none, none};
  std::uint64_t epoch_ = 0;
  Index turn_ = 0;             ///< the batch of the epoch that `next()` gives
  std::uint64_t running_ = 0;  ///< the epoch of the loop
  Index number_ = 0;           ///< and its current batch
  CudaBatch current_;
};

}  // namespace ebb::data::detail
