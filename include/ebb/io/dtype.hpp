/// \file
/// Element types as safetensors names them, and conversions between them and C++ types.
#pragma once

#include <ebb/core/config.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace ebb::inline EBB_ABI::io {

static_assert(std::endian::native == std::endian::little,
              "ebb::io: safetensors files are little-endian, and this machine is not; reading and "
              "writing them here would need byte swaps that nobody has tested");

/// Element types, in the order in which the safetensors library lays tensors out (largest last).
enum class Dtype {
  boolean,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  f64,
  i64,
  u64
};

struct DtypeInfo {
  Dtype dtype;
  const char* name;
  int bytes;
};

inline constexpr DtypeInfo dtypes[] = {
    {Dtype::boolean, "BOOL", 1},    {Dtype::u8, "U8", 1},           {Dtype::i8, "I8", 1},
    {Dtype::f8_e5m2, "F8_E5M2", 1}, {Dtype::f8_e4m3, "F8_E4M3", 1}, {Dtype::i16, "I16", 2},
    {Dtype::u16, "U16", 2},         {Dtype::f16, "F16", 2},         {Dtype::bf16, "BF16", 2},
    {Dtype::i32, "I32", 4},         {Dtype::u32, "U32", 4},         {Dtype::f32, "F32", 4},
    {Dtype::f64, "F64", 8},         {Dtype::i64, "I64", 8},         {Dtype::u64, "U64", 8}};

constexpr const DtypeInfo& info(Dtype dtype) { return dtypes[static_cast<int>(dtype)]; }
constexpr const char* name(Dtype dtype) { return info(dtype).name; }
constexpr int bytes(Dtype dtype) { return info(dtype).bytes; }

/// The type called `name`, or null.
constexpr const DtypeInfo* find_dtype(std::string_view name) {
  for (const DtypeInfo& d : dtypes)
    if (name == d.name) return &d;
  return nullptr;
}

constexpr bool is_float(Dtype d) {
  return d == Dtype::f16 || d == Dtype::bf16 || d == Dtype::f32 || d == Dtype::f64;
}

/// The element type a C++ type is stored as.
template <class T>
constexpr Dtype dtype_of() {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8,
                "ebb::io: tensors of this element type cannot be stored in a safetensors file; use "
                "float, double, bool or an integer type");
  if constexpr (std::is_same_v<T, bool>)
    return Dtype::boolean;
  else if constexpr (std::is_same_v<T, float>)
    return Dtype::f32;
  else if constexpr (std::is_same_v<T, double>)
    return Dtype::f64;
  else if constexpr (sizeof(T) == 1)
    return std::is_signed_v<T> ? Dtype::i8 : Dtype::u8;
  else if constexpr (sizeof(T) == 2)
    return std::is_signed_v<T> ? Dtype::i16 : Dtype::u16;
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? Dtype::i32 : Dtype::u32;
  else
    return std::is_signed_v<T> ? Dtype::i64 : Dtype::u64;
}

/// Upper half of a float: 1 sign, 8 exponent and 7 fraction bits.
inline float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
inline float from_float16(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
  const std::uint32_t exponent = bits >> 10 & 31u, fraction = bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent == 0) {  // fraction * 2^-24, exact in float
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

/// The bfloat16 nearest to a float, the even one of two; of not-a-numbers a quiet one.
inline std::uint16_t to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/// The binary16 nearest to a float, the even one of two; infinite from 65520 on, and of
/// not-a-numbers a quiet one.
inline std::uint16_t to_float16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u)
    return static_cast<std::uint16_t>(sign | 0x7E00u | (magnitude >> 13 & 0x3FFu));
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x38800000u) {  // a multiple of 2^-24: an addition rounds to it
    const float rest = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rest) - 0x3F000000u));
  }
  const std::uint32_t even = magnitude >> 13 & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + even) >> 13));
}

/// Writes a number as an element of the floating type `to`; by way of float to the halves.
inline void store_element(Dtype to, double x, unsigned char* at) {
  const auto put = [at](auto value) { std::memcpy(at, &value, sizeof value); };
  if (to == Dtype::f64) return put(x);
  const auto single = static_cast<float>(x);
  if (to == Dtype::f16) return put(to_float16(single));
  if (to == Dtype::bf16) return put(to_bfloat16(single));
  put(single);
}

/// The element of type `from` at `at`, as a T.
template <class T>
T convert_element(Dtype from, const unsigned char* at) {
  const auto as = [at]<class X>(X x) {
    std::memcpy(&x, at, sizeof x);
    return x;
  };
  switch (from) {
    case Dtype::f16:
      return static_cast<T>(from_float16(as(std::uint16_t{})));
    case Dtype::bf16:
      return static_cast<T>(from_bfloat16(as(std::uint16_t{})));
    case Dtype::f32:
      return static_cast<T>(as(float{}));
    case Dtype::f64:
      return static_cast<T>(as(double{}));
    case Dtype::boolean:
      return static_cast<T>(*at != 0);
    default:
      return T{};  // get() asks for no other
  }
}

}  // namespace ebb::io
