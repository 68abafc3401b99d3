/// \file
/// Which tile a product of given extents is cut in.
#pragma once

#include <ebb/device/cuda_precision.cuh>
#include <ebb/ops/matmul/product.cuh>

namespace ebb::detail {

/// In multiply-adds. The large tile does 512 of them a thread and barrier, and reads 4 bytes of
/// shared memory for 16 of them; the others leave work for all of the GPU where results are few.
template <class T>
using LargeTile = Multiplier<T, 128, 128, 8, 8, 8>;
template <class T>
using MiddleTile = Multiplier<T, 64, 64, 16, 8, 4>;
template <class T>
using WideTile = Multiplier<T, 32, 128, 16, 4, 8>;
template <class T>
using SmallTile = Multiplier<T, 32, 32, 16, 4, 4>;

/// On tensor cores, of 16 words in depth.
template <class Words>
using LargeTensorTile = TensorCores<Words, 128, 128, 16 * Words::pairs, 64, 32>;
template <class Words>
using SmallTensorTile = TensorCores<Words, 64, 64, 16 * Words::pairs, 32, 32>;

/// Tiles of a size that is worth using: fewer than it takes to have one on most of an H100's 132
/// multiprocessors would leave the others idle. Tests lower it.
inline Index many_tiles = 96;

/// Runs a problem in the tile that suits it; `I` is the type of its indices.
template <class T, class I, class Problem>
void multiply(const Problem& problem, Index products, Index m, Index n, Index k) {
  if (products == 0 || m == 0 || n == 0) return;
  // Long sums are worth several blocks for each tile.
  const auto tiles = [&](Index rows, Index columns) {
    return products * ((m + rows - 1) / rows) * ((n + columns - 1) / columns) *
           std::max<Index>(1, k / 512);
  };
  const bool many = m > 64 && n > 64 && tiles(128, 128) >= many_tiles;
  if constexpr (std::is_same_v<T, float> && sizeof(I) == 4) {
    const auto on_tensor_cores = [&]<class Words>(Words) {
      if (many)
        multiply_with<LargeTensorTile<Words>, I>(problem, products, m, n, k);
      else
        multiply_with<SmallTensorTile<Words>, I>(problem, products, m, n, k);
    };
    const cuda::Precision precision = cuda::precision();
    if (precision == cuda::Precision::tf32) return on_tensor_cores(Tf32Words{});
    if (precision == cuda::Precision::bf16) return on_tensor_cores(Bf16Words{});
    if (many) return multiply_with<LargeTile<T>, I>(problem, products, m, n, k);
    if (m <= 32 && tiles(32, 128) >= many_tiles)
      return multiply_with<WideTile<T>, I>(problem, products, m, n, k);
  }
  if (sizeof(I) > 4 || (m > 32 && n > 32 && tiles(64, 64) >= many_tiles / 3))
    multiply_with<MiddleTile<T>, I>(problem, products, m, n, k);
  else
    multiply_with<SmallTile<T>, I>(problem, products, m, n, k);
}

}  // namespace ebb::detail
