/// \file
/// Which tiles and pieces a product of given extents is cut in.
#pragma once

#include <ebb/device/cuda/precision.cuh>
#include <ebb/device/cuda/scratch.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/product/pipeline.cuh>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel::detail {

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
using WideTensorTile = TensorCores<Words, 32, 128, 16 * Words::pairs, 32, 32>;
template <class Words>
using SmallTensorTile = TensorCores<Words, 64, 64, 16 * Words::pairs, 32, 32>;

/// Blocks that keep the largest of GPUs busy. The cut must not depend on the machine, or else its
/// results would.
inline constexpr Index blocks_wanted = 256;

/// Runs `problem`, of which `products` are independent, the largest of m x n sums over k steps.
template <class Engine, class I, class Problem>
void multiply_with(const Problem& problem, Index products, Index m, Index n, Index k) {
  using T = typename Engine::Scalar;
  const Index down = divide_up(m, Engine::m), across = divide_up(n, Engine::n);
  const Index tiles = products * down * across;
  // A piece is long enough to be worth its way through memory.
  constexpr Index least = std::max(128, 4 * Engine::k);
  Index splits = tiles * 2 > blocks_wanted ? 1 : std::min(blocks_wanted / tiles, k / least);
  splits = std::max<Index>(1, splits);
  const Index piece = divide_up(divide_up(k, splits), Engine::k) * Engine::k;
  if (piece > 0) splits = std::max<Index>(1, divide_up(k, piece));
  const Cut<I> cut{static_cast<I>(m), static_cast<I>(n), DivMod<I>(down),
                   DivMod<I>(across), DivMod<I>(splits), static_cast<I>(piece)};
  const auto launch = [&](T* partial) {
    const auto blocks = static_cast<unsigned>(tiles * splits);
    if constexpr (pipelined<Engine, I, Problem>)
      gpu::launch(blocks, Engine::threads, pipeline_bytes<Engine, Problem>,
                  pipelined_kernel<Engine, I, Problem>, problem, cut, partial);
    else
      gpu::launch(blocks, Engine::threads, 0, product_kernel<Engine, I, Problem>, problem, cut,
                  partial);
  };
  if (splits == 1) return launch(nullptr);
  const Index results = products * m * n;
  const CudaScratch<T> partial(splits * results);
  launch(partial.data());
  gpu::launch(static_cast<unsigned>((results + 31) / 32), 256, 0, join_kernel<T, I, Problem>,
              problem, cut, DivMod<I>(m), DivMod<I>(n), static_cast<I>(results), partial.data());
}

/// Tiles of a size that is worth using: fewer than it takes to have one on most of an H100's 132
/// multiprocessors would leave the others idle. Tests lower it.
inline Index many_tiles = 96;

/// Runs a problem in the tile that suits it; `I` is the type of its indices.
template <class T, class I, class Problem>
void multiply(const Problem& problem, Index products, Index m, Index n, Index k) {
  if (products == 0 || m == 0 || n == 0) return;
  // Long sums are worth several blocks for each tile.
  const auto tiles = [&](Index rows, Index columns) {
    return products * divide_up(m, rows) * divide_up(n, columns) * std::max<Index>(1, k / 512);
  };
  const bool many = m > 64 && n > 64 && tiles(128, 128) >= many_tiles;
  if constexpr (std::is_same_v<T, float> && sizeof(I) == 4) {
    const auto on_tensor_cores = [&]<class Words>(Words) {
      if (many)
        multiply_with<LargeTensorTile<Words>, I>(problem, products, m, n, k);
      else if (m <= 32 && n > 64)
        multiply_with<WideTensorTile<Words>, I>(problem, products, m, n, k);
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

}  // namespace ebb::kernel::detail
