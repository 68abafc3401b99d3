#include <ebb/data/load/loader.hpp>
#include <ebb/data/sets/masked_images.hpp>

#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using namespace ebb::test;

namespace {

/// Image n is n everywhere but for pixel n, which is 255 and foreground.
MaskedImages images(Index count) {
  MaskedImages set{
      Tensor<std::uint8_t, 4>({count, 1, 4, 4}), Tensor<int, 3>({count, 4, 4}), {}, 255};
  for (Index n = 0; n < count; ++n) {
    set.names.push_back(std::to_string(n));
    for (Index i = 0; i < 16; ++i) {
      set.images.mutable_data()[16 * n + i] = static_cast<std::uint8_t>(i == n ? 255 : n);
      set.masks.mutable_data()[16 * n + i] = i == n;
    }
  }
  return set;
}

using MaskLoader = Loader<MaskedImages>;

/// All that an epoch hands out.
std::vector<float> epoch(MaskLoader& loader, std::uint64_t number) {
  loader.set_epoch(number);
  std::vector<float> all;
  for (const auto& [x, y] : loader) {
    all.insert(all.end(), x.data(), x.data() + x.size());
    all.insert(all.end(), y.data(), y.data() + y.size());
  }
  return all;
}

}  // namespace

TEST_CASE("pairs come in order, as floats, with a smaller batch at the end") {
  MaskLoader loader(images(5), {.batch_size = 2});
  CHECK(loader.size() == 3);
  Index n = 0;
  for (const auto& [x, y] : loader) {
    REQUIRE(x.shape() == Shape{n < 4 ? 2 : 1, 1, 4, 4});
    REQUIRE(y.shape() == Shape{n < 4 ? 2 : 1, 4, 4});
    for (Index i = 0; i < x.extent(0); ++i, ++n)
      for (Index k = 0; k < 16; ++k) {
        CHECK(x.data()[16 * i + k] == static_cast<float>(k == n ? 255 : n) / 255);
        CHECK(y.data()[16 * i + k] == (k == n));
      }
  }
  CHECK(n == 5);
}

TEST_CASE("image and mask move together, each time elsewhere, and the same for any threads") {
  const auto loader_of = [](int threads) {
    return MaskLoader(images(6),
                      {.batch_size = 4,
                       .repeats = 3,
                       .shuffle = true,
                       .seed = 7,
                       .threads = threads,
                       .transform = ComposePairs(FlipPair{}, CropPair{.size = 4, .padding = 1})});
  };
  MaskLoader loader = loader_of(0);
  CHECK(loader.samples() == 18);
  CHECK(loader.size() == 5);
  Index seen = 0;
  for (const auto& [x, y] : loader)
    for (Index i = 0; i < y.size(); ++i) {
      CHECK((y.data()[i] == 1) == (x.data()[i] == 1));  // only foreground is 255
      seen += y.data()[i];
    }
  CHECK(seen > 6);
  const auto none = epoch(loader, 0), next = epoch(loader, 1);
  CHECK(none != next);
  for (const int threads : {1, 4}) {
    MaskLoader other = loader_of(threads);
    CHECK(epoch(other, 0) == none);
    CHECK(epoch(other, 1) == next);
  }
}

TEST_CASE("a transform of images leaves the masks") {
  MaskLoader plain(images(3), {}), loader(images(3), {.transform = Normalize(0.5f, 0.5f)});
  auto a = plain.begin(), b = loader.begin();
  CHECK(same_bits(a->masks, b->masks));
  CHECK(b->images(1, 0, 0, 1) == 1);
  CHECK(b->images(1, 0, 0, 0) == (1.0f / 255 - 0.5f) / 0.5f);
}

TEST_CASE("images of several sizes come one at a time") {
  MaskedImages set = images(3);
  set.sizes = {{4, 4}, {2, 3}, {4, 2}};
  std::vector<Shape<3>> shapes;
  MaskLoader loader(set, {.batch_size = 1});
  for (const auto& [x, y] : loader) {
    CHECK(x.shape() == Shape{1, 1, y.extent(1), y.extent(2)});
    shapes.push_back(y.shape());
  }
  CHECK(shapes == std::vector<Shape<3>>{{1, 4, 4}, {1, 2, 3}, {1, 4, 2}});
}

TEST_CASE("each loop over a pair loader is an epoch, with an order of its own") {
  const MaskLoader::Options options{.batch_size = 4, .shuffle = true, .seed = 3};
  MaskLoader plain(images(9), options), set(images(9), options);
  const auto loop = [](MaskLoader& loader) {
    std::vector<float> all;
    for (const auto& [x, y] : loader) all.insert(all.end(), x.data(), x.data() + x.size());
    return all;
  };
  const auto first = loop(plain), second = loop(plain);
  CHECK(plain.epoch() == 2);
  CHECK(first != second);
  // As data::Loader has it: the epochs that set_epoch asks for.
  set.set_epoch(1);
  CHECK(loop(set) == second);
  set.set_epoch(0);
  CHECK(loop(set) == first);
}

TEST_CASE("a loader of masks says what does not fit") {
  CHECK_THAT(error_of<ValueError>([] { MaskLoader(images(2), {.repeats = 0}); }),
             contains("0 repeats were asked for; use 1 or more"));
  CHECK_THAT(error_of<ValueError>([] {
               MaskLoader(images(2), {.repeats = 2, .sampling = weighted({1, 2})});
             }),
             contains("leave repeats out and let the sampling draw more"));
  MaskLoader uneven(images(2), {.transform = [](const ImageAndMask& x, RandomStream random) {
                      return CropPair{.size = 2 + random.below(2, 9)}(x, random);
                    }});
  bool refused = false;
  for (std::uint64_t e = 0; e < 20 && !refused; ++e)
    refused = error_of<ShapeError>([&] { epoch(uneven, e); }).find("end with a crop") !=
              std::string::npos;
  CHECK(refused);
}
