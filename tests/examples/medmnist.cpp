#include <ebb/io/png.hpp>
#include <ebb/io/safetensors.hpp>

#include <regex>

#include "tests/data/read/png_writer.hpp"
#include "tests/data/real_data.hpp"
#include "tests/examples/medical_images.hpp"
#include "tests/examples/page.hpp"
#include "tests/examples/run.hpp"
#include "tests/examples/saved_metadata.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Runs the program on a file of synthetic images.
class Medmnist {
 public:
  explicit Medmnist(const std::string& images) : program_(example("medmnist")) {
    write_file(folder_ / "images.npz", images);
  }
  bool there() const { return !program_.empty(); }
  std::string file(const std::string& name) const { return folder_ / name; }

  Outcome operator()(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"--data", file("images.npz")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(folder_, program_, arguments);
  }

 private:
  TemporaryFolder folder_;
  std::string program_;
};

const std::regex last_line(
    R"(test AUC: [01]\.\d{3} \[[01]\.\d{3}, [01]\.\d{3}\]  accuracy: [01]\.\d{3})");

double auc_in(const Outcome& outcome) { return std::stod(outcome.last_line().substr(10)); }

}  // namespace

TEST_CASE("medmnist learns to tell two classes apart, and accounts for it", "[medmnist]") {
  const Medmnist go(medical_images(2, 1));
  if (!go.there()) return;
  const Outcome first = go({"--epochs", "4", "--classes", "left,right", "--positive", "right",
                            "--no-augment", "--save", go.file("w"), "--csv", go.file("csv"),
                            "--report", go.file("report"), "--threads", "1"});
  INFO(first.out << first.err);
  REQUIRE(first.code == 0);
  CHECK(std::regex_match(first.last_line(), last_line));
  CHECK(auc_in(first) > 0.95);
  CHECK_THAT(first.out, contains("sensitivity for right at 90 % specificity"));
  CHECK_THAT(read_file(go.file("csv")), contains("validation_auc"));
  const std::string page = read_file(go.file("report") + "/report.html");
  CHECK_THAT(page, contains("Research use only") && contains("CRC-32") && contains("AUC") &&
                       contains("temperature") && contains("conformal set") &&
                       contains("referred") && contains("average precision"));
  check_page(page);

  // The same bits with another number of threads, and after an interruption between epochs.
  const Outcome two =
      go({"--epochs", "4", "--no-augment", "--classes", "left,right", "--positive", "right",
          "--save", go.file("w2"), "--threads", "2", "--resume", go.file("checkpoint")});
  REQUIRE(two.code == 0);
  CHECK(read_file(go.file("w")) == read_file(go.file("w2")));
  // The names, the positive class, the temperature and the sets are the file's own.
  const Outcome again = go({"--load", go.file("w"), "--epochs", "0"});
  CHECK(again.last_line() == first.last_line());
  CHECK(again.err.empty());
  CHECK_THAT(again.out, contains("sensitivity for right at 90 % specificity") &&
                            contains("from " + go.file("w") + ": temperature "));
  const auto from = [](const std::string& out, const std::string& word) {
    const std::size_t at = out.find(word);
    return out.substr(at, out.find('\n', at) - at);
  };
  CHECK(from(again.out, "conformal sets") == from(first.out, "conformal sets"));
  // What an option says against it is said.
  const Outcome renamed = go({"--load", go.file("w"), "--epochs", "0", "--classes", "a,b"});
  CHECK(renamed.code == 0);
  CHECK_THAT(renamed.err, contains("--classes says a,b") && contains("says left,right"));
  for (const auto& [words, sentence] :
       {std::pair{std::vector<std::string>{"--model", "resnet18"}, "--model says resnet18"},
        {{"--classes", "a,b,c"}, "--classes names 3 classes"}}) {
    auto all = words;
    all.insert(all.end(), {"--load", go.file("w"), "--epochs", "0"});
    const Outcome refused = go(all);
    CHECK(refused.code == 1);
    CHECK_THAT(refused.err, contains(sentence));
  }
}

TEST_CASE("medmnist resumes to the same bits", "[medmnist]") {
  const Medmnist go(medical_images(2, 1));
  if (!go.there()) return;
  const Outcome whole = go({"--epochs", "3", "--save", go.file("w")});
  REQUIRE(whole.code == 0);
  // What a killed run leaves behind is the checkpoint of an earlier epoch.
  Outcome part;
  {
    const TemporaryFolder folder;
    Running running(folder, example("medmnist"),
                    {"--data", go.file("images.npz"), "--epochs", "3", "--resume", go.file("c")});
    CHECK(running.wait_for("epoch 1/3"));
    running.send(SIGKILL);
    running.wait();
  }
  part = go({"--epochs", "3", "--resume", go.file("c"), "--save", go.file("w3")});
  INFO(part.out << part.err);
  CHECK(part.code == 0);
  CHECK(read_file(go.file("w")) == read_file(go.file("w3")));
  const Outcome other = go({"--epochs", "3", "--seed", "2", "--resume", go.file("c")});
  CHECK(other.code == 1);
  CHECK_THAT(other.err, contains("other settings"));
  // Nor is it continued with other images, or from weights that it did not begin with.
  std::string images = read_file(go.file("images.npz"));
  images = npz_with(images, "train_images");
  write_file(go.file("images.npz"), images);
  const Outcome data = go({"--epochs", "3", "--resume", go.file("c")});
  CHECK(data.code == 1);
  CHECK_THAT(data.err, contains("other settings") && contains(", data "));
}

TEST_CASE("medmnist trains on folders of images of several sizes", "[medmnist]") {
  const Medmnist go(medical_images(2, 1));
  if (!go.there()) return;
  const std::string root = go.file("folder");
  std::uint32_t random = 1;
  const auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 24; };
  // A bright square left or right, in images of 10 to 17 pixels.
  for (const bool right : {false, true})
    for (int n = 0; n < 40; ++n) {
      const int h = 10 + static_cast<int>(next() % 8), w = 10 + static_cast<int>(next() % 8);
      std::vector<std::uint8_t> pixels;
      for (int i = 0; i < h; ++i)
        for (int j = 0; j < w; ++j)
          pixels.push_back(
              static_cast<std::uint8_t>(next() / 4 + ((2 * j >= w) == right ? 150 : 30)));
      const std::string folder = root + (right ? "/right" : "/left");
      std::filesystem::create_directories(folder);
      io::write_png(folder + "/" + std::to_string(100 + n) + ".png", w, h, 1, pixels);
    }
  const Outcome outcome = go({"--data", root, "--epochs", "6", "--save", go.file("w")});
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, contains("48 training, 16 validation and 16 test images") &&
                              contains("images of several sizes"));
  CHECK(auc_in(outcome) > 0.95);  // by hand: each image padded to a square, and resized
  const std::string weights = read_file(go.file("w"));
  CHECK_THAT(weights, contains(R"("fit":"pad")") && contains(R"("classes":"left,right")"));
  CHECK_THAT(go({"--data", root, "--val-fraction", "0.7", "--test-fraction", "0.3"}).err,
             contains("leave nothing to train on"));
  CHECK_THAT(go({"--data", root, "--val-fraction", "0.001"}).err,
             contains("it has no validation images") && contains("other --val-fraction"));
}

TEST_CASE("medmnist takes 16 bits as it is told, and its file says how", "[medmnist]") {
  const Medmnist go(medical_images(2, 1));
  if (!go.there()) return;
  // The same pictures in 8 bits, and in 12 of 16.
  for (const bool right : {false, true})
    for (int n = 0; n < 10; ++n) {
      const std::string name = (right ? "/right/" : "/left/") + std::to_string(10 + n) + ".png";
      std::vector<std::uint8_t> pixels;
      for (int i = 0; i < 144; ++i)
        pixels.push_back(
            static_cast<std::uint8_t>(i * n % 50 + ((i % 12 >= 6) == right ? 150 : 30)));
      for (const char* root : {"bytes", "deep"})
        std::filesystem::create_directories(go.file(root) + (right ? "/right" : "/left"));
      io::write_png(go.file("bytes") + name, 12, 12, 1, pixels);
      std::vector<std::uint16_t> deep;
      for (const std::uint8_t v : pixels) deep.push_back(static_cast<std::uint16_t>(16 * v));
      write_deep_png(go.file("deep") + name, 12, deep);
    }
  const auto facts = [&](const std::string& root, std::vector<std::string> words,
                         std::string& err) {
    words.insert(words.begin(), {"--data", go.file(root)});
    return saved_metadata(go, words, err);
  };
  std::string err;
  const auto bytes = facts("bytes", {}, err);
  CHECK(!bytes.contains("range"));
  const auto told = facts("deep", {"--range", "0,4080"}, err);
  CHECK(told.at("range") == "0,4080");
  CHECK(told.at("data") == bytes.at("data"));  // the CRC-32 of the pixels
  std::filesystem::copy_file(go.file("w"), go.file("told"));
  const auto loaded = facts("deep", {"--load", go.file("told")}, err);
  CHECK(loaded.at("range") == "0,4080");
  CHECK(loaded.at("data") == bytes.at("data"));
  CHECK_THAT(err, !contains("16 bits"));
  const auto assumed = facts("deep", {}, err);
  CHECK(assumed.at("range") == "0,65535");
  CHECK(assumed.at("data") != bytes.at("data"));
  CHECK_THAT(err, contains("deep: 16 bits a value, from ") && contains("--range 0,4095 makes"));
}

TEST_CASE("medmnist takes colour and several classes, by a residual network, too", "[medmnist]") {
  const Medmnist go(medical_images(3, 3));
  if (!go.there()) return;
  const Outcome outcome = go({"--epochs", "1", "--model", "resnet18", "--batch-size", "32"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(std::regex_match(outcome.last_line(), last_line));
  CHECK_THAT(outcome.out, contains("kappa"));
}

TEST_CASE("medmnist answers nonsense with a sentence", "[medmnist]") {
  const Medmnist go(medical_images(2, 1));
  if (!go.there()) return;
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* sentence;
  };
  const Case cases[] = {
      {{"--epochs", "-1"}, 2, "--epochs: '-1' is not"},
      {{"--model", "cnm"}, 2, "did you mean cnn?"},
      {{"--size", "3"}, 2, "'3' is not a size"},
      {{"--positive", "tumour"}, 1, "there is no class 'tumour'; the classes are 0, 1"},
      {{"--classes", "one"}, 1, "out of range"},
      {{"--data", go.file("missing.npz")}, 1, "missing.npz"},
      {{"--epochs", "0"}, 1, "give --load"},
      {{"--load", go.file("images.npz")}, 1, "medmnist: "},
      {{"--device", "cuda"}, 2, "--device"},
      {{"--save", go.file("no/folder/w")}, 1, "there is no folder"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = go(c.arguments);
    INFO(c.sentence << "\n" << outcome.err);
    CHECK(outcome.code == c.code);
    CHECK_THAT(outcome.err, StartsWith("medmnist: ") && contains(c.sentence));
  }
}

TEST_CASE("medmnist finds what does not fit before it trains", "[medmnist]") {
  struct Case {
    std::string images;
    const char* sentence;
  };
  const std::string good = medical_images(2, 1);
  const Case cases[] = {
      {medical_images(2, 1, 12, 0), "test images are all of one class"},
      {npz_with(good, "val_labels", 0, 7), "out of range"},
      {npz_with(good, "test_labels", 3, 2), "out of range"},
      {npz_with_size(good, "val", 8), "validation images are of 1 channels and 8x8 pixels"},
      {npz_without(good, "train", 12), "it has no training images; all three splits need some"},
      {npz_without(good, "val", 12), "it has no validation images; all three splits need some"},
      {npz_without(good, "test", 12), "it has no test images; all three splits need some"},
      {npz_with_size(good, "train", 0), "training images have 0x0 pixels; there is nothing to see"},
  };
  for (const Case& c : cases) {
    const Medmnist go(c.images);
    if (!go.there()) return;
    const Outcome outcome = go({"--epochs", "1"});
    INFO(c.sentence << "\n" << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, contains(c.sentence));
    CHECK_THAT(outcome.out, !contains("epoch 1"));
  }
}

TEST_CASE("medmnist beats a linear model on PneumoniaMNIST within two epochs", "[medmnist]") {
  const std::string program = example("medmnist"), where = real_data("pneumoniamnist");
  if (program.empty() || where.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome =
      run(folder, program, {"--data", where + "/pneumoniamnist.npz", "--epochs", "2"});
  CHECK(outcome.code == 0);
  CHECK(auc_in(outcome) > 0.927);  // ridge regression on pixels: the README of the data
}
