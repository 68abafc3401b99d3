/// \file
/// Means over windows on CUDA, and over the windows of adaptive pooling: those are a thread's where
/// they are small, else a warp's, and the mean of whole planes is a sum of rows
/// (kit/channel_sums.cuh), which a few large planes are cut in pieces for.
#pragma once

#include <ebb/kit/channel_sums.cuh>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/pooling/windows.cuh>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

template <class I, int K, class T>
EBB_KERNEL avg_pool_kernel(I n, PoolWindows<I, K> g, const T* x, T* y) {
  using S = SignedIndex<I>;
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane;
    S oy, ox;
    g.place(i, plane, oy, ox);
    const S top = g.y.start(oy), left = g.x.start(ox);
    const T* const image = x + plane * static_cast<I>(g.y.in) * static_cast<I>(g.x.in);
    const auto element = [&](S iy, S ix) {
      return iy < 0 || iy >= g.y.in || ix < 0 || ix >= g.x.in ? T(0) : image[iy * g.x.in + ix];
    };
    T sum(0);
    if constexpr (K > 0) {
      EBB_UNROLL
      for (int ky = 0; ky < K; ++ky) {
        EBB_UNROLL
        for (int kx = 0; kx < K; ++kx) sum += element(top + ky, left + kx);
      }
    } else {
      for (S ky = 0; ky < g.y.kernel(); ++ky)
        for (S kx = 0; kx < g.x.kernel(); ++kx) sum += element(top + ky, left + kx);
    }
    y[i] = sum / static_cast<T>(g.average_divisor(oy, ox));
  }
}

template <class I, int K, class T>
EBB_KERNEL avg_pool_grad_kernel(I n, PoolWindows<I, K> g, const T* dy, T* dx, bool add) {
  using S = SignedIndex<I>;
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane;
    S iy, ix;
    g.place(i, plane, iy, ix);
    const Range<S> rows = g.y.windows(iy), columns = g.x.windows(ix);
    T sum(0);
    for (S oy = rows.begin; oy < rows.end; ++oy) {
      const T* const from =
          dy + (plane * static_cast<I>(g.y.out) + static_cast<I>(oy)) * static_cast<I>(g.x.out);
      for (S ox = columns.begin; ox < columns.end; ++ox)
        sum += from[ox] / static_cast<T>(g.average_divisor(oy, ox));
    }
    dx[i] = add ? dx[i] + sum : sum;
  }
}

/// The sum of a row, for `row_sums`: pieces of eight elements in their own type, then in W.
template <class T>
struct MeanOf {
  using W = Wide<T>;
  struct Entry {
    W sum;
    EBB_DEVICE void join(const Entry& other) { sum += other.sum; }
    EBB_DEVICE Entry shuffled(int apart) const {
      return {__shfl_xor_sync(0xffffffffu, sum, apart)};
    }
  };

  const T* x;
  T* y;
  W count;

  struct Gather {
    W sum = 0;
    template <int V, class I, int U>
    EBB_DEVICE void take(const MeanOf& p, const I (&)[U], I, const I (&at)[U]) {
      gpu::Pack<T, V> pack[U];
      EBB_UNROLL
      for (int u = 0; u < U; ++u) pack[u] = gpu::load_pack<V>(p.x + at[u]);
      T here(0);
      EBB_UNROLL
      for (int u = 0; u < U; ++u) {
        EBB_UNROLL
        for (int k = 0; k < V; ++k) here += pack[u][k];
      }
      sum += static_cast<W>(here);
    }
    EBB_DEVICE Entry entry() const { return {sum}; }
  };

  template <class I>
  EBB_DEVICE void finish(I r, const Entry& e) const {
    y[r] = static_cast<T>(e.sum / count);
  }
};

/// Adaptive pooling, along one axis: window o of `out` is [floor(o in / out), ceil((o + 1) in /
/// out)); and, the other way round, the windows that element i lies in are those of a pooling from
/// `out` to `in`.
template <class I>
struct AdaptiveLine {
  gpu::Divisor<I> in, out;

  AdaptiveLine(Index from, Index to) : in(from), out(to) {}

  EBB_DEVICE Range<I> elements(I o) const {
    return {out.quotient(o * in.by), out.quotient((o + 1) * in.by + out.by - 1)};
  }
  EBB_DEVICE Range<I> windows(I i) const {
    return {in.quotient(i * out.by), in.quotient((i + 1) * out.by + in.by - 1)};
  }
};

/// G threads a window, 1 or a warp.
template <int G, class I, class T>
EBB_KERNEL adaptive_pool_kernel(I windows, AdaptiveLine<I> rows, AdaptiveLine<I> columns,
                                const T* x, T* y) {
  using W = Wide<T>;
  constexpr I group = G;
  const I lane = gpu::thread_as<I>() % group;
  for (I o = gpu::thread_as<I>() / group; o < windows; o += gpu::threads_as<I>() / group) {
    const I line = columns.out.quotient(o), ox = o - line * columns.out.by;
    const I plane = rows.out.quotient(line), oy = line - plane * rows.out.by;
    const Range<I> h = rows.elements(oy), w = columns.elements(ox);
    const I width = w.end - w.begin, size = (h.end - h.begin) * width;
    const T* const from = x + (plane * rows.in.by + h.begin) * columns.in.by + w.begin;
    W sum = 0;
    for (I k = lane; k < size; k += group) {
      const I row = k / width;
      sum += static_cast<W>(from[row * columns.in.by + (k - row * width)]);
    }
    if constexpr (G > 1) sum = gpu::warp_sum(sum);
    if (lane == 0) y[o] = static_cast<T>(sum / static_cast<W>(size));
  }
}

template <class I, class T>
EBB_KERNEL adaptive_pool_grad_kernel(I n, AdaptiveLine<I> rows, AdaptiveLine<I> columns,
                                     const T* dy, T* dx, bool add) {
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    const I line = columns.in.quotient(i), ix = i - line * columns.in.by;
    const I plane = rows.in.quotient(line), iy = line - plane * rows.in.by;
    const Range<I> v = rows.windows(iy), h = columns.windows(ix);
    T sum(0);
    for (I oy = v.begin; oy < v.end; ++oy) {
      const T* const from = dy + (plane * rows.out.by + oy) * columns.out.by;
      const Range<I> a = rows.elements(oy);
      for (I ox = h.begin; ox < h.end; ++ox) {
        const Range<I> b = columns.elements(ox);
        sum += from[ox] / static_cast<T>((a.end - a.begin) * (b.end - b.begin));
      }
    }
    dx[i] = add ? dx[i] + sum : sum;
  }
}

/// The largest number that the indices of an adaptive pooling come to.
inline Index indexed(const AdaptivePoolGeometry& g) {
  const auto product = [](Index in, Index out) { return (in + 1) * (out + 1); };
  const Index down = product(g.in.height, g.out.height), across = product(g.in.width, g.out.width);
  const Index all = g.planes * (g.in.area() > g.out.area() ? g.in.area() : g.out.area());
  const Index most = down > across ? down : across;
  return all > most ? all : most;
}

}  // namespace detail

/// Kernel: the mean of each window.
template <class T>
void avg_pool2d_forward(Cuda, const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y) {
  detail::with_pool(g, [&]<int K, class I>(std::integral_constant<int, K>, I) {
    const Index n = y.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::avg_pool_kernel<I, K, T>,
                static_cast<I>(n), detail::PoolWindows<I, K>(g, g.y.out, g.x.out), x.data, y.data);
  });
}

/// Kernel: every element of a window receives an equal share of its dy.
template <class T>
void avg_pool2d_backward(Cuda, const Pool2dGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  detail::with_pool(g, [&]<int K, class I>(std::integral_constant<int, K>, I) {
    const Index n = dx.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::avg_pool_grad_kernel<I, K, T>,
                static_cast<I>(n), detail::PoolWindows<I, K>(g, g.y.in, g.x.in), dy.data, dx.data,
                dx.add);
  });
}

/// Kernel: the mean of each window.
template <class T>
void adaptive_avg_pool2d_forward(Cuda, const AdaptivePoolGeometry& g, View<const T, 4> x,
                                 View<T, 4> y) {
  const Index windows = y.size();
  if (g.out.area() == 1) {
    const detail::MeanOf<T> mean{x.data, y.data, static_cast<detail::Wide<T>>(g.in.area())};
    return detail::row_sums<T>(mean, g.planes, g.in.area(), gpu::packable(x.data));
  }
  gpu::with_index(detail::indexed(g), [&]<class I>(I) {
    const detail::AdaptiveLine<I> rows(g.in.height, g.out.height), columns(g.in.width, g.out.width);
    constexpr Index small = 16;  // elements of a window that a thread adds up alone
    if (g.in.area() <= small * g.out.area())
      gpu::launch(gpu::blocks_for(windows), gpu::block_size, 0,
                  detail::adaptive_pool_kernel<1, I, T>, static_cast<I>(windows), rows, columns,
                  x.data, y.data);
    else
      gpu::launch(gpu::blocks_for(32 * windows), gpu::block_size, 0,
                  detail::adaptive_pool_kernel<32, I, T>, static_cast<I>(windows), rows, columns,
                  x.data, y.data);
  });
}

/// Kernel: every element of a window receives an equal share of its dy.
template <class T>
void adaptive_avg_pool2d_backward(Cuda, const AdaptivePoolGeometry& g, View<const T, 4> dy,
                                  Into<T, 4> dx) {
  gpu::with_index(detail::indexed(g), [&]<class I>(I) {
    const Index n = dx.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::adaptive_pool_grad_kernel<I, T>,
                static_cast<I>(n), detail::AdaptiveLine<I>(g.in.height, g.out.height),
                detail::AdaptiveLine<I>(g.in.width, g.out.width), dy.data, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
