/// \file
/// Dropout.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/device/math.hpp>
#include <ebb/tape/track.hpp>

namespace ebb {

/// Which elements a dropout keeps, as a pure function of their number: the mask is never stored.
struct DropoutMask {
  RandomStream stream;
  std::uint32_t threshold = 0;  ///< dropped are the elements whose 24 random bits are below

  /// Drops with probability p, to within 2^-24.
  static DropoutMask of(RandomStream stream, double p) {
    return {stream, static_cast<std::uint32_t>(p * 16777216.0 + 0.5)};
  }

  EBB_HD constexpr bool keeps(std::uint32_t bits) const { return (bits >> 8) >= threshold; }
};

namespace detail {

inline constexpr Index dropout_batch = 64;  // elements whose random numbers are drawn together

/// `RandomStream::bits` of 64 elements from block `first_block` of four on, with the
/// ten rounds of Philox made over sixteen blocks side by side, for vector registers.
inline void draw_batch(RandomStream stream, std::uint64_t first_block,
                       std::uint32_t (&bits)[dropout_batch]) {
  constexpr int blocks = dropout_batch / 4;
  std::uint32_t c0[blocks], c1[blocks], c2[blocks], c3[blocks];
  EBB_SIMD
  for (int b = 0; b < blocks; ++b) {
    const std::uint64_t index = first_block + static_cast<std::uint64_t>(b);
    c0[b] = static_cast<std::uint32_t>(index);
    c1[b] = static_cast<std::uint32_t>(index >> 32);
    c2[b] = static_cast<std::uint32_t>(stream.stream);
    c3[b] = static_cast<std::uint32_t>(stream.stream >> 32);
  }
  auto key0 = static_cast<std::uint32_t>(stream.seed);
  auto key1 = static_cast<std::uint32_t>(stream.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    EBB_SIMD
    for (int b = 0; b < blocks; ++b) {
      const std::uint64_t p = std::uint64_t{0xD2511F53u} * c0[b];
      const std::uint64_t q = std::uint64_t{0xCD9E8D57u} * c2[b];
      c0[b] = static_cast<std::uint32_t>(q >> 32) ^ c1[b] ^ key0;
      c2[b] = static_cast<std::uint32_t>(p >> 32) ^ c3[b] ^ key1;
      c1[b] = static_cast<std::uint32_t>(q);
      c3[b] = static_cast<std::uint32_t>(p);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  EBB_SIMD
  for (int b = 0; b < blocks; ++b) {
    bits[4 * b] = c0[b];
    bits[4 * b + 1] = c1[b];
    bits[4 * b + 2] = c2[b];
    bits[4 * b + 3] = c3[b];
  }
}

}  // namespace detail

/// Kernel: y[i] = scale x[i] where the mask keeps element i, else 0 x[i]. Forward and backward
/// alike.
template <class T, int N>
void apply_dropout(Cpu, const DropoutMask& mask, T scale, View<const T, N> x, Into<T, N> y) {
  constexpr Index cost = 8;
  constexpr Index batch = detail::dropout_batch;
  parallel_ranges(y.size(), cost, [&](Index begin, Index end) {
    static_assert(chunk % batch == 0);  // so that a task begins with a block of random words
    const DropoutMask kept = mask;
    const T gain = scale;
    for (Index first = begin; first < end; first += batch) {
      std::uint32_t bits[batch];
      detail::draw_batch(kept.stream, static_cast<std::uint64_t>(first / 4), bits);
      const Index count = end - first < batch ? end - first : batch;
      const T* from = x.data + first;
      T* to = y.data + first;
      // Factors first, made by arithmetic: no branch for the processor to guess wrong half of the
      // time.
      T factor[batch];
      EBB_SIMD
      for (Index i = 0; i < batch; ++i) factor[i] = math::select(kept.keeps(bits[i]), gain, T(0));
      if (y.add) {
        EBB_SIMD
        for (Index i = 0; i < count; ++i) to[i] += factor[i] * from[i];
      } else {
        EBB_SIMD
        for (Index i = 0; i < count; ++i) to[i] = factor[i] * from[i];
      }
    }
  });
}

/// x of any shape -> each element with probability 1 - p, divided by 1 - p, else zero: the mean
/// stays what it was. The backward pass draws the same numbers of `stream` again instead of keeping
/// a mask. Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, "Dropout: a simple way to
/// prevent neural networks from overfitting", JMLR 15 (2014).
/// \throws ValueError when p is not in [0, 1].
template <Operand X>
auto dropout(const X& x, double p, RandomStream stream) {
  if (!(p >= 0.0 && p <= 1.0))
    throw ValueError(message("dropout: the probability of dropping is ", p,
                             "; it must be at least 0 and at most 1"));
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const auto mask = DropoutMask::of(stream, p);
  const T scale = static_cast<T>(p < 1.0 ? 1.0 / (1.0 - p) : 0.0);
  tensor_of<X> y(x.shape());
  apply_dropout(Device{}, mask, scale, value(x).view(),
                Into<T, rank_of<X>>{y.mutable_data(), y.shape(), false});
  return track(
      "dropout", y,
      [mask, scale, dx = sink(x)](const auto& dy) {
        if (dx) apply_dropout(Device{}, mask, scale, dy.view(), dx.into());
      },
      x);
}

/// The same with a fresh stream of the calling thread's default generator.
template <Operand X>
auto dropout(const X& x, double p) {
  return dropout(x, p, default_generator().stream());
}

}  // namespace ebb
