#include <ebb/train/plot.hpp>

#include <cstdlib>
#include <limits>

#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::contains;
using ebb::test::read_file;
using ebb::test::StartsWith;

namespace {

bool has_gnuplot() {
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) return true;
  WARN("skipped: gnuplot is not installed");
  return false;
}

const plot::Line falling{"It's <falling> & `date`", {1, 2, 3}, {1, 0.5, 0.1}};

}  // namespace

TEST_CASE("text for gnuplot stays text") {
  CHECK(plot::literal("it's") == "'it''s'");
  CHECK(plot::literal("a\nb") == "'a b'");
}

TEST_CASE("a missing gnuplot is a sentence") {
  CHECK_THROWS_WITH(plot::gnuplot("x.svg", "plot x", 100, 100, "no-such-gnuplot"),
                    contains("needs the program gnuplot") && contains("apt-get install"));
}

TEST_CASE("nothing to draw is a sentence") {
  CHECK_THROWS_WITH(plot::lines("x.svg", {}), contains("no finite point"));
  CHECK_THROWS_AS(plot::panels("x.svg", {}), ValueError);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(plot::lines("x.svg", {{"", {1}, {nan}}}), ValueError);
  CHECK_THROWS_WITH(plot::lines("x.svg", {{"odd", {1, 2}, {1}}}),
                    contains("'odd' has 2 x and 1 y"));
  CHECK_THROWS_AS(plot::contour("x.svg", [](double, double) { return 0.0; }, {}, {}, {}),
                  ValueError);
}

TEST_CASE("pictures are drawn as SVG or PNG") {
  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  const std::string svg = folder / "it's a path.svg", png = folder / "a.png";
  plot::lines(svg, {falling, {"", {1, 3}, {1e-3, 1}, true, true}},
              {.title = "Title", .x = "epoch", .y = "loss", .log_y = true});
  const std::string text = read_file(svg);
  CHECK_THAT(text,
             contains("<svg") && contains("</svg>") && contains("Title") && contains("epoch"));
  CHECK_THAT(text, contains("It's &lt;falling> &amp; `date`"));  // nothing was executed
  plot::lines(png, {falling});
  CHECK_THAT(read_file(png), StartsWith("\x89PNG"));
  plot::panels(folder / "two.svg", {{{.title = "One"}, {falling}}, {{.title = "Two"}, {falling}}});
  CHECK_THAT(read_file(folder / "two.svg"), contains("One") && contains("Two"));
}

TEST_CASE("a point that is not finite leaves a gap") {
  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_NOTHROW(plot::lines(folder / "gap.svg", {{"", {1, 2, 3, 4}, {1, inf, 2, 3}}}));
}

TEST_CASE("a confusion matrix is drawn with its counts and names") {
  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  ConfusionMatrix m({"cat", "dog"});
  for (int i = 0; i < 77; ++i) m.add(0, 0);
  for (int i = 0; i < 23; ++i) m.add(0, 1);
  plot::confusion(folder / "m.svg", m);
  CHECK_THAT(read_file(folder / "m.svg"), contains("cat") && contains("dog") && contains(">77<") &&
                                              contains(">23<") && contains("77.00 % of 100 right"));
  m.reset();
  CHECK_NOTHROW(plot::confusion(folder / "empty.svg", m));
  CHECK_NOTHROW(plot::confusion(folder / "one.svg", ConfusionMatrix(Index{1})));
}

TEST_CASE("level lines are drawn with paths over them") {
  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  plot::contour(folder / "c.svg", [](double x, double y) { return x * x + 4 * y * y; }, {-2, 2},
                {-1, 1}, {{"walk", {-2, -1, 0}, {1, 0.5, 0}}});
  CHECK_THAT(read_file(folder / "c.svg"), contains("walk") && contains("<path"));
}

TEST_CASE("a picture that cannot be written is a sentence") {
  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(plot::lines(folder / "no/such/folder.svg", {falling}),
                    contains("cannot be written"));
  CHECK_THROWS_WITH(plot::gnuplot(folder / "x.svg", "plot nonsense(", 100, 100),
                    contains("could not draw"));
  CHECK_FALSE(std::filesystem::exists(folder / "x.svg"));
  CHECK_THROWS_AS(plot::gnuplot(folder / "x.svg", "plot x", 0, 100), ValueError);
}
