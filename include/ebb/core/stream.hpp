/// \file
/// `out << x` for what has a text, on streams that whoever includes this need not know.
#pragma once

#include <ebb/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>

namespace ebb::inline EBB_ABI {

namespace detail {

/// A stream of the standard library, without its header.
template <class Stream>
concept TextStream = requires(Stream& out, const char* text, std::ptrdiff_t size) {
  typename Stream::traits_type;
  out.write(text, size);
};

}  // namespace detail

/// Writes `to_string(x)`, of tensors, variables, parameters, shapes, tapes and networks.
template <class Stream, class X>
requires(std::is_class_v<X>) && detail::TextStream<Stream>&& requires(const X& x) {
  { to_string(x) } -> std::same_as<std::string>;
}
Stream& operator<<(Stream& out, const X& x) {
  const std::string text = to_string(x);
  out.write(text.data(), static_cast<std::ptrdiff_t>(text.size()));
  return out;
}

namespace nn {
using ebb::operator<<;  // found by what stands in this namespace
}

}  // namespace ebb
