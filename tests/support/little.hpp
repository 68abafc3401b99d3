/// \file
/// Numbers as files write them.
#pragma once

#include <cstdint>
#include <string>

namespace ebb::test {

/// `bytes` bytes of a number, the lowest first; zeros beyond its eighth.
inline std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += i < 8 ? static_cast<char>(value >> 8 * i & 0xFF) : '\0';
  return text;
}

}  // namespace ebb::test
