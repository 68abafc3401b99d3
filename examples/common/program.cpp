#include "program.hpp"

#include "say.hpp"

#include <ebb/core/number.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

namespace {
volatile std::sig_atomic_t stop = 0;
}

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stop = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return stop != 0; }

std::string percent(double share) { return ebb::detail::fixed(100 * share, 2) + " %"; }

int run_program(const char* program, int (*work)(int, char**), int argc, char** argv) {
  try {
    const int code = work(argc, argv);
    flush_standard_output();
    return code;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr,
                 "%s: there is not enough memory; use smaller images or a smaller --batch-size, or "
                 "end other programs\n",
                 program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 1;
}
