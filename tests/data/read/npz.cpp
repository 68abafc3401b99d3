#include <ebb/data/read/npz.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/little.hpp"
#include "tests/support/memory_limit.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::little;

namespace {

/// An archive of one stored member, as APPNOTE lays it out.
std::string archive(const std::string& content, std::uint64_t claimed, int method = 0,
                    int flags = 0) {
  const auto checksum =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  const std::string common = little(20, 2) + little(static_cast<unsigned>(flags), 2) +
                             little(static_cast<unsigned>(method), 2) + little(0, 4) +
                             little(checksum, 4) + little(content.size(), 4) + little(claimed, 4) +
                             little(5, 2) + little(0, 2);
  const std::string local = "PK\3\4" + common + "x.npy" + content;
  const std::string entry = "PK\1\2" + little(20, 2) + common + little(0, 14) + "x.npy";
  return local + entry + "PK\5\6" + little(0, 4) + little(1, 2) + little(1, 2) +
         little(entry.size(), 4) + little(local.size(), 4) + little(0, 2);
}

std::string one() {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
  return std::string("\x93NUMPY\1\0", 8) + little(header.size(), 2) + header + "\1\2\3";
}

/// The same with numbers of 64 bits (APPNOTE, 4.5.3, 4.3.14, 4.3.15): what comes after `hole`
/// bytes of nothing.
std::string archive64(const std::string& content, std::uint64_t hole) {
  const auto checksum =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  const std::string none(4, '\xff');
  const std::string common = little(45, 2) + little(0, 2) + little(0, 2) + little(0, 4) +
                             little(checksum, 4) + none + none + little(5, 2);
  const std::string sizes = little(content.size(), 8) + little(content.size(), 8);
  const std::string local =
      "PK\3\4" + common + little(20, 2) + "x.npy" + little(1, 2) + little(16, 2) + sizes + content;
  const std::string entry = "PK\1\2" + little(45, 2) + common + little(28, 2) + little(0, 10) +
                            none + "x.npy" + little(1, 2) + little(24, 2) + sizes + little(hole, 8);
  const std::uint64_t directory = hole + local.size(), end = directory + entry.size();
  return local + entry + "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
         little(1, 8) + little(1, 8) + little(entry.size(), 8) + little(directory, 8) + "PK\6\7" +
         little(0, 4) + little(end, 8) + little(1, 4) + "PK\5\6" + little(0, 4) +
         little(0xFFFF, 2) + little(0xFFFF, 2) + none + none + little(0, 2);
}

NpzFile opened(const std::string& text, NpzOptions options = {}) {
  return NpzFile("x.npz", {text.begin(), text.end()}, options);
}

std::string error(const std::string& text, NpzOptions options = {}) {
  return error_of<FileError>([&] { opened(text, options).get("x"); });
}

}  // namespace

TEST_CASE("a member of a .npz file is found by name") {
  const NpzFile file = opened(archive(one(), one().size()));
  CHECK(file.members().size() == 1);
  CHECK(file.contains("x.npy"));
  CHECK(test::same_bits(file.get<int, 1>("x"), Tensor<int, 1>({3}, {1, 2, 3})));
  CHECK(contains(error_of<FileError>([&] { file.get("y"); }), "it holds 'x'"));
}

TEST_CASE("an archive that cannot be believed says why") {
  const std::string good = archive(one(), one().size());
  CHECK(contains(error("no archive, but a text of some length"), "no .npz file"));
  CHECK(contains(error(archive(one(), 0xFFFFFFFF)), "ZIP64"));
  CHECK(contains(error(archive(one(), 0x7FFFFFFF, 8)), "can unpack to"));
  CHECK(contains(error(archive(one(), 7)), "two different sizes"));
  CHECK(contains(error(archive(one(), one().size(), 8)), "does not unpack"));
  CHECK(contains(error(archive(one(), one().size(), 12)), "packed by bzip2, method 12, and numpy"));
  CHECK(contains(error(archive(one(), one().size(), 14)), "packed by LZMA, method 14"));
  CHECK(contains(error(archive(one(), one().size(), 77)), "packed by method 77"));
  CHECK(contains(error(archive(one(), one().size(), 0, 1)), "encrypted"));
  CHECK(contains(error(good, {.most_bytes = 10}), "allowed"));
  std::string changed = good;
  const std::size_t last = 30 + 5 + one().size() - 1;
  changed[last] = static_cast<char>(changed[last] ^ 1);
  CHECK(contains(error(changed), "checksum"));
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK(!error(good.substr(0, length)).empty());
}

TEST_CASE("numbers of 64 bits are read, and a member beyond 4 GiB of a file") {
  CHECK(test::same_bits(opened(archive64(one(), 0)).get<int, 1>("x"),
                        Tensor<int, 1>({3}, {1, 2, 3})));
  const std::string good = archive64(one(), 0);
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK(!error(good.substr(0, length)).empty());
  for (std::size_t at = 4; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x80);
    error(changed);  // an error or harmless
  }

  const test::TemporaryFolder folder;
  const std::string path = folder / "large.npz";
  const std::uint64_t hole = 5'000'000'000;
  {
    std::ofstream file(path, std::ios::binary);
    file << "PK\3\4";
    file.seekp(static_cast<std::streamoff>(hole));  // takes no room on most disks
    file << archive64(one(), hole);
    if (!file) {
      WARN("skipped: the disk takes no file of 5 GB with a hole");
      return;
    }
  }
  const test::MemoryLimit limit(4 << 20);
  CHECK(NpzFile(path).get<int, 1>("x")(2) == 3);
}

TEST_CASE("arrays as NumPy packs them: by columns, big-endian, truth values") {
  // numpy.savez_compressed(f, a=numpy.asfortranarray(numpy.arange(6, dtype=">i4").reshape(2, 3)),
  //                        b=numpy.array([True, False]), c=numpy.array([1.5, -2], ">f8"))
  const std::string hex =
      "504b03042d0000000800000021005d43cb89ffffffffffffffff05001400612e6e7079010010009800000000"
      "00000053000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9769a2aea3a09e965f5452"
      "9498179f5f94920a120f292a4d050a17672416a402b91a463a0ac69a3a0ab50ae4032e060860066246206601"
      "622620660500504b03042d000000080000002100ee19bb5dffffffffffffffff05001400622e6e7079010010"
      "00820000000000000046000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e9364a8aea3"
      "a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e46060050"
      "4b03042d0000000800000021005703951fffffffffffffffff05001400632e6e707901001000900000000000"
      "00004d000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9766a1aea3a09e965f545294"
      "98179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002efb1f0c6070004231000050"
      "4b01022d032d0000000800000021005d43cb8953000000980000000500000000000000000000008001000000"
      "00612e6e7079504b01022d032d000000080000002100ee19bb5d460000008200000005000000000000000000"
      "000080018a000000622e6e7079504b01022d032d0000000800000021005703951f4d00000090000000050000"
      "000000000000000000800107010000632e6e7079504b05060000000003000300990000008b0100000000";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  const NpzFile file = opened(bytes);
  CHECK(test::same_bits(file.get<int, 2>("a"), Tensor<int, 2>({2, 3}, {0, 1, 2, 3, 4, 5})));
  CHECK((file.get<bool, 1>("b")(0) && !file.get<bool, 1>("b")(1)));
  CHECK(test::same_bits(file.get<double, 1>("c"), Tensor<double, 1>({2}, {1.5, -2.0})));
}

TEST_CASE("an array takes the memory of its elements, and the archive none") {
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (12000000,), }";
  const std::string npy = std::string("\x93NUMPY\1\0", 8) + little(header.size(), 2) + header +
                          std::string(12'000'000, '\7');
  const test::TemporaryFolder folder;
  test::write_file(folder / "a.npz", archive(npy, npy.size()));
  test::write_file(folder / "a.npy", npy);
  const test::MemoryLimit limit(12'000'000 + (4 << 20));
  CHECK(NpzFile(folder / "a.npz").get("x").bytes.back() == 7);
  CHECK(read_npy(folder / "a.npy").bytes.back() == 7);
}
