/// \file
/// The gradient of a convolution's weight from patches, on tensor cores:
///
///     dw[out, in, tap] = sum over positions of dy[out, position] x[in, position + tap]
///
/// Both images are laid in frames (patch.cuh) of the same pitch. In the frame of dy, positions that
/// are no pixels of the result hold zeros. A block takes some channels of each operand and a run of
/// positions, which it goes through piece by piece. Every tap reads x from the same patch.
#pragma once

#include <ebb/kit/counting.hpp>
#include <ebb/kit/product/tiles.cuh>
#include <ebb/ops/convolution/conv2d/cuda/patch_cuda.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Blocks that share out a gradient, tiles times pieces of the sum; tests lower it.
inline Index patch_pieces = blocks_wanted;

struct PatchWeightProblem {
  PatchImages dy, x;
  int first_column, positions, chunks;  ///< `chunks` of positions in a piece of the sum
  DivMod<int> across, down;             ///< tiles of channels: of dy, of x
  Into<float, 1> dw;
  int results;  ///< elements of a row of dw: channels of x times taps

  /// What `join_kernel` asks of a product.
  struct Part {
    int m, n;
    Into<float, 1> dw;
    EBB_DEVICE void put(int row, int column, const gpu::Pack<float, 1>& sum) const {
      dw.put(static_cast<Index>(row) * n + column, sum[0]);
    }
  };
  EBB_DEVICE Part at(int) const { return {dy.channels, results, dw}; }
};

/// M channels of dy times N of x times K x K taps, in tf32. Each of four warps sums up a quarter of
/// the positions. Rows of shared memory are 4 words longer than a multiple of 8, which makes them
/// an odd multiple of 4: lanes (g, t), which read channel g at position t, find 32 banks at any
/// tap.
template <int M, int N, int K>
class PatchWeightTensor {
 public:
  using Words = Tf32Words;
  using Word = std::uint32_t;
  static constexpr int m = M, n = N, kernel = K, area = K * K;
  static constexpr int warps = 4, threads = 32 * warps, chunk = 256;
  static constexpr int row = N * area, results = M * row;

  EBB_DEVICE static Word word(float value, float) { return gpu::to_tf32(value); }

  EBB_DEVICE PatchWeightTensor() {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    warp_ = static_cast<int>(threadIdx.x) / 32, group_ = lane / 4, in_group_ = lane % 4;
    EBB_UNROLL
    for (int tap = 0; tap < area; ++tap) {
      EBB_UNROLL
      for (int l = 0; l < M / 16; ++l) {
        EBB_UNROLL
        for (int c = 0; c < N / 8; ++c) {
          EBB_UNROLL
          for (int q = 0; q < 4; ++q) sum_[tap][l][c][q] = 0;
        }
      }
    }
  }

  EBB_DEVICE void multiply(const Word* dy, int dy_apart, const Word* x, int x_apart,
                           int row_apart) {
    const int first = warp_ * (chunk / warps) + in_group_;
    dy += group_ * dy_apart + first;
    x += group_ * x_apart + first;
    EBB_UNROLL_BY(1)
    for (int s = 0; s < chunk / warps; s += 8, dy += 8, x += 8) {
      Word a[M / 16][4];
      EBB_UNROLL
      for (int l = 0; l < M / 16; ++l) {
        EBB_UNROLL
        for (int q = 0; q < 4; ++q) a[l][q] = dy[(l * 16 + q % 2 * 8) * dy_apart + q / 2 * 4];
      }
      EBB_UNROLL
      for (int c = 0; c < N / 8; ++c) {
        EBB_UNROLL
        for (int i = 0; i < K; ++i) {
          const Word* const from = x + (c * 8 * x_apart + i * row_apart);
          EBB_UNROLL
          for (int j = 0; j < K; ++j) {
            const Word b[2] = {from[j], from[j + 4]};
            EBB_UNROLL
            for (int l = 0; l < M / 16; ++l) Words::mma(sum_[i * K + j][l][c], a[l], b);
          }
        }
      }
    }
  }

  /// Writes the sums of each warp to `to`, where result r of warp w has place w * results + r.
  EBB_DEVICE void store(float* to) const {
    to += warp_ * results;
    EBB_UNROLL
    for (int tap = 0; tap < area; ++tap) {
      EBB_UNROLL
      for (int l = 0; l < M / 16; ++l) {
        EBB_UNROLL
        for (int c = 0; c < N / 8; ++c) {
          EBB_UNROLL
          for (int q = 0; q < 4; ++q)
            to[(l * 16 + q / 2 * 8 + group_) * row + (c * 8 + in_group_ * 2 + q % 2) * area + tap] =
                sum_[tap][l][c][q];
        }
      }
    }
  }

 private:
  int warp_, group_, in_group_;
  float sum_[area][M / 16][N / 8][4];
};

/// Floats of shared memory: both patches as they arrive and as words, or the sums of the warps; and
/// the places of cells.
template <class Engine>
EBB_HD constexpr int patch_weight_floats(int dy_apart, int x_apart) {
  const int words = 2 * (Engine::m * dy_apart + Engine::n * x_apart) + 2 * (dy_apart + x_apart);
  const int sums = Engine::warps * Engine::results;
  return words > sums ? words : sums;
}

template <class Engine>
EBB_KERNEL EBB_BOUNDS(Engine::threads, 2)
    patch_weight_kernel(PatchWeightProblem problem, Cut<int> cut, float* partial) {
  using Word = typename Engine::Word;
  constexpr int M = Engine::m, N = Engine::n;
  EBB_DYNAMIC_SHARED(float, dynamic);
  const PatchImages &dy = problem.dy, &x = problem.x;
  float* const dy_arriving = dynamic;
  float* const x_arriving = dy_arriving + M * dy.cells_apart;
  Word* const dy_word = reinterpret_cast<Word*>(x_arriving + N * x.cells_apart);
  Word* const x_word = dy_word + M * dy.cells_apart;
  auto* const dy_place = reinterpret_cast<PatchPlace*>(x_word + N * x.cells_apart);
  PatchPlace* const x_place = dy_place + dy.cells_apart;

  int split = static_cast<int>(blockIdx.x);
  const int out = problem.across.take(split) * M, in = problem.down.take(split) * N;
  const int first = split * problem.chunks * Engine::chunk;
  const int last = first + problem.chunks * Engine::chunk;
  const int end = last < problem.positions ? last : problem.positions;
  const auto note = [&](int at) {
    dy.note_places(at, dy_place);
    x.note_places(at, x_place);
  };
  const auto begin = [&] {
    copy_patch<M, Engine::threads>(dy, dy_place, out, dy_arriving);
    copy_patch<N, Engine::threads>(x, x_place, in, x_arriving);
    gpu::cp_async_commit();
  };

  Engine engine;
  note(first);
  __syncthreads();
  begin();
  for (int at = first; at < end; at += Engine::chunk) {
    gpu::cp_async_wait<0>();
    __syncthreads();  // both patches are there, and nobody needs the words of those before
    patch_words<Engine, M, 1>(dy.cells, dy.cells_apart, dy_arriving, dy_word);
    patch_words<Engine, N, 1>(x.cells, x.cells_apart, x_arriving, x_word);
    note(at + Engine::chunk);
    __syncthreads();
    if (at + Engine::chunk < end) begin();
    engine.multiply(dy_word, dy.cells_apart, x_word + problem.first_column, x.cells_apart,
                    x.pitch.by());
  }
  __syncthreads();
  engine.store(dynamic);
  __syncthreads();
  const auto part = problem.at(0);
  for (int r = static_cast<int>(threadIdx.x); r < Engine::results; r += Engine::threads) {
    const int row = out + r / Engine::row, column = in * Engine::area + r % Engine::row;
    if (row >= part.m || column >= part.n) continue;
    float total = dynamic[r];
    EBB_UNROLL
    for (int w = 1; w < Engine::warps; ++w) total += dynamic[w * Engine::results + r];
    if (partial != nullptr)
      partial[(static_cast<Index>(split) * cut.m + row) * cut.n + column] = total;
    else
      part.put(row, column, gpu::Pack<float, 1>{{total}});
  }
}

template <class Engine>
bool run_patch_weight(const Conv2dGeometry& g, const float* x, const float* dy,
                      const Into<float, 4>& dw) {
  const PatchPass p(g);
  const PatchFrame frame(p, gpu::packable(x));
  const Index positions = p.batch * frame.cells.area();
  const Index first_column = frame.margin.width - p.before.width;
  const Index cells = frame.patch(Engine::chunk, Engine::kernel, first_column);
  const Index apart = (cells + 7) / 8 * 8 + 4, dy_apart = Engine::chunk + 4;
  const Index across = divide_up(p.results, Engine::m);
  const Index down = divide_up(p.summed, Engine::n), tiles = across * down;
  const Index chunks = divide_up(positions, Engine::chunk);
  const bool packed = frame.packed && gpu::packable(dy) && frame.packs_results(p);
  if (patch_threshold.packed && !packed) return false;
  if (tiles * chunks < patch_threshold.blocks || !patch_counts(p, positions + 2 * cells))
    return false;
  const std::size_t bytes =
      sizeof(float) * static_cast<std::size_t>(patch_weight_floats<Engine>(
                          static_cast<int>(dy_apart), static_cast<int>(apart)));
  if (bytes > patch_bytes) return false;

  const Index wanted = std::clamp<Index>(patch_pieces / tiles, 1, chunks);
  const Index each = divide_up(chunks, wanted), splits = divide_up(chunks, each);
  PatchImages slope = frame.images(p, dy, Engine::chunk, dy_apart);
  slope.channels = static_cast<int>(p.results);
  slope.height = static_cast<int>(p.output.height);
  slope.width = static_cast<int>(p.output.width);
  slope.left = slope.top = slope.first_row = 0;
  slope.packed = gpu::packable(dy) && frame.packs_results(p);
  const Index m = p.results, n = g.taps();
  const PatchWeightProblem problem{slope,
                                   frame.images(p, x, cells, apart),
                                   static_cast<int>(first_column),
                                   static_cast<int>(positions),
                                   static_cast<int>(each),
                                   DivMod<int>(across),
                                   DivMod<int>(down),
                                   {dw.data, {dw.size()}, dw.add},
                                   static_cast<int>(n)};
  const Cut<int> cut{static_cast<int>(m), static_cast<int>(n), DivMod<int>(across),
                     DivMod<int>(down),   DivMod<int>(splits), 0};
  const auto launch = [&](float* partial) {
    gpu::launch(static_cast<unsigned>(tiles * splits), Engine::threads, bytes,
                patch_weight_kernel<Engine>, problem, cut, partial);
  };
  if (splits == 1) {
    launch(nullptr);
    return true;
  }
  const CudaScratch<float> partial(splits * m * n);
  launch(partial.data());
  gpu::launch(static_cast<unsigned>((m * n + 31) / 32), 256, 0,
              join_kernel<float, int, PatchWeightProblem>, problem, cut, DivMod<int>(m),
              DivMod<int>(n), static_cast<int>(m * n), static_cast<const float*>(partial.data()));
  return true;
}

/// The gradient of the weight of a 3 x 3 convolution in tf32 from patches; returns false where it
/// is not done.
inline bool patch_grad_weight(const Conv2dGeometry& g, const float* x, const float* dy,
                              const Into<float, 4>& dw) {
  if (cuda::precision() != cuda::Precision::tf32) return false;
  if (g.kernel != Size2(3) || !patch_applies(g)) return false;
  if (g.out_channels <= 16)
    return g.in_channels <= 8 ? run_patch_weight<PatchWeightTensor<16, 8, 3>>(g, x, dy, dw)
                              : run_patch_weight<PatchWeightTensor<16, 16, 3>>(g, x, dy, dw);
  return g.in_channels <= 8 ? run_patch_weight<PatchWeightTensor<32, 8, 3>>(g, x, dy, dw)
                            : run_patch_weight<PatchWeightTensor<32, 16, 3>>(g, x, dy, dw);
}

}  // namespace ebb::kernel::detail
