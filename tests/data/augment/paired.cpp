#include <ebb/data/augment/paired.hpp>

#include "tests/support/tensors.hpp"

#include <numeric>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::difference;
using ebb::test::error_of;

namespace {

/// An image whose pixels are its mask's classes.
ImageAndMask twins(Index height, Index width) {
  ImageAndMask x{Image({1, height, width}), Mask({height, width})};
  for (Index i = 0; i < height * width; ++i) {
    x.mask.mutable_data()[i] = static_cast<int>(i * 7 % 11);
    x.image.mutable_data()[i] = static_cast<float>(i * 7 % 11);
  }
  return x;
}

bool identical(const ImageAndMask& a, const ImageAndMask& b) {
  return test::same_bits(a.image, b.image) && test::same_bits(a.mask, b.mask);
}

/// Whether the image still shows its mask.
bool agrees(const ImageAndMask& x) {
  for (Index i = 0; i < x.mask.size(); ++i)
    if (x.image.data()[i] != static_cast<float>(x.mask.data()[i])) return false;
  return x.mask.size() == x.image.size();
}

}  // namespace

TEST_CASE("mirrored borders do not repeat the outermost pixel") {
  std::vector<Index> at;
  for (Index i = -5; i < 8; ++i) at.push_back(mirrored_index(i, 3));
  CHECK(at == std::vector<Index>{1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1});
  CHECK(mirrored_index(-7, 1) == 0);
}

TEST_CASE("warping interpolates images and picks classes of masks") {
  const Image row({1, 1, 3}, {2, 4, 8});
  const Mask classes({1, 3}, {2, 4, 8});
  const Places at({2, 1, 5}, {0.25f, 1.5f, -0.75f, 2.5f, 7.0f, 0, 0, 0, 0, 0});
  CHECK(warp(row, at).values() == std::vector<float>{2.5f, 6, 3.5f, 6, 4});
  CHECK(warp(row, at, {.mirrored = false, .fill = 10}).values() ==
        std::vector<float>{2.5f, 6, 8, 9, 10});
  CHECK(warp(classes, at).values() == std::vector<int>{2, 8, 4, 4, 4});
  CHECK(warp(classes, at, {.mirrored = false, .label = 9}).values() ==
        std::vector<int>{2, 8, 9, 9, 9});
  // Places that are no numbers, or no indices, are outside.
  const Places bad({2, 1, 3}, {std::nanf(""), INFINITY, 1e30f, 0, 0, 0});
  CHECK(warp(row, bad, {.fill = 3}).values() == std::vector<float>{3, 3, 3});
  CHECK(warp(classes, bad, {.label = 3}).values() == std::vector<int>{3, 3, 3});
  CHECK(contains(error_of<ShapeError>([&] { warp(row, row); }), "(2, height, width)"));
  CHECK(contains(error_of<ShapeError>([&] { warp(Image({1, 0, 3}), at); }), "empty"));
}

TEST_CASE("affine places are those of affine") {
  const Image image = test::ramp<float>(Shape{2, 5, 7});
  const AffineMap map = AffineMap::of(33, 1.2f, 8, 1.5f, -0.5f);
  CHECK(difference(warp(image, affine_places({5, 7}, map), {.mirrored = false, .fill = 2}),
                   affine(image, map, 2)) < 1e-5);
  // A quarter turn, counter-clockwise: the right column becomes the top row.
  CHECK(warp(Mask({2, 2}, {1, 2, 3, 4}), affine_places({2, 2}, AffineMap::of(90))).values() ==
        std::vector<int>{2, 4, 1, 3});
}

TEST_CASE("image and mask move alike") {
  const ImageAndMask x = twins(6, 9);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(agrees(FlipPair{}(x, {1, i})));
    const ImageAndMask crop = CropPair{.size = {4, 12}, .padding = {2, 3}}(x, {1, i});
    CHECK(crop.mask.shape() == Shape{4, 12});
    CHECK(agrees(crop));
  }
  const ImageAndMask both = FlipPair{1, 1}(x, {1, 0});
  CHECK(test::same_bits(both.image, horizontal_flip(vertical_flip(x.image))));
  CHECK(identical(FlipPair{0, 0}(x, {1, 0}), x));
  CHECK(identical(CropPair{.size = {6, 9}}(x, {1, 0}), x));
  CHECK(identical(AffinePair({})(x, {1, 0}), x));
  CHECK(identical(ElasticPair{.alpha = 0}(x, {1, 0}), x));
  CHECK(identical(GridPair{.deviation = 0}(x, {1, 0}), x));
}

TEST_CASE("random transforms of pairs are pure functions of pair and stream") {
  const ImageAndMask x = twins(8, 8);
  const auto check = [&](const auto& f) {
    CHECK(identical(f(x, {1, 4}), f(x, {1, 4})));
    CHECK_FALSE(identical(f(x, {1, 4}), f(x, {2, 5})));
    CHECK(identical(x, twins(8, 8)));
  };
  check(AffinePair({.degrees = 180, .smallest = 0.8f, .largest = 1.2f, .shear = 5}));
  check(ElasticPair{.alpha = 10, .sigma = 2});
  check(GridPair{.deviation = 2});
  check(CropPair{.size = 5, .padding = 2});
  check(ComposePairs(FlipPair{}, GridPair{.deviation = 1}, RandomContrast{}, GaussianNoise{0.1f}));
  // What changes intensities alone leaves the mask.
  const ImageAndMask y = ComposePairs(RandomBrightness{}, Normalize(0.5f, 2))(x, {1, 4});
  CHECK(test::same_bits(y.mask, x.mask));
  CHECK_FALSE(test::same_bits(y.image, x.image));
}

TEST_CASE("elastic displacements are smoothed noise") {
  // A Gaussian of deviation s leaves 1 / (4 pi s^2) of the noise's variance 1/3 (in two
  // dimensions).
  const float sigma = 3, alpha = 100;
  const Places at = elastic_places({64, 64}, alpha, sigma, {3, 1});
  double squares = 0, steps = 0;
  for (Index i = 8; i < 56; ++i)
    for (Index j = 8; j < 56; ++j) {
      const double d = static_cast<double>(at(0, i, j)) - static_cast<double>(j);
      const double next = static_cast<double>(at(0, i, j + 1)) - static_cast<double>(j + 1);
      squares += d * d;
      steps += (d - next) * (d - next);
    }
  const double expected = 100.0 * 100.0 / 3 / (4 * 3.14159265 * 9);
  CHECK(squares / (48 * 48) > 0.6 * expected);
  CHECK(squares / (48 * 48) < 1.6 * expected);
  // Neighbours: E (d - d')^2 = 2 var (1 - exp(-1 / (4 s^2))).
  CHECK(steps / squares < 0.08);
  CHECK(contains(error_of<ValueError>([] { elastic_places({4, 4}, 1, 0, {}); }), "sigma"));
}

TEST_CASE("grid displacements pass through the nodes") {
  const RandomStream random{5, 2};
  const Places at = grid_places({9, 9}, 3, 10, random);
  for (Index a = 0; a < 3; ++a)
    for (Index b = 0; b < 3; ++b) {
      const auto node = static_cast<std::uint64_t>(3 * a + b);
      CHECK(at(0, 4 * a, 4 * b) - static_cast<float>(4 * b) ==
            Approx(10 * random.normal(node)).margin(1e-4));
      CHECK(at(1, 4 * a, 4 * b) - static_cast<float>(4 * a) ==
            Approx(10 * random.normal(node + 9)).margin(1e-4));
    }
  CHECK(contains(error_of<ValueError>([] { grid_places({4, 4}, 1, 1, {}); }), "2 to 1000"));
}

TEST_CASE("intensities") {
  const Image x({1, 1, 4}, {0, 1, 2, 5});
  CHECK(difference(RandomContrast{2, 2}(x, {1, 1}), Image({1, 1, 4}, {-2, 0, 2, 8})) < 1e-6);
  CHECK(difference(RandomGamma{2, 2}(x, {1, 1}), Image({1, 1, 4}, {0, 0.2f, 0.8f, 5})) < 1e-6);
  const Image flat = Image::full({1, 2, 2}, 3);
  CHECK(test::same_bits(RandomGamma{2, 2}(flat, {1, 1}), flat));
  CHECK(test::same_bits(RandomBrightness{0}(x, {1, 1}), x));
  CHECK(contains(error_of<ValueError>([&] { RandomGamma{0, 1}(x, {}); }), "0 < low"));
  CHECK(contains(error_of<ValueError>([&] { RandomContrast{2, 1}(x, {}); }), "0 < low"));
}

TEST_CASE("a mask of another size is refused") {
  const ImageAndMask x{Image({1, 4, 4}), Mask({4, 5})};
  CHECK(contains(error_of<ShapeError>([&] { FlipPair{}(x, {}); }), "must agree"));
  const ImageAndMask y = twins(4, 4);
  CHECK(contains(error_of<ShapeError>([&] { CropPair{.size = 5}(y, {}); }), "does not fit"));
}
