/// \file
/// Small kernels with a bug that can be planted in each: what finds it is tested in emulator.cpp
/// and in sanitized.cpp. Without the bug they are right, which is tested too.
#pragma once

#include <ebb/device/gpu/memory.cuh>
#include <ebb/device/gpu/mma.cuh>

#include <string>
#include <vector>

namespace ebb::test {

enum class Bug { none, planted };

/// Device memory with the host's numbers, or with none.
template <class T>
class OnGpu {
 public:
  explicit OnGpu(std::size_t count) : count_(count) {
    data_ = static_cast<T*>(gpu::allocate(count * sizeof(T)));
  }
  explicit OnGpu(const std::vector<T>& host) : OnGpu(host.size()) {
    gpu::upload(data_, host.data(), count_ * sizeof(T));
  }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  ~OnGpu() { gpu::release(data_); }

  operator T*() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> host(count_);
    gpu::download(host.data(), data_, count_ * sizeof(T));
    return host;
  }

 private:
  std::size_t count_;
  T* data_ = nullptr;
};

inline std::vector<float> counting(std::size_t n, float first = 0) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = first + static_cast<float>(i);
  return x;
}

/// Turns a block's elements around through shared memory. The bug: no barrier before reading.
template <Bug bug>
EBB_KERNEL turn_around(const float* x, float* y) {
  EBB_SHARED(float, all, [64]);
  all[threadIdx.x] = x[threadIdx.x];
  if (bug == Bug::none) __syncthreads();
  y[threadIdx.x] = all[blockDim.x - 1 - threadIdx.x];
}

/// Sums over steps of a loop. The bug: no barrier before shared memory is written anew.
template <Bug bug>
EBB_KERNEL sum_of_steps(int steps, const float* x, float* y) {
  EBB_SHARED(float, all, [64]);
  float sum = 0;
  for (int step = 0; step < steps; ++step) {
    all[threadIdx.x] = x[static_cast<unsigned>(step) * blockDim.x + threadIdx.x];
    __syncthreads();
    sum += all[(threadIdx.x + 1) % blockDim.x];
    if (bug == Bug::none) __syncthreads();
  }
  y[threadIdx.x] = sum;
}

/// The number of threads of the grid. The bug: a plain += where an atomic is needed.
template <Bug bug>
EBB_KERNEL count_threads(int* count) {
  if (bug == Bug::none)
    atomicAdd(count, 1);
  else
    *count += 1;
}

/// The block that comes last sums what all of them wrote. The bug: no fence before it is announced
/// that a block is done.
template <Bug bug>
EBB_KERNEL last_block_sums(float* parts, unsigned* done, float* sum) {
  if (threadIdx.x != 0) return;
  parts[blockIdx.x] = static_cast<float>(blockIdx.x + 1);
  if (bug == Bug::none) __threadfence();
  if (atomicAdd(done, 1u) + 1 < gridDim.x) return;
  float all = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) all += parts[i];
  *sum = all;
}

/// y = 2 x. The bug: one element too many.
template <Bug bug>
EBB_KERNEL twice(int n, const float* x, float* y) {
  const int i = static_cast<int>(gpu::thread());
  if (bug == Bug::none ? i < n : i <= n) y[i] = 2 * x[i];
}

/// Shared memory of which the bug uses an element too many.
template <Bug bug>
EBB_KERNEL shift_in_shared(float* y) {
  EBB_SHARED(float, all, [33]);
  const unsigned at = threadIdx.x + (bug == Bug::none ? 1 : 2);
  if (threadIdx.x == 0) all[0] = 0;
  all[at] = static_cast<float>(threadIdx.x);
  __syncthreads();
  y[threadIdx.x] = all[threadIdx.x];
}

/// Half of the threads wait at one barrier, half at another.
template <Bug bug>
EBB_KERNEL two_barriers(float* y) {
  if (bug == Bug::none || threadIdx.x < 16)
    __syncthreads();
  else
    __syncthreads();
  y[threadIdx.x] = 1;
}

/// The sum of the first half of a warp. The bug: only that half calls, and all lanes are named.
template <Bug bug>
EBB_KERNEL sum_of_half_a_warp(const float* x, float* y) {
  float v = x[threadIdx.x];
  if (threadIdx.x < 16)
    for (int apart = 8; apart > 0; apart /= 2)
      v += __shfl_xor_sync(bug == Bug::none ? 0x0000ffffu : 0xffffffffu, v, apart);
  y[threadIdx.x] = v;
}

/// Sums of rows by a pipeline of two asynchronous stages. The bug: nobody waits for a stage.
template <Bug bug>
EBB_KERNEL row_sums(int steps, const float* x, float* y) {
  EBB_DYNAMIC_SHARED(float, stages);  // two of four elements a thread
  const unsigned width = 4 * blockDim.x, own = 4 * threadIdx.x;
  const float* row = x + blockIdx.x * width * static_cast<unsigned>(steps);
  const auto begin = [&](int step) {
    if (step < steps)
      gpu::cp_async16(stages + static_cast<unsigned>(step % 2) * width + own,
                      row + static_cast<unsigned>(step) * width + own);
    gpu::cp_async_commit();
  };
  begin(0);
  float sum = 0;
  for (int step = 0; step < steps; ++step) {
    begin(step + 1);
    if (bug == Bug::none) gpu::cp_async_wait<1>();
    __syncthreads();
    for (unsigned j = 0; j < 4; ++j)
      sum += stages[static_cast<unsigned>(step % 2) * width + j * blockDim.x + threadIdx.x];
    __syncthreads();
  }
  sum = gpu::warp_sum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

/// A product of [16, 16] and [16, 8] by one warp, in bf16. The bug: two fragments of a change
/// places.
template <Bug bug>
EBB_KERNEL product_bf16(const gpu::Bf16* a, const gpu::Bf16* b, float* c) {
  const unsigned g = threadIdx.x / 4, t = threadIdx.x % 4;
  const auto pair = [](gpu::Bf16 low, gpu::Bf16 high) {
    return static_cast<std::uint32_t>(low.bits) | static_cast<std::uint32_t>(high.bits) << 16;
  };
  std::uint32_t fa[4], fb[2];
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned which = bug == Bug::planted && (i == 1 || i == 2) ? 3 - i : i;
    const unsigned at = (g + which % 2 * 8) * 16 + 2 * t + which / 2 * 8;
    fa[i] = pair(a[at], a[at + 1]);
  }
  for (unsigned i = 0; i < 2; ++i) {
    const unsigned at = (2 * t + i * 8) * 8 + g;
    fb[i] = pair(b[at], b[at + 8]);
  }
  float d[4] = {};
  gpu::mma_m16n8k16_bf16(d, fa, fb);
  for (unsigned i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

/// A product of [16, 8] and [8, 8] by one warp, in tf32; the same bug.
template <Bug bug>
EBB_KERNEL product_tf32(const float* a, const float* b, float* c) {
  const unsigned g = threadIdx.x / 4, t = threadIdx.x % 4;
  std::uint32_t fa[4], fb[2];
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned which = bug == Bug::planted && (i == 1 || i == 2) ? 3 - i : i;
    fa[i] = gpu::to_tf32(a[(g + which % 2 * 8) * 8 + t + which / 2 * 4]);
  }
  for (unsigned i = 0; i < 2; ++i) fb[i] = gpu::to_tf32(b[(t + i * 4) * 8 + g]);
  float d[4] = {};
  gpu::mma_m16n8k8_tf32(d, fa, fb);
  for (unsigned i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

/// Fractions of the grid's sum, in one launch. The bug: blocks do not wait for each other.
template <Bug bug>
EBB_KERNEL fractions(const float* x, float* parts, float* y, unsigned* counter) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float sum = gpu::warp_sum(x[i]);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
  if (bug == Bug::none) gpu::grid_sync(counter);
  float all = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) all += parts[b];
  y[i] = x[i] / all;
}

// --- runs of them, each with numbers that are right
// -----------------------------------------------

template <Bug bug>
bool turns_around() {
  const OnGpu<float> x(counting(64)), y(64);
  gpu::launch(1, 64, 0, turn_around<bug>, x, y);
  const auto found = y.values();
  for (int i = 0; i < 64; ++i)
    if (found[static_cast<std::size_t>(i)] != static_cast<float>(63 - i)) return false;
  return true;
}

template <Bug bug>
bool sums_steps() {
  const OnGpu<float> x(counting(3 * 64)), y(64);
  gpu::launch(1, 64, 0, sum_of_steps<bug>, 3, x, y);
  const auto found = y.values();
  for (int i = 0; i < 64; ++i)
    if (found[static_cast<std::size_t>(i)] != static_cast<float>(3 * ((i + 1) % 64) + 3 * 64))
      return false;
  return true;
}

template <Bug bug>
bool counts_threads() {
  const OnGpu<int> count(std::vector<int>{0});
  gpu::launch(3, 32, 0, count_threads<bug>, count);
  return count.values()[0] == 96;
}

template <Bug bug>
bool last_sums() {
  const OnGpu<float> parts(4), sum(1);
  const OnGpu<unsigned> done(std::vector<unsigned>{0});
  gpu::launch(4, 32, 0, last_block_sums<bug>, parts, done, sum);
  return sum.values()[0] == 10;
}

template <Bug bug>
bool doubles() {
  const OnGpu<float> x(counting(48)), y(48);
  gpu::launch(2, 32, 0, twice<bug>, 48, x, y);
  return y.values()[47] == 94;
}

template <Bug bug>
bool shifts_in_shared() {
  const OnGpu<float> y(32);
  gpu::launch(1, 32, 0, shift_in_shared<bug>, y);
  return y.values()[31] == (bug == Bug::none ? 30 : 29);
}

template <Bug bug>
bool sums_rows() {
  constexpr int rows = 2, steps = 5, columns = 4 * 32 * steps;
  const OnGpu<float> x(std::vector<float>(rows * columns, 1)), y(rows);
  gpu::launch(rows, 32, 2 * 4 * 32 * sizeof(float), row_sums<bug>, steps, x, y);
  return y.values() == std::vector<float>(rows, columns);
}

template <Bug bug>
bool multiplies_bf16() {
  std::vector<gpu::Bf16> a(16 * 16), b(16 * 8);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = gpu::to_bf16(static_cast<float>(i % 7));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = gpu::to_bf16(static_cast<float>(i % 5));
  const OnGpu<gpu::Bf16> x(a), w(b);
  const OnGpu<float> y(16 * 8);
  gpu::launch(1, 32, 0, product_bf16<bug>, x, w, y);
  const auto found = y.values();
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t j = 0; j < 8; ++j) {
      float sum = 0;
      for (std::size_t k = 0; k < 16; ++k)
        sum += gpu::to_float(a[i * 16 + k]) * gpu::to_float(b[k * 8 + j]);
      if (found[i * 8 + j] != sum) return false;
    }
  return true;
}

template <Bug bug>
bool multiplies_tf32() {
  const std::vector<float> a = counting(16 * 8, -60), b = counting(8 * 8, -30);
  const OnGpu<float> x(a), w(b), y(16 * 8);
  gpu::launch(1, 32, 0, product_tf32<bug>, x, w, y);
  const auto found = y.values();
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t j = 0; j < 8; ++j) {
      float sum = 0;
      for (std::size_t k = 0; k < 8; ++k) sum += a[i * 8 + k] * b[k * 8 + j];
      if (found[i * 8 + j] != sum) return false;
    }
  return true;
}

template <Bug bug>
bool finds_fractions() {
  const OnGpu<float> x(std::vector<float>(3 * 32, 1)), parts(3), y(3 * 32);
  const OnGpu<unsigned> counter(std::vector<unsigned>{0});
  gpu::launch_cooperative(3, 32, 0, fractions<bug>, x, parts, y, counter);
  return y.values() == std::vector<float>(3 * 32, 1.0f / 96);
}

}  // namespace ebb::test
