/// \file
/// Matrix products on CUDA.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/kit/product/tiles.cuh>

namespace ebb::inline EBB_ABI {
namespace detail {

/// c (+)= op(a) op(b) + bias for each of a batch of matrices, then max(0, c) if `relu`. Neighbours
/// in memory are those of a step (`AlongA`: a is stored transposed; `AlongB`: b is not) or of a
/// line.
template <class T, class I, bool AlongA, bool AlongB, int V>
struct GemmProblem {
  const T *a, *b;
  T* c;
  I m, n, k;
  bool add, packed;
  const T* bias;  ///< one for each column, or null
  bool relu;

  using Left = MatrixOperand<T, I, AlongA, V>;
  using Right = MatrixOperand<T, I, AlongB, V>;
  struct Part {
    I m, n, k;
    Left left;
    Right right;
    T* c;
    const T* bias;
    bool add, packed, relu;

    template <int W>
    EBB_DEVICE void put(I row, I column, gpu::Pack<T, W> pack) const {
      T* const to = c + (static_cast<Index>(row) * n + column);
      EBB_UNROLL
      for (int v = 0; v < W; ++v) {
        if (column + v >= n) continue;
        if (add) pack[v] += to[v];
        if (bias != nullptr) pack[v] += bias[column + v];
        if (relu && pack[v] < T(0)) pack[v] = T(0);  // nan stays
      }
      put_pack(to, pack, packed, n - column);
    }
  };

  EBB_DEVICE Part at(I z) const {
    const Index at = z;
    return {m,
            n,
            k,
            {a + at * m * k, AlongA ? 1 : k, AlongA ? m : 1},
            {b + at * k * n, AlongB ? 1 : k, AlongB ? n : 1},
            c + at * m * n,
            bias,
            add,
            packed,
            relu};
  }
};

/// What is fused into a product.
template <class T>
struct GemmEpilogue {
  const T* bias = nullptr;
  bool relu = false;
};

template <class T>
void gemm_on_gpu(Transposed transposed, Index batch, Index m, Index n, Index k, const T* a,
                 const T* b, T* c, bool add, const GemmEpilogue<T>& epilogue = {}) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "ebb: matrix products on CUDA are of float or double");
  if (batch * m * n == 0) return;
  constexpr int most = gpu::pack_of<T>;
  const bool along_a = transposed.a, along_b = !transposed.b;
  const bool packs =
      gpu::packable(a, b) && (along_a ? m : k) % most == 0 && (along_b ? n : k) % most == 0;
  const auto run = [&]<class I, bool A, bool B, int V>(I, std::bool_constant<A>,
                                                       std::bool_constant<B>,
                                                       std::integral_constant<int, V>) {
    using Problem = GemmProblem<T, I, A, B, V>;
    multiply<T, I>(Problem{a, b, c, static_cast<I>(m), static_cast<I>(n), static_cast<I>(k), add,
                           gpu::packable(c) && n % most == 0, epilogue.bias, epilogue.relu},
                   batch, m, n, k);
  };
  const auto with_packs = [&](auto index, auto a_along, auto b_along) {
    if constexpr (sizeof(index) == 4)
      if (packs) return run(index, a_along, b_along, std::integral_constant<int, most>{});
    run(index, a_along, b_along, std::integral_constant<int, 1>{});
  };
  const auto with_layouts = [&](auto index) {
    if (along_a)
      along_b ? with_packs(index, std::true_type{}, std::true_type{})
              : with_packs(index, std::true_type{}, std::false_type{});
    else
      along_b ? with_packs(index, std::false_type{}, std::true_type{})
              : with_packs(index, std::false_type{}, std::false_type{});
  };
  if (std::max({m * k, k * n, batch * m * n}) <= gpu::short_indices)
    with_layouts(int{});
  else
    with_layouts(Index{});
}

}  // namespace detail

/// Kernel: c (+)= op(a) op(b) for each matrix of a batch; op(a) is (m, k), op(b) is (k, n).
template <class T>
void gemm(Cuda, Transposed transposed, View<const T, 3> a, View<const T, 3> b, Into<T, 3> c) {
  detail::gemm_on_gpu<T>(transposed, c.shape[0], c.shape[1], c.shape[2],
                         a.extent(transposed.a ? 1 : 2), a.data, b.data, c.data, c.add);
}

#define EBB_GEMM_ON_CUDA(T)                                                                \
  EBB_COMPILED_ON_CUDA(void detail::gemm_on_gpu<T>(Transposed, Index, Index, Index, Index, \
                                                   const T*, const T*, T*, bool,           \
                                                   const GemmEpilogue<T>&))
EBB_GEMM_ON_CUDA(float)
EBB_GEMM_ON_CUDA(double)
#undef EBB_GEMM_ON_CUDA

}  // namespace ebb
