/// \file
/// Arrays of files: the type of their elements, and how they become tensors.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// What an element of an array file is: its kind, as in NumPy's type strings, and its bytes.
struct ElementType {
  char kind = 'u';  ///< 'b' truth value, 'i' signed, 'u' unsigned, 'f' floating point
  int bytes = 1;
  bool operator==(const ElementType&) const = default;
};

inline std::string to_string(ElementType type) {
  if (type.kind == 'b') return "bool";
  return (type.kind == 'i'   ? "int"
          : type.kind == 'u' ? "uint"
                             : "float") +
         std::to_string(8 * type.bytes);
}

/// The element type of a C++ scalar.
template <class T>
constexpr ElementType element_type() {
  static_assert(std::is_arithmetic_v<T>, "ebb::data: array files hold numbers and bool");
  const char kind = std::is_same_v<T, bool>       ? 'b'
                    : std::is_floating_point_v<T> ? 'f'
                    : std::is_signed_v<T>         ? 'i'
                                                  : 'u';
  return {kind, static_cast<int>(sizeof(T))};
}

namespace detail {

/// The value of an IEEE 754 half, in float.
inline float half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size;
  if (exponent == 31)
    size =
        fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else
    size = exponent ? std::ldexp(static_cast<float>(1024 + fraction), exponent - 25)
                    : std::ldexp(static_cast<float>(fraction), -24);
  return bits & 0x8000 ? -size : size;
}

/// Whether every value of the stored type is a value of T.
template <class T>
bool holds_all_of(ElementType from) {
  constexpr ElementType to = element_type<T>();
  if (from == to) return true;
  if (to.kind == 'b') return false;
  if (from.kind == 'f') return to.kind == 'f' && to.bytes > from.bytes;
  const int bits = from.kind == 'b' ? 1 : 8 * from.bytes - (from.kind == 'i');
  if (from.kind == 'i' && to.kind == 'u') return false;
  return bits <= std::numeric_limits<T>::digits;
}

template <class From, class T>
void convert_elements(const unsigned char* from, T* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    From value;
    std::memcpy(&value, from + i * sizeof(From), sizeof(From));
    to[i] = static_cast<T>(value);
  }
}

}  // namespace detail

/// An array as it was stored, in the host's byte order and row-major.
struct Array {
  std::string source;  ///< what messages call it: "npy: 'file.npy'"
  ElementType type;
  std::vector<Index> shape;
  std::vector<unsigned char> bytes;

  Index size() const {
    Index n = 1;
    for (const Index extent : shape) n *= extent;
    return n;
  }

  /// Element `i`, as a double.
  double value(Index i) const {
    const unsigned char* const at = bytes.data() + i * type.bytes;
    const auto as = [at](auto value) {
      std::memcpy(&value, at, sizeof value);
      return value;
    };
    const auto number = [&](auto value) { return static_cast<double>(as(value)); };
    const int width = type.bytes;
    if (type.kind == 'b') return *at != 0;
    if (type.kind == 'f')
      return width == 2   ? double{detail::half_value(as(std::uint16_t{}))}
             : width == 4 ? number(float{})
                          : number(double{});
    if (type.kind == 'i')
      return width == 1   ? number(std::int8_t{})
             : width == 2 ? number(std::int16_t{})
             : width == 4 ? number(std::int32_t{})
                          : number(std::int64_t{});
    return width == 1   ? number(std::uint8_t{})
           : width == 2 ? number(std::uint16_t{})
           : width == 4 ? number(std::uint32_t{})
                        : number(std::uint64_t{});
  }

  /// The array as a tensor. Elements of another type are converted where T holds all of their
  /// values: uint8 to int, half to float, but not double to float.
  /// \throws FileError when the rank or the type does not fit.
  template <class T, int N>
  Tensor<T, N> get() const {
    if (shape.size() != static_cast<std::size_t>(N))
      throw FileError(message(source, ": it has ", shape.size(), " axes, and ", N,
                              " were asked for; read it with get<T, ", shape.size(), ">()"));
    if (!detail::holds_all_of<T>(type))
      throw FileError(message(source, ": its elements are ", to_string(type), ", and not all of ",
                              "them are sure to fit ", to_string(element_type<T>()),
                              "; read it as ", to_string(type), ", then convert"));
    Shape<N> extents{};
    for (int axis = 0; axis < N; ++axis) extents[axis] = shape[static_cast<std::size_t>(axis)];
    Tensor<T, N> x(extents);
    const auto n = static_cast<std::size_t>(x.size());
    T* to = x.mutable_data();
    const unsigned char* from = bytes.data();
    const int width = type.bytes;
    if (type.kind == 'b' || (type.kind == 'u' && width == 1))
      for (std::size_t i = 0; i < n; ++i)
        to[i] = type.kind == 'b' ? static_cast<T>(from[i] != 0) : static_cast<T>(from[i]);
    else if (type.kind == 'f' && width == 2)
      for (std::size_t i = 0; i < n; ++i)
        to[i] = static_cast<T>(detail::half_value(static_cast<std::uint16_t>(
            std::endian::native == std::endian::little ? from[2 * i] | from[2 * i + 1] << 8
                                                       : from[2 * i] << 8 | from[2 * i + 1])));
    else if (type.kind == 'f')
      width == 4 ? detail::convert_elements<float>(from, to, n)
                 : detail::convert_elements<double>(from, to, n);
    else if (type.kind == 'i')
      width == 1   ? detail::convert_elements<std::int8_t>(from, to, n)
      : width == 2 ? detail::convert_elements<std::int16_t>(from, to, n)
      : width == 4 ? detail::convert_elements<std::int32_t>(from, to, n)
                   : detail::convert_elements<std::int64_t>(from, to, n);
    else
      width == 2   ? detail::convert_elements<std::uint16_t>(from, to, n)
      : width == 4 ? detail::convert_elements<std::uint32_t>(from, to, n)
                   : detail::convert_elements<std::uint64_t>(from, to, n);
    return x;
  }
};

}  // namespace ebb::data
