/// \file
/// How a matrix product is cut up, and which of three ways it goes. What decides the order of sums
/// (the way, the depth, the splits) is a function of the shape alone, so that results have the same
/// bits whatever the number of threads and the width of registers.
#pragma once

#include <ebb/kit/counting.hpp>
#include <ebb/kit/product/reference.hpp>
#include <ebb/kit/product/tile.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel::detail {

/// How a product finds its operands.
enum class GemmWay {
  dot,      ///< both lie contiguous along k: dot products of rows with rows, nothing
            ///< copied
  streams,  ///< B's rows are read where they are, a few at a time: a copy would
            ///< serve few rows of A
  packed    ///< B is copied into panels that fit the nearest caches
};

/// c (m, n) = op(a) op(b) in tasks of `rows` x `columns`, each for one of
/// `splits` pieces of k that are computed apart and added up afterwards. Within
/// a task, k advances by `depth`.
struct GemmPlan {
  GemmWay way;
  Index rows, columns, depth;
  Index block = 0;    ///< columns of a task that are packed, or streamed, at a time
  bool tall = false;  ///< by the tall tile (packed)
  Index splits = 1;

  /// Columns of a packed panel.
  template <class T>
  Index width(const simd::Tiles<T>& tiles) const {
    return tiles.lanes * (tall ? tiles.tall_vectors : tiles.vectors);
  }

  /// The time of `tile_rows` x (`vectors` registers) tiles over the whole
  /// result, in multiply-additions of a register: those that hang over the edge
  /// work for nothing, and few registers leave the pipeline of eight or more
  /// multiply-adders half empty.
  static Index cost(Index m, Index n, Index tile_rows, Index vectors, Index lanes) {
    const Index rest = divide_up(n % (vectors * lanes), lanes);
    return divide_up(m, tile_rows) * (n / (vectors * lanes) * tile_rows * vectors +
                                      (rest > 0 ? std::max<Index>(tile_rows * rest, 8) : 0));
  }

  /// Columns of a task, a multiple of `step`: few enough for four tasks of the same size, as long
  /// as each has some work. Long sums are split along k anyway, and narrow tasks would only read A
  /// again.
  static Index even_share(Index m, Index n, Index k, Index rows, Index step) {
    constexpr Index worth_a_task = 128 * 1024, long_sum = 8 * 1024;
    const Index wanted = k >= long_sum ? 1 : std::clamp<Index>(m * n * k / worth_a_task, 1, 4);
    const Index pieces = divide_up(wanted, divide_up(m, rows));
    return divide_up(divide_up(n, pieces), step) * step;
  }

  template <class T>
  static GemmPlan of(Index m, Index n, Index k, Transposed transposed,
                     const simd::Tiles<T>& tiles) {
    constexpr Index kib = 1024 / Index{sizeof(T)};  // elements
    GemmPlan p{};
    constexpr Index widest = sum_lanes<T>;
    const Index lanes = tiles.lanes;
    if (!transposed.a && transposed.b && k >= 4 * widest && (m <= 16 || n <= 16)) {
      p.way = GemmWay::dot;
      p.rows = 64;
      p.columns = std::min<Index>(96, even_share(m, n, k, p.rows, tiles.dot_columns));
      p.depth = m <= 2 ? k : 3 * kib;
    } else if (!transposed.b && n >= widest && (m <= 16 || k <= 16)) {
      p.way = GemmWay::streams;
      const Index step = 12 * lanes;  // whole tiles of three registers, and of four
      if (m > 2 && m <= 16 && n >= 16 * kib) {
        // Rows of B on pages of their own: a few long stretches at a time, which the processor
        // foresees, while the sums wait in the nearest cache.
        p.depth = std::min<Index>(k, 8);
        p.block = 8 * kib / step * step;
      } else {
        p.depth = std::min<Index>(k, 64);
        p.block = std::clamp<Index>(4 * kib / (step * std::min<Index>(k, 16)), 1, 8) * step;
      }
      p.rows = m <= 16 ? m : 64;
      p.columns = p.block;
    } else {
      p.way = GemmWay::packed;
      // The wide tile reads fewer rows of A at a time, which suits caches: it
      // wins when near.
      p.tall = 20 * cost(m, n, tiles.tall_rows, tiles.tall_vectors, lanes) <
               19 * cost(m, n, tiles.rows, tiles.vectors, lanes);
      const Index height = p.tall ? tiles.tall_rows : tiles.rows;
      const Index width = lanes * (p.tall ? tiles.tall_vectors : tiles.vectors);
      p.depth = divide_up(divide_up(k, divide_up(k, kib / 4)), 8) * 8;
      p.block = 8 * width;
      const Index most = divide_up(m, 256) * divide_up(n, p.block) < 4 ? 128 : 256;
      p.rows = divide_up(divide_up(m, divide_up(m, most)), height) * height;
      p.block = std::min(p.block, even_share(m, n, k, p.rows, width));
      const Index tasks = divide_up(m, p.rows) * divide_up(n, p.block);
      p.columns = std::clamp<Index>(tasks / 32, 1, 8) * p.block;
    }
    // Small results of long sums: not enough tasks to share out among threads.
    constexpr Index rows_of_task = 128, columns_of_task = 24 * widest;
    const Index tasks = divide_up(m, rows_of_task) * divide_up(n, columns_of_task);
    if (tasks < 16 && k > 0)
      p.splits = std::clamp<Index>(std::min(16 / tasks, k / (8 * kib)), 1, 16);
    return p;
  }
};

}  // namespace ebb::kernel::detail
