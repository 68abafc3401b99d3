/// \file
/// How much memory something may take, for tests of bounds.
#pragma once

#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define EBB_TEST_SANITIZED
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
      __has_feature(memory_sanitizer)
#    define EBB_TEST_SANITIZED
#  endif
#endif

namespace ebb::test {

/// While it lives, the process may take `bytes` more of address space than it has (setrlimit's
/// RLIMIT_AS, as `ulimit -v`). Under a sanitizer, whose shadow is address space too, no limit.
class MemoryLimit {
 public:
  explicit MemoryLimit(long bytes) {
    ::getrlimit(RLIMIT_AS, &before_);
#ifdef EBB_TEST_SANITIZED
    static_cast<void>(bytes);
#else
    long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(file, "%ld", &pages) != 1) pages = 0;
      std::fclose(file);
    }
    if (pages == 0) return;  // another system than Linux
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE) + bytes);
    ::setrlimit(RLIMIT_AS, &now);
#endif
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

}  // namespace ebb::test
