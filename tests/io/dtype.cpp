#include <ebb/io/dtype.hpp>

#include "tests/support/catch.hpp"

#include <cmath>

using namespace ebb::io;

TEST_CASE("types are found by the names the format gives them") {
  for (const DtypeInfo& d : dtypes) {
    REQUIRE(find_dtype(d.name) == &d);
    CHECK(&info(d.dtype) == &d);
  }
  CHECK(find_dtype("F128") == nullptr);
  CHECK(find_dtype("") == nullptr);
  static_assert(dtype_of<float>() == Dtype::f32 && dtype_of<double>() == Dtype::f64);
  static_assert(dtype_of<int>() == Dtype::i32 && dtype_of<long long>() == Dtype::i64);
  static_assert(dtype_of<std::uint8_t>() == Dtype::u8 && dtype_of<bool>() == Dtype::boolean);
}

TEST_CASE("half precision becomes float exactly") {
  // numpy.float16(x).view(numpy.uint16) for each.
  CHECK(from_float16(0x3C00) == 1.0f);
  CHECK(from_float16(0xC000) == -2.0f);
  CHECK(from_float16(0x3555) == 0.333251953125f);
  CHECK(from_float16(0x7BFF) == 65504.0f);
  CHECK(from_float16(0x0400) == 0x1p-14f);  // the smallest normal number
  CHECK(from_float16(0x0001) == 0x1p-24f);  // the smallest of all
  CHECK(from_float16(0x83FF) == -1023 * 0x1p-24f);
  CHECK(from_float16(0x0000) == 0.0f);
  CHECK(std::signbit(from_float16(0x8000)));
  CHECK(from_float16(0x7C00) == INFINITY);
  CHECK(from_float16(0xFC00) == -INFINITY);
  CHECK(std::isnan(from_float16(0x7E00)));
  CHECK(from_bfloat16(0x3F80) == 1.0f);
  CHECK(from_bfloat16(0xC049) == -3.140625f);
  CHECK(std::isnan(from_bfloat16(0x7FC0)));
}

TEST_CASE("every half comes back from its float, and what lies between goes to the nearest") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto b = static_cast<std::uint16_t>(bits);
    const float half = from_float16(b), brain = from_bfloat16(b);
    REQUIRE(
        (std::isnan(half) ? std::isnan(from_float16(to_float16(half))) : to_float16(half) == b));
    REQUIRE((std::isnan(brain) ? std::isnan(from_bfloat16(to_bfloat16(brain)))
                               : to_bfloat16(brain) == b));
    // The middle to the next one goes to the even of both; a little less or more to its neighbour.
    const auto up = static_cast<std::uint16_t>(b + 1),
               even = static_cast<std::uint16_t>(b + (b & 1));
    if ((b & 0x7FFF) < 0x7C00) {
      const float next = (b & 0x7FFF) == 0x7BFF ? std::copysign(65536.0f, half) : from_float16(up);
      const float middle = (half + next) / 2;
      REQUIRE(to_float16(middle) == even);
      REQUIRE(to_float16(std::nextafter(middle, half)) == b);
      REQUIRE(to_float16(std::nextafter(middle, next)) == up);
    }
    if ((b & 0x7FFF) < 0x7F80) {
      const float middle = std::bit_cast<float>(bits << 16 | 0x8000u);
      REQUIRE(to_bfloat16(middle) == even);
      REQUIRE(to_bfloat16(std::bit_cast<float>(bits << 16 | 0x7FFFu)) == b);
      REQUIRE(to_bfloat16(std::bit_cast<float>(bits << 16 | 0x8001u)) == up);
    }
  }
}
