// The bytes of a fuzzer as a file: one in memory, for readers that want a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace fuzz {

/// The path of a file of these bytes, which the next call overwrites; "" when there is none.
inline std::string file_of(const unsigned char* bytes, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  const bool written =
      ::ftruncate(file, 0) == 0 && ::pwrite(file, bytes, size, 0) == static_cast<ssize_t>(size);
  return written ? path : std::string();
}

}  // namespace fuzz
