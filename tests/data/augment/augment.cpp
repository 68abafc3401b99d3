#include <ebb/data/augment/augment.hpp>

#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::difference;
using ebb::test::error_of;

namespace {

const Image image = test::ramp<float>(Shape{2, 5, 7});

/// How often f gives another image over many streams.
template <class F>
double rate(const F& f, const Image& x) {
  int changed = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) changed += test::same_bits(f(x, {1, i}), x) ? 0 : 1;
  return changed / 2000.0;
}

}  // namespace

TEST_CASE("an affine map and its inverse cancel") {
  const AffineMap a = AffineMap::of(30, 1.5f, 10, 2, -1), b = a.inverse();
  CHECK(std::abs(a.xx * b.xx + a.xy * b.yx - 1) < 1e-6);
  CHECK(std::abs(a.xx * b.xy + a.xy * b.yy) < 1e-6);
  CHECK(std::abs(a.xx * b.x0 + a.xy * b.y0 + a.x0) < 1e-6);
  CHECK(std::abs(a.yx * b.x0 + a.yy * b.y0 + a.y0) < 1e-6);
  CHECK(contains(error_of<ValueError>([] { affine(image, AffineMap::of(0, 0)); }), "no inverse"));
}

TEST_CASE("affine moves, turns and scales about the centre") {
  CHECK(test::same_bits(affine(image, AffineMap{}), image));
  CHECK(difference(affine(image, AffineMap::of(0, 1, 0, 2, -1), 5),
                   window(image, 1, -2, {5, 7}, 5)) < 1e-6);
  // A quarter turn of a square, counter-clockwise: the right column becomes the top row.
  const Image square({1, 2, 2}, {1, 2, 3, 4});
  CHECK(difference(Rotate{90}(square), Image({1, 2, 2}, {2, 4, 1, 3})) < 1e-6);
  CHECK(difference(Rotate{180}(image), horizontal_flip(vertical_flip(image))) < 1e-5);
  // Half a pixel to the right: the mean of neighbours, and half the fill at the edge.
  const Image row({1, 1, 3}, {2, 4, 8});
  CHECK(difference(affine(row, AffineMap::of(0, 1, 0, 0.5f)), Image({1, 1, 3}, {1, 3, 6})) < 1e-6);
  // Numbers that are not finite are outside, not undefined behaviour.
  CHECK(affine(row, AffineMap::of(0, 1, 0, std::nanf("")), 3).values() ==
        std::vector<float>{3, 3, 3});
}

TEST_CASE("random transforms are pure functions of image and stream") {
  const auto check = [](const auto& f) {
    for (std::uint64_t i = 0; i < 10; ++i)
      CHECK(test::same_bits(f(image, {1, i}), f(image, {1, i})));
    CHECK_FALSE(test::same_bits(f(image, {1, 0}), f(image, {2, 5})));
    CHECK(test::same_bits(image, test::ramp<float>(Shape{2, 5, 7})));
  };
  check(RandomCrop{.size = {5, 7}, .padding = 2});
  check(RandomRotation{20});
  check(RandomAffine({.degrees = 10, .translate_x = 0.1f, .smallest = 0.9f, .largest = 1.1f}));
  check(GaussianNoise{0.1f});
}

TEST_CASE("random crops reach every place and no other") {
  Image x({1, 3, 4});
  for (Index i = 0; i < 12; ++i) x.mutable_data()[i] = static_cast<float>(i);
  std::vector<int> hits(12);
  for (std::uint64_t i = 0; i < 600; ++i) {
    const Image y = RandomCrop{2}(x, {1, i});
    CHECK(y(0, 1, 1) == y(0, 0, 0) + 5);
    ++hits[static_cast<std::size_t>(y(0, 0, 0))];
  }
  for (const std::size_t place : {0u, 1u, 2u, 4u, 5u, 6u}) CHECK(hits[place] > 50);
  CHECK(hits[3] + hits[7] + hits[8] + hits[9] + hits[10] + hits[11] == 0);
  CHECK(contains(error_of<ShapeError>([&] { RandomCrop{5}(x, {}); }),
                 "a window of 5x5 does not fit an image of shape (1, 3, 4) padded by 0x0"));
}

TEST_CASE("flips happen as often as they are told to") {
  CHECK(rate(RandomHorizontalFlip(0), image) == 0);
  CHECK(rate(RandomHorizontalFlip(1), image) == 1);
  CHECK(std::abs(rate(RandomHorizontalFlip(), image) - 0.5) < 0.05);
  CHECK(std::abs(rate(RandomVerticalFlip(0.2f), image) - 0.2) < 0.04);
  CHECK(contains(error_of<ValueError>([] { RandomHorizontalFlip(1.5f); }), "from 0 to 1"));
  CHECK_THROWS_AS(RandomVerticalFlip(-1), ValueError);
}

TEST_CASE("noise has the standard deviation asked for") {
  const Image noisy = GaussianNoise{0.5f}(Image::zeros({1, 100, 100}), {1, 1});
  double sum = 0, squares = 0;
  for (const float v : noisy.values()) {
    sum += v;
    squares += v * v;
  }
  CHECK(std::abs(sum / 10000) < 0.02);
  CHECK(std::abs(std::sqrt(squares / 10000) - 0.5) < 0.02);
}

TEST_CASE("nonsense options of a random affine are refused") {
  CHECK_THROWS_AS(RandomAffine({.smallest = 0}), ValueError);
  CHECK_THROWS_AS(RandomAffine({.smallest = 2, .largest = 1}), ValueError);
  CHECK_THROWS_AS(RandomAffine({.shear = 90}), ValueError);
}
