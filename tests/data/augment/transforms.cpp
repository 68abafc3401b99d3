#include <ebb/data/augment/transforms.hpp>

#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

/// 0, 1, 2, ... in shape (channels, height, width).
Image counting(Index channels, Index height, Index width) {
  Image x({channels, height, width});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<float>(i);
  return x;
}

std::vector<float> list(std::initializer_list<float> values) { return values; }

}  // namespace

TEST_CASE("bytes become numbers from 0 to 1") {
  const auto y = to_tensor(Tensor<std::uint8_t, 1>({3}, {0, 51, 255}));
  CHECK(y.values() == list({0.0f, 0.2f, 1.0f}));
  CHECK(to_tensor(y).data() == y.data());
}

TEST_CASE("normalize shifts and scales each channel") {
  const Image x = counting(2, 1, 2);
  CHECK(Normalize(1, 2)(x).values() == list({-0.5f, 0, 0.5f, 1}));
  CHECK(Normalize({0, 2}, {1, 0.5f})(x).values() == list({0, 1, 0, 2}));
  CHECK(x.values() == list({0, 1, 2, 3}));
  CHECK(contains(error_of<ShapeError>([&] {
                   Normalize({0, 0, 0}, {1, 1, 1})(x);
                 }),
                 "3 means were given for an image of 2 channels, of shape (2, 1, 2)"));
  CHECK(contains(error_of<ValueError>([] { Normalize(0, 0); }), "must be above 0"));
  CHECK(contains(error_of<ValueError>([] { Normalize({0, 1}, {1}); }), "2 means came with 1"));
}

TEST_CASE("a transform whose type is forgotten still knows it") {
  const Transform normalize = Normalize(1, 2), other = Pad{1}, none;
  REQUIRE(normalize.as<Normalize>());
  CHECK(normalize.as<Normalize>()->std() == std::vector<float>{2});
  CHECK(!other.as<Normalize>());
  CHECK(other.as<Pad>());
  CHECK(!none.as<Normalize>());
}

TEST_CASE("pad and crop") {
  const Image x = counting(1, 2, 2);
  CHECK(Pad{.padding = {1, 0}, .fill = 9}(x).values() == list({9, 9, 0, 1, 2, 3, 9, 9}));
  CHECK(Pad{1}(counting(2, 1, 1)).values() ==
        list({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}));
  CHECK(CenterCrop{2}(counting(1, 4, 4)).values() == list({5, 6, 9, 10}));
  CHECK(CenterCrop{{1, 3}}(counting(1, 3, 3)).values() == list({3, 4, 5}));
  CHECK(CenterCrop{.size = {4, 2}, .fill = 7}(x).values() == list({7, 7, 0, 1, 2, 3, 7, 7}));
  CHECK(CenterCrop{.size = {3, 2}}(x).values() == list({0, 0, 0, 1, 2, 3}));
  CHECK_THROWS_AS(CenterCrop{-1}(x), ValueError);
}

TEST_CASE("flips mirror every channel") {
  const Image x = counting(2, 2, 3);
  CHECK(horizontal_flip(x).values() == list({2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9}));
  CHECK(vertical_flip(x).values() == list({3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8}));
}

TEST_CASE("transforms compose in order, fixed and random ones alike") {
  const auto add_random = [](const Image& x, RandomStream random) {
    Image y = x.clone();
    y.mutable_data()[0] += random.uniform(0);
    return y;
  };
  const auto twice = [](const Image& x) {
    Image y = x.clone();
    for (Index i = 0; i < y.size(); ++i) y.mutable_data()[i] *= 2;
    return y;
  };
  const RandomStream random{3, 4};
  const Image x = counting(1, 1, 2);
  const Image y = Compose(to_tensor, add_random, twice, add_random)(x, random);
  CHECK(y(0, 0, 1) == 2);
  CHECK(y(0, 0, 0) == 2 * derive(random, 1).uniform(0) + derive(random, 3).uniform(0));

  const Transform any = Compose(twice, twice);
  CHECK(any(x, random)(0, 0, 1) == 4);
  CHECK(Transform(twice)(x, random)(0, 0, 1) == 2);
  CHECK_FALSE(Transform());
  CHECK(Transform()(x, random).data() == x.data());
}
