#include <ebb/data/image_file.hpp>
#include <ebb/io/png.hpp>

#include <regex>

#include "tests/data/real_data.hpp"
#include "tests/examples/run.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Runs the program on noisy images of bright discs, whose masks are the discs.
class Segment {
 public:
  explicit Segment(int count = 10) : program_(example("segment")) {
    std::filesystem::create_directory(file("images"));
    std::filesystem::create_directory(file("masks"));
    std::uint32_t random = 1;
    const auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 24; };
    for (int n = 0; n < count; ++n) {
      data::ByteImage image({1, 30, 34}), mask({1, 30, 34});
      const int y = 8 + static_cast<int>(next() % 14), x = 8 + static_cast<int>(next() % 18);
      for (int i = 0; i < 30; ++i)
        for (int j = 0; j < 34; ++j) {
          const bool in = (i - y) * (i - y) + (j - x) * (j - x) < 36;
          image(0, i, j) = static_cast<std::uint8_t>(next() / 4 + (in ? 150 : 40));
          mask(0, i, j) = in ? 255 : 0;
        }
      write(file("images/" + std::to_string(n) + ".png"), image);
      write(file("masks/" + std::to_string(n) + ".png"), mask);
    }
  }
  static void write(const std::string& path, const data::ByteImage& image) {
    io::write_png(path, static_cast<int>(image.extent(2)), static_cast<int>(image.extent(1)), 1,
                  {image.data(), image.data() + image.size()});
  }
  bool there() const { return !program_.empty(); }
  std::string file(const std::string& name) const { return folder_ / name; }

  std::vector<std::string> words(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"--images", file("images"), "--masks", file("masks"), "--base",
                                 "4",        "--depth",      "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome operator()(const std::vector<std::string>& more) const {
    return run(folder_, program_, words(more));
  }

 private:
  TemporaryFolder folder_;
  std::string program_;
};

const std::regex last_line(R"(validation Dice: [01]\.\d{3}  IoU: [01]\.\d{3})");

double dice_in(const Outcome& outcome) { return std::stod(outcome.last_line().substr(17)); }

}  // namespace

TEST_CASE("segment finds discs, accounts for it, and gives the same bits by any threads",
          "[segment]") {
  const Segment go;
  if (!go.there()) return;
  const Outcome first = go({"--epochs", "20", "--lr", "0.01", "--threads", "1", "--save",
                            go.file("w"), "--csv", go.file("csv"), "--report", go.file("report")});
  INFO(first.out << first.err);
  REQUIRE(first.code == 0);
  CHECK(std::regex_match(first.last_line(), last_line));
  CHECK(dice_in(first) > 0.8);
  CHECK_THAT(first.out, contains("8 training images, foreground 255"));
  CHECK_THAT(read_file(go.file("csv")), contains("validation_dice"));
  const std::string page = read_file(go.file("report/report.html"));
  CHECK_THAT(page, contains("Research use only") && contains("CRC-32") && contains("HD95") &&
                       contains("data:image/png;base64,"));
  // The last two are held out: each has an overlay and a table of shapes.
  for (const char* name : {"8", "9"}) {
    const std::string of = name;
    CHECK(data::image_info(go.file("report/overlay_" + of + ".png")).channels == 3);
    CHECK(!read_file(go.file("report/shapes_" + of + ".csv")).empty());
  }
  // A file of weights says how to use it.
  const std::string weights = read_file(go.file("w"));
  for (const char* key :
       {R"("model":"unet")", R"("base":"4")", R"("depth":"2")", R"("channels":"1")",
        R"("foreground":"255")", R"("threshold":"0.5")", R"("mean":")", R"("deviation":")"})
    CHECK_THAT(weights, contains(key));

  const Outcome two =
      go({"--epochs", "20", "--lr", "0.01", "--threads", "2", "--save", go.file("w2")});
  CHECK(two.code == 0);
  CHECK(read_file(go.file("w2")) == weights);
  const Outcome again = go({"--epochs", "0", "--load", go.file("w")});
  CHECK(again.last_line() == first.last_line());
}

TEST_CASE("segment resumes to the same bits", "[segment]") {
  const Segment go;
  if (!go.there()) return;
  REQUIRE(go({"--epochs", "5", "--save", go.file("w")}).code == 0);
  {
    const TemporaryFolder folder;
    Running running(folder, example("segment"),
                    go.words({"--epochs", "5", "--resume", go.file("c")}));
    CHECK(running.wait_for("epoch 1/5"));
    running.send(SIGKILL);
    running.wait();
  }
  const Outcome rest = go({"--epochs", "5", "--resume", go.file("c"), "--save", go.file("w2")});
  INFO(rest.out << rest.err);
  CHECK(rest.code == 0);
  CHECK(read_file(go.file("w")) == read_file(go.file("w2")));
  const Outcome other = go({"--epochs", "5", "--seed", "2", "--resume", go.file("c")});
  CHECK(other.code == 1);
  CHECK_THAT(other.err, contains("other settings"));
}

TEST_CASE("segment answers nonsense with a sentence", "[segment]") {
  const Segment go(3);
  if (!go.there()) return;
  std::filesystem::create_directory(go.file("empty"));
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* sentence;
  };
  const Case cases[] = {
      {{"--epochs", "-1"}, 2, "--epochs: '-1' is not"},
      {{"--val-fraction", "1.5"}, 2, "--val-fraction"},
      {{"--val-fraction", "0"}, 1, "both need at least one"},
      {{"--foreground", "300"}, 2, "--foreground"},
      {{"--foreground", "7"}, 1, "their values are 0, 255"},
      {{"--depth", "9"}, 2, "--depth"},
      {{"--images", go.file("nowhere")}, 1, "there is no folder"},
      {{"--masks", go.file("empty")}, 1, "holds no file"},
      {{"--epochs", "0"}, 1, "give --load"},
      {{"--load", go.file("images/0.png")}, 1, "segment: "},
      {{"--save", go.file("no/folder/w")}, 1, "there is no folder"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = go(c.arguments);
    INFO(c.sentence << "\n" << outcome.err);
    CHECK(outcome.code == c.code);
    CHECK_THAT(outcome.err, StartsWith("segment: ") && contains(c.sentence));
  }
  std::filesystem::remove(go.file("masks/1.png"));
  CHECK_THAT(go({}).err, contains("has no mask called '1'"));
  Segment::write(go.file("masks/1.png"), data::ByteImage::zeros({1, 30, 33}));
  CHECK_THAT(go({}).err, contains("must all have one size"));
}
