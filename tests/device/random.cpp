// Outcomes drawn many at a time are those of single numbers.

#include <ebb/device/random.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"

using namespace ebb;

TEST_CASE("outcomes drawn together are those of single numbers", "[device][random]") {
  const RandomStream stream{0x0123456789abcdef, 0xfedcba9876543210};
  constexpr std::uint64_t wrap = std::uint64_t{1} << 29;  // block 2^32: the counter's second word
  constexpr std::uint32_t most = 1u << 24;
  test::each_isa([&](Isa set) {
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, wrap - 2, 3 * wrap + 7})
      for (const std::uint32_t threshold : {0u, 1u, most / 3, most - 1, most})
        for (Index count = 0; count < 6; ++count) {
          INFO(to_string(set) << ", " << count << " words from " << first << ", at least "
                              << threshold);
          constexpr std::uint32_t untouched = 0xabcdabcd;
          std::uint32_t words[7];
          for (auto& word : words) word = untouched;
          kernel::draw_at_least(stream, threshold, first, count, words);
          for (Index i = 0; i < 32 * count; ++i) {
            const auto bits = stream.bits(32 * first + static_cast<std::uint64_t>(i));
            REQUIRE((words[i / 32] >> (i % 32) & 1) == (bits >> 8 >= threshold ? 1u : 0u));
          }
          REQUIRE(words[count] == untouched);
        }
  });
}
