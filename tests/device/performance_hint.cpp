#include <ebb/device/performance_hint.hpp>

#include "tests/support/match.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using ebb::detail::PerformanceFacts;
using ebb::test::contains;

TEST_CASE("what makes a program slow is told, with the way out", "[device]") {
  const auto hint = [](auto&& change) {
    PerformanceFacts f{.threads = 2, .processors = 2, .isa = Isa::avx512, .best_isa = Isa::avx512};
    change(f);
    return detail::performance_hint(f);
  };
  CHECK(hint([](auto&) {}) ==
        message("ebb ", EBB_VERSION_MAJOR, ".", EBB_VERSION_MINOR, ".", EBB_VERSION_PATCH,
                ": optimised, avx512 instructions, 2 threads of 2 processors\n"));
  CHECK_THAT(hint([](auto& f) { f.optimised = false; }),
             contains(": not optimised") &&
                 contains("this file is compiled without optimisation") &&
                 contains("CMAKE_BUILD_TYPE=Release"));
  CHECK_THAT(hint([](auto& f) { f.optimised_kernels = false; }),
             contains("the kernels are compiled without optimisation"));
  CHECK_THAT(hint([](auto& f) { f.sanitized = true; }), contains("sanitizer"));
  CHECK_THAT(hint([](auto& f) { f.openmp = false, f.threads = f.processors = 1; }),
             contains("1 thread of 1 processor\n") && contains("-fopenmp") && contains("libomp"));
  CHECK_THAT(hint([](auto& f) { f.threads = 1; }),
             contains("1 thread of 2 processors") && contains("OMP_NUM_THREADS"));
  CHECK_THAT(hint([](auto& f) { f.isa = Isa::portable; }),
             contains("asks for portable instructions, and this processor has avx512"));
  CHECK_THAT(hint([](auto& f) { f.conv = "direct"; }), contains("EBB_CONV=direct"));
}

TEST_CASE("this program's own hint tells what is so", "[device]") {
  const std::string text = [] {
    const test::Threads one(1);
    const test::OnlyIsa portable(Isa::portable);
    return performance_hint();
  }();
#if defined(__OPTIMIZE__)
  CHECK_THAT(text, !contains("this file is compiled without"));
#else
  CHECK_THAT(text, contains("this file is compiled without"));
#endif
  CHECK_THAT(text, contains("portable instructions, 1 thread of "));
}
