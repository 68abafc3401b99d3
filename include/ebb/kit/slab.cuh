/// \file
/// Stretches of rows copied on CUDA, for concat, stack and slice: sixteen bytes a thread where rows
/// and the ends of the stretch allow.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/slab.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// A slab whose lengths count packs. `walked` is what a row of the loop has: the slab's length, or
/// the whole row of the destination.
template <class I>
struct SlabWalk {
  gpu::Divisor<I> walked;
  I count;  ///< packs of all rows
  I length, from_row, from_begin, to_row, to_begin;

  SlabWalk(const Slab& s, Index row, Index pack)
      : walked(row / pack),
        count(static_cast<I>(s.rows * (row / pack))),
        length(static_cast<I>(s.length / pack)),
        from_row(static_cast<I>(s.from_row / pack)),
        from_begin(static_cast<I>(s.from_begin / pack)),
        to_row(static_cast<I>(s.to_row / pack)),
        to_begin(static_cast<I>(s.to_begin / pack)) {}
};

template <int V, class I, class T>
EBB_KERNEL copy_slab_kernel(SlabWalk<I> s, const T* from, T* to, bool add) {
  for (I q = gpu::thread_as<I>(); q < s.count; q += gpu::threads_as<I>()) {
    const I row = s.walked.quotient(q), at = q - row * s.walked.by;
    T* const target = to + (row * s.to_row + s.to_begin + at) * static_cast<I>(V);
    gpu::Pack<T, V> pack =
        gpu::load_pack<V>(from + (row * s.from_row + s.from_begin + at) * static_cast<I>(V));
    if (add) {
      const gpu::Pack<T, V> there = gpu::load_pack<V>(target);
      EBB_UNROLL
      for (int k = 0; k < V; ++k) pack[k] = there[k] + pack[k];
    }
    gpu::store_pack(target, pack);
  }
}

/// Walks over the destination, and writes zeros beside the slab.
template <int V, class I, class T>
EBB_KERNEL embed_slab_kernel(SlabWalk<I> s, const T* from, T* to) {
  for (I q = gpu::thread_as<I>(); q < s.count; q += gpu::threads_as<I>()) {
    const I row = s.walked.quotient(q), place = q - row * s.walked.by;
    gpu::Pack<T, V> pack{};
    if (place >= s.to_begin && place - s.to_begin < s.length)
      pack = gpu::load_pack<V>(from + (row * s.from_row + s.from_begin + (place - s.to_begin)) *
                                          static_cast<I>(V));
    gpu::store_pack(to + q * static_cast<I>(V), pack);
  }
}

/// Calls f with the elements of a pack and a zero of the index type.
template <class T, class F>
void with_slab(const Slab& s, const T* from, const T* to, F&& f) {
  constexpr Index full = gpu::pack_of<T>;
  const bool packs = gpu::packable(from, to) && s.length % full == 0 && s.from_row % full == 0 &&
                     s.from_begin % full == 0 && s.to_row % full == 0 && s.to_begin % full == 0;
  gpu::with_pack_and_index<T>(packs, s.rows * (s.from_row > s.to_row ? s.from_row : s.to_row), f);
}

}  // namespace detail

/// Kernel: the slab of `from` into the slab of `to`; the rest of `to` is left as it is.
template <class T>
void copy_slab(Cuda, const Slab& s, View<const T, 1> from, Into<T, 1> to) {
  if (s.rows * s.length == 0) return;
  detail::with_slab(s, from.data, to.data, [&]<int V, class I>(std::integral_constant<int, V>, I) {
    gpu::launch(gpu::blocks_for(s.rows * s.length / V), gpu::block_size, 0,
                detail::copy_slab_kernel<V, I, T>, detail::SlabWalk<I>(s, s.length, V), from.data,
                to.data, to.add);
  });
}

/// Kernel: the slab of `from` into the slab of `to`, and zeros (or nothing to add) elsewhere.
template <class T>
void embed_slab(Cuda, const Slab& s, View<const T, 1> from, Into<T, 1> to) {
  if (to.add) return copy_slab(Cuda{}, s, from, to);
  if (s.rows * s.to_row == 0) return;
  detail::with_slab(s, from.data, to.data, [&]<int V, class I>(std::integral_constant<int, V>, I) {
    gpu::launch(gpu::blocks_for(s.rows * s.to_row / V), gpu::block_size, 0,
                detail::embed_slab_kernel<V, I, T>, detail::SlabWalk<I>(s, s.to_row, V), from.data,
                to.data);
  });
}

}  // namespace ebb::kernel
