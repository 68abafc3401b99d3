/// \file
/// Batches of images with their masks, transformed alike.
#pragma once

#include <ebb/data/augment/paired.hpp>
#include <ebb/data/load/loader.hpp>
#include <ebb/data/sets/masked_images.hpp>

#include <functional>

namespace ebb::inline EBB_ABI::data {

/// Some images (count, channels, height, width) and the classes of their pixels (count, height,
/// width).
struct PairBatch {
  Tensor<float, 4> images;
  Tensor<int, 3> masks;

  Index size() const { return images.extent(0); }
};

/// Transforms an image, of floats from 0 to 1, and its mask: `ComposePairs` and what goes into it.
using PairTransform = std::function<ImageAndMask(const ImageAndMask&, RandomStream)>;

struct PairLoaderOptions {
  Index batch_size = 4;
  Index repeats = 1;          ///< how often an image is shown in an epoch: for random crops of it
  bool shuffle = false;       ///< a new order each epoch: a pure function of seed and epoch
  std::uint64_t seed = 0;     ///< of the order and of random transforms
  PairTransform transform{};  ///< must give all images one size
};

/// Batches made when they are asked for, by the threads of the library; each loop is one epoch:
///
///     PairLoader loader(set, {.batch_size = 4, .shuffle = true, .transform = crop_and_flip});
///     for (int epoch = 0; epoch < 3; ++epoch)
///       for (const auto& [images, masks] : loader) ...
///
/// The epoch counts up by itself with each loop; `set_epoch` sets it, to resume a run or to repeat
/// an epoch. The same seed and epoch give the same bits, whatever the number of threads.
/// \throws ValueError when there are no images, or an option makes no sense; while it goes over
/// them, what the transform throws, and ShapeError when it gives images of different sizes.
class PairLoader {
 public:
  PairLoader(MaskedImages set, PairLoaderOptions options)
      : set_(std::move(set)), options_(std::move(options)) {
    if (set_.size() < 1 || options_.batch_size < 1 || options_.repeats < 1)
      throw ValueError(message("PairLoader: ", set_.size(), " images, a batch size of ",
                               options_.batch_size, " and ", options_.repeats,
                               " repeats were given; all must be 1 or more"));
  }

  const MaskedImages& dataset() const { return set_; }
  const PairLoaderOptions& options() const { return options_; }
  /// Images in an epoch, with their repeats.
  Index samples() const { return set_.size() * options_.repeats; }
  /// Batches in an epoch.
  Index size() const { return (samples() + options_.batch_size - 1) / options_.batch_size; }
  /// Number of the epoch the next loop will be.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

  class Iterator {
   public:
    using value_type = PairBatch;
    using difference_type = std::ptrdiff_t;

    Iterator(const PairLoader& loader, RandomStream random) : loader_(&loader), random_(random) {
      if (loader.options_.shuffle) order_ = detail::shuffled(loader.samples(), random);
    }
    PairBatch operator*() const { return loader_->batch(batch_, order_, random_); }
    Iterator& operator++() {
      ++batch_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return batch_ >= loader_->size(); }

   private:
    const PairLoader* loader_;
    RandomStream random_;  ///< of the epoch
    Index batch_ = 0;
    std::vector<Index> order_;
  };
  /// Starts the next epoch.
  Iterator begin() { return {*this, detail::epoch_stream(options_.seed, epoch_++)}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  ImageAndMask sample(Index which, Index position, RandomStream random) const {
    const Index n = which % set_.size();
    const Size2 size = set_.size_of(n);
    ImageAndMask x{Image({set_.channels(), size.height, size.width}), set_.mask(n)};
    const ByteImage bytes = set_.image(n);
    for (Index i = 0; i < x.image.size(); ++i)
      x.image.mutable_data()[i] = detail::to_float(bytes.data()[i]);
    if (!options_.transform) return x;
    return options_.transform(x, derive(derive(random, 1), static_cast<std::uint64_t>(position)));
  }

  PairBatch batch(Index number, const std::vector<Index>& order, RandomStream random) const {
    const Index first = number * options_.batch_size;
    const Index count = std::min(options_.batch_size, samples() - first);
    std::vector<ImageAndMask> parts(static_cast<std::size_t>(count));
    std::vector<std::exception_ptr> faults(parts.size());
    parallel_for(count, count * set_.image_size().area() * 100, [&](Index i) {
      try {
        const Index at = first + i;
        parts[static_cast<std::size_t>(i)] =
            sample(order.empty() ? at : order[static_cast<std::size_t>(at)], at, random);
      } catch (...) {
        faults[static_cast<std::size_t>(i)] = std::current_exception();
      }
    });
    for (const auto& fault : faults)
      if (fault) std::rethrow_exception(fault);
    const Shape<3> shape = parts[0].image.shape();
    PairBatch made{Tensor<float, 4>({count, shape[0], shape[1], shape[2]}),
                   Tensor<int, 3>({count, shape[1], shape[2]})};
    for (Index i = 0; i < count; ++i) {
      const ImageAndMask& x = parts[static_cast<std::size_t>(i)];
      if (x.image.shape() != shape)
        throw ShapeError(message("PairLoader: the transform made images of shapes ", shape, " and ",
                                 x.image.shape(), "; a batch needs one: crop last"));
      std::copy_n(x.image.data(), x.image.size(), made.images.mutable_data() + i * x.image.size());
      std::copy_n(x.mask.data(), x.mask.size(), made.masks.mutable_data() + i * x.mask.size());
    }
    return made;
  }

  MaskedImages set_;
  PairLoaderOptions options_;
  std::uint64_t epoch_ = 0;
};

}  // namespace ebb::data
