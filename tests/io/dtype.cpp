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
