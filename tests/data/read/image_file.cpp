#include <ebb/data/read/image_file.hpp>

#include "tests/data/read/image_writer.hpp"
#include "tests/data/read/png_writer.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

#include "tests/support/memory_limit.hpp"

#include <zlib.h>

#include <fstream>
#include <sstream>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::picture;
using ebb::test::png_of;
using ebb::test::read_file;
using ebb::test::write_file;
using ebb::test::write_image;

namespace {

const test::TemporaryFolder folder;

/// The same of 2 by 2 pixels, each line without a filter.
std::string png(char bits, char kind, const std::string& palette, const std::string& first,
                const std::string& second) {
  return png_of(2, bits, kind, palette, '\0' + first + '\0' + second);
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

/// 8 by 8 pixels of cyan 200, magenta 40, yellow 90, black 30, by Pillow 13:
///     Image.new("CMYK", (8, 8), (200, 40, 90, 30)).save(f, "JPEG", quality=95, optimize=True,
///                                                       subsampling=0)
std::string cmyk_jpeg() {
  const std::string hex =
      "ffd8ffee000e41646f626500640000000000ffdb004300020101010101020101010202020202040302020202"
      "0504040304060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a0aff"
      "c000140800080008044311004d11005911004b1100ffc4001500010100000000000000000000000000000908"
      "ffc40014100100000000000000000000000000000000ffda000e0443004d0059004b00003f0036cae294308f"
      "ffd9";
  return from_hex(hex);
}

}  // namespace

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

TEST_CASE("a png of 16 bits is read in bytes by its upper half, or whole when asked") {
  using namespace std::string_literals;
  // 0, 4095; 256, 65535: what a scanner with 12 bits a pixel writes, and white.
  write_file(folder / "deep.png", png(16, 0, "", "\0\0\x0f\xff"s, "\x01\0\xff\xff"s));
  CHECK(image_info(folder / "deep.png").bits == 16);
  CHECK(image_info(folder / "deep.png").channels == 1);
  CHECK(read_image(folder / "deep.png").values() == std::vector<std::uint8_t>{0, 15, 1, 255});
  CHECK(read_wide_image(folder / "deep.png").values() ==
        std::vector<std::uint16_t>{0, 4095, 256, 65535});
  CHECK(read_wide_image(folder / "deep.png", 3).shape() == Shape{3, 2, 2});
  write_file(folder / "deep3.png",
             png(16, 2, "", "\0\1\0\2\0\3\0\4\0\5\0\6"s, "\1\0\2\0\3\0\4\0\5\0\6\0"s));
  CHECK(read_wide_image(folder / "deep3.png").values() ==
        std::vector<std::uint16_t>{1, 4, 256, 1024, 2, 5, 512, 1280, 3, 6, 768, 1536});
  // Eight bits become sixteen, so that white stays white.
  write_file(folder / "flat.png", png(8, 0, "", "\0\1"s, "\x80\xff"s));
  CHECK(image_info(folder / "flat.png").bits == 8);
  CHECK(read_wide_image(folder / "flat.png").values() ==
        std::vector<std::uint16_t>{0, 257, 128 * 257, 65535});
  CHECK(contains(error_of<ValueError>([] { read_wide_image(folder / "flat.png", 2); }),
                 "read_wide_image: 2 channels were asked for"));
}

TEST_CASE("the colours of a palette are looked up, and shades of a few bits spread out") {
  using namespace std::string_literals;
  const std::string palette = "\xff\0\0"s + "\0\xff\0"s + "\0\0\xff"s + "\x0a\x14\x1e"s;
  for (const int bits : {2, 4, 8}) {
    const auto line = [&](int a, int b) {
      return bits == 8 ? std::string{static_cast<char>(a), static_cast<char>(b)}
                       : std::string{static_cast<char>(a << (8 - bits) | b << (8 - 2 * bits))};
    };
    write_file(folder / "palette.png",
               png(static_cast<char>(bits), 3, palette, line(0, 1), line(2, 3)));
    CHECK(image_info(folder / "palette.png").channels == 3);
    CHECK(read_image(folder / "palette.png").values() ==
          std::vector<std::uint8_t>{255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30});
    CHECK(read_image(folder / "palette.png", 1).shape() == Shape{1, 2, 2});
  }
  write_file(folder / "beyond.png", png(8, 3, palette, "\0\1"s, "\2\x09"s));
  CHECK(read_image(folder / "beyond.png")(1, 1, 1) == 0);  // black, as browsers have it
  write_file(folder / "none.png", png(8, 3, "", "\0\1"s, "\2\3"s));
  CHECK(!error_of<FileError>([] { read_image(folder / "none.png"); }).empty());
  write_file(folder / "one.png", png(1, 0, "", "\x40"s, "\x80"s));
  CHECK(read_image(folder / "one.png").values() == std::vector<std::uint8_t>{0, 255, 255, 0});
}

TEST_CASE("a jpeg of inks becomes colours; one of an odd kind is refused as such") {
  const std::string inks = cmyk_jpeg();
  write_file(folder / "inks.jpg", inks);
  CHECK(image_info(folder / "inks.jpg").channels == 3);
  const ByteImage x = read_image(folder / "inks.jpg");
  CHECK(x.shape() == Shape{3, 8, 8});
  // Pillow's Image.convert("RGB"): 49, 190, 146
  CHECK(std::abs(x(0, 3, 3) - 49) <= 2);
  CHECK(std::abs(x(1, 3, 3) - 190) <= 2);
  CHECK(std::abs(x(2, 3, 3) - 146) <= 2);

  const auto frame = inks.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  const auto refused = [&](std::size_t at, char byte) {
    std::string odd = inks;
    odd[at] = byte;
    write_file(folder / "odd.jpg", odd);
    return error_of<FileError>([] { read_image(folder / "odd.jpg"); });
  };
  CHECK(contains(refused(frame + 4, 12), "it is a JPEG with 12 bits a value, which is not read"));
  CHECK(contains(refused(frame + 1, '\xc9'), "it is a JPEG with arithmetic coding"));
  CHECK(contains(refused(frame + 1, '\xc3'), "it is a lossless JPEG"));
  CHECK(contains(refused(frame + 9, 2), "it is a JPEG with 2 channels"));
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
  write_file(folder / "huge.png", png_of(20000, 8, 0, "", "\1\2\3"));
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

// The fuzzer's: the decoder took what memory held before for the tables.
TEST_CASE("a jpeg whose scan names Huffman tables that it does not have is refused") {
  const std::string inks = cmyk_jpeg();
  const auto table = inks.find("\xff\xc4"), scan = inks.find("\xff\xda");
  const auto refused = [&](const std::string& bytes) {
    write_file(folder / "tables.jpg", bytes);
    return error_of<FileError>([] { read_image(folder / "tables.jpg"); });
  };
  CHECK(contains(refused(inks.substr(0, table) + inks.substr(scan)), "bad Huffman table"));
  std::string other = inks;
  other[scan + 6] = '\x10';  // tables 1 and 0
  CHECK(contains(refused(other), "bad Huffman table"));
  other[scan + 6] = '\x01';
  CHECK(contains(refused(other), "bad Huffman table"));
  other[scan + 6] = '\0';
  CHECK(refused(other).empty());
}

// The fuzzer's: memory for gigabytes was taken first.
TEST_CASE("a png whose chunk claims more than the file holds is refused") {
  using namespace std::string_literals;
  std::string bytes = png(8, 0, "", "\1\2"s, "\3\4"s);
  bytes[bytes.find("IDAT") - 4] = '\x60';
  write_file(folder / "chunk.png", bytes);
  CHECK(contains(error_of<FileError>([] { read_image(folder / "chunk.png"); }),
                 "its image data is damaged (a chunk that reaches beyond the file)"));
}

// The fuzzer's: the number of its pixels overflowed.
TEST_CASE("a png of more pixels than can be counted is refused") {
  write_file(folder / "many.png", png_of({0xFFFFFF0C, 0xFFFFFFFF}, 16, 0, "", "\1"));
  CHECK(
      contains(error_of<FileError>([] { read_image(folder / "many.png"); }), "pixels, more than"));
}

// The fuzzer's: its size was negative, and so never too large.
TEST_CASE("a bmp may have its rows from the top down, and must have all of them") {
  const ByteImage x = picture(3, 4, 5);
  write_image(folder / "up.bmp", x);
  std::string bytes = read_file(folder / "up.bmp");
  REQUIRE(bytes[22] == 4);
  bytes.replace(22, 4, "\xfc\xff\xff\xff");  // a height of -4
  write_file(folder / "down.bmp", bytes);
  CHECK(image_info(folder / "down.bmp").size == Size2(4, 5));
  const ByteImage y = read_image(folder / "down.bmp");
  REQUIRE(y.shape() == x.shape());
  for (Index i = 0; i < 4; ++i) CHECK(y(1, i, 2) == x(1, 3 - i, 2));
  bytes.replace(22, 4, std::string("\0\0\xd8\xff", 4));
  write_file(folder / "long.bmp", bytes);
  CHECK(contains(error_of<FileError>([] { read_image(folder / "long.bmp"); }),
                 "its image data is damaged (it ends before its pixels do)"));
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

// The pixels are Pillow's: tests/oracle/images.py.
TEST_CASE("files of every kind are read as Pillow reads them") {
  std::ifstream fixture("tests/oracle/fixtures/images.txt");
  std::string name, file, pixels;
  Index channels = 0, height = 0, width = 0;
  int count = 0;
  while (fixture >> name >> channels >> height >> width >> file >> pixels) {
    INFO(name);
    ++count;
    const std::string path = folder / name;
    write_file(path, from_hex(file));
#ifndef EBB_HAVE_JPEG
    if (contains(name, "422")) {
      CHECK(contains(error_of<FileError>([&] { read_image(path); }), "stb_image reads wrongly"));
      continue;
    }
#endif
    const std::string expected = from_hex(pixels);
    CHECK(image_info(path).size == Size2(height, width));
    if (contains(name, "grey16")) {
      const WideImage x = read_wide_image(path);
      REQUIRE(x.shape() == Shape{channels, height, width});
      for (Index i = 0; i < x.size(); ++i) {
        const auto at = static_cast<std::size_t>(2 * i);
        REQUIRE(x.data()[i] == (static_cast<unsigned char>(expected[at]) << 8 |
                                static_cast<unsigned char>(expected[at + 1])));
      }
      continue;
    }
    const ByteImage x = read_image(path);
    REQUIRE(x.shape() == Shape{channels, height, width});
    // Without libjpeg-turbo, another decoder of JPEG rounds in another way.
#ifdef EBB_HAVE_JPEG
    const int tolerance = 0;
#else
    const int tolerance = name.ends_with(".jpg") ? 2 : 0;
#endif
    for (Index i = 0; i < x.size(); ++i)
      REQUIRE(std::abs(int{x.data()[i]} - static_cast<unsigned char>(
                                              expected[static_cast<std::size_t>(i)])) <= tolerance);
  }
  CHECK(count == 79);
}

TEST_CASE("a flipped bit anywhere in a png's chunks is an error") {
  using namespace std::string_literals;
  const std::string whole = png(8, 2, "", "\1\2\3\4\5\6"s, "\7\1\2\3\4\5"s);
  for (std::size_t at = 8; at < whole.size() - 12; ++at) {  // but the empty chunk at the end
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    write_file(folder / "flipped.png", flipped);
    REQUIRE(contains(error_of<FileError>([] { read_image(folder / "flipped.png"); }),
                     "its image data is damaged"));
  }
}

TEST_CASE("the real files that were read wrongly") {
  if (!std::filesystem::exists("../shared/data/cases/exif6.jpg")) {
    WARN("skipped: there is no ../shared/data/cases");
    return;
  }
  const std::string cases = "../shared/data/cases/";
  CHECK(read_image(cases + "exif6.jpg").shape() == Shape{3, 83, 61});
  CHECK(contains(error_of<FileError>([&] { read_image(cases + "flip_pixel.png"); }),
                 "the checksum of a chunk is wrong"));
#ifdef EBB_HAVE_JPEG
  const ByteImage x = read_image(cases + "s422.jpg");  // Pillow: mean 124.586
  CHECK(x.shape() == Shape{3, 61, 83});
  double sum = 0;
  for (const std::uint8_t v : x.values()) sum += v;
  CHECK(std::abs(sum / static_cast<double>(x.size()) - 124.586) < 0.001);
  CHECK((x(0, 0, 0) == 3 && x(1, 0, 0) == 252 && x(2, 0, 0) == 0));
#endif
}

TEST_CASE("a range says which of 16 bits are black and white") {
  using namespace std::string_literals;
  const std::string path = folder / "twelve.png";
  write_file(path, png(16, 0, "", "\0\0\x0f\xff"s, "\x08\0\0\x64"s));  // 0, 4095; 2048, 100
  CHECK(read_image(path).values() == std::vector<std::uint8_t>{0, 15, 8, 0});
  CHECK(read_image(path, {.range = {0, 4095}}).values() ==
        std::vector<std::uint8_t>{0, 255, 128, 6});  // 255 v / 4095, rounded
  CHECK(read_image(path, {.range = {100, 2048}}).values() ==
        std::vector<std::uint8_t>{0, 255, 255, 0});
  write_image(folder / "eight.png", picture(1, 3, 3));
  const std::vector<std::string> paths{folder / "eight.png", path};
  CHECK(deep_range(paths) == ValueRange{0, 4095});
  CHECK(deep_range(std::span(paths).first(1)) == std::nullopt);
  CHECK(test::same_bits(read_image(paths[0], {.range = {0, 4095}}), read_image(paths[0])));
  CHECK(contains(error_of<ValueError>([&] {
                   read_image(path, {.range = {5, 5}});
                 }),
                 "a range from 5 to 5 was given; black must lie below white"));
}

TEST_CASE("reading takes the memory of the image, and a header alone takes none") {
  const Size2 size(3000, 4000);
  const Index area = size.area();
  std::string lines(static_cast<std::size_t>(area + size.height), '\0');
  write_file(folder / "large.png", png_of(size, 8, 0, "", lines));
  lines.clear();
  {
    const test::MemoryLimit limit(area + (6 << 20));
    CHECK(read_image(folder / "large.png").size() == area);
  }
  // Headers that claim 256 million pixels.
  write_file(folder / "claim.png", png_of(16000, 8, 2, "", "\1\2\3"));
  std::string bmp = "BM";
  const auto little = [&](std::uint32_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) bmp += static_cast<char>(number >> 8 * i & 255);
  };
  for (const std::uint32_t word : {100u, 0u, 54u, 40u, 16000u, 16000u}) little(word, 4);
  little(1, 2), little(24, 2);
  for (int i = 0; i < 6; ++i) little(0, 4);
  write_file(folder / "claim.bmp", bmp);
  bmp[28] = 8, bmp[30] = 1;  // runs of 8 bits
  write_file(folder / "runs.bmp", bmp + std::string(2000, '\0'));
  std::string jpeg = cmyk_jpeg();
  jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, "\x3e\x80\x3e\x80");
  write_file(folder / "claim.jpg", jpeg);
  for (const char* name : {"claim.png", "claim.bmp", "runs.bmp", "claim.jpg"}) {
    INFO(name);
    const test::MemoryLimit limit(4 << 20);
    CHECK(contains(error_of<FileError>([&] { read_image(folder / name); }),
                   "it ends before its pixels do"));
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
