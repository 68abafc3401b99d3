#include <ebb/device/cpu/cpu.hpp>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>
#if defined(__GLIBC__)
#  include <unistd.h>
#endif

#include "tests/support/catch.hpp"

using namespace ebb;
using kernel::Block;

namespace {

/// A system that can be told to run out of memory.
struct Fake {
  static inline std::size_t budget = 0;
  static inline int live = 0;
  static Block* create(std::size_t bytes) {
    if (bytes > budget) throw std::bad_alloc();
    budget -= bytes;
    ++live;
    auto* block = new Block;
    block->data = ::operator new(1);
    return block;
  }
  static void destroy(Block* block) {
    budget += kernel::Pool<Fake>::bytes_of(block->size_class);
    --live;
    ::operator delete(block->data);
    delete block;
  }
};

}  // namespace

TEST_CASE("size classes hold what they promise and waste at most an eighth", "[device][pool]") {
  using P = kernel::Pool<Fake>;
  for (std::size_t bytes = 1; bytes < 100000; ++bytes) {
    const auto size_class = P::class_of(bytes);
    REQUIRE(P::bytes_of(size_class) >= bytes);
    if (size_class > 0) REQUIRE(P::bytes_of(size_class - 1) < bytes);
    if (bytes > 64) REQUIRE(8 * (P::bytes_of(size_class) - bytes) <= P::bytes_of(size_class));
  }
  const std::size_t huge = std::size_t{1} << 40;
  CHECK(P::bytes_of(P::class_of(huge)) == huge);
}

TEST_CASE("a pool reuses blocks and counts what it does", "[device][pool]") {
  Fake::budget = 1 << 20;
  kernel::Pool<Fake> pool;
  Block* a = pool.take(1000);
  CHECK(pool.stats().allocations == 1);
  CHECK(pool.stats().bytes_in_use == 1024);
  pool.give(a);
  CHECK(pool.stats().bytes_in_use == 0);
  CHECK(pool.stats().bytes_reserved == 1024);
  Block* b = pool.take(1020);  // the same class
  CHECK(b == a);
  CHECK(b->users.load() == 1);
  CHECK(pool.stats().allocations == 1);
  pool.give(b);
  pool.trim();
  CHECK(Fake::live == 0);
  CHECK(pool.stats().bytes_reserved == 0);
  CHECK(pool.stats().bytes_peak == 1024);
}

TEST_CASE("out of memory: waiting blocks are given up first, and the pool stays usable",
          "[device][pool]") {
  Fake::budget = 4096;
  kernel::Pool<Fake> pool;
  pool.give(pool.take(2048));
  Block* big = pool.take(4096);  // only fits once the 2048 bytes are returned
  CHECK(Fake::live == 1);
  CHECK_THROWS_AS(pool.take(64), std::bad_alloc);
  CHECK(pool.stats().bytes_in_use == 4096);
  pool.give(big);
  pool.give(pool.take(64));
  pool.trim();
  CHECK(Fake::live == 0);
  CHECK_THROWS_AS(pool.take(~std::size_t{0} / 2), ValueError);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST_CASE("what is trimmed leaves the process", "[device][pool]") {
  const auto resident = [] {
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * sysconf(_SC_PAGESIZE);
  };
  constexpr std::size_t count = 1000, bytes = 50 * 1024;  // a thousand small networks
  std::vector<Block*> blocks;
  std::vector<std::string> between;  // what else a program keeps, a page for each
  const auto fill = [&] {
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(Cpu::take(bytes));
      std::memset(blocks.back()->data, 1, bytes);
      between.push_back(std::string(40, 'x'));
    }
  };
  const auto empty = [&] {
    for (Block* block : blocks) Cpu::give(block);
    blocks.clear();
  };
  Cpu::trim();
  const long before = resident();
  for (int round = 0; round < 2; ++round) {
    fill();
    CHECK(resident() - before > 40'000'000);
    empty();
    Cpu::trim();
    CHECK(resident() - before < 10'000'000);
  }
}

#endif

TEST_CASE("CPU blocks are aligned, and threads may share the pool", "[device][pool]") {
  std::vector<std::thread> threads;
  std::atomic<int> misaligned{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 1; i < 500; ++i) {
        Block* block = Cpu::take(i * static_cast<std::size_t>(t + 1));
        if (reinterpret_cast<std::uintptr_t>(block->data) % Cpu::alignment != 0) ++misaligned;
        std::memset(block->data, t, i);
        Cpu::give(block);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(misaligned == 0);
}
