/// \file
/// Dropout on CUDA: the CPU's random numbers, element by element the same.
///
/// A thread draws one block of Philox, four words, for four neighbouring elements; eight threads
/// put their four bits together in a word of the mask. That takes about a hundred and fifty
/// instructions for four elements, half of what a GPU has time for while it moves their 32 bytes.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/elementwise/dropout_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Elements whose random words are one block of Philox.
inline constexpr int drawn_together = 4;

/// y[i] = gain x[i] where bit i of `kept` is set, else 0 x[i], for the elements from `first` on.
template <int V, class I, class T>
EBB_DEVICE void keep_four(unsigned kept, T gain, I first, I n, const T* x, T* y, bool add) {
  const auto factor = [=](int k) { return (kept >> k & 1u) != 0 ? gain : T(0); };
  if (first + static_cast<I>(drawn_together) <= n) {
    EBB_UNROLL
    for (int part = 0; part < drawn_together; part += V) {
      const I at = first + static_cast<I>(part);
      gpu::Pack<T, V> pack = gpu::load_pack<V>(x + at), there{};
      if (add) there = gpu::load_pack<V>(y + at);
      EBB_UNROLL
      for (int k = 0; k < V; ++k) {
        const T value = factor(part + k) * pack[k];
        pack[k] = add ? there[k] + value : value;
      }
      gpu::store_pack(y + at, pack);
    }
    return;
  }
  EBB_UNROLL
  for (int k = 0; k < drawn_together; ++k) {
    const I at = first + static_cast<I>(k);
    if (at >= n) return;
    const T value = factor(k) * x[at];
    y[at] = add ? y[at] + value : value;
  }
}

template <int V, class I, class T>
EBB_KERNEL dropout_kernel(I n, DropoutMask mask, const gpu::StepState* state, T scale, const T* x,
                          T* y, std::uint32_t* words) {
  constexpr I four = drawn_together;
  const RandomStream stream = gpu::shifted(mask.stream, state);
  const I fours = divide_up(n, four);
  const auto lane = static_cast<I>(threadIdx.x % 32);
  // Whole warps go on together, for the lanes exchange their bits.
  for (I warp = gpu::thread_as<I>() - lane; warp < fours; warp += gpu::threads_as<I>()) {
    const I q = warp + lane;
    unsigned kept = 0;
    if (q < fours) {
      const Philox drawn = Philox::block(stream.seed, stream.stream, static_cast<std::uint64_t>(q));
      EBB_UNROLL
      for (int k = 0; k < drawn_together; ++k)
        kept |= static_cast<unsigned>(mask.keeps(drawn.word[k])) << k;
      keep_four<V>(kept, scale, q * four, n, x, y, false);
    }
    if (words == nullptr) continue;
    unsigned word = kept << 4 * (threadIdx.x % 8);
    EBB_UNROLL
    for (int apart = 1; apart < 8; apart *= 2) word |= __shfl_xor_sync(0xffffffffu, word, apart);
    if (q < fours && threadIdx.x % 8 == 0) words[q / 8] = word;
  }
}

template <int V, class I, class T>
EBB_KERNEL dropout_grad_kernel(I n, const std::uint32_t* words, T scale, const T* dy, T* dx,
                               bool add) {
  constexpr I four = drawn_together;
  for (I q = gpu::thread_as<I>(); q * four < n; q += gpu::threads_as<I>())
    keep_four<V>(words[q / 8] >> 4 * static_cast<unsigned>(q % 8), scale, q * four, n, dy, dx, add);
}

}  // namespace detail

/// Kernel: y[i] = scale x[i] where the mask keeps element i, else 0 x[i]. `kept`, which may be
/// absent, receives a bit an element. While a step is captured, each replay draws anew.
template <class T, int N>
void dropout_forward(Cuda, const DropoutMask& mask, T scale, View<const T, N> x, View<T, N> y,
                     View<std::uint32_t, 1> kept) {
  const Index n = y.size();
  if (n == 0) return;
  gpu::with_pack_and_index<T>(
      gpu::packable(x.data, y.data), n, [&]<int V, class I>(std::integral_constant<int, V>, I) {
        gpu::launch(gpu::blocks_for((n + 3) / detail::drawn_together), gpu::block_size, 0,
                    detail::dropout_kernel<V, I, T>, static_cast<I>(n), mask, gpu::step_state(),
                    scale, x.data, y.data, kept.data);
      });
}

/// Kernel: dx[i] = scale dy[i] where element i was kept, else 0 dy[i].
template <class T, int N>
void dropout_backward(Cuda, View<const std::uint32_t, 1> kept, T scale, View<const T, N> dy,
                      Into<T, N> dx) {
  const Index n = dx.size();
  if (n == 0) return;
  gpu::with_pack_and_index<T>(
      gpu::packable(dy.data, dx.data), n, [&]<int V, class I>(std::integral_constant<int, V>, I) {
        gpu::launch(gpu::blocks_for((n + 3) / detail::drawn_together), gpu::block_size, 0,
                    detail::dropout_grad_kernel<V, I, T>, static_cast<I>(n), kept.data, scale,
                    dy.data, dx.data, dx.add);
      });
}

}  // namespace ebb::kernel
