/// \file
/// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3" (SC 2011). A number is a pure function of (seed, stream, index),
/// so any thread of any device computes the same one, in any order.
#pragma once

#include <ebb/core/config.hpp>

#include <cmath>
#include <cstdint>

namespace ebb {

/// Four random words: one block of the Philox4x32-10 bijection.
struct Philox {
  std::uint32_t word[4];

  /// Ten rounds over `counter` under the two-word `key`.
  EBB_HD static constexpr Philox block(Philox counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter.word[0];
      const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter.word[2];
      const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
      const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
      counter = {
          {high(b) ^ counter.word[1] ^ key0, low(b), high(a) ^ counter.word[3] ^ key1, low(a)}};
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    return counter;
  }

  /// Block number `index` of the given stream of the given seed.
  EBB_HD static constexpr Philox block(std::uint64_t seed, std::uint64_t stream,
                                       std::uint64_t index) {
    const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
    const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    return block(Philox{{low(index), high(index), low(stream), high(stream)}}, low(seed),
                 high(seed));
  }
};

/// An endless sequence of random numbers, addressed by index. Copyable, comparable, two words.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  /// 32 uniform random bits.
  EBB_HD constexpr std::uint32_t bits(std::uint64_t index) const {
    return Philox::block(seed, stream, index / 4).word[index % 4];
  }

  /// Uniform in [0, 1), a multiple of 2^-24: exact in float.
  template <class T = float>
  EBB_HD constexpr T uniform(std::uint64_t index) const {
    return static_cast<T>(bits(index) >> 8) * static_cast<T>(1.0 / 16777216.0);
  }

  /// Uniform integer in [0, n), by fixed-point multiplication (bias below n / 2^32).
  EBB_HD constexpr Index below(Index n, std::uint64_t index) const {
    return static_cast<Index>(
        (static_cast<std::uint64_t>(bits(index)) * static_cast<std::uint64_t>(n)) >> 32);
  }

  /// Standard normal, by Box and Muller (1958), two words a number.
  template <class T = float>
  EBB_HD T normal(std::uint64_t index) const {
    const Philox b = Philox::block(seed, stream, index / 2);
    const std::uint32_t first = b.word[2 * (index % 2)], second = b.word[2 * (index % 2) + 1];
    const double u = (static_cast<double>(first) + 1.0) / 4294967296.0;  // in (0, 1]
    const double angle = 6.283185307179586476925 * (static_cast<double>(second) / 4294967296.0);
    return static_cast<T>(std::sqrt(-2.0 * std::log(u)) * std::cos(angle));
  }

  friend constexpr bool operator==(const RandomStream&, const RandomStream&) = default;
};

/// Hands out streams: the state is a seed and the number of the next stream, so saving and
/// restoring it is saving two integers.
struct Generator {
  std::uint64_t seed = 0;
  std::uint64_t next = 0;

  /// A stream nobody has used before.
  RandomStream stream() { return {seed, next++}; }

  friend constexpr bool operator==(const Generator&, const Generator&) = default;
};

/// The generator of the calling thread, used by initialisers and dropout where none is given.
/// Every thread's starts from seed 0, so runs repeat by default.
inline Generator& default_generator() {
  static thread_local Generator generator;
  return generator;
}

/// Restarts the calling thread's default generator.
inline void manual_seed(std::uint64_t seed) { default_generator() = {seed, 0}; }

}  // namespace ebb
