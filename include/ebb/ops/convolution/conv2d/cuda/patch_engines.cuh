/// \file
/// How a block multiplies weights with a patch of images (patch.cuh), both in shared memory.
#pragma once

#include <ebb/kit/product/engines.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// What both engines share: M channels of the result times some positions, of a kernel of K x K
/// taps, a slice of channels at a time, `Pairs` of them in a word. Weights arrive in rows of all
/// taps of some channels: of the summed ones for each result, or (`Turned`, the input gradient,
/// whose taps are mirrored, too) of the results for each summed one.
template <int M, int K, bool Turned, int Pairs>
struct PatchSlice {
  static constexpr int kernel = K, area = K * K;
  static constexpr int depth = 8, slice = depth * Pairs;  ///< words of a position; channels
  static constexpr bool turned = Turned;
  static constexpr int weight_row = (Turned ? M : slice) * area;
  static constexpr int arriving = M * slice * area;  ///< weights of a slice
  static_assert(K % 2 == 1 && M % 16 == 0);
};

/// On tensor cores. Every warp takes all M channels and WN positions.
///
/// Words of the patch lie as its cells do; the distance between channels is 8 more than a multiple
/// of 32, so that lanes (g, t), which read cell g of channel t, find the banks 8 t + g. Weights
/// stay in the order in which they arrive, with rows so much longer that a fragment is free of bank
/// conflicts, too. The area of an odd kernel is 8 a + 1. In the forward pass, lane (g, t) reads row
/// g at t (8 a + 1): these are all residues of 4, and rows of 8 b + 4 words, b even, add eight
/// different multiples of 4. Turned, it reads row t at g (8 a + 1): all residues of 8, to which
/// rows of 32 b + 8 words add 0, 8, 16 and 24.
template <class Words, int M, int WN, int K, bool Turned>
class PatchTensor : public TensorCores<Words, M, 4 * WN, 8 * Words::pairs, M, WN>,
                    public PatchSlice<M, K, Turned, Words::pairs> {
  using Slice = PatchSlice<M, K, Turned, Words::pairs>;

 public:
  using Slice::area, Slice::depth;
  using Word = std::uint32_t;
  static constexpr int pairs = Words::pairs;
  static constexpr int threads = 128, resident = M > 32 ? 2 : M > 16 || pairs == 2 || K > 3 ? 3 : 4;

 private:
  static constexpr int arriving_row = Slice::weight_row;
  static constexpr int row = Turned ? arriving_row : depth * area;  ///< words
  static constexpr int pitch = Turned ? (row + 23) / 32 * 32 + 8 : row + 4;
  static constexpr int result_apart = Turned ? area : pitch, summed_apart = Turned ? pitch : area;

 public:
  static constexpr int weight_words = (Turned ? depth : M) * pitch;

  EBB_DEVICE static void weights(const float* from, Word* to) {
    constexpr int each = Turned || pairs == 1 ? 4 : 1;  // in bf16, one row may hold both of a word
    constexpr int abreast = threads / (Turned ? depth : M);  // which share a row
    const int t = static_cast<int>(threadIdx.x), r = t / abreast, lane = t % abreast * each;
    from += r * (Turned ? pairs * row : arriving_row);
    to += r * pitch;
    EBB_UNROLL_BY(6)
    for (int e = lane; e < row; e += abreast * each) {
      const float* const low = from + (Turned ? e : e + (pairs - 1) * (e / area) * area);
      const auto first = gpu::load_pack<each>(low);
      const auto second = gpu::load_pack<each>(low + (pairs - 1) * (Turned ? row : area));
      gpu::Pack<Word, each> words;
      EBB_UNROLL
      for (int v = 0; v < each; ++v) words[v] = Words::word(first[v], second[v]);
      gpu::store_pack<each>(to + e, words);
    }
  }

  /// Begins with sums that are shift(channel).
  template <class F>
  EBB_DEVICE void start(F&& shift) {
    EBB_UNROLL
    for (int l = 0; l < M / 16; ++l) {
      EBB_UNROLL
      for (int h = 0; h < 2; ++h) {
        const float value = shift(l * 16 + h * 8 + this->group_);
        EBB_UNROLL
        for (int n = 0; n < WN / 8; ++n)
          this->sum_[l][n][2 * h] = this->sum_[l][n][2 * h + 1] = value;
      }
    }
  }
  /// Calls f(position, each) for all positions of this thread, `wide` at a time; each(g) calls
  /// g(channel, pack) for the results there.
  template <class F>
  EBB_DEVICE void each_position(F&& f) const {
    EBB_UNROLL
    for (int n = 0; n < WN / 8; ++n)
      f(this->column_ + n * 8 + this->in_group_ * 2, [&](auto&& put) {
        EBB_UNROLL
        for (int l = 0; l < M / 16; ++l) {
          EBB_UNROLL
          for (int h = 0; h < 2; ++h)
            put(l * 16 + h * 8 + this->group_,
                gpu::Pack<float, 2>{{this->sum_[l][n][2 * h], this->sum_[l][n][2 * h + 1]}});
        }
      });
  }

  /// Adds up a slice: `patch` is what position 0 sees by the first tap, in the first channel.
  EBB_DEVICE void multiply_patch(const Word* weight, const Word* patch, int channel_apart,
                                 int row_apart) {
    weight += this->group_ * result_apart + this->in_group_ * summed_apart;
    patch += this->in_group_ * channel_apart + this->column_ + this->group_;
    EBB_UNROLL
    for (int i = 0; i < K; ++i) {
      const Word* const low = patch + i * row_apart;
      const Word* const high = low + 4 * channel_apart;
      EBB_UNROLL
      for (int j = 0; j < K; ++j) {
        const Word* const tap = weight + (Turned ? area - 1 - i * K - j : i * K + j);
        Word a[M / 16][4];
        EBB_UNROLL
        for (int l = 0; l < M / 16; ++l) {
          EBB_UNROLL
          for (int q = 0; q < 4; ++q)
            a[l][q] = tap[(l * 16 + q % 2 * 8) * result_apart + q / 2 * 4 * summed_apart];
        }
        EBB_UNROLL
        for (int n = 0; n < WN / 8; ++n) {
          const Word b[2] = {low[n * 8 + j], high[n * 8 + j]};
          EBB_UNROLL
          for (int l = 0; l < M / 16; ++l) Words::mma(this->sum_[l][n], a[l], b);
        }
      }
    }
  }
};

/// In exact multiply-adds, TM x 8 results a thread. A thread's positions come in fours, which
/// neighbouring taps of a row read again from registers. Weights are laid channels of the result
/// side by side, so that four are read together.
template <int M, int N, int TM, int K, bool Turned>
class PatchMultiplier : public Multiplier<float, M, N, 8, TM, 8>,
                        public PatchSlice<M, K, Turned, 1> {
  using Slice = PatchSlice<M, K, Turned, 1>;
  static constexpr int pitch = M + 4;

 public:
  using Slice::area, Slice::depth;
  using Word = float;
  static constexpr int threads = 128, resident = TM > 4 ? 3 : 4;
  static constexpr int weight_words = depth * area * pitch;
  static_assert(M / TM * N / 8 == threads);

  EBB_DEVICE static void weights(const float* from, float* to) {
    constexpr int row = Slice::weight_row;
    EBB_UNROLL_BY(2)
    for (int i = static_cast<int>(threadIdx.x); i < Slice::arriving; i += threads) {
      const int r = i / row, c = i % row / area, tap = i % area;
      to[Turned ? (r * area + area - 1 - tap) * pitch + c : (c * area + tap) * pitch + r] = from[i];
    }
  }

  template <class F>
  EBB_DEVICE void start(F&& shift) {
    EBB_UNROLL
    for (int l = 0; l < TM; ++l) {
      const float value = shift(channel(l));
      EBB_UNROLL
      for (int n = 0; n < 8; ++n) this->sum_[l][n] = value;
    }
  }
  template <class F>
  EBB_DEVICE void each_position(F&& f) const {
    EBB_UNROLL
    for (int n = 0; n < 8; n += 4)
      f(this->column_ + n / 4 * (N / 2), [&](auto&& put) {
        EBB_UNROLL
        for (int l = 0; l < TM; ++l) {
          const float* const sum = this->sum_[l] + n;
          put(channel(l), gpu::Pack<float, 4>{{sum[0], sum[1], sum[2], sum[3]}});
        }
      });
  }

  EBB_DEVICE void multiply_patch(const float* weight, const float* patch, int channel_apart,
                                 int row_apart) {
    weight += this->row_;
    patch += this->column_;
    EBB_UNROLL_BY(1)
    for (int c = 0; c < depth; ++c, patch += channel_apart) {
      const float* from = patch;
      EBB_UNROLL_BY(1)
      for (int i = 0; i < K; ++i, from += row_apart) {
        float b[2][3 + K];
        EBB_UNROLL
        for (int v = 0; v < 3 + K; ++v) b[0][v] = from[v], b[1][v] = from[N / 2 + v];
        EBB_UNROLL
        for (int j = 0; j < K; ++j, weight += pitch) {
          float a[TM];
          this->template read<TM>(weight, M / TM * 4, a);
          EBB_UNROLL
          for (int l = 0; l < TM; ++l) {
            EBB_UNROLL
            for (int n = 0; n < 8; ++n) this->sum_[l][n] += a[l] * b[n / 4][n % 4 + j];
          }
        }
      }
    }
  }

 private:
  EBB_DEVICE int channel(int l) const { return this->row_ + l / 4 * (M / TM * 4) + l % 4; }
};

}  // namespace ebb::kernel::detail
