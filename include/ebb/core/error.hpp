/// \file
/// Errors are sentences: what went wrong, where, what was expected, what was found, how to mend it.
#pragma once

#include <ebb/core/number.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace ebb::inline EBB_ABI {

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

/// A part of a sentence whose type is forgotten, so that the hundreds of messages there are cost
/// the compiler one array each.
class Part {
 public:
  Part(std::string_view text) : kind_(Kind::text), text_(text) {}
  Part(const std::string& text) : Part(std::string_view(text)) {}
  Part(const char* text) : Part(std::string_view(text)) {}

  /// Numbers: integers in full, floating point with as many digits as `%g` gives.
  template <class Number>
  requires std::is_arithmetic_v<Number> Part(Number number) {
    if constexpr (std::is_same_v<Number, bool>)
      *this = Part(number ? "true" : "false");
    else if constexpr (std::is_floating_point_v<Number>)
      kind_ = Kind::real, real_ = static_cast<double>(number);
    else if constexpr (std::is_signed_v<Number>)
      kind_ = Kind::integer, integer_ = number;
    else
      kind_ = Kind::natural, natural_ = number;
  }

  /// Anything with a `to_string` of its own (a Shape, say).
  template <class Other>
  requires(!std::is_arithmetic_v<Other>) && requires(const Other& other) { to_string(other); }
  Part(const Other& other)
      : kind_(Kind::other), other_{&other, [](const void* at) {
                                     return std::string(to_string(*static_cast<const Other*>(at)));
                                   }} {}

  void append_to(std::string& text) const {
    switch (kind_) {
      case Kind::text:
        text += text_;
        return;
      case Kind::integer:
        text += std::to_string(integer_);
        return;
      case Kind::natural:
        text += std::to_string(natural_);
        return;
      case Kind::real:
        text += general(real_);
        return;
      case Kind::other:
        text += other_.to_text(other_.at);
        return;
    }
  }

 private:
  enum class Kind { text, integer, natural, real, other };
  struct Other {
    const void* at;
    std::string (*to_text)(const void*);
  };

  Kind kind_;
  union {
    std::string_view text_;
    long long integer_;
    unsigned long long natural_;
    double real_;
    Other other_;
  };
};

/// Not inlined: errors are rare, and calls to it are many.
#if defined(__GNUC__)
__attribute__((noinline, cold))
#endif
inline std::string
joined(const Part* parts, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) parts[i].append_to(text);
  return text;
}

}  // namespace detail

/// Joins text, numbers and shapes into one sentence: `message("got ", 3, " of ", shape)`.
template <class... Parts>
std::string message(const Parts&... parts) {
  const detail::Part all[] = {detail::Part(parts)...};
  return detail::joined(all, sizeof...(Parts));
}

}  // namespace ebb
