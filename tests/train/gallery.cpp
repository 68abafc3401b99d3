#include <ebb/train/gallery.hpp>

#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::Approx;
using ebb::test::contains;
using ebb::test::read_file;

TEST_CASE("base64 after the examples of RFC 4648") {
  const auto encode = [](const std::string& text) {
    return plot::detail::base64(reinterpret_cast<const unsigned char*>(text.data()), text.size());
  };
  CHECK(encode("").empty());
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foobar") == "Zm9vYmFy");
}

TEST_CASE("a picture undoes the normalisation and clips") {
  const Tensor<float, 4> batch({2, 1, 1, 3}, {0, 0, 0, -5, 0.5f, 9});
  const Picture p = picture(batch, 1);
  CHECK(p.width == 3);
  CHECK(p.height == 1);
  CHECK(p.pixels == std::vector<std::uint8_t>{0, 128, 255});
  CHECK(picture(batch, 1, -1, 1).pixels[1] == 191);
  CHECK_THROWS_AS(picture(batch, 2), ShapeError);
  CHECK_THROWS_WITH(picture(Tensor<float, 4>::zeros({1, 2, 3, 3}), 0), contains("1 or 3 channels"));
  // Channels are interleaved.
  const Tensor<float, 4> colour({1, 3, 1, 2}, {1, 0, 0, 1, 0, 0});
  CHECK(picture(colour, 0).pixels == std::vector<std::uint8_t>{255, 0, 0, 0, 255, 0});
}

TEST_CASE("the most convinced mistakes are kept") {
  Mistakes mistakes(2);
  const auto images = Tensor<float, 4>::zeros({4, 1, 2, 2});
  const Tensor<float, 2> logits({4, 2}, {5, 0, 1, 0, 3, 0, 0, 9});
  mistakes.add(images, logits, Tensor<int, 1>({4}, {1, 1, 1, 1}));
  CHECK(mistakes.count() == 3);
  REQUIRE(mistakes.kept().size() == 2);
  CHECK(mistakes.kept()[0].index == 0);
  CHECK(mistakes.kept()[1].index == 2);
  CHECK(mistakes.kept()[0].confidence == Approx(1 / (1 + std::exp(-5.0))));
  const auto pictures = mistakes.pictures({"cat", "dog"});
  CHECK(pictures[0].caption == "true: dog");
  CHECK(pictures[0].remark == "said: cat (99 %)");
  CHECK_THROWS_AS(mistakes.add(images, logits, Tensor<int, 1>({2}, {1, 1})), ShapeError);
  Mistakes none(0);
  none.add(images, logits, Tensor<int, 1>({4}, {1, 1, 1, 1}));
  CHECK(none.kept().empty());
}

TEST_CASE("a gallery is one SVG file with the images inside") {
  const test::TemporaryFolder folder;
  const std::vector<Picture> pictures{{2, 2, 1, {0, 1, 2, 3}, "a < b", "no"},
                                      {1, 1, 3, {255, 0, 0}, "red", ""}};
  plot::gallery(folder / "g.svg", pictures, "Two & a half");
  const std::string svg = read_file(folder / "g.svg");
  CHECK_THAT(svg, contains("data:image/png;base64,iVBORw0KGgo") && contains("a &lt; b") &&
                      contains("Two &amp; a half"));
  CHECK_NOTHROW(plot::gallery(folder / "none.svg", {}, "Nothing"));
  CHECK_THROWS_AS(plot::gallery(folder / "g.svg", {{2, 2, 1, {0}, "", ""}}, ""), ValueError);
  CHECK_THROWS_WITH(plot::gallery(folder / "no/g.svg", {}, ""), contains("cannot be written"));
}
