#include <ebb/data/augment/fit.hpp>

#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::data;

TEST_CASE("an image keeps its shape in another size, with black beside it") {
  // Pillow 11: ImageOps.pad(Image.frombytes("L", (2, 4), bytes), (8, 8), Image.BILINEAR)
  const auto tall =
      ByteImage::from({1, 4, 2}, std::vector<std::uint8_t>{10, 200, 30, 40, 250, 60, 70, 80});
  const std::vector<std::uint8_t> padded{
      0, 0, 10,  58,  153, 200, 0, 0, 0, 0, 15,  52,  124, 160, 0, 0,  //
      0, 0, 25,  39,  67,  80,  0, 0, 0, 0, 85,  76,  56,  45,  0, 0,  //
      0, 0, 195, 161, 91,  55,  0, 0, 0, 0, 205, 171, 101, 65,  0, 0,  //
      0, 0, 115, 106, 86,  75,  0, 0, 0, 0, 70,  73,  78,  80,  0, 0};
  const auto near = [](const ByteImage& x, const std::vector<std::uint8_t>& expected) {
    REQUIRE(x.size() == static_cast<Index>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(std::abs(int{x.values()[i]} - int{expected[i]}) <= 1);  // Pillow rounds between axes
  };
  near(resize(tall, 8, Fit::pad), padded);
  std::vector<std::uint8_t> ramp;
  for (int i = 0; i < 16; ++i) ramp.push_back(static_cast<std::uint8_t>(10 * i));
  // (Where one row more is below, Pillow has it above.)
  near(resize(ByteImage::from({1, 2, 8}, ramp), 4, Fit::pad),
       {0, 0, 0, 0, 47, 65, 85, 103, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(resize(tall, Size2{4, 2}, Fit::pad).values() == tall.values());
  CHECK(resize(tall, 8, Fit::stretch).values() == resize(tall, 8).values());
  // A line of pixels takes no memory for the square around it.
  CHECK(resize(ByteImage::zeros({1, 1, 60000}), 8, Fit::pad).shape() == Shape{1, 8, 8});
  CHECK_THROWS_AS(resize(tall, Size2{0, 8}, Fit::pad), ValueError);
}
