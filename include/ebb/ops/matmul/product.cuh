/// \file
/// Products on CUDA: blocks that share out a result in tiles, and long sums in pieces. What the
/// operands are, a `Problem` says: matrices, or images of which the operands of a convolution are
/// gathered on the way, so that no such matrix ever is in memory (Chetlur et al., "cuDNN: efficient
/// primitives for deep learning", 2014).
///
/// `problem.at(z)` is one of its independent products, a `Part`:
///     m, n, k           its extents
///     left, right       its operands (stage.cuh), of types Problem::Left and Problem::Right
///     put(i, j, pack)   stores results of row i, columns j and following, where j < n
#pragma once

#include <ebb/device/cuda_scratch.cuh>
#include <ebb/ops/matmul/engines.cuh>
#include <ebb/ops/matmul/stage.cuh>

#include <algorithm>

namespace ebb::detail {

/// How the results are cut in tiles, and the sums in `splits` pieces.
template <class I>
struct Cut {
  I m, n;  ///< the largest of all parts
  DivMod<I> down, across, splits;
  I piece;
};

/// Stores a pack at `to` as one where `packed` says that all of them are whole and aligned.
template <class T, int V>
EBB_DEVICE void put_pack(T* to, const gpu::Pack<T, V>& pack, bool packed, Index left) {
  if (packed) return gpu::store_pack<V>(to, pack);
  EBB_UNROLL
  for (int v = 0; v < V; ++v)
    if (v < left) to[v] = pack[v];
}

template <class Engine, class Operand, int Lines>
using StageOf = Stage<Operand, Lines, Engine::k, Engine::threads, Engine::pairs>;

/// Blocks that a multiprocessor should hold, which says how many registers a thread may take: fewer
/// where results and what is on its way to shared memory take almost all of 128.
template <class Engine, class I, class Problem>
inline constexpr int resident_blocks = [] {
  constexpr int taken = Engine::registers +
                        StageOf<Engine, typename Problem::Left, Engine::m>::registers +
                        StageOf<Engine, typename Problem::Right, Engine::n>::registers;
  constexpr int most = sizeof(I) == 4 ? Engine::resident : 1;
  return taken * most * Engine::threads < 100 * 512 || most == 1 ? most : most / 2;
}();

/// One tile of one piece. Two tiles of each operand are in shared memory: while the threads
/// multiply one, the next is on its way to their registers, and one barrier a tile is enough.
template <class Engine, class I, class Problem>
EBB_KERNEL EBB_BOUNDS(Engine::threads, (resident_blocks<Engine, I, Problem>))
    product_kernel(Problem problem, Cut<I> cut, typename Engine::Scalar* partial) {
  constexpr int rows = Engine::k / Engine::pairs;
  struct alignas(16) Tiles {
    typename Engine::Word left[2][rows][Engine::left_width], right[2][rows][Engine::right_width];
  };
  EBB_SHARED(Tiles, tiles, );

  I z = static_cast<I>(blockIdx.x);
  const I i = cut.down.take(z) * Engine::m, j = cut.across.take(z) * Engine::n;
  const I split = cut.splits.take(z);
  const auto part = problem.at(z);
  if (i >= part.m || j >= part.n) return;
  const I begin = split * cut.piece;
  const I end = part.k - begin < cut.piece ? part.k : begin + cut.piece;

  StageOf<Engine, typename Problem::Left, Engine::m> left(part.left, i, part.m);
  StageOf<Engine, typename Problem::Right, Engine::n> right(part.right, j, part.n);
  Engine engine;
  int now = 0;
  if (begin < end) {
    left.fetch(part.left, begin, end);
    right.fetch(part.right, begin, end);
    left.template store<Engine, Engine::left_width>(tiles.left[0][0]);
    right.template store<Engine, Engine::right_width>(tiles.right[0][0]);
    __syncthreads();
  }
  for (I at = begin; at < end; at += Engine::k) {
    const bool more = end - at > Engine::k;
    if (more) {
      left.fetch(part.left, at + Engine::k, end);
      right.fetch(part.right, at + Engine::k, end);
    }
    engine.multiply(tiles.left[now], tiles.right[now]);
    if (more) {
      now ^= 1;  // whoever read that one is past the last barrier
      left.template store<Engine, Engine::left_width>(tiles.left[now][0]);
      right.template store<Engine, Engine::right_width>(tiles.right[now][0]);
      __syncthreads();
    }
  }

  if (partial != nullptr) {
    partial += static_cast<Index>(z * cut.splits.by() + split) * cut.m * cut.n;
    const bool packed = cut.n % Engine::wide == 0;
    engine.each([&](int r, int c, const auto& pack) {
      const I row = i + r, column = j + c;
      if (row < part.m && column < part.n)
        put_pack(partial + (static_cast<Index>(row) * cut.n + column), pack, packed,
                 part.n - column);
    });
  } else {
    engine.each([&](int r, int c, const auto& pack) {
      const I row = i + r, column = j + c;
      if (row < part.m && column < part.n) part.put(row, column, pack);
    });
  }
}

/// Adds up the pieces of every sum and stores it. A block takes 32 results; each of its warps adds
/// every eighth piece, and the eight sums are added one after the other.
template <class T, class I, class Problem>
EBB_KERNEL EBB_BOUNDS(256) join_kernel(Problem problem, Cut<I> cut, DivMod<I> rows,
                                       DivMod<I> columns, I n, const T* partial) {
  constexpr int abreast = 8;
  EBB_SHARED(T, of_warp, [abreast][32]);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const I e = static_cast<I>(blockIdx.x) * 32 + lane;
  I z = e;
  const I column = columns.take(z), row = rows.take(z);
  const Index area = static_cast<Index>(cut.m) * cut.n;
  const auto part = problem.at(e < n ? z : 0);
  const bool mine = e < n && row < part.m && column < part.n;
  T total(0);
  if (mine) {
    const T* from = partial + static_cast<Index>(z) * cut.splits.by() * area +
                    static_cast<Index>(row) * cut.n + column;
    for (I split = warp; split < cut.splits.by(); split += abreast) total += from[split * area];
  }
  of_warp[warp][lane] = total;
  __syncthreads();
  if (warp > 0 || !mine) return;
  EBB_UNROLL
  for (int w = 1; w < abreast; ++w) total += of_warp[w][lane];
  part.put(row, column, gpu::Pack<T, 1>{{total}});
}

/// Blocks that keep the largest of GPUs busy. The cut must not depend on the machine, or else its
/// results would.
inline constexpr Index blocks_wanted = 256;

/// Runs `problem`, of which `products` are independent, the largest of m x n sums over k steps.
template <class Engine, class I, class Problem>
void multiply_with(const Problem& problem, Index products, Index m, Index n, Index k) {
  using T = typename Engine::Scalar;
  const Index down = (m + Engine::m - 1) / Engine::m, across = (n + Engine::n - 1) / Engine::n;
  const Index tiles = products * down * across;
  // A piece is long enough to be worth its way through memory.
  constexpr Index least = std::max(128, 4 * Engine::k);
  Index splits = tiles * 2 > blocks_wanted ? 1 : std::min(blocks_wanted / tiles, k / least);
  splits = std::max<Index>(1, splits);
  const Index piece = ((k + splits - 1) / splits + Engine::k - 1) / Engine::k * Engine::k;
  if (piece > 0) splits = std::max<Index>(1, (k + piece - 1) / piece);
  const Cut<I> cut{static_cast<I>(m), static_cast<I>(n), DivMod<I>(down),
                   DivMod<I>(across), DivMod<I>(splits), static_cast<I>(piece)};
  const auto launch = [&](T* partial) {
    gpu::launch(static_cast<unsigned>(tiles * splits), Engine::threads, 0,
                product_kernel<Engine, I, Problem>, problem, cut, partial);
  };
  if (splits == 1) return launch(nullptr);
  const Index results = products * m * n;
  const CudaScratch<T> partial(splits * results);
  launch(partial.data());
  gpu::launch(static_cast<unsigned>((results + 31) / 32), 256, 0, join_kernel<T, I, Problem>,
              problem, cut, DivMod<I>(m), DivMod<I>(n), static_cast<I>(results), partial.data());
}

}  // namespace ebb::detail
