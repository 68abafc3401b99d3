/// \file
/// Matrix products on CUDA.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/epilogue.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/kit/product/tiles.cuh>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// c = op(a) op(b) for each of a batch of matrices, and then what `end` says, whose channels are
/// columns. Neighbours in memory are those of a step (`AlongA`: a is stored transposed; `AlongB`: b
/// is not) or of a line.
template <class T, class I, bool AlongA, bool AlongB, int V>
struct GemmProblem {
  const T *a, *b;
  T* c;
  I m, n, k;
  bool packed;
  Epilogue<T> end;

  using Left = MatrixOperand<T, I, AlongA, V>;
  using Right = MatrixOperand<T, I, AlongB, V>;
  struct Part {
    I m, n, k;
    Left left;
    Right right;
    T* c;
    bool packed;
    Epilogue<T> end;

    template <int W>
    EBB_DEVICE void put(I row, I column, gpu::Pack<T, W> pack) const {
      const Index at = static_cast<Index>(row) * n + column;
      EBB_UNROLL
      for (int v = 0; v < W; ++v) {
        if (column + v >= n) continue;
        if (end.bias != nullptr) pack[v] += end.bias[column + v];
        pack[v] = end.finish(pack[v], at + v);
      }
      put_pack(c + at, pack, packed, n - column);
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
            packed,
            end.from(Index{0}, at * m * n)};
  }
};

template <class T>
void gemm_on_gpu(Transposed transposed, Index batch, Index m, Index n, Index k, const T* a,
                 const T* b, T* c, bool add, const Epilogue<T>& epilogue = {}) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "ebb: matrix products on CUDA are of float or double");
  if (batch * m * n == 0) return;
  Epilogue<T> end = epilogue;
  if (add) end.add = c;
  constexpr int most = gpu::pack_of<T>;
  const bool along_a = transposed.a, along_b = !transposed.b;
  const bool packs =
      gpu::packable(a, b) && (along_a ? m : k) % most == 0 && (along_b ? n : k) % most == 0;
  const auto run = [&]<class I, bool A, bool B, int V>(I, std::bool_constant<A>,
                                                       std::bool_constant<B>,
                                                       std::integral_constant<int, V>) {
    using Problem = GemmProblem<T, I, A, B, V>;
    multiply<T, I>(Problem{a, b, c, static_cast<I>(m), static_cast<I>(n), static_cast<I>(k),
                           gpu::packable(c) && n % most == 0, end},
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

#define EBB_GEMM_ON_CUDA(T)                         \
  EBB_COMPILED_ON_CUDA(void detail::gemm_on_gpu<T>( \
      Transposed, Index, Index, Index, Index, const T*, const T*, T*, bool, const Epilogue<T>&))
EBB_GEMM_ON_CUDA(float)
EBB_GEMM_ON_CUDA(double)
#undef EBB_GEMM_ON_CUDA

}  // namespace ebb::kernel
