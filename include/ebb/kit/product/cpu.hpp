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

/// One product, planned: c (m, n) (+)= op(a) op(b), where op(a) is (m, k) and op(b) is (k, n).
/// Where B stays the same it may be packed once for many runs; otherwise tasks pack what they need
/// of it.
template <class T>
class Gemm {
 public:
  Gemm(Transposed transposed, Index m, Index n, Index k) : m_(m), n_(n), k_(k) {
    // A single row or column is contiguous either way.
    left_ = transposed.a && m > 1 ? Strided<T>{nullptr, 1, m} : Strided<T>{nullptr, k, 1};
    right_ = transposed.b || n == 1 ? Strided<T>{nullptr, 1, k} : Strided<T>{nullptr, n, 1};
    if (m == 0 || n == 0 || k == 0) return;
    plan_ = GemmPlan::of(m, n, k, {.a = left_.column != 1, .b = right_.row == 1 && k > 1}, tiles_);
    piece_ = divide_up(divide_up(k, plan_.splits), 16) * 16;
    depth_ = std::min(plan_.depth, k);
    width_ = plan_.width(tiles_);
  }

  /// Elements of B as `pack` writes it; 0 where B is read as it lies.
  Index packed() const {
    return plan_.way == GemmWay::packed && k_ > 0 ? divide_up(k_, piece_) * steps() * step() : 0;
  }
  /// Whether what the other's `pack` wrote of the same B is what this one reads.
  bool reads_like(const Gemm& other) const {
    if (packed() == 0 || other.packed() == 0) return packed() == other.packed();
    return width_ == other.width_ && depth_ == other.depth_ && piece_ == other.piece_;
  }
  /// Writes B as (piece of k, step, panel, k, lane).
  void pack(const T* b, T* to) const {
    const Index splits = divide_up(k_, piece_);
    parallel_for(splits * steps(), k_ * n_, [&](Index task) {
      const auto [split, at] = unravel(task, steps());
      const Index k0 = split * piece_ + at * plan_.depth;
      const Index depth = std::min({plan_.depth, k_ - k0, (split + 1) * piece_ - k0});
      if (depth > 0)
        pack_panels(tiles_, with(right_, b).from(k0, 0), depth, n_, width_,
                    panel_stride(depth_, width_), to + task * step());
    });
  }

  /// The product, and then what `end` says, whose `add` is not c.
  void run(const T* a, MaybePacked<T> b, T* c, bool add, const Epilogue<T>& end = {}) const {
    if (m_ == 0 || n_ == 0) return;
    const ProductEpilogue<T> epilogue = ProductEpilogue<T>::of(end, c);
    if (k_ == 0) {
      if (!add)
        for (Index i = 0; i < m_ * n_; ++i) c[i] = T(0);
      epilogue.apply(c, n_, m_, n_, 0);
      return;
    }
    const Index down = divide_up(m_, plan_.rows), across = divide_up(n_, plan_.columns);
    const Index splits = divide_up(k_, piece_);
    const Scratch<T> partial(splits > 1 ? splits * m_ * n_ : 0);  // (piece of k, row, column)
    // Columns that do not fill a register are packed in the streaming way, too.
    const Scratch<T> scratch = Scratch<T>::per_thread(
        plan_.way == GemmWay::dot ? (plan_.depth + 16) * (plan_.columns + 4)
                                  : packed_elements(tiles_, plan_.rows, plan_.block, plan_.depth));
    const Offsets offsets(*this);

    parallel_for(down * across * splits, m_ * n_ * k_ / 4, [&](Index task) {
      const auto [i, j, split] = unravel(task, across, splits);
      const Part part{i * plan_.rows, j * plan_.columns, split};
      T* const sums = splits > 1 ? partial.data() + split * m_ * n_ : c;
      const Target<T> to{sums + part.row * n_ + part.column, n_, splits == 1 && add};
      multiply(part, a, b, to, offsets, scratch.mine());
      if (splits == 1) epilogue.apply(to.data, n_, rows(part), columns(part), part.column);
    });
    if (splits > 1) {
      add_pieces(partial.data(), splits, m_ * n_, c, add);
      epilogue.apply(c, n_, m_, n_, 0);
    }
  }

 private:
  /// What one task computes: from this row and column on, of this piece of k.
  struct Part {
    Index row, column, split;
  };
  Index rows(const Part& part) const { return std::min(plan_.rows, m_ - part.row); }
  Index columns(const Part& part) const { return std::min(plan_.columns, n_ - part.column); }

  /// Where tiles find rows of B: in panels, and where it lies.
  struct Offsets {
    Index entries;
    Scratch<Index> table;

    explicit Offsets(const Gemm& p)
        : entries(p.plan_.way == GemmWay::dot ? 0 : p.depth_), table(2 * entries) {
      for (Index l = 0; l < entries; ++l) {
        table.data()[l] = l * p.width_;
        table.data()[entries + l] = l * p.right_.row;
      }
    }
    const Index* packed() const { return table.data(); }
    const Index* in_place() const { return table.data() + entries; }
  };

  static Strided<T> with(Strided<T> matrix, const T* data) {
    matrix.data = data;
    return matrix;
  }
  /// Steps in a piece of k, and elements of one as they are packed.
  Index steps() const { return divide_up(std::min(piece_, k_), plan_.depth); }
  Index step() const { return divide_up(n_, width_) * panel_stride(depth_, width_); }

  void multiply(const Part& part, const T* a, MaybePacked<T> b, Target<T> to,
                const Offsets& offsets, T* scratch) const {
    const Index k0 = part.split * piece_, length = std::min(piece_, k_ - k0);
    const Index m = rows(part), n = columns(part);
    const Strided<T> from_a = with(left_, a).from(part.row, k0);
    const bool found = b.packed && plan_.way == GemmWay::packed;
    const Strided<T> from_b = found ? Strided<T>{} : with(right_, b.data).from(k0, part.column);
    if (plan_.way == GemmWay::dot) {
      gemm_dot(tiles_, plan_, m, n, length, from_a, from_b, to, scratch);
    } else if (plan_.way == GemmWay::packed) {
      const Panels<T> all{found ? b.data : nullptr, step(), panel_stride(depth_, width_)};
      gemm_packed(tiles_, plan_, m, n, length, from_a, from_b,
                  all.from(part.split * steps(), part.column / width_), to, offsets.packed(),
                  scratch);
    } else {
      const Index whole = n / tiles_.lanes * tiles_.lanes;
      gemm_streams(tiles_, plan_, m, whole, length, from_a, from_b, to, offsets.in_place());
      gemm_packed(tiles_, plan_, m, n - whole, length, from_a, from_b.from(0, whole), {},
                  Target<T>{to.data + whole, to.row, to.add}, offsets.packed(), scratch);
    }
  }

  Index m_, n_, k_;
  simd::Tiles<T> tiles_ = simd::tiles<T>();
  Strided<T> left_{}, right_{};  ///< how op(a) and op(b) lie
  GemmPlan plan_{};
  Index piece_ = 1;  ///< of k, whose products are added up by themselves
  Index depth_ = 0;  ///< of a step
  Index width_ = 1;  ///< of a panel
};

/// c (+)= op(a) op(b) for one pair of matrices, and then what `end` says, whose `add` is not c.
template <class T>
void gemm_matrix(Transposed transposed, Index m, Index n, Index k, const T* a, MaybePacked<T> b,
                 T* c, bool add, const Epilogue<T>& end = {}) {
  Gemm<T>(transposed, m, n, k).run(a, b, c, add, end);
}

/// Packs B for that product, in Gemm::packed() elements.
template <class T>
void gemm_pack(Transposed transposed, Index m, Index n, Index k, const T* b, T* to) {
  Gemm<T>(transposed, m, n, k).pack(b, to);
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
      detail::gemm_matrix<T>(transposed, m, n, k, a.data + i * m * k, b.data + i * k * n,
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

#define EBB_GEMM(T)                                                                               \
  EBB_COMPILED(void detail::gemm_matrix<T>(Transposed, Index, Index, Index, const T*,             \
                                           detail::MaybePacked<T>, T*, bool, const Epilogue<T>&)) \
  EBB_COMPILED(void detail::gemm_pack<T>(Transposed, Index, Index, Index, const T*, T*))
EBB_GEMM(float)
EBB_GEMM(double)
#undef EBB_GEMM

}  // namespace ebb::kernel
