/// \file
/// Random numbers of many neighbouring elements at once: the words of core/random.hpp, with the
/// rounds of several blocks made side by side in vector registers.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/device/simd/registers.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// `draw_at_least` for any machine, sixteen blocks side by side, of which the last may be too many.
[[gnu::noinline]] inline void draw_plain(RandomStream stream, std::uint32_t threshold,
                                         std::uint64_t first, Index count, std::uint32_t* words) {
  constexpr unsigned blocks = 16;
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  for (Index w = 0; w < count; w += 2) {
    std::uint32_t c0[blocks], c1[blocks], c2[blocks], c3[blocks];
    for (unsigned b = 0; b < blocks; ++b) {
      const std::uint64_t index = 8 * (first + static_cast<std::uint64_t>(w)) + b;
      c0[b] = low(index);
      c1[b] = high(index);
      c2[b] = low(stream.stream);
      c3[b] = high(stream.stream);
    }
    std::uint32_t key0 = low(stream.seed), key1 = high(stream.seed);
    for (int round = 0; round < 10; ++round) {
      EBB_SIMD
      for (unsigned b = 0; b < blocks; ++b) {
        const std::uint64_t p = std::uint64_t{0xD2511F53u} * c0[b];
        const std::uint64_t q = std::uint64_t{0xCD9E8D57u} * c2[b];
        c0[b] = high(q) ^ c1[b] ^ key0;
        c2[b] = high(p) ^ c3[b] ^ key1;
        c1[b] = low(q);
        c3[b] = low(p);
      }
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    std::uint32_t fours[blocks];
    EBB_SIMD
    for (unsigned b = 0; b < blocks; ++b)
      fours[b] = static_cast<std::uint32_t>(c0[b] >> 8 >= threshold) |
                 static_cast<std::uint32_t>(c1[b] >> 8 >= threshold) << 1 |
                 static_cast<std::uint32_t>(c2[b] >> 8 >= threshold) << 2 |
                 static_cast<std::uint32_t>(c3[b] >> 8 >= threshold) << 3;
    for (unsigned part = 0; part < 2 && w + part < count; ++part) {
      words[w + part] = 0;
      for (unsigned b = 0; b < 8; ++b) words[w + part] |= fours[8 * part + b] << (4 * b);
    }
  }
}

#if EBB_X86

using FourLongs = simd::Register<std::uint64_t, 32>;
using EightInts = simd::Register<int, 32>;
using EightUints = simd::Register<unsigned, 32>;
using EightFloats = simd::Register<float, 32>;

/// The products of the lower halves.
__attribute__((target("avx2"), always_inline)) inline FourLongs product(FourLongs a, FourLongs b) {
#  if defined(__clang__)  // which sees the instruction that is meant
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#  else
  return reinterpret_cast<FourLongs>(
      __builtin_ia32_pmuludq256(reinterpret_cast<EightInts>(a), reinterpret_cast<EightInts>(b)));
#  endif
}

/// Whether the upper 24 bits of words, which are read from the bits of floats, are below `least`:
/// an element of all ones where they are.
__attribute__((target("avx2"), always_inline)) inline EightFloats below(EightFloats words,
                                                                        EightInts least) {
  const EightUints upper = reinterpret_cast<EightUints>(words) >> 8;
  return reinterpret_cast<EightFloats>(reinterpret_cast<EightInts>(upper) < least);
}

/// `draw_at_least` for AVX2. A vector holds one word of the state of four blocks, each in the lower
/// half of 64 bits, where the instruction that multiplies 32 bits to 64 looks for it; what is above
/// never matters. Two vectors of blocks advance together, because a round waits for its products.
/// The upper halves of the blocks' numbers must be alike.
__attribute__((target("avx2"), noinline)) inline void draw_avx2(RandomStream stream,
                                                                std::uint32_t threshold,
                                                                std::uint64_t first, Index count,
                                                                std::uint32_t* words) {
  constexpr int rounds = 10, vectors = 2;
  const auto half = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  FourLongs key0[rounds], key1[rounds];
  std::uint32_t k0 = half(stream.seed), k1 = half(stream.seed >> 32);
  for (int r = 0; r < rounds; ++r) {
    key0[r] = FourLongs{} + k0;
    key1[r] = FourLongs{} + k1;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const FourLongs factor0 = FourLongs{} + 0xD2511F53u, factor1 = FourLongs{} + 0xCD9E8D57u;
  const EightInts least = EightInts{} + static_cast<int>(threshold);

  // What the first two rounds make of numbers that all blocks share.
  const FourLongs streams = FourLongs{} + stream.stream;
  const FourLongs q1 = product(streams, factor1),
                  c01 = (q1 >> 32) ^ ((FourLongs{} + (first >> 29)) ^ key0[0]);
  const FourLongs key11 = (streams >> 32) ^ key1[0], p2 = product(c01, factor0);
  const FourLongs key02 = q1 ^ key0[1], key12 = (p2 >> 32) ^ key1[1];
  for (Index w = 0; w < count; ++w) {
    const std::uint64_t block = 8 * (first + static_cast<std::uint64_t>(w));
    FourLongs c0[vectors], c1[vectors], c2[vectors], c3[vectors];
#  pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      // The middle two change places, so that the words come in order below.
      const FourLongs p =
          product(FourLongs{0, 2, 1, 3} + (block + 4u * static_cast<unsigned>(v)), factor0);
      const FourLongs q = product((p >> 32) ^ key11, factor1);
      c0[v] = (q >> 32) ^ key02;
      c1[v] = q;
      c2[v] = p ^ key12;
      c3[v] = p2;
    }
#  pragma GCC unroll 10
    for (int r = 2; r < rounds; ++r)
#  pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) {
        const FourLongs p = product(c0[v], factor0), q = product(c2[v], factor1);
        c0[v] = (q >> 32) ^ (c1[v] ^ key0[r]);
        c2[v] = (p >> 32) ^ (c3[v] ^ key1[r]);
        c1[v] = q;
        c3[v] = p;
      }
    std::uint32_t word = 0;
#  pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      const auto a = reinterpret_cast<EightFloats>(c0[v]), b = reinterpret_cast<EightFloats>(c1[v]);
      const auto c = reinterpret_cast<EightFloats>(c2[v]), d = reinterpret_cast<EightFloats>(c3[v]);
      const EightFloats ab = EBB_SHUFFLE(a, b, 0, 2, 8, 10, 4, 6, 12, 14);
      const EightFloats cd = EBB_SHUFFLE(c, d, 0, 2, 8, 10, 4, 6, 12, 14);
      const EightFloats low = EBB_SHUFFLE(ab, cd, 0, 2, 8, 10, 4, 6, 12, 14);
      const EightFloats high = EBB_SHUFFLE(ab, cd, 1, 3, 9, 11, 5, 7, 13, 15);
      const auto few = below(low, least), more = below(high, least);
      word |= static_cast<std::uint32_t>(__builtin_ia32_movmskps256(few) |
                                         __builtin_ia32_movmskps256(more) << 8)
              << 16 * v;
    }
    words[w] = ~word;
  }
}

#endif

}  // namespace detail

/// Bit i of words[w] says whether element 32 (first + w) + i draws at least `threshold` (at most
/// 2^24) with its upper 24 bits: whether `stream.bits(element) >> 8 >= threshold`. Draws `count`
/// words.
inline void draw_at_least(RandomStream stream, std::uint32_t threshold, std::uint64_t first,
                          Index count, std::uint32_t* words) {
#if EBB_X86
  if (isa() != Isa::portable) {
    while (count > 0) {
      constexpr std::uint64_t alike = std::uint64_t{1} << 29;  // eight blocks a word
      const auto rest = static_cast<Index>(alike - first % alike);
      const Index now = count < rest ? count : rest;
      detail::draw_avx2(stream, threshold, first, now, words);
      first += static_cast<std::uint64_t>(now);
      words += now;
      count -= now;
    }
    return;
  }
#endif
  detail::draw_plain(stream, threshold, first, count, words);
}

}  // namespace ebb::kernel
