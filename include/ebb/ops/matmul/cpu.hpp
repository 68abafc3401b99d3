/// \file
/// Matrix products on the CPU. Blocks of the operands are laid out, or found,
/// so that the register tiles of tile.hpp read from the nearest caches (Goto &
/// van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS
/// 34, 2008); plan.hpp says which way and how.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/scratch.hpp>
#include <ebb/ops/matmul/pack.hpp>
#include <ebb/ops/matmul/plan.hpp>
#include <ebb/ops/matmul/reference.hpp>

namespace ebb {
namespace detail {

/// What is done to a result while it is still in cache: a bias for each column,
/// then max(0, .).
template <class T>
struct Epilogue {
  const T* bias = nullptr;
  bool relu = false;

  /// On `m` x `n` elements at `c`; the first belongs to column `j`.
  void apply(T* c, Index c_row, Index m, Index n, Index j) const {
    if (bias == nullptr && !relu) return;
    for (Index i = 0; i < m; ++i, c += c_row) {
      if (bias != nullptr)
        for (Index l = 0; l < n; ++l) c[l] += bias[j + l];
      if (relu)
        for (Index l = 0; l < n; ++l) c[l] = c[l] < T(0) ? T(0) : c[l];
    }
  }
};

/// A part of a result that tiles write to: c[i * row + j], or added to it.
template <class T>
struct Target {
  T* data;
  Index row;
  bool add;
};

/// Runs a tile over the edge of the result: `rows` x `columns` of what it
/// computes are wanted.
template <class T>
void edge_tile(typename simd::Tiles<T>::Broadcast tile, Index rows, Index columns, Index depth,
               const T* const* row, Index step, const T* b, const Index* offset, T* c, Index c_row,
               bool add) {
  using Tiles = simd::Tiles<T>;
  T edge[Tiles::most_rows * Tiles::most_columns];
  tile(depth, row, step, b, offset, edge, Tiles::most_columns, false);
  for (Index r = 0; r < rows; ++r)
    for (Index l = 0; l < columns; ++l)
      c[r * c_row + l] = edge[r * Tiles::most_columns + l] + (add ? c[r * c_row + l] : T(0));
}

/// Asks for a part of a matrix, a few lines of the cache at each call, while something else is
/// computed.
template <class T>
class Ahead {
 public:
  Ahead() = default;
  /// `rows` x `columns` of `b`, to be there after so many calls; nothing where neither is
  /// contiguous.
  Ahead(Strided<T> b, Index rows, Index columns, Index calls) {
    if (b.column != 1) {
      b = b.transposed();
      std::swap(rows, columns);
    }
    if (b.column != 1 || columns <= 0) return;
    at_ = b.data, row_ = b.row, rows_ = rows, lines_ = divide_up(columns, line) + 1;
    quota_ = divide_up(rows * lines_, calls);
  }

  void some() {
    for (Index q = 0; q < quota_ && rows_ > 0; ++q) {
      __builtin_prefetch(at_ + next_ * line, 0, 2);
      if (++next_ == lines_) next_ = 0, --rows_, at_ += row_;
    }
  }

 private:
  static constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  const T* at_ = nullptr;
  Index row_ = 0, rows_ = 0, lines_ = 0, quota_ = 0, next_ = 0;
};

/// How far apart the elements of packed rows of A are: a multiple of the height
/// of every tile, and of the lanes of every register.
inline constexpr Index left_width = 48;

/// A task of the packed way: c (m, n) (+)= a b. `offset` holds multiples of the
/// panel's width.
template <class T>
void gemm_packed(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
                 Strided<T> a, Strided<T> b, Target<T> c, const Index* offset, T* scratch) {
  using Tiles = simd::Tiles<T>;
  const auto* const tile = plan.tall ? tiles.tall : tiles.broadcast;
  const Index height = plan.tall ? tiles.tall_rows : tiles.rows;
  const Index width = tiles.lanes * (plan.tall ? tiles.tall_vectors : tiles.vectors);
  // Rows of A are read where they are, unless the elements of one lie far
  // apart.
  const bool pack_left = a.column * std::min(plan.depth, k) * Index{sizeof(T)} > 16 * 1024;
  T* const right = scratch;
  T* const left = scratch + plan.block / width * panel_stride(plan.depth, width);

  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    const bool adds = c.add || k0 > 0;
    if (pack_left) pack_panels(tiles, a.from(0, k0).transposed(), depth, m, left_width, left);
    for (Index j0 = 0; j0 < n; j0 += plan.block) {
      const Index across = std::min(plan.block, n - j0);
      pack_panels(tiles, b.from(k0, j0), depth, across, width, right);
      // While a block is computed, what the next one reads comes closer.
      const Index calls = divide_up(m, height) * divide_up(across, width);
      const Index next = k0 + depth, later = std::min(plan.depth, k - next);
      const bool last = j0 + across == n;
      Ahead<T> right_ahead = last ? Ahead<T>(b.from(next, 0), later, std::min(plan.block, n), calls)
                                  : Ahead<T>(b.from(k0, j0 + across), depth,
                                             std::min(plan.block, n - j0 - across), calls);
      Ahead<T> left_ahead = last ? Ahead<T>(a.from(0, next), m, later, calls) : Ahead<T>();
      for (Index j = 0; j < across; j += width) {
        const T* panel = right + j / width * panel_stride(depth, width);
        const Index columns = std::min(width, across - j),
                    vectors = divide_up(columns, tiles.lanes);
        for (Index i = 0; i < m; i += height) {
          const Index rows = std::min(height, m - i);
          const T* row[Tiles::most_rows];
          const T* first =
              pack_left ? left + i / left_width * panel_stride(depth, left_width) + i % left_width
                        : a.data + i * a.row + k0 * a.column;
          const Index apart = pack_left ? 1 : a.row, step = pack_left ? left_width : a.column;
          for (Index r = 0; r < height; ++r) row[r] = first + (r < rows ? r : rows - 1) * apart;
          T* to = c.data + i * c.row + j0 + j;
          right_ahead.some();
          left_ahead.some();
          if (k0 == 0)
            for (Index r = 0; r < height && i + height + r < m; ++r) {
              __builtin_prefetch(to + (height + r) * c.row, 1);
              __builtin_prefetch(to + (height + r) * c.row + columns - 1, 1);
            }
          if (rows == height && columns == vectors * tiles.lanes)
            tile[vectors - 1](depth, row, step, panel, offset, to, c.row, adds);
          else
            edge_tile<T>(tile[vectors - 1], rows, columns, depth, row, step, panel, offset, to,
                         c.row, adds);
        }
      }
    }
  }
}

/// A task of the streaming way: c (m, n) (+)= a b for whole registers of
/// columns, B's rows read where they are. `offset` holds multiples of B's row.
template <class T>
void gemm_streams(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
                  Strided<T> a, Strided<T> b, Target<T> c, const Index* offset) {
  using Tiles = simd::Tiles<T>;
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    const Index later = std::min(plan.depth, k - k0 - depth);  // rows of B that come next
    const bool adds = c.add || k0 > 0;
    for (Index i = 0, rows = 0; i < m; i += rows) {
      const bool slim = m - i < tiles.rows;
      rows = !slim ? tiles.rows : m - i >= 2 ? 2 : 1;
      const T* row[Tiles::most_rows];
      for (Index r = 0; r < tiles.rows; ++r)
        row[r] = a.data + (i + std::min(r, rows - 1)) * a.row + k0 * a.column;
      const Index width = tiles.lanes * (slim ? 4 : tiles.vectors);
      for (Index j = 0; j < n; j += width) {
        const T* from = b.data + k0 * b.row + j;
        T* to = c.data + i * c.row + j;
        if (i == 0)
          for (Index l = 0; l < later; ++l)
            for (Index at = 0; at < width; at += line)
              __builtin_prefetch(from + (depth + l) * b.row + at);
        if (k0 == 0)
          for (Index r = 0; r < rows; ++r)
            for (Index at = 0; at < width; at += line)
              __builtin_prefetch(to + r * c.row + 2 * width + at, 1);
        const Index vectors = std::min(width, n - j) / tiles.lanes;
        if (vectors * tiles.lanes == width) {
          (slim ? tiles.slim[rows - 1] : tiles.broadcast[vectors - 1])(depth, row, a.column, from,
                                                                       offset, to, c.row, adds);
        } else if (!slim) {
          tiles.broadcast[vectors - 1](depth, row, a.column, from, offset, to, c.row, adds);
        } else {
          edge_tile<T>(tiles.broadcast[vectors - 1], rows, vectors * tiles.lanes, depth, row,
                       a.column, from, offset, to, c.row, adds);
        }
      }
    }
  }
}

/// A task of the dot way: c (m, n) (+)= a b with both operands contiguous along
/// k.
template <class T>
void gemm_dot(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
              Strided<T> a, Strided<T> b, Target<T> c, T* scratch) {
  const auto block = m <= 2 ? tiles.thin_block : tiles.dot_block;
  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    const Index ahead = k - k0 > plan.depth ? plan.depth : 0;
    block(m, n, depth, ahead, a.data + k0, a.row, b.data + k0, b.column, c.data, c.row,
          c.add || k0 > 0, m > 8 ? scratch : nullptr);
  }
}

/// `pieces` arrays of `n` elements, one after the other, added up pairwise into
/// `y`, which may be the first of them; destroys them. A few elements at a time, which stay in the
/// nearest cache from one sum to the next.
template <class T>
void add_pieces(T* parts, Index pieces, Index n, T* y, bool add) {
  constexpr Index few = 1024 / Index{sizeof(T)};
  vector_for(divide_up(n, few), n * pieces, [=](Index task) {
    const Index begin = task * few, end = std::min(n, begin + few);
    for (Index step = 1; step < pieces; step *= 2)
      for (Index p = 0; p + step < pieces; p += 2 * step) {
        T* to = parts + p * n;
        const T* from = parts + (p + step) * n;
        EBB_SIMD
        for (Index i = begin; i < end; ++i) to[i] += from[i];
      }
    if (add)
      for (Index i = begin; i < end; ++i) y[i] += parts[i];
    else if (y != parts)
      for (Index i = begin; i < end; ++i) y[i] = parts[i];
  });
}

/// c (+)= op(a) op(b) for one pair of matrices, and then what `epilogue` says.
template <class T>
void gemm_matrix(Transposed transposed, Index m, Index n, Index k, const T* a, const T* b, T* c,
                 bool add, const Epilogue<T>& epilogue = {}) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (!add)
      for (Index i = 0; i < m * n; ++i) c[i] = T(0);
    epilogue.apply(c, n, m, n, 0);
    return;
  }
  // A single row or column is contiguous either way.
  const Strided<T> left = transposed.a && m > 1 ? Strided<T>{a, 1, m} : Strided<T>{a, k, 1};
  const Strided<T> right = transposed.b || n == 1 ? Strided<T>{b, 1, k} : Strided<T>{b, n, 1};
  const simd::Tiles<T> tiles = simd::tiles<T>();
  const GemmPlan plan =
      GemmPlan::of(m, n, k, {.a = left.column != 1, .b = right.row == 1 && k > 1}, tiles);

  const Index down = divide_up(m, plan.rows), across = divide_up(n, plan.columns);
  const Index piece = divide_up(divide_up(k, plan.splits), 16) * 16;  // of k
  const Index splits = divide_up(k, piece);
  const Index depth = std::min(plan.depth, k);
  const Scratch<T> partial(splits > 1 ? splits * m * n : 0);
  // Columns that do not fill a register are packed in the streaming way, too.
  const Scratch<T> packed = Scratch<T>::per_thread(
      plan.way == GemmWay::dot ? (plan.depth + 16) * (plan.columns + 4)
                               : (plan.depth + 8) * (std::max<Index>(plan.block, tiles.columns()) +
                                                     plan.rows + 2 * left_width));
  const Index entries = plan.way == GemmWay::dot ? 0 : depth;
  const Scratch<Index> offset(2 * entries);
  Index* const in_place = offset.data() + entries;
  const Index width = tiles.lanes * (plan.tall ? tiles.tall_vectors : tiles.vectors);
  for (Index l = 0; l < entries; ++l) {
    offset.data()[l] = l * width;
    in_place[l] = l * right.row;
  }

  parallel_for(down * across * splits, m * n * k / 4, [&](Index task) {
    const Index split = task % splits, at = task / splits;
    const Index i = at / across * plan.rows, j = at % across * plan.columns;
    const Index k0 = split * piece, length = std::min(piece, k - k0);
    const Index rows = std::min(plan.rows, m - i), columns = std::min(plan.columns, n - j);
    const Strided<T> from_a = left.from(i, k0), from_b = right.from(k0, j);
    const Target<T> to{(splits > 1 ? partial.data() + split * m * n : c) + i * n + j, n,
                       splits == 1 && add};
    if (plan.way == GemmWay::dot) {
      gemm_dot(tiles, plan, rows, columns, length, from_a, from_b, to, packed.mine());
    } else if (plan.way == GemmWay::packed) {
      gemm_packed(tiles, plan, rows, columns, length, from_a, from_b, to, offset.data(),
                  packed.mine());
    } else {
      const Index whole = columns / tiles.lanes * tiles.lanes;
      gemm_streams(tiles, plan, rows, whole, length, from_a, from_b, to, in_place);
      gemm_packed(tiles, plan, rows, columns - whole, length, from_a, from_b.from(0, whole),
                  Target<T>{to.data + whole, to.row, to.add}, offset.data(), packed.mine());
    }
    if (splits == 1) epilogue.apply(to.data, n, rows, columns, j);
  });
  if (splits > 1) {
    add_pieces(partial.data(), splits, m * n, c, add);
    epilogue.apply(c, n, m, n, 0);
  }
}

}  // namespace detail

/// Kernel: c (+)= op(a) op(b) for each matrix of a batch; op(a) is (m, k),
/// op(b) is (k, n).
template <class T>
void gemm(Cpu, Transposed transposed, View<const T, 3> a, View<const T, 3> b, Into<T, 3> c) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    const Index batch = c.shape[0], m = c.shape[1], n = c.shape[2];
    const Index k = a.extent(transposed.a ? 1 : 2);
    const auto product = [&](Index i) {
      detail::gemm_matrix(transposed, m, n, k, a.data + i * m * k, b.data + i * k * n,
                          c.data + i * m * n, c.add);
    };
    // Many matrices are shared out whole; a few are cut up one after the other.
    if (batch >= 16)
      parallel_for(batch, batch * m * n * k / 4, product);
    else
      for (Index i = 0; i < batch; ++i) product(i);
  } else {
    reference::gemm<T>(transposed, a, b, c);
  }
}

/// Kernel: the same for one pair of matrices.
template <class Device, class T>
void gemm(Device device, Transposed transposed, View<const T, 2> a, View<const T, 2> b,
          Into<T, 2> c) {
  const auto one = [](const Shape<2>& s) { return Shape<3>{1, s[0], s[1]}; };
  gemm(device, transposed, View<const T, 3>{a.data, one(a.shape)},
       View<const T, 3>{b.data, one(b.shape)}, Into<T, 3>{c.data, one(c.shape), c.add});
}

#define EBB_GEMM(T)                                                                             \
  EBB_COMPILED(void detail::gemm_matrix<T>(Transposed, Index, Index, Index, const T*, const T*, \
                                           T*, bool, const detail::Epilogue<T>&))
EBB_GEMM(float)
EBB_GEMM(double)
#undef EBB_GEMM

}  // namespace ebb
