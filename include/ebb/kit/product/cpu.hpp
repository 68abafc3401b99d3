/// \file
/// Matrix products on the CPU. Blocks of the operands are laid out, or found,
/// so that the register tiles of tile.hpp read from the nearest caches (Goto &
/// van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS
/// 34, 2008); plan.hpp says which way and how.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/product/reference.hpp>
#include <ebb/kit/product/ways.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// What is done to a product while it is still in cache; channels are its columns.
template <class T>
struct ProductEpilogue {
  const T* bias = nullptr;
  simd::Afterwards<T> afterwards = {};

  static ProductEpilogue of(const Epilogue<T>& end, const T* c) {
    ProductEpilogue product{end.bias, {}};
    if (end.add != nullptr || end.activation.kind != Activation::none)
      product.afterwards = simd::Afterwards<T>(c, end.add, end.activation);
    return product;
  }
  /// On `m` x `n` elements at `c`; the first belongs to column `j`.
  void apply(T* c, Index c_row, Index m, Index n, Index j) const {
    if (bias == nullptr && !afterwards) return;
    for (Index i = 0; i < m; ++i, c += c_row) {
      if (bias != nullptr)
        for (Index l = 0; l < n; ++l) c[l] += bias[j + l];
      afterwards(c, n);
    }
  }
};

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

/// c (+)= op(a) op(b) for one pair of matrices, and then what `end` says, whose `add` is not c.
template <class T>
void gemm_matrix(Transposed transposed, Index m, Index n, Index k, const T* a, const T* b, T* c,
                 bool add, const Epilogue<T>& end = {}) {
  if (m == 0 || n == 0) return;
  const ProductEpilogue<T> epilogue = ProductEpilogue<T>::of(end, c);
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
                               : packed_elements(tiles, plan.rows, plan.block, plan.depth));
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
                                           T*, bool, const Epilogue<T>&))
EBB_GEMM(float)
EBB_GEMM(double)
#undef EBB_GEMM

}  // namespace ebb::kernel
