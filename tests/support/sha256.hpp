/// \file
/// SHA-256 (FIPS 180-4), to compare with sums that other programs made.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace ebb::test {

inline std::string sha256(std::vector<unsigned char> bytes) {
  // The first 32 bits of the fractions of roots of the first primes.
  static const std::vector<int> primes = [] {
    std::vector<int> found;
    for (int n = 2; found.size() < 64; ++n) {
      bool prime = true;
      for (const int p : found) prime = prime && n % p != 0;
      if (prime) found.push_back(n);
    }
    return found;
  }();
  const auto fraction = [](long double root) {
    return static_cast<std::uint32_t>((root - std::floor(root)) * 4294967296.0L);
  };
  std::uint32_t k[64], h[8];
  for (std::size_t i = 0; i < 64; ++i)
    k[i] = fraction(std::cbrt(static_cast<long double>(primes[i])));
  for (std::size_t i = 0; i < 8; ++i)
    h[i] = fraction(std::sqrt(static_cast<long double>(primes[i])));
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(bytes.size());
  bytes.push_back(0x80);
  while (bytes.size() % 64 != 56) bytes.push_back(0);
  for (int i = 56; i >= 0; i -= 8) bytes.push_back(static_cast<unsigned char>(bits >> i));
  for (std::size_t at = 0; at < bytes.size(); at += 64) {
    std::uint32_t w[64], s[8];
    for (std::size_t i = 0; i < 16; ++i)
      w[i] = std::uint32_t{bytes[at + 4 * i]} << 24 | std::uint32_t{bytes[at + 4 * i + 1]} << 16 |
             std::uint32_t{bytes[at + 4 * i + 2]} << 8 | bytes[at + 4 * i + 3];
    for (std::size_t i = 16; i < 64; ++i)
      w[i] = w[i - 16] + w[i - 7] +
             (std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3) +
             (std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (std::size_t i = 0; i < 8; ++i) s[i] = h[i];
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint32_t one = s[7] +
                                (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) +
                                ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
      const std::uint32_t two = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) +
                                ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      for (std::size_t j = 7; j > 0; --j) s[j] = s[j - 1];
      s[4] += one;
      s[0] = one + two;
    }
    for (std::size_t i = 0; i < 8; ++i) h[i] += s[i];
  }
  std::string text;
  for (const std::uint32_t word : h) {
    char eight[9];
    std::snprintf(eight, sizeof eight, "%08x", word);
    text += eight;
  }
  return text;
}

}  // namespace ebb::test
