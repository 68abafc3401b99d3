/// \file
/// Errors are sentences: what went wrong, where, what was expected, what was found, how to mend it.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace ebb {

/// Base of every exception the library throws.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Extents that do not fit together, or that an operation cannot accept.
struct ShapeError : Error {
  using Error::Error;
};

/// An option, label or argument outside its allowed range.
struct ValueError : Error {
  using Error::Error;
};

/// A file that cannot be read, written, or believed.
struct FileError : Error {
  using Error::Error;
};

/// A computation that left the finite numbers.
struct NumericError : Error {
  using Error::Error;
};

namespace detail {

inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, const char* part) { text += part; }
inline void append(std::string& text, bool part) { text += part ? "true" : "false"; }

/// Numbers: integers in full, floating point with as many digits as `%g` gives.
template <class Number>
requires std::is_arithmetic_v<Number>
void append(std::string& text, Number part) {
  if constexpr (std::is_integral_v<Number>) {
    text += std::to_string(part);
  } else {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", static_cast<double>(part));
    text += digits;
  }
}

/// Anything with a `to_string` of its own (a Shape, say).
template <class Part>
requires(!std::is_arithmetic_v<Part>) && requires(const Part& p) { to_string(p); }
void append(std::string& text, const Part& part) { text += to_string(part); }

}  // namespace detail

/// Joins text, numbers and shapes into one sentence: `message("got ", 3, " of ", shape)`.
template <class... Parts>
std::string message(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

}  // namespace ebb
