// What AddressSanitizer or ThreadSanitizer finds in a kernel: sanitized NAME runs one with its bug,
// sanitized NAME right runs it without. Compiled with a sanitizer by CMakeLists.txt, which looks
// for the report.
#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/planted.hpp"

#include <cstdio>
#include <cstring>

namespace {

template <ebb::test::Bug bug>
bool run(const char* name) {
  using namespace ebb::test;
  if (std::strcmp(name, "barrier") == 0) return turns_around<bug>();
  if (std::strcmp(name, "loop") == 0) return sums_steps<bug>();
  if (std::strcmp(name, "count") == 0) return counts_threads<bug>();
  if (std::strcmp(name, "fence") == 0) return last_sums<bug>();
  if (std::strcmp(name, "grid") == 0) return finds_fractions<bug>();
  if (std::strcmp(name, "overrun") == 0) return doubles<bug>();
  if (std::strcmp(name, "shared") == 0) return shifts_in_shared<bug>();
  std::printf("there is no kernel %s\n", name);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const bool passed =
      argc > 2 ? run<ebb::test::Bug::none>(argv[1]) : run<ebb::test::Bug::planted>(argv[1]);
  std::printf(passed ? "the numbers are right\n" : "the numbers are wrong\n");
}
