/// \file
/// Products on tensor cores whose operands come in packs: several tiles are on their way to shared
/// memory at a time, by copies that pass through no register (`cp.async`). They arrive as floats,
/// and are rounded when a warp reads its fragments.
#pragma once

#include <ebb/kit/product/product.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A tile of floats in shared memory, laid out as its operand is in global memory. Rows are so much
/// longer than their contents that the lanes (g, t) of a warp, which read line g and step t (of
/// bf16 steps 2 t and 2 t + 1), find 32 banks.
template <bool Along, int Lines, int Steps, int Pairs>
struct FloatTile {
  static constexpr int steps = Steps;
  static constexpr int width = Along ? Lines + 8 / Pairs : Steps + 4 * Pairs;
  static constexpr int size = (Along ? Steps : Lines) * width;
  static constexpr int line_apart = Along ? 1 : width, step_apart = Along ? width : 1;

  template <class T>
  EBB_DEVICE static T* at(T* tile, int line, int step) {
    return tile + (line * line_apart + step * step_apart);
  }
};

/// What one thread copies of a tile.
template <class Operand, class Tile, int Lines, int Threads>
class Copies {
  static constexpr bool along = Operand::along_lines;
  static constexpr int abreast = (along ? Lines : Tile::steps) / 4, deep = Threads / abreast;
  static constexpr int pieces = (along ? Tile::steps : Lines) / deep;
  static_assert(Operand::pack == 4 && pieces * deep == (along ? Tile::steps : Lines));

 public:
  template <class I>
  EBB_DEVICE Copies(const Operand& operand, I first, I lines) {
    const int t = static_cast<int>(threadIdx.x), near = t % abreast * 4, far = t / abreast;
    line_ = along ? near : far;
    step_ = along ? far : near;
    EBB_UNROLL
    for (int p = 0; p < (along ? 1 : pieces); ++p)
      place_[p] = operand.line(first + (line_ + p * deep), first + (line_ + p * deep) < lines);
  }

  /// Begins to copy the steps from `first` on, up to `end`.
  template <class I>
  EBB_DEVICE void begin(const Operand& operand, I first, I end, float* tile) const {
    EBB_UNROLL
    for (int p = 0; p < pieces; ++p) {
      const int ahead = step_ + (along ? p * deep : 0);
      const auto step = operand.step(first + ahead, ahead < end - first);
      const float* const from = operand.find(place_[along ? 0 : p], step);
      gpu::cp_async16_or_zeros(Tile::at(tile, line_ + (along ? 0 : p * deep), ahead),
                               from != nullptr ? from : operand.data, from != nullptr);
    }
  }

 private:
  int line_, step_;
  typename Operand::Line place_[along ? 1 : pieces];
};

template <class Engine, class I, class Problem>
inline constexpr bool pipelined =
    Engine::pipelines && sizeof(I) == 4 && Problem::Left::pack == 4 && Problem::Right::pack == 4;

/// Tiles of each operand in shared memory: one is multiplied while two are on their way.
inline constexpr int pipeline_stages = 3;

template <class Engine, class Operand, int Lines>
using FloatTileOf = FloatTile<Operand::along_lines, Lines, 16, Engine::pairs>;

template <class Engine, class Problem>
inline constexpr std::size_t pipeline_bytes =
    sizeof(float) * pipeline_stages*(FloatTileOf<Engine, typename Problem::Left, Engine::m>::size +
                                     FloatTileOf<Engine, typename Problem::Right, Engine::n>::size);

/// `product_kernel` of a pipeline.
template <class Engine, class I, class Problem>
EBB_KERNEL EBB_BOUNDS(Engine::threads, 512 / Engine::threads)
    pipelined_kernel(Problem problem, Cut<I> cut, float* partial) {
  using Left = FloatTileOf<Engine, typename Problem::Left, Engine::m>;
  using Right = FloatTileOf<Engine, typename Problem::Right, Engine::n>;
  constexpr int depth = Left::steps, stage_size = Left::size + Right::size;
  EBB_DYNAMIC_SHARED(float, memory);

  Task<I> task = Task<I>::template of_block<Engine>(cut, blockIdx.x);
  const auto part = problem.at(task.z);
  if (!task.reaches(cut, part)) return;
  const Copies<typename Problem::Left, Left, Engine::m, Engine::threads> left(part.left, task.i,
                                                                              part.m);
  const Copies<typename Problem::Right, Right, Engine::n, Engine::threads> right(part.right, task.j,
                                                                                 part.n);
  Engine engine;
  const auto begin = [&](I at, int stage) {
    if (at < task.end) {
      left.begin(part.left, at, task.end, memory + stage * stage_size);
      right.begin(part.right, at, task.end, memory + (stage * stage_size + Left::size));
    }
    gpu::cp_async_commit();  // an empty group, too, so that all threads count alike
  };
  EBB_UNROLL
  for (int stage = 0; stage + 1 < pipeline_stages; ++stage)
    begin(task.begin + stage * depth, stage);
  int now = 0, free = pipeline_stages - 1;
  for (I at = task.begin; at < task.end; at += depth) {
    gpu::cp_async_wait<pipeline_stages - 2>();
    __syncthreads();  // all have what they copied, and are done with the tile before
    begin(at + (pipeline_stages - 1) * depth, free);
    engine.template multiply_floats<Left, Right>(memory + now * stage_size,
                                                 memory + (now * stage_size + Left::size));
    free = now;
    now = now + 1 < pipeline_stages ? now + 1 : 0;
  }
  store_tile(problem, cut, engine, partial);
}

}  // namespace ebb::kernel::detail
