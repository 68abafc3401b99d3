#include <ebb/data/image_file.hpp>

#include "tests/data/image_writer.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::picture;
using ebb::test::read_file;
using ebb::test::write_file;
using ebb::test::write_image;

namespace {
const test::TemporaryFolder folder;
}

TEST_CASE("images come back from png and bmp as they went, and nearly so from jpeg") {
  for (const Index channels : {1, 3}) {
    const ByteImage x = picture(channels, 17, 23);
    write_image(folder / "a.png", x);
    CHECK(test::same_bits(read_image(folder / "a.png"), x));
    write_image(folder / "a.bmp", x);
    CHECK(test::same_bits(read_image(folder / "a.bmp", static_cast<int>(channels)), x));
    write_image(folder / "a.jpg", x);
    const ByteImage y = read_image(folder / "a.jpg", static_cast<int>(channels));
    REQUIRE(y.shape() == x.shape());
    for (Index i = 0; i < x.size(); ++i) CHECK(std::abs(x.data()[i] - y.data()[i]) < 12);
    CHECK(image_info(folder / "a.png").size == Size2(17, 23));
    CHECK(image_info(folder / "a.png").channels == channels);
  }
}

TEST_CASE("colour becomes grey and grey colour when asked for; transparency is dropped") {
  write_image(folder / "rgb.png", picture(3, 4, 5));
  const ByteImage grey = read_image(folder / "rgb.png", 1);
  CHECK(grey.shape() == Shape{1, 4, 5});
  CHECK(std::abs(grey(0, 0, 0) - 32) < 3);  // of (0, 40, 80), green counting most and blue least
  const ByteImage colour = read_image(folder / "rgb.png");
  CHECK(colour.shape() == Shape{3, 4, 5});
  write_image(folder / "alpha.png", picture(4, 4, 5));
  CHECK(read_image(folder / "alpha.png").shape() == Shape{3, 4, 5});
  CHECK(contains(error_of<ValueError>([] { read_image(folder / "rgb.png", 2); }),
                 "2 channels were asked for; use 1 (grey), 3 (colour)"));
}

TEST_CASE("a file that is no image is refused by name") {
  const auto text = [](const std::string& path) {
    const std::string what = error_of<FileError>([&] { read_image(path); });
    CHECK(contains(what, "'" + path + "'"));
    return what;
  };
  write_file(folder / "notes.txt", "hello");
  CHECK(contains(text(folder / "notes.txt"), "it is no PNG, JPEG or BMP image"));
  write_file(folder / "empty.png", "");
  CHECK(contains(text(folder / "empty.png"), "it is empty"));
  CHECK(contains(text(folder / "nowhere.png"), "there is no such file"));
  CHECK(contains(text(folder.path.string()), "it is a folder"));
  write_image(folder / "whole.png", picture(1, 40, 40));
  const std::string whole = read_file(folder / "whole.png");
  write_file(folder / "half.png", whole.substr(0, whole.size() / 2));
  CHECK(contains(text(folder / "half.png"), "its image data is damaged"));
  // A header that claims 20000 x 20000 pixels.
  std::string huge = whole;
  huge.replace(16, 8, std::string("\0\0\x4e\x20\0\0\x4e\x20", 8));
  write_file(folder / "huge.png", huge);
  CHECK(contains(text(folder / "huge.png"), "it claims 20000x20000 pixels"));
}

TEST_CASE("a jpeg whose Huffman tables claim too many codes is refused") {
  write_image(folder / "whole.jpg", picture(3, 9, 11));
  std::string damaged = read_file(folder / "whole.jpg");
  const auto table = damaged.find("\xff\xc4");
  REQUIRE(table != std::string::npos);
  for (std::size_t i = 0; i < 16; ++i) damaged[table + 5 + i] = '\xff';
  write_file(folder / "tables.jpg", damaged);
  CHECK(contains(error_of<FileError>([] { read_image(folder / "tables.jpg"); }),
                 "its image data is damaged (bad Huffman table)"));
}

TEST_CASE("damage anywhere in an image is an error or harmless, never a crash") {
  for (const char* name : {"f.png", "f.jpg", "f.bmp"}) {
    write_image(folder / name, picture(3, 9, 11));
    const std::string whole = read_file(folder / name);
    const std::string path = folder / "damaged";
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
      for (const std::string& content : {damaged, whole.substr(0, at)}) {
        write_file(path, content);
        try {
          // Not larger than a modest picture: decoding megapixels of noise takes its time.
          if (image_info(path).size.area() < 1'000'000) read_image(path);
        } catch (const FileError& error) {
          REQUIRE(contains(error.what(), path));
        }
      }
    }
  }
}

TEST_CASE("resizing keeps constants and means, and interpolates") {
  const auto flat = ByteImage::full({3, 7, 5}, 77);
  for (const Size2 size : {Size2(3), Size2(7, 5), Size2(20, 9), Size2(1)})
    for (const std::uint8_t v : resize(flat, size).values()) REQUIRE(v == 77);
  const ByteImage x = picture(1, 8, 6);
  CHECK(test::same_bits(resize(x, {8, 6}), x));
  const ByteImage row({1, 1, 2}, {0, 100});
  CHECK(resize(row, {1, 4}).values() == std::vector<std::uint8_t>{0, 25, 75, 100});
  // Halving weighs neighbours 1:3:3:1; at the edge, what is there.
  const ByteImage wide({1, 1, 6}, {0, 0, 80, 80, 0, 0});
  CHECK(resize(wide, {1, 3}).values() == std::vector<std::uint8_t>{11, 60, 11});
  CHECK(contains(error_of<ValueError>([&] { resize(x, 0); }), "cannot become 0x0"));
}
