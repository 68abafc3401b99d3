#include "program.hpp"

#include <ebb/core/error.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>

namespace fs = std::filesystem;

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

void require_writable(const char* option, const std::string& file) {
  if (file.empty()) return;
  const fs::path folder = fs::path(file).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    throw ebb::FileError(ebb::message(option, ": ", file,
                                      " cannot be written, because there is no folder ",
                                      folder.string(), "; make it first"));
  if (fs::is_directory(file, ignored))
    throw ebb::FileError(ebb::message(option, ": ", file, " is a folder; name a file in it"));
}

void make_folder(const char* option, const std::string& folder) {
  if (folder.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error))
    throw ebb::FileError(ebb::message(option, ": the folder ", folder, " cannot be made"));
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

int run_program(const char* program, int (*work)(int, char**), int argc, char** argv) {
  try {
    return work(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: there is not enough memory; use a smaller --batch-size\n", program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 1;
}
