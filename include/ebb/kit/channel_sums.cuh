/// \file
/// Sums over all axes of (batch, channels, spatial) but the channel, on CUDA: what batch, layer and
/// group normalisation need forward and backward.
///
/// What is summed is a policy, a trivially copyable struct with
///  - `Gather`, what one thread gathers, with `take<V>(policy, n, c, at)` for U packs of V
///    neighbouring elements of channel c that begin at the indices `at` in images n, and `entry()`;
///  - `Entry`, an aggregate with `join(other)` and `shuffled(apart)`: parts of a sum are joined in
///    a tree that the shape alone determines, so that every run gives the same bits;
///  - `finish(c, entry)`, which writes the result of channel c.
///
/// Loads are 16 bytes a thread where planes allow, neighbouring threads read neighbouring packs,
/// and two packs of each operand are under way in a thread: with 2048 threads a multiprocessor that
/// is 64 KiB, several times what latency times bandwidth asks for (Little's law: about 16 KiB on an
/// H100). Channels are cut in parts, so that a few of them fill the machine too.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/counting.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

inline constexpr int warps_of_block = gpu::block_size / 32;

template <class Entry>
EBB_DEVICE void join_warp(Entry& entry) {
  EBB_UNROLL
  for (int apart = 16; apart > 0; apart /= 2) entry.join(entry.shuffled(apart));
}

/// (batch, channels, spatial), the elements of a channel cut in `parts` of `per_part` packs.
template <class I>
struct ChannelCut {
  I channels, spatial, row;        ///< row: elements of an image
  I packs, per_part;               ///< of a channel
  gpu::Divisor<I> plane, channel;  ///< packs of a plane; channels
};

/// A block sums one part of one channel.
template <int V, class P, class I>
EBB_KERNEL EBB_BOUNDS(gpu::block_size)
    plane_sums_kernel(P policy, ChannelCut<I> g, I parts, typename P::Entry* entries) {
  constexpr I step = gpu::block_size;
  const auto block = static_cast<I>(blockIdx.x);
  const I part = g.channel.quotient(block), c = block - part * g.channels;
  const I begin = part * g.per_part;
  const I end = g.packs - begin < g.per_part ? g.packs : begin + g.per_part;
  const auto image = [&](I q) { return g.plane.quotient(q); };
  const auto place = [&](I q, I n) {
    return n * g.row + c * g.spatial + (q - n * g.plane.by) * static_cast<I>(V);
  };

  typename P::Gather gather;
  I q = begin + static_cast<I>(threadIdx.x);
  for (; q + step < end; q += 2 * step) {
    const I n[2] = {image(q), image(q + step)};
    const I at[2] = {place(q, n[0]), place(q + step, n[1])};
    gather.template take<V>(policy, n, c, at);
  }
  if (q < end) {
    const I n[1] = {image(q)};
    const I at[1] = {place(q, n[0])};
    gather.template take<V>(policy, n, c, at);
  }

  typename P::Entry entry = gather.entry();
  join_warp(entry);
  EBB_SHARED(typename P::Entry, of_warp, [warps_of_block]);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = entry;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int w = 1; w < warps_of_block; ++w) entry.join(of_warp[w]);
  if (parts == 1)
    policy.finish(c, entry);
  else
    entries[block] = entry;
}

/// Where planes are small: (batch, channels spatial) is summed by columns. A block is 32 columns
/// wide and takes a part of the rows, eight at a time.
template <class P, class I>
EBB_KERNEL EBB_BOUNDS(gpu::block_size)
    column_sums_kernel(P policy, I batch, I columns, I per_part, gpu::Divisor<I> spatial,
                       gpu::Divisor<I> tiles, typename P::Entry* entries) {
  constexpr I step = warps_of_block;
  const auto block = static_cast<I>(blockIdx.x);
  const auto lane = static_cast<I>(threadIdx.x % 32), warp = static_cast<I>(threadIdx.x / 32);
  const I part = tiles.quotient(block), column = (block - part * tiles.by) * 32 + lane;
  const I begin = part * per_part, end = batch - begin < per_part ? batch : begin + per_part;
  const I c = spatial.quotient(column);

  EBB_SHARED(typename P::Entry, of_warp, [warps_of_block][32]);
  if (column < columns) {
    typename P::Gather gather;
    I n = begin + warp;
    for (; n + 3 * step < end; n += 4 * step) {
      const I images[4] = {n, n + step, n + 2 * step, n + 3 * step};
      const I at[4] = {images[0] * columns + column, images[1] * columns + column,
                       images[2] * columns + column, images[3] * columns + column};
      gather.template take<1>(policy, images, c, at);
    }
    for (; n < end; n += step) {
      const I images[1] = {n};
      const I at[1] = {n * columns + column};
      gather.template take<1>(policy, images, c, at);
    }
    of_warp[warp][lane] = gather.entry();
  }
  __syncthreads();
  if (warp != 0 || column >= columns) return;
  typename P::Entry entry = of_warp[0][lane];
  for (int w = 1; w < warps_of_block; ++w) entry.join(of_warp[w][lane]);
  if (entries)
    entries[part * columns + column] = entry;
  else
    policy.finish(c, entry);
}

/// A warp joins what was found of one channel: `width` neighbouring entries in each of `parts` rows
/// of entries.
template <class P>
EBB_KERNEL join_channels_kernel(P policy, Index channels, Index parts, int width,
                                const typename P::Entry* entries) {
  const Index c = gpu::thread() / 32, lane = threadIdx.x % 32;
  if (c >= channels) return;
  typename P::Entry entry = typename P::Gather().entry();
  for (Index j = lane; j < parts * width; j += 32)
    entry.join(entries[(j / width * channels + c) * width + j % width]);
  join_warp(entry);
  if (lane == 0) policy.finish(c, entry);
}

/// A warp sums a channel of one short row: (1, rows, length).
template <int V, class P, class I>
EBB_KERNEL row_sums_kernel(P policy, I rows, I length) {
  const I r = gpu::thread_as<I>() / 32, lane = static_cast<I>(threadIdx.x % 32);
  if (r >= rows) return;
  constexpr I width = static_cast<I>(V), step = 32 * width;
  const I first = r * length, end = first + length;
  const I n0[1] = {0}, n1[2] = {0, 0};
  typename P::Gather gather;
  I i = first + lane * width;
  for (; i + step < end; i += 2 * step) {
    const I at[2] = {i, i + step};
    gather.template take<V>(policy, n1, r, at);
  }
  if (i < end) {
    const I at[1] = {i};
    gather.template take<V>(policy, n0, r, at);
  }
  typename P::Entry entry = gather.entry();
  join_warp(entry);
  if (lane == 0) policy.finish(r, entry);
}

/// Blocks that fill the machine once.
inline Index blocks_that_fill() { return static_cast<Index>(8) * gpu::multiprocessors(); }

/// How many parts to cut `count` elements into, of which there are `channels` times as many, where
/// a block should have `least`.
inline Index parts_of(Index count, Index channels, Index least) {
  const Index wanted = divide_up(blocks_that_fill(), channels);
  const Index most = divide_up(count, least);
  return wanted < most ? wanted : most;
}

template <class P>
void join_channels(const P& policy, Index channels, Index parts, Index width,
                   const typename P::Entry* entries) {
  constexpr int warps = 4;
  gpu::launch(static_cast<unsigned>(divide_up(channels, warps)), 32 * warps, 0,
              join_channels_kernel<P>, policy, channels, parts, static_cast<int>(width), entries);
}

/// Sums by planes, in packs of V.
template <int V, class P>
void plane_sums(const P& policy, Index batch, Index channels, Index spatial) {
  const Index packs = batch * spatial / V;
  const Index wanted = parts_of(packs, channels, 2 * gpu::block_size);
  const Index per_part = divide_up(packs, wanted), parts = divide_up(packs, per_part);
  const CudaScratch<typename P::Entry> entries(parts > 1 ? parts * channels : 0);
  gpu::with_index(batch * channels * spatial, [&](auto zero) {
    using I = decltype(zero);
    const ChannelCut<I> cut{static_cast<I>(channels),           static_cast<I>(spatial),
                            static_cast<I>(channels * spatial), static_cast<I>(packs),
                            static_cast<I>(per_part),           gpu::Divisor<I>(spatial / V),
                            gpu::Divisor<I>(channels)};
    gpu::launch(static_cast<unsigned>(parts * channels), gpu::block_size, 0,
                plane_sums_kernel<V, P, I>, policy, cut, static_cast<I>(parts), entries.data());
  });
  if (parts > 1) join_channels(policy, channels, parts, 1, entries.data());
}

/// Sums by columns.
template <class P>
void column_sums(const P& policy, Index batch, Index channels, Index spatial) {
  const Index columns = channels * spatial, tiles = (columns + 31) / 32;
  const Index wanted = parts_of(batch, tiles, 4 * warps_of_block);
  const Index per_part = divide_up(batch, wanted), parts = divide_up(batch, per_part);
  const bool joins = parts > 1 || spatial > 1;
  const CudaScratch<typename P::Entry> entries(joins ? parts * columns : 0);
  gpu::with_index(batch * columns, [&](auto zero) {
    using I = decltype(zero);
    gpu::launch(static_cast<unsigned>(parts * tiles), gpu::block_size, 0, column_sums_kernel<P, I>,
                policy, static_cast<I>(batch), static_cast<I>(columns), static_cast<I>(per_part),
                gpu::Divisor<I>(spatial), gpu::Divisor<I>(tiles), joins ? entries.data() : nullptr);
  });
  if (joins) join_channels(policy, channels, parts, spatial, entries.data());
}

/// The sums of `policy` over the batch and space of every channel. `packs`: whether 16 bytes may be
/// read at once.
template <class T, class P>
void channel_sums(const P& policy, Index batch, Index channels, Index spatial, bool packs) {
  constexpr Index small = 16;  // planes that would leave most of a warp's sectors unused
  if (spatial < small)
    column_sums(policy, batch, channels, spatial);
  else if (packs && spatial % gpu::pack_of<T> == 0)
    plane_sums<gpu::pack_of<T>>(policy, batch, channels, spatial);
  else
    plane_sums<1>(policy, batch, channels, spatial);
}

/// The sums of `policy` over every row of (rows, length); `n` is 0, and a row is a channel.
template <class T, class P>
void row_sums(const P& policy, Index rows, Index length, bool packs) {
  constexpr Index short_row = 1024;
  const bool wide = packs && length % gpu::pack_of<T> == 0;
  if (length > short_row)
    return wide ? plane_sums<gpu::pack_of<T>>(policy, 1, rows, length)
                : plane_sums<1>(policy, 1, rows, length);
  constexpr int warps = 4;
  const auto blocks = static_cast<unsigned>(divide_up(rows, warps));
  gpu::with_index(rows * length, [&](auto zero) {
    using I = decltype(zero);
    if (wide)
      gpu::launch(blocks, 32 * warps, 0, row_sums_kernel<gpu::pack_of<T>, P, I>, policy,
                  static_cast<I>(rows), static_cast<I>(length));
    else
      gpu::launch(blocks, 32 * warps, 0, row_sums_kernel<1, P, I>, policy, static_cast<I>(rows),
                  static_cast<I>(length));
  });
}

}  // namespace ebb::kernel::detail
