/// \file
/// Numbers as text, written with a point in every locale: `printf` and streams write a comma where
/// the program, or a library that it uses, chose one, and then nothing reads them back.
#pragma once

#include <ebb/core/config.hpp>

#include <charconv>
#include <string>

namespace ebb::inline EBB_ABI::detail {

/// As `printf` writes it with `format` and the precision `digits` in the C locale. Not inlined:
/// text is rare, and calls to it are many.
#if defined(__GNUC__)
__attribute__((noinline, cold))
#endif
inline std::string
digits_of(double value, std::chars_format format, int digits) {
  char text[512];  // the largest double has 309 digits before its point
  const auto [end, error] = std::to_chars(text, text + sizeof text, value, format, digits);
  return {text, error == std::errc{} ? end : text};
}

/// `%.6g`.
inline std::string general(double value, int digits = 6) {
  return digits_of(value, std::chars_format::general, digits);
}
/// `%.1f`.
inline std::string fixed(double value, int digits) {
  return digits_of(value, std::chars_format::fixed, digits);
}

}  // namespace ebb::detail
