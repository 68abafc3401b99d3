#include <ebb/io/state.hpp>
#include <ebb/morphology/csv.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/train/csv.hpp>
#include <ebb/train/gallery.hpp>
#include <ebb/train/plot.hpp>
#include <ebb/train/progress.hpp>

#include <clocale>
#include <cstdlib>
#include <limits>
#include <locale>
#include <set>

#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::Approx;
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

/// Streams that write 1.234,5.
struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// The C library, C++ streams and programs that are run, all in German, until the end of the scope.
/// Where the system has no such locale, it is made, if there is what it is made of.
class German {
 public:
  German() {
    there_ = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    if (!there_) {
      const std::string make =
          "localedef -i de_DE -f UTF-8 " + (folder_ / "de_DE.UTF-8") + " > /dev/null 2>&1";
      there_ = std::system(make.c_str()) == 0 &&
               ::setenv("LOCPATH", folder_.path.c_str(), 1) == 0 &&
               std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    }
    std::locale::global(std::locale(std::locale(), new Comma));
    if (!there_) return;
    std::setlocale(LC_ALL, "de_DE.UTF-8");  // which the line before took back
    ::setenv("LC_ALL", "de_DE.UTF-8", 1);
  }
  German(const German&) = delete;
  German& operator=(const German&) = delete;
  ~German() {
    ::unsetenv("LC_ALL");
    ::unsetenv("LOCPATH");
    std::locale::global(before_);
    std::setlocale(LC_ALL, "C");
  }
  /// Whether the C library has a comma now.
  bool there() const { return there_; }

 private:
  const test::TemporaryFolder folder_;
  std::locale before_;
  bool there_ = false;
};

/// Everything that the library writes numbers to, one text each.
std::vector<std::string> numbers_everywhere(const test::TemporaryFolder& folder) {
  std::vector<std::string> texts{message(0.5, " ", -1234567.0, " ", 1e-9, " ", 1234567)};
  const nn::Linear<> net(1000, 1000);
  texts.push_back(to_string(nn::summary(net, Shape{1, 1000})));
  ConfusionMatrix m({"cat", "dog"});
  for (int i = 0; i < 3; ++i) m.add(0, i % 2);
  texts.push_back(to_string(m));
  Progress progress("run", 2000, {.stream = nullptr});
  progress.advance(1001);
  texts.push_back(progress.line(500.5, message(0.25)));
  texts.push_back(plot::detail::number(1e-3) + plot::detail::block("$x", {"", {1, 2}, {1.5, 1e9}}));
  morphology::Measures<2> measures{};
  measures.elements = 12345;
  measures.eccentricity = 0.75;
  texts.push_back(morphology::to_csv<2>({measures}));
  const auto path = [&](const char* name) {
    std::filesystem::remove(folder / name);
    return folder / name;
  };
  CsvLog(path("log.csv"), {"step", "loss", "rate"}).row(12345, 0.125f, 2.5e-7);
  texts.push_back(read_file(folder / "log.csv"));
  const Picture picture{2, 1, 1, {0, 255}, "a", message(0.5)};
  plot::gallery(path("gallery.svg"), {picture}, "title");
  texts.push_back(read_file(folder / "gallery.svg"));
  io::save(nn::Linear<>(1200, 1), path("net"), {{"rate", message(0.5)}});
  nn::Linear<> loaded(1200, 1);
  io::load(loaded, folder / "net");
  const std::string saved = read_file(folder / "net");
  texts.push_back(saved.substr(0, saved.find("}}")));  // the header, not the weights
  if (!has_gnuplot()) return texts;
  plot::lines(path("lines.svg"), {falling}, {.x = "epoch", .y = "loss"});
  texts.push_back(read_file(folder / "lines.svg"));
  plot::confusion(path("matrix.svg"), m);
  texts.push_back(read_file(folder / "matrix.svg"));
  return texts;
}

}  // namespace

TEST_CASE("text for gnuplot stays text") {
  CHECK(plot::literal("it's") == "'it''s'");
  CHECK(plot::literal("a\nb") == "'a b'");
}

TEST_CASE("marked lines are known from each other without colours") {
  std::vector<plot::Line> lines(3, {"", {0, 0, 1}, {0, 1, 1}, false, false, true});
  std::set<std::string> looks;
  for (std::size_t i = 0; i < 25; ++i) looks.insert(plot::detail::pattern(i));
  CHECK(looks.size() == 25);
  lines[2] = {"", {0, std::nan(""), 0.5, 1}, {0, 0, 0.5, 1}, false, false, true};
  // A walk up and to the right has six marks, a third of its length apart, and the next line's are
  // a quarter of that further on.
  for (std::size_t which : {0u, 1u}) {
    const plot::Line marks = plot::detail::marks_of(lines, which, {});
    REQUIRE(marks.x.size() == 6);
    for (std::size_t k = 0; k < 6; ++k) {
      const double along = (static_cast<double>(k) + 0.25 * static_cast<double>(which + 1)) / 3;
      CHECK(marks.x[k] == Approx(along < 1 ? 0 : along - 1).margin(1e-12));
      CHECK(marks.y[k] == Approx(along < 1 ? along : 1).margin(1e-12));
    }
  }
  // A gap has none, and where an axis is logarithmic they lie on the line that is seen.
  for (const double x : plot::detail::marks_of(lines, 2, {}).x) CHECK(x >= 0.5);
  const std::vector<plot::Line> steep{{"", {1, 2}, {1e-4, 1}, false, false, true}};
  const plot::Line marks = plot::detail::marks_of(steep, 0, {.log_y = true});
  for (std::size_t k = 0; k < marks.x.size(); ++k)
    CHECK(std::log10(marks.y[k]) == Approx(4 * (marks.x[k] - 1) - 4).margin(1e-12));

  if (!has_gnuplot()) return;
  const test::TemporaryFolder folder;
  plot::lines(folder / "marked.svg", {lines[0], lines[1]}, {.x_range = {0, 1}});
  CHECK_THAT(read_file(folder / "marked.svg"),
             contains("#gpPt6") && contains("#gpPt4") && contains("stroke-dasharray"));
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
  // A path moves (M) to a point without drawing, and draws (L) to others.
  const auto commands = [&](const std::vector<double>& y) {
    plot::lines(folder / "gap.svg", {{"", {1, 2, 3, 4, 5}, y}});
    const std::string svg = read_file(folder / "gap.svg");
    const std::string blue = "rgb( 11, 111, 184)'  d='";  // the first line's
    const std::size_t begin = svg.find(blue);
    REQUIRE(begin != svg.npos);
    std::string found;
    for (std::size_t i = begin + blue.size(); svg[i] != '\''; ++i)
      if (svg[i] == 'M' || svg[i] == 'L') found += svg[i];
    return found;
  };
  CHECK(commands({1, 2, 3, 2, 1}) == "MLLLL");
  CHECK(commands({1, 2, inf, 2, 1}) == "MLML");
  CHECK(commands({1, 2, -inf, inf - inf, 1}) == "MLM");
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

TEST_CASE("a locale with a decimal comma changes nothing that is written or read") {
  const test::TemporaryFolder folder;
  const auto expected = numbers_everywhere(folder);
  CHECK(expected[0] == "0.5 -1.23457e+06 1e-09 1234567");  // printf's %g in the C locale
  {
    const German german;
    if (german.there()) {
      CHECK(std::localeconv()->decimal_point == std::string(","));  // or this test shows nothing
    } else {
      WARN("skipped in part: there is no locale de_DE.UTF-8, and localedef could not make it");
    }
    const auto found = numbers_everywhere(folder);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == expected[i]);
  }
  CHECK(std::localeconv()->decimal_point == std::string("."));
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
