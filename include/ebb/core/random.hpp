/// \file
/// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3" (SC 2011). A number is a pure function of (seed, stream, index),
/// so any thread of any device computes the same one, in any order.
#pragma once

#include <ebb/core/config.hpp>

#include <atomic>
#include <cmath>
#include <cstdint>

namespace ebb::inline EBB_ABI {

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

namespace detail {

/// What threads that were given no seed of their own draw from.
struct SharedSeed {
  std::atomic<std::uint64_t> seed{0};
  std::atomic<std::uint64_t> sequences{1};  ///< those taken so far; the first thread has number 0
  std::atomic<std::uint64_t> given{1};      ///< how often the first thread said what the seed is
};
inline constinit SharedSeed shared_seed;

/// A thread's generator, and when it took up the shared seed: 0 before it has.
struct ThreadGenerator {
  Generator generator;
  std::uint64_t taken = 0;
  static constexpr std::uint64_t own_seed = ~std::uint64_t{0};
};
inline constinit thread_local ThreadGenerator thread_generator;

/// Set by the thread that loads the program, before `main`.
inline const ThreadGenerator* const first_thread = &thread_generator;
inline bool is_first_thread() { return !first_thread || first_thread == &thread_generator; }

/// Sequence number `sequence` of a seed: 2^40 streams that no other sequence has.
constexpr Generator sequence_of(std::uint64_t seed, std::uint64_t sequence) {
  return {seed, sequence << 40};
}

}  // namespace detail

/// The generator of the calling thread, used by initialisers and dropout where none is given.
///
/// In the first thread, the one that runs `main`, it begins at seed 0 until `manual_seed` says
/// otherwise, so runs repeat by default. Any other thread draws from the seed that the first one
/// was last given, a sequence of its own: they are numbered from 1 in the order in which they first
/// draw. Which thread gets which is therefore chance where several begin at a time; a thread for
/// which it matters calls `manual_seed(seed, sequence)`.
inline Generator& default_generator() {
  detail::ThreadGenerator& own = detail::thread_generator;
  if (own.taken == detail::ThreadGenerator::own_seed) return own.generator;
  detail::SharedSeed& shared = detail::shared_seed;
  const std::uint64_t given = shared.given.load(std::memory_order_acquire);
  if (own.taken == given) return own.generator;
  if (detail::is_first_thread()) {
    own.taken = detail::ThreadGenerator::own_seed;
  } else {
    own.taken = given;
    own.generator = detail::sequence_of(shared.seed.load(std::memory_order_relaxed),
                                        shared.sequences.fetch_add(1, std::memory_order_relaxed));
  }
  return own.generator;
}

/// Restarts the calling thread's default generator: sequence number `sequence` of `seed`, the same
/// in whichever thread. A thread that called it draws from its own seed from then on.
///
///     manual_seed(42);                                   // in main
///     workers.emplace_back([i] { manual_seed(42, i); ... });  // i from 1: the same in every run
///
/// In the first thread it is also the seed of all others that have none of their own; they begin
/// anew, so call it there while they draw nothing. A process made by `fork` goes on with the
/// numbers of its parent, as its siblings do, until it is given another sequence.
inline void manual_seed(std::uint64_t seed, std::uint64_t sequence = 0) {
  detail::ThreadGenerator& own = detail::thread_generator;
  own = {detail::sequence_of(seed, sequence), detail::ThreadGenerator::own_seed};
  if (!detail::is_first_thread()) return;
  detail::SharedSeed& shared = detail::shared_seed;
  shared.seed.store(seed, std::memory_order_relaxed);
  shared.sequences.store(1, std::memory_order_relaxed);
  shared.given.fetch_add(1, std::memory_order_release);
}

}  // namespace ebb
