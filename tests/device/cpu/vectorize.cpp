#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/cpu/vectorize.hpp>

#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;

TEST_CASE("both copies of a loop do the same, for every length") {
  for (const bool wide : {false, kernel::simd::wide_loops()})
    for (Index n = 0; n < 70; ++n) {
      std::vector<float> x(70, 1.0f);
      auto loop = [to = x.data()](Index count) {
        EBB_SIMD
        for (Index i = 0; i < count; ++i) to[i] += static_cast<float>(i);
      };
      kernel::simd::copy_for<decltype(loop)>(wide)(&loop, n);
      for (Index i = 0; i < 70; ++i)
        REQUIRE(x[static_cast<std::size_t>(i)] == (i < n ? static_cast<float>(i) + 1.0f : 1.0f));
    }
}

TEST_CASE("the portable instruction set takes the narrow copies") {
  const test::OnlyIsa portable(Isa::portable);
  CHECK_FALSE(kernel::simd::wide_loops());
}
