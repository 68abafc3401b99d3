#include <ebb/models/tiled.hpp>
#include <ebb/models/unet.hpp>

#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::random;

namespace {

/// The network on the whole image with mirrored margins, which are cut off after.
template <class Net, class T>
Tensor<T, 4> whole(const Net& net, const Tensor<T, 4>& x, Size2 before, Size2 after) {
  const Margins<4> margins{
      {{0, 0}, {0, 0}, {before.height, after.height}, {before.width, after.width}}};
  const auto y = net(pad(x, margins, {.mode = PadMode::reflect}));
  return slice(slice(y, 2, before.height, before.height + x.extent(2)), 3, before.width,
               before.width + x.extent(3));
}

/// x, and how many tiles of which size were asked for.
struct Identity {
  mutable int calls = 0;
  mutable std::size_t most = 0;
  auto operator()(const Tensor<float, 4>& x) const {
    ++calls;
    most = std::max(most, static_cast<std::size_t>(x.size()));
    return x.clone();
  }
};

}  // namespace

TEST_CASE("tiles of a U-Net give what the whole image gives") {
  manual_seed(3);
  const models::UNet<> net({.channels = 2, .classes = 3, .base = 4, .depth = 2});
  const Index margin = 24;
  REQUIRE(net.reach() <= margin);
  const auto x = random<float>(Shape{2, 2, 90, 75});  // no multiples of anything
  const auto expected = whole(net, x, {margin, margin}, {margin + 2, margin + 1});
  for (const bool blend : {false, true}) {
    const auto y = models::tiled(net, x, {.tile = {64, 72}, .margin = margin, .blend = blend});
    CHECK(y.shape() == Shape{2, 3, 90, 75});
    // Blending takes in pixels that see less than they would; cutting does not.
    if (!blend) CHECK(test::difference(y, expected) < 1e-5);
    if (blend) CHECK(test::difference(y, expected) < 0.2);
  }
  // Inside, the borders are as far away as the network looks: mirrored or not is all the same.
  const auto plain = net(slice(slice(x, 2, 0, 88), 3, 0, 72));
  const auto y = models::tiled(net, x, {.tile = 80, .margin = margin});
  double most = 0;
  for (Index i = margin; i < 88 - margin; ++i)
    for (Index j = margin; j < 72 - margin; ++j)
      most = std::fmax(most, std::fabs(static_cast<double>(plain(1, 2, i, j) - y(1, 2, i, j))));
  CHECK(most < 1e-5);
  // Without context it is not so: the check above would notice.
  CHECK(test::difference(models::tiled(net, x, {.tile = 16, .margin = 0}), expected) > 1e-3);
}

TEST_CASE("tiles put together are the image, whatever its size") {
  for (const Size2 size :
       {Size2(1), Size2(1, 7), Size2(5, 3), Size2(16), Size2(17, 33), Size2(40)}) {
    const auto x = random<float>(Shape{2, 3, size.height, size.width});
    for (const Index margin : {0, 2, 5, 7}) {
      const Identity net;
      CHECK(test::same_bits(models::tiled(net, x, {.tile = 16, .margin = margin}), x));
      CHECK(net.most == 3 * 16 * 16);  // never more than a tile
      const Index inside = 16 - 2 * margin;
      const auto tiles = [&](Index n) { return (n + inside - 1) / inside; };
      CHECK(net.calls == 2 * tiles(size.height) * tiles(size.width));
      const auto blended = models::tiled(net, x, {.tile = 16, .margin = margin, .blend = true});
      CHECK(test::difference(blended, x) < 1e-6);
    }
  }
}

TEST_CASE("what lies outside of an image is its mirror image") {
  Tensor<float, 4> seen;
  const auto net = [&](const Tensor<float, 4>& x) {
    seen = x.clone();
    return x;
  };
  models::tiled(net, Tensor<float, 4>({1, 1, 1, 3}, {1, 2, 3}),
                {.tile = {1, 11}, .margin = {0, 4}});
  CHECK(seen.values() == std::vector<float>{1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3});
}

TEST_CASE("blended tiles have no seams") {
  // A network that is off by a constant at odd calls: cut tiles jump, blended ones slide.
  const auto jump = [](bool blend) {
    int calls = 0;
    const auto net = [&](const Tensor<float, 4>& x) {
      return Tensor<float, 4>::full(x.shape(), static_cast<float>(calls++ % 2));
    };
    const auto y = models::tiled(net, Tensor<float, 4>::zeros({1, 1, 1, 96}),
                                 {.tile = {1, 32}, .margin = {0, 8}, .blend = blend});
    float most = 0;
    for (Index j = 1; j < 96; ++j)
      most = std::fmax(most, std::fabs(y(0, 0, 0, j) - y(0, 0, 0, j - 1)));
    return most;
  };
  CHECK(jump(false) == 1);
  CHECK(jump(true) < 0.07f);  // a sixteenth a pixel
}

TEST_CASE("tiling says what does not fit") {
  const auto x = Tensor<float, 4>::zeros({1, 1, 32, 32});
  const auto net = [](const Tensor<float, 4>& t) { return t; };
  const auto refused = [&](const models::TileOptions& options) {
    return error_of<ValueError>([&] { models::tiled(net, x, options); });
  };
  CHECK(contains(refused({.tile = 16, .margin = 8}),
                 "tiles of 16x16 pixels with margins of 8x8 on each side have no inside"));
  CHECK(contains(refused({.tile = 16, .margin = -1}), "have no inside"));
  CHECK(contains(refused({.tile = 0, .margin = 0}), "have no inside"));
  CHECK(contains(error_of<ShapeError>([&] {
                   models::tiled(net, Tensor<float, 4>::zeros({1, 1, 0, 32}));
                 }),
                 "are empty"));
  const auto halves = [](const Tensor<float, 4>& t) { return max_pool2d(t, 2); };
  CHECK(contains(error_of<ShapeError>([&] { models::tiled(halves, x, {.tile = 16, .margin = 2}); }),
                 "for a tile of 16x16 pixels the network gave (1, 1, 8, 8)"));
  const models::UNet<> unet({.base = 2, .depth = 3});
  CHECK(contains(error_of<ShapeError>([&] { models::tiled(unet, x, {.tile = 20, .margin = 4}); }),
                 "multiples of 8"));
}

// What an image of 16,000 x 16,000 takes: a byte a pixel, and floats of one tile.
TEST_CASE("tiles of bytes give bytes, the mask that the whole image has") {
  Tensor<std::uint8_t, 4> x({1, 1, 37, 53});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<std::uint8_t>(7 * i);
  const auto mask_of = [](const Tensor<std::uint8_t, 4>& tile) {
    Tensor<std::uint8_t, 4> mask(tile.shape());
    for (Index i = 0; i < tile.size(); ++i) mask.mutable_data()[i] = tile.data()[i] > 100;
    return mask;
  };
  CHECK(test::same_bits(models::tiled(mask_of, x, {.tile = 16, .margin = 4}), mask_of(x)));
}
