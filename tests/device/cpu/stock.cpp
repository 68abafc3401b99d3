#include <ebb/tensor/tensor.hpp>

#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

using namespace ebb;
using kernel::Block;

namespace {

/// A system that counts what it gave.
struct Counted {
  static inline int live = 0;
  static Block* create(std::size_t) {
    ++live;
    return new Block;
  }
  static void destroy(Block* block) {
    --live;
    delete block;
  }
};
using P = kernel::Pool<Counted>;
using S = kernel::Stock<Counted>;

/// A tensor that outlives the stock of its thread.
struct Last {
  Tensor<float, 1> x;
};

}  // namespace

TEST_CASE("a stock hands blocks out again, and the pool's figures stay true", "[device][stock]") {
  P pool;
  {
    S stock(pool);
    Block* a = stock.take(100);
    CHECK(pool.stats().allocations == 1);
    CHECK(pool.stats().bytes_in_use == P::bytes_of(P::class_of(100)));
    a->users = 0;
    stock.give(a);
    CHECK(pool.stats().bytes_in_use == 0);
    CHECK(pool.stats().bytes_reserved == P::bytes_of(P::class_of(100)));
    Block* b = stock.take(104);
    CHECK(b == a);
    CHECK(b->users.load() == 1);
    CHECK(pool.stats().allocations == 1);
    stock.give(b);
  }
  Block* c = pool.take(100);  // what was in stock is the pool's again
  CHECK(pool.stats().allocations == 1);
  pool.give(c);
  CHECK(pool.stats().bytes_in_use == 0);
  pool.trim();
  CHECK(Counted::live == 0);
}

TEST_CASE("a stock keeps no more than it may, and draws from the pool", "[device][stock]") {
  P pool;
  S one(pool);
  for (const std::size_t bytes : {std::size_t{8}, std::size_t{300}, S::largest}) {
    const std::uint32_t size_class = P::class_of(bytes);
    const int many = 5 * S::most_of(size_class);
    std::vector<Block*> blocks;
    for (int i = 0; i < many; ++i) blocks.push_back(one.take(bytes));
    CHECK(pool.stats().bytes_in_use == static_cast<std::size_t>(many) * P::bytes_of(size_class));
    const auto allocations = pool.stats().allocations;
    for (Block* block : blocks) one.give(block);
    CHECK(pool.stats().bytes_in_use == 0);

    S two(pool);  // of another thread: most of the blocks are there to be had
    blocks.clear();
    for (int i = 0; i < 4 * S::most_of(size_class); ++i) blocks.push_back(two.take(bytes));
    CHECK(pool.stats().allocations == allocations);
    for (Block* block : blocks) one.give(block);  // into the stock of the first
    CHECK(pool.stats().bytes_in_use == 0);
    CHECK(static_cast<std::size_t>(many) * P::bytes_of(size_class) <= pool.stats().bytes_peak);
    CHECK(pool.stats().bytes_peak <=
          static_cast<std::size_t>(many) * P::bytes_of(size_class) + std::size_t{5 * 32 * 1024});
  }
  one.empty();
  pool.trim();
  CHECK(Counted::live == 0);
}

TEST_CASE("threads end while their blocks live on elsewhere", "[device][stock]") {
  const auto before = Cpu::stats().bytes_in_use;
  {
    std::vector<Tensor<float, 1>> made(8);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        static thread_local Last last;
        for (Index i = 1; i < 300; ++i) {
          made[t] = Tensor<float, 1>::full({i}, static_cast<float>(t));
          made[4 + t] = made[t].clone();
        }
        last.x = made[t];
      });
    for (auto& thread : threads) thread.join();
    CHECK(Cpu::stats().bytes_in_use == before + 8 * 1280);
    for (std::size_t t = 0; t < 4; ++t) CHECK(made[4 + t](298) == static_cast<float>(t));
  }
  CHECK(Cpu::stats().bytes_in_use == before);
  const auto allocations = Cpu::stats().allocations;
  for (int i = 0; i < 100; ++i) static_cast<void>(Tensor<float, 1>::ones({17}));
  CHECK(Cpu::stats().allocations <= allocations + 1);
  Cpu::trim();
}
