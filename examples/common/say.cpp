#include "say.hpp"

#include <ebb/core/error.hpp>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace {

bool silent = false;
std::FILE* words = nullptr;  // null: standard output

void print(std::FILE* to, const char* format, std::va_list values) {
  std::vfprintf(to, format, values);
  std::fflush(to);  // whoever follows a long run through a pipe sees it at once
}

}  // namespace

void be_quiet() { silent = true; }
bool quiet() { return silent; }
void give_standard_output_away() { words = stderr; }

void say(const char* format, ...) {
  if (silent) return;
  std::va_list values;
  va_start(values, format);
  print(words ? words : stdout, format, values);
  va_end(values);
}

void say_result(const char* format, ...) {
  std::va_list values;
  va_start(values, format);
  print(words ? words : stdout, format, values);
  va_end(values);
}

void say_warning(const char* format, ...) {
  std::fflush(stdout);
  std::va_list values;
  va_start(values, format);
  print(stderr, format, values);
  va_end(values);
}

void flush_standard_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return;
  throw ebb::FileError(
      ebb::message("standard output took only a part of what was written to it",
                   errno != 0 ? ebb::message(": ", std::strerror(errno)) : std::string(),
                   "; make room where it goes, or send it elsewhere"));
}
