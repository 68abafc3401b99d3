#include <ebb/data/read/npz.hpp>

#include "tests/support/little.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::little;

namespace {

/// Two members of ten bytes, the second of which begins at `second` (44 is behind the first).
std::string opening(std::uint64_t second, std::uint64_t stored = 10) {
  const auto common = [](std::uint64_t size) {
    return little(20, 2) + little(0, 8) + little(0, 4) + little(size, 4) + little(size, 4) +
           little(1, 2) + little(0, 2);
  };
  const auto local = [&](const char* name, std::uint64_t size) {
    return "PK\3\4" + common(size) + name + std::string(10, 'x');
  };
  const auto entry = [&](const char* name, std::uint64_t size, std::uint64_t at) {
    return "PK\1\2" + little(20, 2) + common(size) + little(0, 10) + little(at, 4) + name;
  };
  const std::string files = local("a", stored) + "..." + local("b", 10);
  const std::string entries = entry("b", 10, second) + entry("a", stored, 0);
  const std::string all = files + entries + "PK\5\6" + little(0, 4) + little(2, 2) + little(2, 2) +
                          little(entries.size(), 4) + little(files.size(), 4) + little(0, 2);
  return error_of<FileError>([&] { NpzFile("x.npz", {all.begin(), all.end()}); });
}

}  // namespace

TEST_CASE("members that share bytes are refused") {
  CHECK(opening(44).empty());
  CHECK(opening(41).empty());  // with nothing between them
  const std::string text =
      "npz: 'x.npz': its members 'a' and 'b' overlap: it is damaged, or made to deceive";
  CHECK(opening(40) == text);
  CHECK(opening(20) == text);
  CHECK(opening(44, 14) == text);
  CHECK(opening(0).find("overlap") != std::string::npos);
}
