#include <ebb/device/cpu/parallel.hpp>

#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;

TEST_CASE("every task runs once, whatever the number of threads", "[device][parallel]") {
  for (const int threads : {1, 2, 3, 7, 70}) {  // 70: more than there are parts of tasks
    const test::Threads switched(threads);
    std::vector<int> runs(1000, 0);
    parallel_for(1000, 1 << 20, [&](Index i) { ++runs[static_cast<std::size_t>(i)]; });
    CHECK(runs == std::vector<int>(1000, 1));

    std::vector<int> few(3, 0);
    parallel_for(3, 1 << 20, [&](Index i) { ++few[static_cast<std::size_t>(i)]; });
    CHECK(few == std::vector<int>(3, 1));

    std::vector<int> covered(100001, 0);
    kernel::parallel_ranges(100001, 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) ++covered[static_cast<std::size_t>(i)];
    });
    CHECK(covered == std::vector<int>(100001, 1));
  }
}

TEST_CASE("sums are the same bits for any number of threads", "[device][parallel]") {
  const Index n = 1000003;
  const auto sum = [&] {
    return kernel::parallel_sum<float>(n, 1, [](Index begin, Index end) {
      float s = 0;
      for (Index i = begin; i < end; ++i) s += 1.0f / static_cast<float>(i + 1);
      return s;
    });
  };
  const auto with = [&sum](int threads) {
    const test::Threads switched(threads);
    return sum();
  };
  const float one = with(1);
  for (const int threads : {2, 3, 7}) CHECK(with(threads) == one);
  CHECK(one == Approx(std::log(1000003.0) + 0.57721566).epsilon(1e-6));  // Euler's constant
  CHECK(kernel::parallel_sum<float>(0, 1, [](Index, Index) { return 1.0f; }) == 0.0f);
}
