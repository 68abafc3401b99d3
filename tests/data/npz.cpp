#include <ebb/data/npz.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += i < 8 ? static_cast<char>(value >> 8 * i & 0xFF) : '\0';
  return text;
}

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
  CHECK(contains(error(archive(one(), one().size(), 12)), "method 12"));
  CHECK(contains(error(archive(one(), one().size(), 0, 1)), "encrypted"));
  CHECK(contains(error(good, {.most_bytes = 10}), "allowed"));
  std::string changed = good;
  changed[45] = static_cast<char>(changed[45] ^ 1);
  CHECK(contains(error(changed), "checksum"));
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK(!error(good.substr(0, length)).empty());
}
