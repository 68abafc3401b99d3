#include <ebb/data/augment/random.hpp>

#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace ebb;
using namespace ebb::data;

TEST_CASE("derived streams differ from their parent and from each other") {
  const RandomStream parent{1, 2};
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen{{parent.seed, parent.stream}};
  for (std::uint64_t key = 0; key < 100; ++key) {
    const RandomStream child = derive(parent, key);
    CHECK(child == derive(parent, key));
    CHECK(seen.insert({child.seed, child.stream}).second);
    const RandomStream grandchild = derive(child, key);
    CHECK(seen.insert({grandchild.seed, grandchild.stream}).second);
  }
}

TEST_CASE("a permutation holds each number once, and each order is as likely") {
  CHECK(permutation(0, {1, 1}).empty());
  CHECK(permutation(1, {1, 1}) == std::vector<Index>{0});
  std::vector<Index> order = permutation(1000, {1, 1});
  CHECK(order == permutation(1000, {1, 1}));
  CHECK(order != permutation(1000, {1, 2}));
  std::sort(order.begin(), order.end());
  for (Index i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);

  // 6 orders of 3 things, 6000 draws: about 1000 each, standard deviation 29.
  std::map<std::vector<Index>, int> counts;
  for (std::uint64_t i = 0; i < 6000; ++i) ++counts[permutation(3, {7, i})];
  CHECK(counts.size() == 6);
  for (const auto& [order3, count] : counts) CHECK(std::abs(count - 1000) < 150);
}
