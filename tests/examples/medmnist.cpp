#include <regex>

#include "tests/data/real_data.hpp"
#include "tests/examples/medical_images.hpp"
#include "tests/examples/run.hpp"

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

  // The same bits with another number of threads, and after an interruption between epochs.
  const Outcome two =
      go({"--epochs", "4", "--no-augment", "--classes", "left,right", "--positive", "right",
          "--save", go.file("w2"), "--threads", "2", "--resume", go.file("checkpoint")});
  REQUIRE(two.code == 0);
  CHECK(read_file(go.file("w")) == read_file(go.file("w2")));
  const Outcome again = go({"--load", go.file("w"), "--epochs", "0"});
  CHECK(again.last_line() == first.last_line());
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
      {{"--model", "vgg"}, 2, "--model"},
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

TEST_CASE("medmnist says when an area is not defined", "[medmnist]") {
  const Medmnist go(medical_images(2, 1, 12, 0));
  if (!go.there()) return;
  const Outcome outcome = go({"--epochs", "1"});
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, contains("not defined"));
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
