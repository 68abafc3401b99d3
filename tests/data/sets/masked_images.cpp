#include <ebb/data/sets/masked_images.hpp>
#include <ebb/io/png.hpp>

#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using namespace ebb::test;

namespace {

/// Two folders of images of 4 by 3 pixels.
class Folders {
 public:
  Folders() {
    std::filesystem::create_directories(images());
    std::filesystem::create_directories(masks());
  }
  std::string images() const { return folder_ / "images"; }
  std::string masks() const { return folder_ / "masks"; }

  void image(const std::string& name, std::uint8_t value, int width = 4) const {
    io::write_png(images() + "/" + name + ".png", width, 3, 1,
                  std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width), value));
  }
  /// The first pixel is `in`, the others `out`.
  void mask(const std::string& name, std::uint8_t in, std::uint8_t out) const {
    std::vector<std::uint8_t> pixels(12, out);
    pixels[0] = in;
    io::write_png(masks() + "/" + name + ".png", 4, 3, 1, pixels);
  }
  std::string error(MaskedImagesOptions options = {}) const {
    return error_of<Error>([&] { read_masked_images(images(), masks(), options); });
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("images come with the masks of their names, in the order of numbers") {
  const Folders folders;
  for (const int n : {10, 2, 1}) {
    folders.image(std::to_string(n), static_cast<std::uint8_t>(n));
    folders.mask(std::to_string(n), n == 2 ? 0 : 255, 0);
  }
  const MaskedImages set = read_masked_images(folders.images(), folders.masks());
  CHECK(set.names == std::vector<std::string>{"1", "2", "10"});
  CHECK(set.images.shape() == Shape{3, 1, 3, 4});
  CHECK(set.masks.shape() == Shape{3, 3, 4});
  CHECK(set.images(2, 0, 0, 0) == 10);
  CHECK(set.foreground == 255);
  CHECK(set.masks(0, 0, 0) == 1);
  CHECK(set.masks(1, 0, 0) == 0);
  CHECK(set.masks(0, 0, 1) == 0);

  const MaskedImages dark =
      read_masked_images(folders.images(), folders.masks(), {.channels = 3, .foreground = 0});
  CHECK(dark.images.shape() == Shape{3, 3, 3, 4});
  CHECK(dark.masks(0, 0, 0) == 0);
  CHECK(dark.masks(0, 0, 1) == 1);

  const MaskedImages last = set.part(1, 2);
  CHECK(last.names == std::vector<std::string>{"2", "10"});
  CHECK(last.images(1, 0, 2, 3) == 10);
  CHECK(last.masks(1, 0, 0) == 1);
}

TEST_CASE("images of several sizes keep theirs, where they are asked for") {
  const Folders folders;
  folders.image("1", 10);
  folders.mask("1", 255, 0);
  folders.image("2", 20, 6);
  io::write_png(folders.masks() + "/2.png", 6, 3, 1, std::vector<std::uint8_t>(18, 255));
  CHECK_THAT(folders.error(), contains("2.png' is 3x6 pixels") && contains("must all have one"));
  const MaskedImages set =
      read_masked_images(folders.images(), folders.masks(), {.mixed_sizes = true});
  CHECK(set.images.shape() == Shape{2, 1, 3, 6});
  CHECK(set.size_of(0) == Size2{3, 4});
  CHECK(set.size_of(1) == Size2{3, 6});
  CHECK(set.image(0).values() == std::vector<std::uint8_t>(12, 10));
  CHECK(set.mask(1).values() == std::vector<int>(18, 1));
  CHECK(set.part(0, 1).size_of(0) == Size2{3, 4});
  // What lies beside an image is no foreground, whatever the foreground's value.
  const MaskedImages dark =
      read_masked_images(folders.images(), folders.masks(), {.foreground = 0, .mixed_sizes = true});
  CHECK(dark.masks(0, 2, 3) == 1);
  CHECK(dark.masks(0, 2, 4) == 0);
  folders.image("2", 20, 5);
  CHECK_THAT(folders.error({.mixed_sizes = true}),
             contains("2.png' is 3x6 pixels and its image") && contains("is 3x5"));
}

TEST_CASE("numbers in names count as numbers") {
  using data::detail::before_by_number;
  const std::vector<std::string> sorted{"",    "a",     "a01",    "a1",   "a2",
                                        "a10", "a10b2", "a10b10", "b007", "b8"};
  for (std::size_t i = 0; i < sorted.size(); ++i)
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      INFO(sorted[i] << " before " << sorted[j]);
      CHECK(before_by_number(sorted[i], sorted[j]) == (i < j));
    }
}

TEST_CASE("folders that do not belong together are told apart with a sentence") {
  const Folders folders;
  CHECK_THAT(folders.error(), contains("holds no file"));
  folders.image("a", 1);
  folders.mask("a", 255, 0);
  CHECK(folders.error().empty());

  folders.image("b", 1);
  CHECK_THAT(folders.error(), contains("b.png' has no mask called 'b'"));
  folders.mask("b", 255, 0);
  folders.mask("c", 255, 0);
  CHECK_THAT(folders.error(), contains("c.png' has no image called 'c'"));
  folders.image("c", 1, 5);
  CHECK_THAT(folders.error(), contains("c.png' is 3x5 pixels") && contains("3x4"));
  folders.image("c", 1);
  CHECK(folders.error().empty());

  folders.mask("c", 7, 0);
  CHECK_THAT(folders.error(), contains("have 3 values (0, 7, 255)") && contains("must be said"));
  CHECK(folders.error({.foreground = 7}).empty());
  CHECK_THAT(folders.error({.foreground = 9}), contains("no mask") && contains("0, 7, 255"));
  CHECK_THAT(folders.error({.foreground = 256}), contains("0 to 255"));

  write_file(folders.images() + "/c.jpg", "not an image");
  CHECK_THAT(folders.error({.foreground = 7}), contains("have the same name"));
  std::filesystem::remove(folders.images() + "/c.jpg");
  write_file(folders.images() + "/c.png", "not an image");
  CHECK_THAT(folders.error({.foreground = 7}), contains("c.png"));
  CHECK_THAT(error_of<Error>([&] { read_masked_images("/no/such/folder", folders.masks()); }),
             contains("there is no folder"));
}

TEST_CASE("masks of colours, which have no number, are refused") {
  const Folders folders;
  folders.image("a", 1);
  std::vector<std::uint8_t> pixels(36, 0);
  pixels[0] = 255;  // red
  io::write_png(folders.masks() + "/a.png", 4, 3, 3, pixels);
  CHECK_THAT(folders.error(), contains("has colours"));
  pixels[1] = pixels[2] = 255;  // white: grey in three channels is a number
  io::write_png(folders.masks() + "/a.png", 4, 3, 3, pixels);
  CHECK(folders.error().empty());
}
