/// \file
/// Elementwise functions whose constants are those of a plane, on CUDA: what applies a
/// normalisation, forward and backward.
///
/// A thread takes 16 bytes of every operand at a time, wherever planes begin: at the end of a plane
/// it fetches the constants of the next one. Those come from the first-level cache. With
/// one pack of each operand under way in every thread, a full multiprocessor has 32 KiB on their
/// way, twice what hides the latency of memory on an H100. The arithmetic, about sixty instructions
/// for 32 packs, takes a quarter of the time that their bytes take.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/counting.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// y[i] = f.value(f.line(plane), offset in the plane, x[i], up[i]); `up` where F::reads_up.
template <int V, class F, class T, class I>
EBB_KERNEL plane_map_kernel(F f, I n, gpu::Divisor<I> spatial, const T* x, const T* up, T* y,
                            bool add) {
  constexpr I width = static_cast<I>(V);
  const I packs = divide_up(n, width);
  for (I q = gpu::thread_as<I>(); q < packs; q += gpu::threads_as<I>()) {
    const I first = q * width;
    const bool whole = first + width <= n;
    const I count = whole ? width : n - first;
    gpu::Pack<T, V> a{}, b{}, to{};
    if (whole) {
      a = gpu::load_pack<V>(x + first);
      if constexpr (F::reads_up) b = gpu::load_pack<V>(up + first);
      if (add) to = gpu::load_pack<V>(y + first);
    } else {
      EBB_UNROLL
      for (int k = 0; k < V; ++k)
        if (static_cast<I>(k) < count) {
          a[k] = x[first + static_cast<I>(k)];
          if constexpr (F::reads_up) b[k] = up[first + static_cast<I>(k)];
          if (add) to[k] = y[first + static_cast<I>(k)];
        }
    }
    I plane = spatial.quotient(first), offset = first - plane * spatial.by;
    auto line = f.line(plane);
    EBB_UNROLL
    for (int k = 0; k < V; ++k) {
      if (static_cast<I>(k) >= count) break;
      if (offset == spatial.by) {
        offset = 0;
        line = f.line(++plane);
      }
      to[k] += f.value(line, offset, a[k], b[k]);
      ++offset;
    }
    if (whole) {
      gpu::store_pack(y + first, to);
    } else {
      EBB_UNROLL
      for (int k = 0; k < V; ++k)
        if (static_cast<I>(k) < count) y[first + static_cast<I>(k)] = to[k];
    }
  }
}

/// y[i] = f of x[i] (and up[i]), added to y where `add` says so; planes of `spatial` elements. `y`
/// may be x or up.
template <class F, class T>
void plane_map(const F& f, Index planes, Index spatial, const T* x, const T* up, T* y, bool add) {
  const Index n = planes * spatial;
  if (n == 0) return;
  gpu::with_index(n, [&](auto zero) {
    using I = decltype(zero);
    constexpr int V = gpu::pack_of<T>;
    const gpu::Divisor<I> divisor(spatial);
    if (gpu::packable(x, up, y))
      gpu::launch(gpu::blocks_for(divide_up(n, V)), gpu::block_size, 0,
                  plane_map_kernel<V, F, T, I>, f, static_cast<I>(n), divisor, x, up, y, add);
    else
      gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, plane_map_kernel<1, F, T, I>, f,
                  static_cast<I>(n), divisor, x, up, y, add);
  });
}

}  // namespace ebb::kernel::detail
