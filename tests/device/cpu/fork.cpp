// A process made by fork() computes as its parent does: what it is made of is POSIX's text on fork,
// by which the child has one thread, and a copy of every lock in the state it was in.
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"

#if EBB_FORKS && !defined(__SANITIZE_THREAD__)  // which ends children that begin threads

#  include <sys/wait.h>
#  include <unistd.h>

#  include <atomic>
#  include <chrono>
#  include <thread>

using namespace ebb;

namespace {

/// The sum of the numbers below 1,000, by a parallel loop; how many threads had a part goes to
/// `threads`. The first tasks wait for one another, for as long as a busy machine may need.
Index parallel_total(int wanted, int& threads) {
  static std::atomic<int> loops{0};
  const int loop = ++loops;
  std::atomic<Index> total{0};
  std::atomic<int> seen{0};
  using Clock = std::chrono::steady_clock;
  const auto late = Clock::now() + std::chrono::seconds(20);
  parallel_for(1000, 1 << 22, [&](Index i) {
    static thread_local int counted = 0;
    if (counted != loop) {
      counted = loop;
      ++seen;
    }
    while (seen < wanted && Clock::now() < late) std::this_thread::yield();
    total += i;
  });
  threads = seen;
  return total;
}

/// What a child makes of `work()`: its exit status, or -1 if it had to be stopped after a minute.
template <class Work>
int in_child(Work&& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(work());
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The pool of Cpu, which is private: what is named in an explicit instantiation may be.
template <auto pool>
struct Reach {
  friend auto& pool_of_cpu() { return pool(); }
};
auto& pool_of_cpu();
template struct Reach<&Cpu::pool>;

}  // namespace

TEST_CASE("a child's parallel loops run, on a team of its own", "[device][fork]") {
  const test::Threads two(2);
  int team = 0;
  for (int generation = 0; generation < 2; ++generation) {
    REQUIRE(parallel_total(num_threads(), team) == 499500);
    const auto work = [&] {
      int own = 0;
      if (parallel_total(num_threads(), own) != 499500) return 1;
      if (own != team) return 2;
      // A server's worker may fork in its turn.
      return in_child([&] { return parallel_total(num_threads(), own) == 499500 ? 0 : 3; });
    };
    CHECK(in_child(work) == 0);
    CHECK(parallel_total(num_threads(), team) == 499500);
    // So it is where another thread than the first one forks.
    int of_thread = -3;
    std::thread([&] {
      if (parallel_total(num_threads(), team) == 499500) of_thread = in_child(work);
    }).join();
    CHECK(of_thread == 0);
  }
}

TEST_CASE("a child takes memory though another thread of its parent held the pool",
          "[device][fork]") {
  Cpu::give(Cpu::take(1 << 16));  // there is a pool, which knows of forks
  std::atomic<bool> held{false};
  std::thread other([&] {
    pool_of_cpu().lock();
    held = true;
    // The fork is to begin now, and to wait for the lock; nobody could tell that it does.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    pool_of_cpu().unlock();
  });
  while (!held) std::this_thread::yield();
  CHECK(in_child([] {
          Cpu::give(Cpu::take(1 << 16));
          Cpu::give(Cpu::take(100));
          return 0;
        }) == 0);
  other.join();
  Cpu::give(Cpu::take(1 << 16));  // and the parent has its lock back
}

#endif
