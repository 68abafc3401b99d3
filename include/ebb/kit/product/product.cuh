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

#include <ebb/kit/product/engines.cuh>
#include <ebb/kit/product/stage.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

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

/// What a block is to do: the tile that begins at row i and column j, of product z, over the steps
/// from `begin` to `end` of a part.
template <class I>
struct Task {
  I i, j, z, split, begin, end;

  template <class Engine>
  EBB_DEVICE static Task of_block(const Cut<I>& cut, unsigned block) {
    Task task;
    task.z = static_cast<I>(block);
    task.i = cut.down.take(task.z) * Engine::m;
    task.j = cut.across.take(task.z) * Engine::n;
    task.split = cut.splits.take(task.z);
    return task;
  }
  /// Returns whether the part has anything there.
  template <class Part>
  EBB_DEVICE bool reaches(const Cut<I>& cut, const Part& part) {
    begin = split * cut.piece;
    end = part.k - begin < cut.piece ? part.k : begin + cut.piece;
    return i < part.m && j < part.n;
  }
};

/// Stores a tile: what it sums up to, or as a piece of that. Where it goes is found again, for no
/// register was left to keep that in.
template <class I, class Engine, class Problem, class T>
EBB_DEVICE void store_tile(const Problem& problem, const Cut<I>& cut, const Engine& engine,
                           T* partial) {
  const Task<I> task = Task<I>::template of_block<Engine>(cut, gpu::forgotten(blockIdx.x));
  const auto part = problem.at(task.z);
  if (partial != nullptr) {
    partial += static_cast<Index>(task.z * cut.splits.by() + task.split) * cut.m * cut.n;
    const bool packed = cut.n % Engine::wide == 0;
    engine.each([&](int r, int c, const auto& pack) {
      const I row = task.i + r, column = task.j + c;
      if (row < part.m && column < part.n)
        put_pack(partial + (static_cast<Index>(row) * cut.n + column), pack, packed,
                 part.n - column);
    });
  } else {
    engine.each([&](int r, int c, const auto& pack) {
      const I row = task.i + r, column = task.j + c;
      if (row < part.m && column < part.n) part.put(row, column, pack);
    });
  }
}

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

  Task<I> task = Task<I>::template of_block<Engine>(cut, blockIdx.x);
  const auto part = problem.at(task.z);
  if (!task.reaches(cut, part)) return;
  StageOf<Engine, typename Problem::Left, Engine::m> left(part.left, task.i, part.m);
  StageOf<Engine, typename Problem::Right, Engine::n> right(part.right, task.j, part.n);
  Engine engine;
  const auto store = [&](int to) {
    left.template store<Engine, Engine::left_width>(tiles.left[to][0]);
    right.template store<Engine, Engine::right_width>(tiles.right[to][0]);
    __syncthreads();
  };
  int now = 0;
  if (task.begin < task.end) {
    left.fetch(part.left, task.begin, task.end);
    right.fetch(part.right, task.begin, task.end);
    store(0);
  }
  for (I at = task.begin; at < task.end; at += Engine::k) {
    const bool more = task.end - at > Engine::k;
    if (more) {
      left.fetch(part.left, at + Engine::k, task.end);
      right.fetch(part.right, at + Engine::k, task.end);
    }
    engine.multiply(tiles.left[now], tiles.right[now]);
    if (more) store(now ^= 1);  // whoever read that one is past the last barrier
  }
  store_tile(problem, cut, engine, partial);
}

/// Adds up the pieces of every sum and stores it. A block takes 32 results; each of its warps adds
/// every eighth piece, and the eight sums are added one after the other.
template <class T, class I, class Problem>
EBB_KERNEL EBB_BOUNDS(256, 1) join_kernel(Problem problem, Cut<I> cut, DivMod<I> rows,
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

}  // namespace ebb::kernel::detail
