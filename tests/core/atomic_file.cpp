#include <ebb/core/atomic_file.hpp>

#include "tests/support/full_disk.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::os::AtomicFile;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::FullDisk;
using ebb::test::read_file;
using ebb::test::write_file;

namespace {

namespace fs = std::filesystem;

void save(const std::string& path, const std::string& content) {
  AtomicFile file(path);
  file.write(content.data(), content.size());
  file.commit();
}

Index files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// Root may write anywhere; as long as this lives, it is another user.
struct Unprivileged {
  const bool was_root = ::geteuid() == 0;
  Unprivileged() {
    if (was_root) REQUIRE(::seteuid(65534) == 0);
  }
  ~Unprivileged() {
    if (was_root && ::seteuid(0) != 0) std::abort();
  }
};

}  // namespace

TEST_CASE("a committed file replaces the old one") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "a";
  save(path, "first");
  CHECK(read_file(path) == "first");
  save(path, "second");
  CHECK(read_file(path) == "second");
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("until it is committed, whoever looks sees the old file") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "a";
  save(path, "old");
  {
    AtomicFile file(path);
    file.write("new", 3);
    CHECK(read_file(path) == "old");
  }
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("on a full disk the old file survives and nothing else remains") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "a";
  save(path, "old");
  {
    const FullDisk full(1000);
    const std::string text = error_of<FileError>([&] { save(path, std::string(5000, 'x')); });
    CHECK(contains(text, "save: '" + path + "' cannot be written: "));
    CHECK(contains(text, "make room, or save elsewhere"));
    CHECK(contains(text, "the old file is unchanged"));
    CHECK_FALSE(contains(error_of<FileError>([&] { save(folder / "b", std::string(5000, 'x')); }),
                         "the old file"));
  }
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("a folder that is missing, a file in its place, a device: sentences") {
  const test::TemporaryFolder folder;
  CHECK(contains(error_of<FileError>([&] { save(folder / "no/such/a", "x"); }),
                 "No such file or directory; the folder must exist"));
  write_file(folder / "file", "");
  CHECK(contains(error_of<FileError>([&] { save(folder / "file/a", "x"); }),
                 "the folder must exist"));
  CHECK(contains(error_of<FileError>([&] { save(folder.path.string(), "x"); }), "it is a folder"));
  CHECK(contains(error_of<FileError>([&] { save("/dev/null", "x"); }), "not a regular file"));
}

TEST_CASE("where it may not write, it changes nothing") {
  const Unprivileged user;
  const test::TemporaryFolder folder;
  fs::create_directory(folder.path / "closed");
  write_file(folder / "closed/a", "old");
  write_file(folder / "locked", "old");
  fs::permissions(folder.path / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions(folder.path / "locked", fs::perms::owner_read);
  for (const char* name : {"closed/a", "locked"}) {
    CHECK(contains(error_of<FileError>([&] { save(folder / name, "new"); }), "save where you may"));
    CHECK(read_file(folder / name) == "old");
  }
  fs::permissions(folder.path / "closed", fs::perms::owner_all);
  CHECK(files_in(folder.path / "closed") == 1);
}

TEST_CASE("permissions and links of the old file stay") {
  const test::TemporaryFolder folder;
  write_file(folder / "target", "old");
  fs::permissions(folder.path / "target", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("target", folder.path / "link");
  save(folder / "link", "new");
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(read_file(folder / "target") == "new");
  CHECK(fs::status(folder.path / "target").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}
