#include <ebb/train/csv.hpp>

#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::contains;
using ebb::test::read_file;
using ebb::test::write_file;

TEST_CASE("a CSV log writes a header and one line per row at once") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  CsvLog log(path, {"epoch", "loss", "note"});
  CHECK(read_file(path) == "epoch,loss,note\n");
  log.row(1, 0.25, "fine");
  CHECK(read_file(path) == "epoch,loss,note\n1,0.25,fine\n");
  log.row(2, 0.1f, true);
  CHECK(read_file(path) == "epoch,loss,note\n1,0.25,fine\n2,0.1,true\n");
}

TEST_CASE("CSV fields with commas, quotes and line breaks are quoted") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  CsvLog log(path, {"a,b", "c"});
  log.row("say \"hi\"", "two\nlines");
  log.row("", " spaces stay ");
  CHECK(read_file(path) == "\"a,b\",c\n\"say \"\"hi\"\"\",\"two\nlines\"\n, spaces stay \n");
}

TEST_CASE("numbers in a CSV log read back as the same numbers") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  const double value = 0.1 + 0.2;
  {
    CsvLog log(path, {"x"});
    log.row(value);
  }
  const std::string text = read_file(path);
  CHECK(std::stod(text.substr(2)) == value);
}

TEST_CASE("a CSV log continues after the rows to keep") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  write_file(path, "epoch,note\n1,\"a\nb\"\n2,x\n3,y\n4,cut sho");
  SECTION("and drops those after them, and a row cut short") {
    CsvLog log(path, {"epoch", "note"}, {.keep_rows = 2});
    log.row(3, "z");
    CHECK(read_file(path) == "epoch,note\n1,\"a\nb\"\n2,x\n3,z\n");
  }
  SECTION("unless there are fewer") {
    CHECK_THROWS_WITH(CsvLog(path, {"epoch", "note"}, {.keep_rows = 4}), contains("fewer rows"));
    CHECK_THAT(read_file(path), contains("cut sho"));  // untouched
  }
  SECTION("unless it has other columns") {
    CHECK_THROWS_WITH(CsvLog(path, {"epoch", "loss"}, {.keep_rows = 1}), contains("epoch,loss"));
  }
  SECTION("and starts anew where none are kept") {
    CsvLog log(path, {"x"});
    CHECK(read_file(path) == "x\n");
  }
}

TEST_CASE("a CSV log refuses rows of another length and files it cannot write") {
  const test::TemporaryFolder folder;
  CsvLog log(folder / "log.csv", {"a", "b"});
  CHECK_THROWS_WITH(log.row(1), contains("2 columns") && contains("1 fields"));
  CHECK_THROWS_AS(CsvLog(folder / "x.csv", {}), ValueError);
  CHECK_THROWS_WITH(CsvLog(folder / "no/such/folder.csv", {"a"}),
                    contains("the folder must exist"));
  CHECK_THROWS_AS(CsvLog(folder.path.string(), {"a"}), FileError);
  if (std::filesystem::exists("/dev/full")) {
    CHECK_THROWS_WITH(CsvLog("/dev/full", {"a"}), contains("No space left"));
  }
}

TEST_CASE("a CSV log that cannot begin leaves the old table") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  write_file(path, "a\n1\n");
  CHECK_THROWS_WITH(CsvLog(path, {"b"}, {.keep_rows = 1}), contains("first line"));
  CHECK(read_file(path) == "a\n1\n");
  // Through a link, the file behind it is written.
  std::filesystem::create_symlink(path, folder / "link.csv");
  CsvLog(folder / "link.csv", {"a"}, {.keep_rows = 1}).row(2);
  CHECK(read_file(path) == "a\n1\n2\n");
  CHECK(std::filesystem::is_symlink(folder / "link.csv"));
}
