/// \file
/// Gradient clipping on CUDA: the norm stays in device memory, so the host never waits.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/device/math.hpp>
#include <ebb/optim/clip.hpp>
#include <ebb/tensor/storage.cuh>

#include <concepts>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// What a norm gathers: squares, magnitudes, or the largest magnitude.
struct GatherSquares {
  template <class T>
  EBB_HD double of(T v) const {
    return static_cast<double>(v) * static_cast<double>(v);
  }
  EBB_HD double join(double a, double b) const { return a + b; }
};
struct GatherMagnitudes {
  template <class T>
  EBB_HD double of(T v) const {
    return v < T(0) ? -static_cast<double>(v) : static_cast<double>(v);
  }
  EBB_HD double join(double a, double b) const { return a + b; }
};
struct GatherLargest {
  template <class T>
  EBB_HD double of(T v) const {
    return v < T(0) ? -static_cast<double>(v) : static_cast<double>(v);
  }
  /// nan where either is.
  EBB_HD double join(double a, double b) const { return b > a || b != b ? (a != a ? a : b) : a; }
};

/// Joins the block's values in a fixed tree; thread 0 has the result.
template <class G>
EBB_DEVICE double join_block(const G& gather, double v) {
  EBB_SHARED(double, shared, [gpu::block_size]);
  const int me = static_cast<int>(threadIdx.x);
  shared[me] = v;
  __syncthreads();
  for (int apart = gpu::block_size / 2; apart > 0; apart /= 2) {
    if (me < apart) shared[me] = gather.join(shared[me], shared[me + apart]);
    __syncthreads();
  }
  return shared[0];
}

/// Each block leaves the measure of its share of x in `partial`.
template <class G, class T>
EBB_KERNEL measure_kernel(G gather, Index n, const T* x, double* partial) {
  double sum = 0;
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) sum = gather.join(sum, gather.of(x[i]));
  sum = join_block(gather, sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// One block joins the partial measures, and takes the root where they are of squares.
template <class G>
EBB_KERNEL join_measures_kernel(G gather, Index n, const double* partial, bool root,
                                double* result) {
  double sum = 0;
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) sum = gather.join(sum, partial[i]);
  sum = join_block(gather, sum);
  if (threadIdx.x == 0) *result = root ? math::sqrt(sum) : sum;
}

/// Blocks that measure n elements: by the problem alone, so that the sum's tree is always the same.
inline Index measuring_blocks(Index n) {
  const Index wanted = (n + 4095) / 4096;
  return wanted < 512 ? wanted : 512;
}

template <class G, class T>
void measure(Index n, const T* x, double* partial) {
  if (n > 0)
    gpu::launch(static_cast<int>(measuring_blocks(n)), gpu::block_size, 0, measure_kernel<G, T>,
                G{}, n, x, partial);
}

/// The measure of one tensor, read back.
template <class G, class T>
double measured(Index n, const T* x) {
  if (n == 0) return 0;
  const Index blocks = measuring_blocks(n);
  const CudaScratch<double> partial(blocks + 1);
  measure<G>(n, x, partial.data());
  gpu::launch(1, gpu::block_size, 0, join_measures_kernel<G>, G{}, blocks, partial.data(), false,
              partial.data() + blocks);
  double result = 0;
  Cuda::download(&result, partial.data() + blocks, sizeof result);
  return result;
}

struct ScaleBy {
  double factor;
  template <class T>
  EBB_HD T operator()(T v) const {
    return v * static_cast<T>(factor);
  }
};
struct ClampMagnitude {
  double bound;
  template <class T>
  EBB_HD T operator()(T v) const {
    const T most = static_cast<T>(bound);
    return v > most ? most : v < -most ? -most : v;
  }
};

template <class F, class T>
EBB_KERNEL rewrite_kernel(F f, Index n, T* x) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) x[i] = f(x[i]);
}

/// x *= max_norm / (norm + 1e-6) where that is below 1, or nan.
template <class T>
EBB_KERNEL clip_kernel(double max_norm, const double* norm, Index n, T* x) {
  const double factor = max_norm / (*norm + 1e-6);
  if (factor >= 1) return;
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) x[i] *= static_cast<T>(factor);
}

template <class F, class T>
void rewrite(const F& f, Index n, T* x) {
  if (n > 0) gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, rewrite_kernel<F, T>, f, n, x);
}

}  // namespace detail

template <class T, int N>
double sum_of_squares(Cuda, View<const T, N> x) {
  return detail::measured<detail::GatherSquares>(x.size(), x.data);
}
template <class T, int N>
double sum_of_magnitudes(Cuda, View<const T, N> x) {
  return detail::measured<detail::GatherMagnitudes>(x.size(), x.data);
}
template <class T, int N>
double largest_magnitude(Cuda, View<const T, N> x) {
  return detail::measured<detail::GatherLargest>(x.size(), x.data);
}
template <class T, int N>
void scale(Cuda, T factor, View<T, N> x) {
  detail::rewrite(detail::ScaleBy{static_cast<double>(factor)}, x.size(), x.data);
}
template <class T, int N>
void clamp_magnitude(Cuda, T bound, View<T, N> x) {
  detail::rewrite(detail::ClampMagnitude{static_cast<double>(bound)}, x.size(), x.data);
}

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI::optim {

namespace detail {

template <class G, class Net>
Tensor<double, 1, Cuda> norm_on_device(const Net& net, bool root) {
  Index blocks = 0;
  each_gradient(net, [&](auto& cell, Cuda) {
    blocks += ebb::kernel::detail::measuring_blocks(cell.flat_grad().size());
  });
  const kernel::CudaScratch<double> partial(blocks > 0 ? blocks : 1);
  Index done = 0;
  each_gradient(net, [&](auto& cell, Cuda) {
    const auto gradient = cell.flat_grad();
    ebb::kernel::detail::measure<G>(gradient.size(), gradient.data(), partial.data() + done);
    done += ebb::kernel::detail::measuring_blocks(gradient.size());
  });
  const Tensor<double, 1, Cuda> norm({1});
  gpu::launch(1, gpu::block_size, 0, ebb::kernel::detail::join_measures_kernel<G>, G{}, blocks,
              partial.data(), root, norm.mutable_data());
  return norm;
}

}  // namespace detail

/// `grad_norm<Cuda>(net)`: the norm of all gradients as a number in device memory, shape (1);
/// `item()` waits for it and reads it.
template <std::same_as<Cuda> Device, class Net>
Tensor<double, 1, Cuda> grad_norm(const Net& net, Norm norm = Norm::two) {
  if (norm == Norm::two)
    return detail::norm_on_device<ebb::kernel::detail::GatherSquares>(net, true);
  if (norm == Norm::one)
    return detail::norm_on_device<ebb::kernel::detail::GatherMagnitudes>(net, false);
  return detail::norm_on_device<ebb::kernel::detail::GatherLargest>(net, false);
}

/// `clip_grad_norm<Cuda>(net, 1.0)` does what `clip_grad_norm(net, 1.0)` does, but waits for
/// nothing: the norm, shape (1), stays in device memory, where a captured step can use it.
/// \throws ValueError when max_norm is not positive.
template <std::same_as<Cuda> Device, class Net>
Tensor<double, 1, Cuda> clip_grad_norm(const Net& net, double max_norm, Norm norm = Norm::two) {
  if (!(max_norm > 0))
    throw ValueError(
        message("clip_grad_norm: max_norm = ", max_norm, " must be a positive number"));
  const auto measured = grad_norm<Cuda>(net, norm);
  detail::each_gradient(net, [&](auto& cell, Cuda) {
    const auto gradient = detail::writable_gradient(cell);
    using T = std::remove_reference_t<decltype(gradient.data[0])>;
    if (gradient.size() > 0)
      gpu::launch(gpu::blocks_for(gradient.size()), gpu::block_size, 0,
                  ebb::kernel::detail::clip_kernel<T>, max_norm, measured.data(), gradient.size(),
                  gradient.data);
  });
  return measured;
}

}  // namespace ebb::optim
