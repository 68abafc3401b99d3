#include <ebb/io/pytorch/storages.hpp>

#include "tests/io/pytorch_files.hpp"
#include "tests/support/memory_limit.hpp"

#include <thread>

using namespace ebb;
using namespace ebb::io;
using ebb::test::archive_of;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

test::Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// What opening these bytes and reading all in them says.
std::string reading(const test::Bytes& bytes) {
  return error_of<FileError>([&] {
    const PytorchFile file("x.pt", bytes);
    for (const std::string& name : file.names()) file.bytes_of(name);
  });
}

test::Bytes fixture(const std::string& name) {
  for (const auto& file : test::torch_files("tests/oracle/fixtures/pytorch_files.txt"))
    if (file.name == name) return file.bytes;
  FAIL("no such fixture: " + name);
  return {};
}

const std::string empty = "\x80\x02}.";

}  // namespace

TEST_CASE("what is no file of PyTorch says so") {
  CHECK(contains(reading({}), "it is no file of PyTorch: it begins neither as a ZIP archive"));
  CHECK(contains(reading(bytes_of("hello")), "it is no file of PyTorch"));
  CHECK(contains(reading(bytes_of("PK")), "it is no file of PyTorch: it does not begin as a ZIP"));
  CHECK(contains(reading(bytes_of("PK\3\4" + std::string(100, ' '))),
                 "its ZIP directory is missing: the file is truncated"));
  CHECK(contains(reading(bytes_of(std::string(257, '\0') + "ustar" + std::string(250, '\0'))),
                 "it is a tar file, of PyTorch before 0.2 perhaps"));
  CHECK(contains(reading(archive_of({{"model.json", "{}"}, {"tensors/0", ""}})),
                 "of TorchScript before PyTorch 1.4 perhaps"));
  CHECK(contains(reading(archive_of({{"word/document.xml", ""}})),
                 "an archive without data.pkl, so that torch.save did not write it; it holds "
                 "'word/document.xml'"));
  CHECK(contains(error_of<FileError>([] { PytorchFile("/nowhere/x.pt"); }),
                 "pytorch: '/nowhere/x.pt': No such file or directory; check the path"));
  CHECK(contains(error_of<FileError>([] { PytorchFile("/"); }), "it is a folder"));
}

TEST_CASE("records with names of files elsewhere are refused") {
  for (const char* name : {"a/../x", "../x", "/etc/passwd", "a/..", "a\\x"})
    CHECK(contains(reading(archive_of({{"a/data.pkl", empty}, {name, ""}})),
                   "has the name of a file elsewhere; it is made to deceive"));
  CHECK(reading(archive_of({{"a/data.pkl", empty}, {"a/..x", ""}, {"a/x..", ""}})).empty());
}

TEST_CASE("the order of bytes is little or big") {
  CHECK(reading(archive_of({{"a/data.pkl", empty}, {"a/byteorder", "big"}})).empty());
  CHECK(contains(reading(archive_of({{"a/data.pkl", empty}, {"a/byteorder", "middle"}})),
                 "its record 'byteorder' says 'middle'"));
  CHECK(
      contains(reading(archive_of({{"a/data.pkl", empty}, {"a/byteorder", std::string(99, 'x')}})),
               "claims 99 bytes, and 16 are allowed"));
}

TEST_CASE("records that share bytes are refused") {
  auto bytes =
      archive_of({{"a/data.pkl", empty}, {"a/data/0", "12345678"}, {"a/data/1", "12345678"}});
  // The place of the last record becomes that of the one before: in the directory, at 42.
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t one = text.rfind("PK\1\2"), before = text.rfind("PK\1\2", one - 1);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(before) + 42, 4,
              bytes.begin() + static_cast<std::ptrdiff_t>(one) + 42);
  CHECK(contains(reading(bytes), "overlap: it is damaged, or made to deceive"));
}

TEST_CASE("a pickle that claims to fill memory is refused before it is unpacked") {
  const test::MemoryLimit limit(64 << 20);
  const test::Bytes large(std::size_t{1} << 20);
  std::string record(large.begin(), large.end());
  auto bytes = archive_of({{"a/data.pkl", record}});
  // Both of its sizes, in the directory, at 20 and 24; and then deflated, of which no such size can
  // be.
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t at = text.rfind("PK\1\2");
  bytes[at + 27] = 0x20;
  CHECK(contains(reading(bytes), "has two different sizes"));
  bytes[at + 10] = 8;
  CHECK(
      contains(reading(bytes), "bytes, and 67108864 are allowed; it is damaged, or made to fill"));
}

TEST_CASE("each damaged or missing byte of an archive is an error, and never a wrong tensor") {
  for (const char* name : {"strided", "packed", "big_endian"}) {
    const test::Bytes good = fixture(name);
    const auto lines = test::lines_of(PytorchFile("x", good));
    int refused = 0;
    for (std::size_t at = 0; at < good.size(); at += 3) {
      test::Bytes bad = good;
      bad[at] ^= static_cast<unsigned char>(1 << at % 8);
      try {
        const auto read = test::lines_of(PytorchFile("x", bad));
        if (read != lines) CHECK(read.size() != lines.size());  // an entry of the directory is gone
      } catch (const FileError&) {
        ++refused;
      }
    }
    CHECK(refused > 100);
    for (std::size_t size = 0; size < good.size(); size += 7)
      CHECK_THROWS_AS(
          PytorchFile("x",
                      test::Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
          FileError);
  }
}

TEST_CASE("the old format says where it is damaged") {
  const test::Bytes good = fixture("strided_legacy");
  CHECK(reading(good).empty());
  for (std::size_t size = 1; size < good.size(); size += 5)
    CHECK_THROWS_AS(PytorchFile("x", test::Bytes(good.begin(),
                                                 good.begin() + static_cast<std::ptrdiff_t>(size))),
                    FileError);
  test::Bytes bad = good;
  bad.resize(good.size() - 1);
  CHECK(contains(reading(bad), "and the file has "));
  CHECK(contains(reading(bad), "it is truncated: copy it again"));
  CHECK(
      contains(reading(bytes_of("\x80\x02K\1.")), "it does not begin with PyTorch's magic number"));
  const std::string magic = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8P\x19.";
  CHECK(contains(reading(bytes_of(magic + "\x80\x02M\xea\x03.")), "of another version"));
  const std::string begin = magic + "\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}.\x80\x02";
  CHECK(reading(bytes_of(begin + "].")).empty());
  CHECK(contains(reading(bytes_of(begin + "]X\1" + std::string(3, '\0') + "7a.")),
                 "it has a storage '7' that no tensor is in"));
  CHECK(contains(reading(bytes_of(begin + "K\1.")), "its list of storages is none"));
}

TEST_CASE("threads read one archive at a time without minding each other") {
  for (const char* name : {"strided", "packed"}) {
    const PytorchFile file("x", fixture(name));
    const auto lines = test::lines_of(PytorchFile("x", fixture(name)));
    std::vector<std::vector<std::string>> read(4);
    std::vector<std::thread> threads;
    for (auto& mine : read)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) mine = test::lines_of(file);
      });
    for (std::thread& thread : threads) thread.join();
    for (const auto& mine : read) CHECK(mine == lines);
  }
}
