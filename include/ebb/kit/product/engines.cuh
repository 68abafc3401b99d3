/// \file
/// How a block multiplies two tiles that lie in shared memory: by multiply-adds of its threads, or
/// on tensor cores.
#pragma once

#include <ebb/device/gpu/mma.cuh>
#include <ebb/device/gpu/pack.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Results of a tile of M x N, TM x TN of them in a thread's registers, in exact multiply-adds of
/// T: each step of a tile, K of which are in shared memory, costs a thread TM + TN loads (of four
/// elements together) for TM TN multiply-adds (Volkov & Demmel, "Benchmarking GPUs to tune dense
/// linear algebra", SC 2008). A thread's results are 4 x 4 blocks far apart, so that the lanes of a
/// warp, 4 x 8 of them, read 128 neighbouring bytes of shared memory.
template <class T, int M, int N, int K, int TM, int TN>
class Multiplier {
  static constexpr int warps_across = N / TN / 8;
  static_assert(TM % 4 == 0 && TN % 4 == 0 && N % (TN * 8) == 0 && M % (TM * 4) == 0);

 public:
  using Scalar = T;
  using Word = T;
  static constexpr int m = M, n = N, k = K;
  static constexpr int pairs = 1, threads = M / TM * (N / TN);
  static constexpr bool pipelines = false;
  /// Blocks that share a multiprocessor; it leaves a thread 128 registers (of double 256).
  static constexpr int resident = 512 * 4 / (threads * static_cast<int>(sizeof(T)));
  static constexpr int registers = TM * TN * static_cast<int>(sizeof(T)) / 4;
  static constexpr int left_width = M + 4, right_width = N + 4;
  static constexpr int wide = gpu::pack_of<T>;  ///< results that `each` hands out together

  EBB_DEVICE static Word word(T value, T) { return value; }

  EBB_DEVICE Multiplier() {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    row_ = (warp / warps_across * 4 + lane / 8) * 4;
    column_ = (warp % warps_across * 8 + lane % 8) * 4;
    EBB_UNROLL
    for (int i = 0; i < TM; ++i) {
      EBB_UNROLL
      for (int j = 0; j < TN; ++j) sum_[i][j] = T(0);
    }
  }

  EBB_DEVICE void multiply(const T (&left)[K][left_width], const T (&right)[K][right_width]) {
    EBB_UNROLL_BY(2)
    for (int l = 0; l < K; ++l) {
      T a[TM], b[TN];
      read<TM>(left[l] + row_, M / TM * 4, a);
      read<TN>(right[l] + column_, N / TN * 4, b);
      EBB_UNROLL
      for (int i = 0; i < TM; ++i) {
        EBB_UNROLL
        for (int j = 0; j < TN; ++j) sum_[i][j] += a[i] * b[j];
      }
    }
  }

  /// Calls f(row, column, pack) for all results of this thread, `wide` neighbouring columns a time.
  template <class F>
  EBB_DEVICE void each(F&& f) const {
    EBB_UNROLL
    for (int i = 0; i < TM; ++i) {
      EBB_UNROLL
      for (int j = 0; j < TN; j += wide) {
        gpu::Pack<T, wide> together;
        EBB_UNROLL
        for (int v = 0; v < wide; ++v) together[v] = sum_[i][j + v];
        f(row_ + i / 4 * (M / TM * 4) + i % 4, column_ + j / 4 * (N / TN * 4) + j % 4, together);
      }
    }
  }

 protected:
  /// Blocks of four, `apart` from one to the next.
  template <int Count>
  EBB_DEVICE static void read(const T* from, int apart, T (&to)[Count]) {
    EBB_UNROLL
    for (int i = 0; i < Count; i += wide) {
      const gpu::Pack<T, wide> got = gpu::load_pack<wide>(from + i / 4 * apart + i % 4);
      EBB_UNROLL
      for (int v = 0; v < wide; ++v) to[i + v] = got[v];
    }
  }

  int row_, column_;
  T sum_[TM][TN];
};

/// Numbers as tensor cores take them: tf32 has the range of float and 10 bits after the point, of
/// one step in a word; bf16 has 7, of two steps.
struct Tf32Words {
  static constexpr int pairs = 1;
  EBB_DEVICE static std::uint32_t word(float value, float) { return gpu::to_tf32(value); }
  EBB_DEVICE static void mma(float (&d)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
    gpu::mma_m16n8k8_tf32(d, a, b);
  }
};
struct Bf16Words {
  static constexpr int pairs = 2;
  EBB_DEVICE static std::uint32_t word(float low, float high) {
    return gpu::to_bf16_pair(low, high);
  }
  EBB_DEVICE static void mma(float (&d)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
    gpu::mma_m16n8k16_bf16(d, a, b);
  }
};

/// Results of a tile of M x N on tensor cores, WM x WN of them in a warp; sums are float. A word of
/// shared memory holds one step of a line in tf32, or two in bf16, after which both kinds of
/// fragment lie alike: lane (g, t) = (lane / 4, lane % 4) holds words t and t + 4 of line g (PTX
/// ISA, "Matrix fragments for mma.m16n8k8" and "... .m16n8k16"). Rows of shared memory are 8 words
/// longer than a multiple of 32, so that the 32 lanes, at 8 t + g, read from 32 banks.
template <class Words, int M, int N, int K, int WM, int WN>
class TensorCores {
  static constexpr int warps_across = N / WN, rows = K / Words::pairs;
  static constexpr int down = WM / 16, across = WN / 8;
  static_assert(M % 16 == 0 && N % 32 == 0 && rows % 8 == 0);

 public:
  using Scalar = float;
  using Word = std::uint32_t;
  static constexpr int m = M, n = N, k = K;
  static constexpr int pairs = Words::pairs, threads = M / WM * warps_across * 32;
  static constexpr bool pipelines = M >= 128;  ///< where both operands come in packs
  /// Twice as many steps of bf16 are on their way to shared memory.
  static constexpr int resident = (pairs == 2 ? 384 : 512) / threads;
  static constexpr int registers = WM * WN / 32;  ///< that results take
  static constexpr int left_width = M + 8, right_width = N + 8;
  static constexpr int wide = 2;

  EBB_DEVICE static Word word(float low, float high) { return Words::word(low, high); }

  EBB_DEVICE TensorCores() {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    group_ = lane / 4, in_group_ = lane % 4;
    row_ = warp / warps_across * WM, column_ = warp % warps_across * WN;
    EBB_UNROLL
    for (int i = 0; i < down; ++i) {
      EBB_UNROLL
      for (int j = 0; j < across; ++j) {
        EBB_UNROLL
        for (int q = 0; q < 4; ++q) sum_[i][j][q] = 0;
      }
    }
  }

  EBB_DEVICE void multiply(const Word (&left)[rows][left_width],
                           const Word (&right)[rows][right_width]) {
    EBB_UNROLL
    for (int l = 0; l < rows; l += 8) {
      const Word *low = &left[l + in_group_][row_ + group_], *high = low + 4 * left_width;
      Word a[down][4];
      EBB_UNROLL
      for (int i = 0; i < down; ++i) {
        a[i][0] = low[i * 16], a[i][1] = low[i * 16 + 8];
        a[i][2] = high[i * 16], a[i][3] = high[i * 16 + 8];
      }
      const Word* from = &right[l + in_group_][column_ + group_];
      EBB_UNROLL
      for (int j = 0; j < across; ++j) {
        const Word b[2] = {from[j * 8], from[4 * right_width + j * 8]};
        EBB_UNROLL
        for (int i = 0; i < down; ++i) Words::mma(sum_[i][j], a[i], b);
      }
    }
  }

  /// The same of tiles of floats (pipeline.cuh), which are rounded on the way.
  template <class Left, class Right>
  EBB_DEVICE void multiply_floats(const float* left, const float* right) {
    const float* const low = Left::at(left, row_ + group_, pairs * in_group_);
    const float* const from = Right::at(right, column_ + group_, pairs * in_group_);
    EBB_UNROLL
    for (int l = 0; l < Left::steps; l += 8 * pairs) {
      Word a[down][4];
      EBB_UNROLL
      for (int i = 0; i < down; ++i) {
        EBB_UNROLL
        for (int q = 0; q < 4; ++q)
          a[i][q] = rounded<Left>(Left::at(low, i * 16 + q % 2 * 8, l + q / 2 * 4 * pairs));
      }
      EBB_UNROLL
      for (int j = 0; j < across; ++j) {
        const Word b[2] = {rounded<Right>(Right::at(from, j * 8, l)),
                           rounded<Right>(Right::at(from, j * 8, l + 4 * pairs))};
        EBB_UNROLL
        for (int i = 0; i < down; ++i) Words::mma(sum_[i][j], a[i], b);
      }
    }
  }

  template <class F>
  EBB_DEVICE void each(F&& f) const {
    EBB_UNROLL
    for (int i = 0; i < down; ++i) {
      EBB_UNROLL
      for (int j = 0; j < across; ++j) {
        EBB_UNROLL
        for (int h = 0; h < 2; ++h)
          f(row_ + i * 16 + h * 8 + group_, column_ + j * 8 + in_group_ * 2,
            gpu::Pack<float, 2>{{sum_[i][j][2 * h], sum_[i][j][2 * h + 1]}});
      }
    }
  }

 protected:
  /// The word of a step, or two.
  template <class Tile>
  EBB_DEVICE static Word rounded(const float* from) {
    return Words::word(from[0], from[(pairs - 1) * Tile::step_apart]);
  }

  int group_, in_group_, row_, column_;
  float sum_[down][across][4];
};

}  // namespace ebb::kernel::detail
