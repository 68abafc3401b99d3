/// \file
/// Maxima over windows on CUDA.
#pragma once

#include <ebb/ops/pooling/windows.cuh>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// A thread finds the greatest element of a window, the first of several; a nan wins.
template <class I, int K, class T>
EBB_KERNEL max_pool_kernel(I n, PoolWindows<I, K> g, const T* x, T* y, int* argmax) {
  using S = SignedIndex<I>;
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane;
    S oy, ox;
    g.place(i, plane, oy, ox);
    const S top = g.y.start(oy), left = g.x.start(ox);
    const S dy = K > 0 ? S(1) : g.y.dilation, dx = K > 0 ? S(1) : g.x.dilation;
    const T* const image = x + plane * static_cast<I>(g.y.in) * static_cast<I>(g.x.in);
    T most{};
    S best = -1;
    const auto look = [&](S iy, S ix) {
      if (iy < 0 || iy >= g.y.in || ix < 0 || ix >= g.x.in) return;
      const S here = iy * g.x.in + ix;
      const T v = image[here];
      if (best < 0 || v > most || math::is_nan(v)) {
        most = v;
        best = here;
      }
    };
    if constexpr (K > 0) {
      EBB_UNROLL
      for (int ky = 0; ky < K; ++ky) {
        EBB_UNROLL
        for (int kx = 0; kx < K; ++kx) look(top + ky, left + kx);
      }
    } else {
      for (S ky = 0; ky < g.y.kernel(); ++ky)
        for (S kx = 0; kx < g.x.kernel(); ++kx) look(top + ky * dy, left + kx * dx);
    }
    y[i] = most;
    if (argmax) argmax[i] = static_cast<int>(best);
  }
}

/// A thread looks at the windows that its element lies in, whether it is the greatest of them.
template <class I, int K, class T>
EBB_KERNEL max_pool_grad_kernel(I n, PoolWindows<I, K> g, const int* argmax, const T* dy, T* dx,
                                bool add) {
  using S = SignedIndex<I>;
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane;
    S iy, ix;
    g.place(i, plane, iy, ix);
    const int here = static_cast<int>(iy * g.x.in + ix);
    const Range<S> rows = g.y.windows(iy), columns = g.x.windows(ix);
    T sum(0);
    for (S oy = rows.begin; oy < rows.end; ++oy) {
      const I line =
          (plane * static_cast<I>(g.y.out) + static_cast<I>(oy)) * static_cast<I>(g.x.out);
      for (S ox = columns.begin; ox < columns.end; ++ox) {
        const I o = line + static_cast<I>(ox);
        if (argmax[o] == here) sum += dy[o];
      }
    }
    dx[i] = add ? dx[i] + sum : sum;
  }
}

}  // namespace detail

/// Kernel: the greatest element of each window, and where it lies if `argmax` is there.
template <class T>
void max_pool2d_forward(Cuda, const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y,
                        View<int, 4> argmax) {
  detail::with_pool(g, [&]<int K, class I>(std::integral_constant<int, K>, I) {
    const Index n = y.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::max_pool_kernel<I, K, T>,
                static_cast<I>(n), detail::PoolWindows<I, K>(g, g.y.out, g.x.out), x.data, y.data,
                argmax.data);
  });
}

/// Kernel: each element receives dy of the windows it is the greatest of.
template <class T>
void max_pool2d_backward(Cuda, const Pool2dGeometry& g, View<const int, 4> argmax,
                         View<const T, 4> dy, Into<T, 4> dx) {
  detail::with_pool(g, [&]<int K, class I>(std::integral_constant<int, K>, I) {
    const Index n = dx.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::max_pool_grad_kernel<I, K, T>,
                static_cast<I>(n), detail::PoolWindows<I, K>(g, g.y.in, g.x.in), argmax.data,
                dy.data, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
