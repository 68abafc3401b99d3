#include <ebb/core/random.hpp>

#include <cmath>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace ebb;

TEST_CASE("Philox4x32-10 gives the published known answers", "[core][random]") {
  // Known-answer vectors of Salmon et al. (SC 2011), as distributed with Random123 (kat_vectors).
  const auto check = [](Philox counter, std::uint32_t key0, std::uint32_t key1, Philox expected) {
    const Philox got = Philox::block(counter, key0, key1);
    for (int i = 0; i < 4; ++i) CHECK(got.word[i] == expected.word[i]);
  };
  check({{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  check({{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  check({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0,
        {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST_CASE("uniform numbers fill [0, 1) evenly", "[core][random]") {
  const RandomStream stream{1, 2};
  const int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform<double>(static_cast<std::uint64_t>(i));
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    squares += u * u;
  }
  // Five standard errors: the mean of n uniforms has 1/sqrt(12 n), of their squares sqrt(4/45/n).
  CHECK(std::fabs(sum / n - 0.5) < 5 / std::sqrt(12.0 * n));
  CHECK(std::fabs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
}

TEST_CASE("normal numbers have mean 0, variance 1 and normal tails", "[core][random]") {
  const RandomStream stream{3, 4};
  const int n = 100000;
  double sum = 0, squares = 0;
  int outside = 0;
  for (int i = 0; i < n; ++i) {
    const double z = stream.normal<double>(static_cast<std::uint64_t>(i));
    sum += z;
    squares += z * z;
    outside += std::fabs(z) > 1.959964;  // 5 % of a normal distribution
  }
  CHECK(std::fabs(sum / n) < 5 / std::sqrt(double(n)));
  CHECK(std::fabs(squares / n - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::fabs(outside / double(n) - 0.05) < 5 * std::sqrt(0.05 * 0.95 / n));
}

TEST_CASE("integers below n are in range, and all occur", "[core][random]") {
  const RandomStream stream{5, 6};
  std::set<Index> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) seen.insert(stream.below(7, i));
  CHECK(seen == std::set<Index>{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("streams differ; the same stream repeats", "[core][random]") {
  const RandomStream a{1, 0}, b{1, 1}, c{2, 0};
  CHECK(a.bits(0) != b.bits(0));
  CHECK(a.bits(0) != c.bits(0));
  CHECK(a.bits(12345) == RandomStream{1, 0}.bits(12345));
}

TEST_CASE("a generator hands out fresh streams and can be restored", "[core][random]") {
  manual_seed(9);
  const auto first = default_generator().stream();
  const Generator state = default_generator();
  const auto second = default_generator().stream();
  CHECK(first.seed == 9);
  CHECK_FALSE(first == second);
  default_generator() = state;
  CHECK(default_generator().stream() == second);
  manual_seed(9);
  CHECK(default_generator().stream() == first);
  manual_seed(0);
}

TEST_CASE("threads draw sequences of the seed, each its own", "[core][random][threads]") {
  // One after the other, so that their order is known.
  const auto draws = [](auto&&... first) {
    std::vector<std::uint32_t> all;
    for (int t = 0; t < 3; ++t)
      std::thread([&, t] {
        (first(t), ...);
        all.push_back(default_generator().stream().bits(0));
        all.push_back(default_generator().stream().bits(0));
      }).join();
    return all;
  };
  const auto distinct = [](const std::vector<std::uint32_t>& all) {
    return std::set(all.begin(), all.end()).size();
  };
  manual_seed(42);
  const std::uint32_t here = default_generator().stream().bits(0);
  CHECK(default_generator() == Generator{42, 1});  // the first thread's own is what it ever was
  auto of_42 = draws();
  CHECK(distinct(of_42) == 6);
  CHECK(draws() != of_42);  // three threads more have three sequences more
  manual_seed(42);
  CHECK(draws() == of_42);
  manual_seed(43);
  CHECK(draws() != of_42);
  CHECK(draws([](int t) { manual_seed(42, static_cast<std::uint64_t>(t) + 1); }) == of_42);
  // A thread's own seed is its own: neither other threads nor the first one's restarts change it.
  CHECK(draws([](int) { manual_seed(42); })[0] == here);
  CHECK(default_generator() == Generator{43, 0});
  of_42.push_back(here);
  CHECK(distinct(of_42) == 7);

  // A thread that lives on, as those of OpenMP do, begins anew with the first thread's next seed.
  std::atomic<int> turn{0};
  Generator before, after;
  std::thread worker([&] {
    before = default_generator();
    turn = 1;
    while (turn != 2) std::this_thread::yield();
    after = default_generator();
  });
  while (turn != 1) std::this_thread::yield();
  manual_seed(7);
  turn = 2;
  worker.join();
  CHECK(before.seed == 43);
  CHECK(after == Generator{7, std::uint64_t{1} << 40});
  manual_seed(0);
}
