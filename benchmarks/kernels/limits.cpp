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

constexpr int chains = 12;       // independent sums: latency times throughput, and some to spare
constexpr long rounds = 200000;  // about a millisecond: threads take a while to begin

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

constexpr long block = 4096, quarter = elements / 4;

/// The sum of four blocks of numbers that lie a quarter of the array apart: reading several places
/// side by side keeps more of memory busy than one.
using Sum = float (*)(const float*);

float sum_portable(const float* p) {
  float lane[4][8] = {};
  for (long i = 0; i < block; i += 8)
    for (int stream = 0; stream < 4; ++stream)
      for (int l = 0; l < 8; ++l) lane[stream][l] += p[stream * quarter + i + l];
  float total = 0;
  for (const auto& sums : lane)
    for (const float s : sums) total += s;
  return total;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) float sum_avx2(const float* p) {
  __m256 sum[4][2];
  for (auto& pair : sum) pair[0] = pair[1] = _mm256_setzero_ps();
  for (long i = 0; i < block; i += 16)
#  pragma GCC unroll 4
    for (int stream = 0; stream < 4; ++stream) {
      const float* at = p + stream * quarter + i;
      sum[stream][0] = _mm256_add_ps(sum[stream][0], _mm256_loadu_ps(at));
      sum[stream][1] = _mm256_add_ps(sum[stream][1], _mm256_loadu_ps(at + 8));
    }
  for (const auto& pair : sum)
    sum[0][0] = _mm256_add_ps(sum[0][0], _mm256_add_ps(pair[0], pair[1]));
  return _mm256_cvtss_f32(sum[0][0]);
}
#endif

double read_time(Sum sum, const float* x, int threads, double seconds) {
  volatile float kept = 0;
  return bench::median_time(seconds, [&] {
    float total = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : total) schedule(static)
    for (long i = 0; i < quarter / block; ++i) total += sum(x + i * block);
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
  constexpr auto size = static_cast<std::size_t>(elements);
  const std::unique_ptr<float[]> x(new float[size]), y(new float[size]);
  float* const from = x.get();
  float* const to = y.get();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long i = 0; i < elements; ++i) from[i] = to[i] = 1.0f;
  double read = read_time(sum_portable, from, threads, seconds / 2);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2"))
    read = std::min(read, read_time(sum_avx2, from, threads, seconds / 2));
#endif
  const double scale = scale_time(from, to, threads, seconds);
  std::printf("{\"gflops\": %.2f, \"read_gb\": %.2f, \"stream_gb\": %.2f}\n", peak,
              elements * 4e-9 / read, elements * 8e-9 / scale);
}
