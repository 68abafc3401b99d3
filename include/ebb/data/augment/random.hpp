/// \file
/// Random numbers for data: streams derived from streams, and permutations.
#pragma once

#include <ebb/core/random.hpp>

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// Stream number `key` below `parent`: seed and stream are a Philox block of the parent, so
/// streams derived along different paths (seed, epoch, sample, transform) do not meet. Children
/// take their blocks from the far end of the parent's index range, draws from the near one.
constexpr RandomStream derive(RandomStream parent, std::uint64_t key) {
  const Philox block = Philox::block(parent.seed, parent.stream, ~key);
  return {std::uint64_t{block.word[0]} << 32 | block.word[1],
          std::uint64_t{block.word[2]} << 32 | block.word[3]};
}

/// The numbers 0 to n - 1 in random order (Fisher and Yates, in Durstenfeld's form: Algorithm 235,
/// CACM 1964).
inline std::vector<Index> permutation(Index n, RandomStream random) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  for (Index i = n - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(random.below(i + 1, static_cast<std::uint64_t>(i)))]);
  return order;
}

}  // namespace ebb::data
