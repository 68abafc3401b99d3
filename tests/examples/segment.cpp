#include <ebb/data/read/image_file.hpp>
#include <ebb/io/png.hpp>
#include <ebb/io/safetensors.hpp>

#include <algorithm>
#include <regex>

#include "tests/data/read/png_writer.hpp"
#include "tests/data/real_data.hpp"
#include "tests/examples/page.hpp"
#include "tests/examples/run.hpp"
#include "tests/examples/saved_metadata.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const TemporaryFolder& folder_of_its_own() {
  static const TemporaryFolder folder;
  return folder;
}

/// Runs the program on noisy images of bright discs, whose masks are the discs. `cut` leaves parts
/// of several sizes, and `padded` surrounds them with black again.
class Segment {
 public:
  explicit Segment(int count = 10, bool cut = false, bool padded = false)
      : program_(example("segment")) {
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
      if (cut) {  // about the disc
        const Index height = 18 + 3 * (n % 5), width = 20 + 4 * (n % 4);
        const Index top = std::clamp<Index>(y - height / 2, 0, 30 - height);
        const Index left = std::clamp<Index>(x - width / 2, 0, 34 - width);
        image = part(image, top, left, height, width, padded);
        mask = part(mask, top, left, height, width, padded);
      }
      write(file("images/" + std::to_string(n) + ".png"), image);
      write(file("masks/" + std::to_string(n) + ".png"), mask);
    }
  }
  static data::ByteImage part(const data::ByteImage& from, Index top, Index left, Index height,
                              Index width, bool padded) {
    auto to = data::ByteImage::zeros({1, padded ? 30 : height, padded ? 34 : width});
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j) to(0, i, j) = from(0, top + i, left + j);
    return to;
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
  check_page(page);
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
  // Base, depth and foreground are the file's own, and what an option says against it is said.
  const Outcome again = run(folder_of_its_own(), example("segment"),
                            {"--images", go.file("images"), "--masks", go.file("masks"), "--epochs",
                             "0", "--load", go.file("w")});
  INFO(again.err);
  CHECK(again.last_line() == first.last_line());
  CHECK(again.err.empty());
  const Outcome deeper = go({"--epochs", "0", "--depth", "3", "--load", go.file("w")});
  CHECK(deeper.code == 1);
  CHECK_THAT(deeper.err, contains("--depth says 3") && contains("has 2"));
  const Outcome other = go({"--epochs", "0", "--foreground", "0", "--load", go.file("w")});
  CHECK(other.code == 0);
  CHECK_THAT(other.err, contains("--foreground says 0") && contains("learnt the foreground 255"));
  // Nothing is written among the images.
  CHECK_THAT(go({"--report", go.file("masks/report")}).err,
             contains("lies in the folder of --masks"));
  CHECK_THAT(go({"--csv", go.file("images/log.csv")}).err,
             contains("lies in the folder of --images"));
}

TEST_CASE("segment learns from images of several sizes what it learns from padded ones",
          "[segment]") {
  // The same discs in images of 30 x 34 pixels, and cut to 18 to 30 by 20 to 34; by hand, the
  // latter are padded to the former again.
  const Segment whole, cut(10, true), padded(10, true, true);
  if (!whole.there()) return;
  const std::vector<std::string> words{"--epochs", "20", "--lr", "0.01"};
  const Outcome mixed = cut(words), by_hand = padded(words);
  INFO(mixed.out << mixed.err << by_hand.out << by_hand.err);
  REQUIRE(mixed.code == 0);
  REQUIRE(by_hand.code == 0);
  CHECK(dice_in(mixed) > dice_in(by_hand) - 0.02);
  CHECK(dice_in(mixed) > 0.8);
}

TEST_CASE("segment takes 16 bits as it is told, and its file says how", "[segment]") {
  const Segment go(5);
  if (!go.there()) return;
  const auto facts = [&](const std::vector<std::string>& words, std::string& err) {
    return saved_metadata(go, words, err);
  };
  std::string err;
  const auto bytes = facts({}, err);
  CHECK(!bytes.contains("range"));
  for (int n = 0; n < 5; ++n) {  // 12 bits: 16 times those of 8
    const std::string path = go.file("images/" + std::to_string(n) + ".png");
    std::vector<std::uint16_t> pixels;
    for (const std::uint8_t v : data::read_image(path).values())
      pixels.push_back(static_cast<std::uint16_t>(16 * v));
    write_deep_png(path, {30, 34}, pixels);
  }
  const auto told = facts({"--range", "0,4080"}, err);
  CHECK(told.at("range") == "0,4080");
  CHECK(told.at("data") == bytes.at("data"));  // the CRC-32 of the pixels
  CHECK_THAT(err, !contains("16 bits"));
  std::filesystem::copy_file(go.file("w"), go.file("told"));
  const auto loaded = facts({"--load", go.file("told")}, err);
  CHECK(loaded.at("range") == "0,4080");
  CHECK(loaded.at("data") == bytes.at("data"));
  const auto assumed = facts({}, err);
  CHECK(assumed.at("range") == "0,65535");
  CHECK(assumed.at("data") != bytes.at("data"));
  CHECK_THAT(err, contains("images: 16 bits a value, from ") && contains("--range 0,4095 makes"));
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
  std::filesystem::create_directory(go.file("blank"));
  for (const char* name : {"0", "1", "2"})
    Segment::write(go.file(std::string("blank/") + name + ".png"),
                   data::ByteImage::zeros({1, 30, 34}));
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
      {{"--masks", go.file("blank"), "--foreground", "255"}, 1, "no mask in"},
      {{"--depth", "9"}, 2, "--depth"},
      {{"--images", go.file("nowhere")}, 1, "there is no folder"},
      {{"--masks", go.file("empty")}, 1, "holds no file"},
      {{"--images", go.file("empty")}, 1, "holds no file"},
      {{"--val-fraction", "0.9"}, 1, "leaves 0 for training and 3 for validation"},
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
  CHECK_THAT(go({}).err, contains("is 30x33 pixels and its image") && contains("is 30x34"));
}
