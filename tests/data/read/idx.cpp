#include <ebb/data/read/idx.hpp>

#include "tests/support/full_disk.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::FullDisk;
using ebb::test::read_file;
using ebb::test::write_file;

namespace {

const test::TemporaryFolder folder;

/// An IDX file of two images of 2x3 pixels, 0 to 11.
std::string images() {
  std::string file("\0\0\x08\x03\0\0\0\2\0\0\0\2\0\0\0\3", 16);
  for (char i = 0; i < 12; ++i) file += i;
  return file;
}

std::string gzipped(const std::string& content) {
  const std::string path = folder / "packed";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return read_file(path);
}

/// What reading `content` says; "" when it succeeds.
template <class T = std::uint8_t, int N = 3>
std::string read(const std::string& content) {
  const std::string path = folder / "file.idx";
  write_file(path, content);
  const std::string text = error_of<FileError>([&] { read_idx<T, N>(path); });
  if (!text.empty()) {
    CHECK(contains(text, path));
    CHECK(text.find("read_idx: ") == 0);
  }
  return text;
}

template <class T>
void check_round_trip() {
  for (const bool gzip : {false, true}) {
    const std::string path = folder / "round.idx";
    const Tensor<T, 2> x({2, 3}, {T(1), T(2), T(100), T(-4), T(5), T(6)});
    write_idx(path, x, {.gzip = gzip});
    CHECK(test::same_bits(read_idx<T, 2>(path), x));
    CHECK((read_file(path).substr(0, 2) == "\x1f\x8b") == gzip);
  }
}

}  // namespace

TEST_CASE("an idx file becomes a tensor, plain or gzipped, whatever its name") {
  for (const std::string& content : {images(), gzipped(images())}) {
    for (const char* name : {"images", "images.gz", "images.txt"}) {
      write_file(folder / name, content);
      const auto x = read_idx<std::uint8_t, 3>(folder / name);
      REQUIRE(x.shape() == Shape{2, 2, 3});
      for (int i = 0; i < 12; ++i) CHECK(x.data()[i] == i);
    }
  }
}

TEST_CASE("idx files of every element type come back as they went") {
  check_round_trip<std::uint8_t>();
  check_round_trip<std::int8_t>();
  check_round_trip<std::int16_t>();
  check_round_trip<std::int32_t>();
  check_round_trip<float>();
  check_round_trip<double>();
}

TEST_CASE("idx is big-endian") {
  write_file(folder / "ints", std::string("\0\0\x0c\x01\0\0\0\2\0\0\1\2\xff\xff\xff\xfe", 16));
  const auto x = read_idx<std::int32_t, 1>(folder / "ints");
  CHECK(x(0) == 258);
  CHECK(x(1) == -2);
  write_idx(folder / "again", x);
  CHECK(read_file(folder / "again") == read_file(folder / "ints"));
}

TEST_CASE("an idx file without elements is a tensor without elements") {
  const Tensor<std::uint8_t, 3> none({0, 28, 28});
  write_idx(folder / "none", none);
  CHECK(read_idx<std::uint8_t, 3>(folder / "none").shape() == none.shape());
}

TEST_CASE("a file that is no idx file is refused with its first bytes") {
  CHECK(contains(read("<!DOCTYPE html><html>"), "starts with 0x3c21444f"));
  CHECK(contains(read(gzipped("<!DOCTYPE html>")), "once unpacked"));
  CHECK(contains(read("abc"), "ends within the first 4 bytes"));
  CHECK(contains(read(""), "it is empty"));
  CHECK(contains(read(std::string("\0\0\x07\x03\0\0\0\0", 8)), "is no IDX file"));
  CHECK(contains(read(std::string("\0\0\x08\0\0\0\0\0", 8)), "is no IDX file"));
}

TEST_CASE("an idx file of another type or rank is refused with what it is") {
  CHECK(
      contains(read<float>(images()),
               "its elements are std::uint8_t, not float; read it with read_idx<std::uint8_t, 3>"));
  CHECK(contains(read<std::uint8_t, 1>(images()), "it has 3 axes, not 1; is it a file of images?"));
  write_idx(folder / "labels", Tensor<std::uint8_t, 1>({2}, {1, 2}));
  CHECK(contains(read(read_file(folder / "labels")), "1 axes, not 3; is it a file of labels?"));
}

TEST_CASE("an idx file that differs from its header in size is refused") {
  CHECK(contains(read(images() + "x"),
                 "promises 12 bytes for (2, 2, 3), and it holds 13 bytes, more than that"));
  CHECK(contains(read(images().substr(0, 20)),
                 "it holds 4 bytes, less than that: the file is trunc"));
  CHECK(contains(read(images().substr(0, 10)), "it ends within its header"));
  CHECK(contains(read(gzipped(images() + "x")), "more than that"));
  CHECK(contains(read(gzipped(images().substr(0, 20))), "it holds 4 bytes, less than that"));
  CHECK(contains(read(gzipped(images().substr(0, 10))), "it ends within its header"));
}

TEST_CASE("a damaged gzip file is refused") {
  const std::string whole = gzipped(images());
  CHECK(contains(read(whole.substr(0, whole.size() - 9)), "its gzip stream ends early"));
  CHECK(contains(read(whole.substr(0, whole.size() - 3)), "its gzip stream ends early"));
  std::string crc = whole;
  crc[crc.size() - 5] = static_cast<char>(crc[crc.size() - 5] ^ 1);
  CHECK(contains(read(crc), "its data is damaged"));
  std::string method = whole;
  method[2] = 9;
  CHECK(contains(read(method), "its data is damaged"));
}

TEST_CASE("the promise of a hostile header takes no memory") {
  std::string huge("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);
  CHECK(contains(read(huge), "more than any file holds"));
  std::string large("\0\0\x08\x03\0\1\0\0\0\1\0\0\0\0\0\x10", 16);  // 64 GiB
  const auto before = Cpu::stats().bytes_reserved;
  CHECK(contains(read(large + "abc"), "it holds 3 bytes, less"));
  CHECK(contains(read(gzipped(large + "abc")), "far less than that"));
  CHECK(Cpu::stats().bytes_reserved - before < 1'000'000);
  // Extents of zero do not hide an overflow.
  std::string zero("\0\0\x08\x03\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16);
  CHECK(contains(read(zero), "more than any file holds"));
}

TEST_CASE("a file that is missing, a folder or a device is refused") {
  const auto text = [](const std::string& path) {
    return error_of<FileError>([&] { read_idx<std::uint8_t, 3>(path); });
  };
  CHECK(contains(text(folder / "nowhere"), "there is no such file"));
  CHECK(contains(text(folder.path.string()), "it is a folder"));
  CHECK(contains(text("/dev/zero"), "it is not a regular file"));
}

TEST_CASE("an idx file that cannot be written is an error") {
  const Tensor<std::uint8_t, 1> x({2}, {1, 2});
  CHECK(contains(error_of<FileError>([&] { write_idx(folder / "no/such/folder", x); }),
                 "cannot be written: No such file or directory; the folder must exist"));
  // An older file stays where the new one does not fit.
  write_idx(folder / "old", x);
  const std::string old = read_file(folder / "old");
  for (const bool gzip : {false, true}) {
    const FullDisk full(100);
    Tensor<std::uint8_t, 1> large({5000});
    std::uint32_t random = 1;
    for (Index i = 0; i < large.size(); ++i)
      large(i) = static_cast<std::uint8_t>((random = random * 1664525u + 1013904223u) >> 24);
    CHECK(contains(error_of<FileError>([&] { write_idx(folder / "old", large, {.gzip = gzip}); }),
                   "make room, or save elsewhere (the old file is unchanged)"));
    CHECK(read_file(folder / "old") == old);
  }
  if (std::filesystem::exists("/dev/full"))
    CHECK(contains(error_of<FileError>([&] { write_idx("/dev/full", x); }), "cannot be written"));
}

TEST_CASE("damage anywhere in an idx file is an error or harmless, never a crash") {
  for (const std::string& whole : {images(), gzipped(images())}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      read(whole.substr(0, at));
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        read(damaged);
      }
    }
  }
}
