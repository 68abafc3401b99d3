/// \file
/// The kernel of a loader whose data set lies on the GPU: gathers a batch, turns bytes into floats
/// and normalises them, all in one pass.
#pragma once

#include <ebb/device/gpu/pack.cuh>

#include <cstdint>

namespace ebb::inline EBB_ABI::data {

namespace detail {

EBB_DEVICE float pixel_as_float(std::uint8_t byte) { return static_cast<float>(byte) / 255.0f; }
EBB_DEVICE float pixel_as_float(float value) { return value; }

/// Where a batch begins.
struct BatchPlace {
  Index first = 0;  ///< its first sample's position in the epoch
  Index order = 0;  ///< and where the epoch's order begins among the orders
};

/// A data set on the GPU, and how it is read.
template <class T>
struct GatherSource {
  const T* images = nullptr;
  const int* labels = nullptr;
  const int* orders = nullptr;  ///< positions of samples; absent: as they come
  const float* mean = nullptr;  ///< for each channel; absent: pixels stay as they are
  const float* std = nullptr;
  Index pixels = 0, plane = 0;  ///< of an image, and of one of its channels
};

/// Some blocks an image, each of which fills `span` packs of V pixels. The place is read from
/// device memory in a captured step.
template <int V, class T>
EBB_KERNEL gather_kernel(GatherSource<T> from, BatchPlace place, const BatchPlace* later,
                         unsigned blocks_an_image, Index span, float* x, int* y) {
  if (later) place = *later;
  const Index image = blockIdx.x / blocks_an_image, part = blockIdx.x % blocks_an_image;
  const Index at = place.first + image;
  const Index sample = from.orders ? from.orders[place.order + at] : at;
  if (part == 0 && threadIdx.x == 0) y[image] = from.labels[sample];
  const T* const source = from.images + sample * from.pixels;
  float* const target = x + image * from.pixels;
  const Index packs = from.pixels / V;
  const Index end = (part + 1) * span < packs ? (part + 1) * span : packs;
  for (Index p = part * span + threadIdx.x; p < end; p += blockDim.x) {
    const gpu::Pack<T, V> read = gpu::load_pack<V>(source + p * V);
    gpu::Pack<float, V> made;
    EBB_UNROLL
    for (int k = 0; k < V; ++k) made[k] = pixel_as_float(read[k]);
    if (from.mean) {  // a pack lies within a channel
      const Index channel = p * V / from.plane;
      const float mean = from.mean[channel], std = from.std[channel];
      EBB_UNROLL
      for (int k = 0; k < V; ++k) made[k] = (made[k] - mean) / std;
    }
    gpu::store_pack(target + p * V, made);
  }
}

/// Gathers `count` samples from `place` on (or from `*later`) into x and y.
template <class T>
void gather(const GatherSource<T>& from, Index count, const BatchPlace& place,
            const BatchPlace* later, float* x, int* y) {
  if (count == 0) return;
  constexpr Index span = 1024;
  const auto run = [&]<int V>(std::integral_constant<int, V>) {
    const Index packs = from.pixels / V;
    const Index parts = packs > span ? (packs + span - 1) / span : 1;
    gpu::launch(static_cast<unsigned>(count * parts), gpu::block_size, 0, gather_kernel<V, T>, from,
                place, later, static_cast<unsigned>(parts), span, x, y);
  };
  if (from.plane % 4 == 0 && gpu::packable(from.images, x))
    run(std::integral_constant<int, 4>{});
  else
    run(std::integral_constant<int, 1>{});
}

}  // namespace detail

}  // namespace ebb::data
