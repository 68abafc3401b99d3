// What the machine can do at most: bench_limits THREADS SECONDS. Prints the peak of fused
// multiply-adds on floats in GFLOP/s, and the bandwidth of memory in GB/s: reading alone, and
// reading one array while writing another. Arrays are far larger than the caches.

#include "benchmarks/clock.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#if defined(__x86_64__)
#  include <immintrin.h>
#endif

namespace {

constexpr int chains = 12;  // independent sums: latency times throughput, and some to spare
constexpr long rounds = 20000;

/// Each computes `rounds` times `chains` vector multiply-adds and returns how many operations on
/// floats that were.
using Peak = double (*)(float);

double peak_portable(float x) {
  constexpr int lanes = 4;
  float sum[chains * lanes] = {};
  for (long r = 0; r < rounds; ++r)
    for (int i = 0; i < chains * lanes; ++i) sum[i] = sum[i] * x + x;
  volatile float kept = 0;
  for (const float s : sum) kept = kept + s;
  return 2.0 * rounds * chains * lanes;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double peak_avx2(float x) {
  const __m256 v = _mm256_set1_ps(x);
  __m256 sum[chains];
  for (auto& s : sum) s = v;
  for (long r = 0; r < rounds; ++r)
#  pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sum[i] = _mm256_fmadd_ps(sum[i], v, v);
  for (int i = 1; i < chains; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  volatile float kept = _mm256_cvtss_f32(sum[0]);
  static_cast<void>(kept);
  return 2.0 * rounds * chains * 8;
}
__attribute__((target("avx512f"))) double peak_avx512(float x) {
  const __m512 v = _mm512_set1_ps(x);
  __m512 sum[chains];
  for (auto& s : sum) s = v;
  for (long r = 0; r < rounds; ++r)
#  pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], v, v);
  for (int i = 1; i < chains; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  volatile float kept = _mm512_cvtss_f32(sum[0]);
  static_cast<void>(kept);
  return 2.0 * rounds * chains * 16;
}
#endif

double gflops(Peak peak, int threads, double seconds) {
  double best = 0;
  const double start = bench::now();
  do {
    double operations = 0;
    const double before = bench::now();
#pragma omp parallel num_threads(threads) reduction(+ : operations)
    operations += peak(0.5f);
    best = std::max(best, operations / (bench::now() - before));
  } while (bench::now() - start < seconds);
  return best * 1e-9;
}

constexpr long elements = 32L << 20;  // 128 MiB each

constexpr long block = 4096;

/// The sum of a block of numbers: several vectors side by side, so that no addition waits.
using Sum = float (*)(const float*);

float sum_portable(const float* p) {
  float lane[32] = {};
  for (long i = 0; i < block; i += 32)
    for (int l = 0; l < 32; ++l) lane[l] += p[i + l];
  float total = 0;
  for (const float s : lane) total += s;
  return total;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) float sum_avx2(const float* p) {
  __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
  for (long i = 0; i < block; i += 32) {
    a = _mm256_add_ps(a, _mm256_loadu_ps(p + i));
    b = _mm256_add_ps(b, _mm256_loadu_ps(p + i + 8));
    c = _mm256_add_ps(c, _mm256_loadu_ps(p + i + 16));
    d = _mm256_add_ps(d, _mm256_loadu_ps(p + i + 24));
  }
  const __m256 total = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
  return _mm256_cvtss_f32(total);
}
#endif

double read_time(Sum sum, const float* x, int threads, double seconds) {
  volatile float kept = 0;
  return bench::median_time(seconds, [&] {
    float total = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : total) schedule(static)
    for (long i = 0; i < elements / block; ++i) total += sum(x + i * block);
    kept = total;
  });
}

double scale_time(const float* x, float* y, int threads, double seconds) {
  return bench::median_time(seconds, [&] {
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (long i = 0; i < elements; ++i) y[i] = 3.0f * x[i];
  });
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
  const int threads = std::atoi(words[1]);
  const double seconds = std::atof(words[2]) / 3;
  double peak = gflops(peak_portable, threads, seconds / 3);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    peak = std::max(peak, gflops(peak_avx2, threads, seconds / 3));
  if (__builtin_cpu_supports("avx512f"))
    peak = std::max(peak, gflops(peak_avx512, threads, seconds / 3));
#endif
  const std::unique_ptr<float[]> x(new float[elements]), y(new float[elements]);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long i = 0; i < elements; ++i) x[i] = y[i] = 1.0f;
  double read = read_time(sum_portable, x.get(), threads, seconds / 2);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2"))
    read = std::min(read, read_time(sum_avx2, x.get(), threads, seconds / 2));
#endif
  const double scale = scale_time(x.get(), y.get(), threads, seconds);
  std::printf("{\"gflops\": %.2f, \"read_gb\": %.2f, \"stream_gb\": %.2f}\n", peak,
              elements * 4e-9 / read, elements * 8e-9 / scale);
}
