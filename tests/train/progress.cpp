#include <ebb/train/progress.hpp>

#include "tests/support/match.hpp"

using namespace ebb;
using ebb::test::contains;

namespace {

std::string content(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  return text;
}

}  // namespace

TEST_CASE("away from a terminal, progress is a plain line now and then") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  {
    Progress progress("epoch 1/3", 1000, {.stream = file, .line_every = 0});
    progress.advance(250, "loss 0.5");
    progress.advance(500);
  }
  const std::string text = content(file);
  std::fclose(file);
  CHECK_THAT(text, contains("epoch 1/3:  25 %, ") && contains(" images/s, ") &&
                       contains(" gone, ") && contains(" left, loss 0.5\n") && contains(" 75 %"));
  CHECK(text.find('\r') == text.npos);
  CHECK(text.find('\x1b') == text.npos);
}

TEST_CASE("a short loop prints nothing into a log") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  {
    Progress progress("epoch 1/3", 1000, {.stream = file});
    for (int i = 0; i < 1000; ++i) progress.advance(1);
    CHECK(progress.done() == 1000);
  }
  CHECK(content(file).empty());
  std::fclose(file);
}

TEST_CASE("a note that is a function is asked for when a line is drawn, and only then") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  int asked = 0;
  const auto note = [&] { return message("note ", ++asked); };
  {
    Progress seldom("epoch 1/3", 1000, {.stream = file});
    for (int i = 0; i < 10; ++i) seldom.advance(1, note);
    CHECK(asked == 0);
    Progress often("epoch 2/3", 1000, {.stream = file, .line_every = 0});
    for (int i = 0; i < 3; ++i) often.advance(1, note);
    CHECK(asked == 3);
  }
  CHECK_THAT(content(file), contains("note 3\n"));
  std::fclose(file);
}

TEST_CASE("a progress line tells rate and remaining time") {
  Progress progress("test", 60000, {.stream = nullptr});
  progress.advance(15000);
  CHECK(progress.line(3.0, "loss 1") == "test:  25 %, 5000 images/s, 0:03 gone, 0:09 left, loss 1");
  progress.advance(45000);
  CHECK(progress.line(7200.0, "") == "test: 100 %, 8.3 images/s, 2:00:00 gone");
}

TEST_CASE("a progress bar fits the terminal") {
  Progress progress("epoch 1/3", 100, {.stream = nullptr});
  progress.advance(50);
  const std::string wide = progress.bar(1.0, "loss 0.5", 120);
  CHECK_THAT(wide, contains("epoch 1/3 ") && contains(" 50 %  50 images/s  0:01 gone, 0:01 left"));
  for (const int width : {60, 40, 20, 10, 1})
    // At most one column for every byte, so bytes bound columns from above where there is no bar.
    if (width < 60)
      CHECK(static_cast<int>(progress.bar(1.0, "loss 0.5", width).size()) <= std::max(width, 11));
}

TEST_CASE("progress bears nonsense") {
  Progress nothing("empty", 0, {.stream = nullptr});
  CHECK_THAT(nothing.line(0.0, ""), contains("100 %"));
  Progress more("more than all", 10, {.stream = nullptr});
  more.advance(20);
  CHECK_THAT(more.line(1.0, ""), contains("100 %") && !contains("left"));
}
