#include "batches.hpp"

#include <ebb/device/cpu/parallel.hpp>

using ebb::Index;

namespace {

// Mean and standard deviation of MNIST's training pixels, from 0 to 1.
constexpr float mean = 0.1307f, deviation = 0.3081f;

}  // namespace

void fill(Batch& batch, const ebb::data::Dataset<>& from, const Index* positions,
          const ebb::RandomStream* random, Index first) {
  constexpr Index size = 28, margin = (size - crop) / 2;
  constexpr float scale = 1 / (255 * deviation), shift = -mean / deviation;
  const std::uint8_t* const pixels = from.images().data();
  const int* const labels = from.labels().data();
  float* const images = batch.images.mutable_data();
  int* const classes = batch.labels.mutable_data();
  const auto draw = [&](Index i) {
    return random ? random->below(3, static_cast<std::uint64_t>(i)) - 1 : 0;
  };
  ebb::parallel_for(batch.labels.size(), batch.images.size(), [&](Index i) {
    const Index top = margin + draw(2 * (first + i)), left = margin + draw(2 * (first + i) + 1);
    const std::uint8_t* row = pixels + positions[i] * size * size + top * size + left;
    float* to = images + i * crop * crop;
    for (Index y = 0; y < crop; ++y, row += size, to += crop)
      for (Index x = 0; x < crop; ++x) to[x] = static_cast<float>(row[x]) * scale + shift;
    classes[i] = labels[positions[i]];
  });
}
