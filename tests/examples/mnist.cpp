#include <ebb/data/read/idx.hpp>
#include <ebb/io/weights.hpp>

#include <regex>

#include "tests/examples/digits.hpp"
#include "tests/examples/page.hpp"
#include "tests/examples/run.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Environment in which no network, no cache and no package offers images.
std::vector<std::string> nowhere(const TemporaryFolder& folder) {
  return {"XDG_CACHE_HOME=" + folder.path.string(),
          "XDG_DATA_DIRS=" + folder.path.string(),
          "https_proxy=http://127.0.0.1:9",
          "HTTPS_PROXY=http://127.0.0.1:9",
          "no_proxy=",
          "NO_PROXY="};
}

}  // namespace

TEST_CASE("mnist explains itself") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome help = run(folder, program, {"--help"});
  CHECK(help.code == 0);
  for (const char* option :
       {"--data", "--epochs", "--batch-size", "--optimizer", "--lr", "--momentum", "--seed",
        "--threads", "--save", "--load", "--resume", "--csv", "--report", "--eval-only"})
    CHECK_THAT(help.out, contains(option));
}

TEST_CASE("mnist answers nonsense with a sentence") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder;
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* sentence;
  };
  const std::string missing = folder / "missing";
  const Case cases[] = {
      {{"--epochs", "-1"}, 2, "--epochs: '-1' is not"},
      {{"--epochs", "2.5"}, 2, "whole number"},
      {{"--epochs", "99999999999999999999"}, 2, "is not a number of epochs"},
      {{"--epochs"}, 2, "--epochs"},
      {{"--batch-size", "0"}, 2, "--batch-size: '0' is not"},
      {{"--lr", "nan"}, 2, "--lr"},
      {{"--lr", "-0.1"}, 2, "not negative"},
      {{"--momentum", "fast"}, 2, "--momentum"},
      {{"--seed", "-1"}, 2, "--seed"},
      {{"--threads", "-2"}, 2, "--threads"},
      {{"--optimizer", "newton"}, 2, "there is no optimizer 'newton'; use one of gd, sgd"},
      {{"--frobnicate"}, 2, "--frobnicate"},
      {{"stray"}, 2, "stray"},
      {{"--eval-only"}, 2, "--load"},
      {{"--data", missing}, 1, "there is no folder"},
      {{"--data", folder.path.string()}, 1, "train-images-idx3-ubyte"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run(folder, program, c.arguments);
    INFO(c.sentence);
    CHECK(outcome.code == c.code);
    CHECK_THAT(outcome.err, StartsWith("mnist: ") && contains(c.sentence));
  }
}

TEST_CASE("mnist trains, saves, reloads, and gives the same bits with any number of threads") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 320, 100);
  const auto go = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"--data", images.path.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(folder, program, arguments);
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    return outcome;
  };
  const std::string one = folder / "one.safetensors", two = folder / "two.safetensors";
  const std::string csv = folder / "log.csv", plots = folder / "plots";
  const Outcome trained =
      go({"--epochs", "2", "--threads", "1", "--save", one, "--csv", csv, "--report", plots});
  CHECK_THAT(trained.out, contains("320 training and 100 test images") && contains("conv1") &&
                              contains("fc2") && contains("epoch 1/2: loss ") &&
                              contains("epoch 2/2: loss "));
  const std::regex accuracy(R"(test accuracy: \d+\.\d\d % \(\d+/100\))");
  CHECK(std::regex_match(trained.last_line(), accuracy));
  CHECK(trained.err.find('\r') == std::string::npos);  // no bar where there is no terminal

  // The table of epochs: a header and two rows.
  const std::string table = read_file(csv);
  CHECK_THAT(
      table,
      StartsWith(
          "epoch,lr,training_loss,training_accuracy,test_loss,test_accuracy,seconds\n1,0.01,"));
  CHECK(std::count(table.begin(), table.end(), '\n') == 3);

  CHECK_THAT(read_file(plots + "/mistakes.svg"), contains("</svg>"));
  check_page(read_file(plots + "/report.html"));
  if (trained.out.find("gnuplot") == std::string::npos) {
    CHECK_THAT(read_file(plots + "/curves.svg"), contains("</svg>"));
    CHECK_THAT(read_file(plots + "/confusion.svg"), contains("</svg>"));
  }

  const Outcome again = go({"--epochs", "2", "--threads", "2", "--save", two});
  CHECK(again.last_line() == trained.last_line());
  CHECK(read_file(one).size() > 6'000'000);
  CHECK((read_file(one) == read_file(two)));
  const Outcome other = go({"--epochs", "1", "--seed", "2", "--save", two});
  CHECK_FALSE((read_file(one) == read_file(two)));

  const Outcome reloaded = go({"--load", one, "--eval-only"});
  CHECK(reloaded.last_line() == trained.last_line());
  CHECK(reloaded.out.find("epoch") == std::string::npos);

  // As PyTorch's file: the same weights under the same names, and what predict needs to know.
  const std::string pth = folder / "model_params.pth";
  go({"--epochs", "2", "--save", pth});
  CHECK(read_file(pth).starts_with("PK"));
  const auto torch = io::open_weights(pth), tensors = io::open_weights(one);
  CHECK(torch->metadata().at("classes") == tensors->metadata().at("classes"));
  REQUIRE(torch->names() == tensors->names());
  for (const std::string& name : torch->names())
    CHECK((torch->bytes_of(name) == tensors->bytes_of(name)));
  CHECK(go({"--load", pth, "--eval-only"}).last_line() == trained.last_line());
  go({"--epochs", "1", "--save", pth});  // an older file of weights is replaced

  // What cannot be read or written.
  const Outcome lost = run(
      folder, program, {"--data", images.path.string(), "--load", folder / "none", "--eval-only"});
  CHECK(lost.code == 1);
  CHECK_THAT(lost.err, StartsWith("mnist: ") && contains("none"));
  const Outcome nowhere_to_save = run(
      folder, program, {"--data", images.path.string(), "--save", folder / "no/where.safetensors"});
  CHECK(nowhere_to_save.code == 1);
  CHECK_THAT(nowhere_to_save.err, contains("there is no folder"));
  CHECK(nowhere_to_save.out.find("epoch 1") == std::string::npos);  // it said so before training
}

TEST_CASE("a run that is killed and resumed ends with the same bits") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 256, 50);
  for (const std::string optimizer : {"sgd", "nadam"}) {
    const std::vector<std::string> common{
        "--data",  images.path.string(), "--epochs", "3", "--optimizer",
        optimizer, "--batch-size",       "48"};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.begin(), common.begin(), common.end());
      return more;
    };
    const std::string whole = folder / "whole", resumed = folder / "resumed";
    const std::string checkpoint = folder / (optimizer + ".checkpoint"), csv = folder / "log.csv";
    const Outcome straight = run(folder, program, with({"--save", whole}));
    REQUIRE(straight.code == 0);
    {
      Running killed(folder, program,
                     with({"--save", resumed, "--resume", checkpoint, "--csv", csv}));
      REQUIRE(killed.wait_for("epoch 1/3"));
      ::usleep(50'000);
      killed.send(SIGKILL);
      killed.wait();
    }
    if (!std::filesystem::exists(checkpoint))
      continue;  // it was killed before its first checkpoint
    const Outcome rest =
        run(folder, program, with({"--save", resumed, "--resume", checkpoint, "--csv", csv}));
    CHECK(rest.code == 0);
    CHECK_THAT(rest.out, contains("resuming"));
    CHECK(rest.last_line() == straight.last_line());
    CHECK((read_file(whole) == read_file(resumed)));
    const std::string table = read_file(csv);
    CHECK(std::count(table.begin(), table.end(), '\n') == 4);

    // A finished run only tests; other settings are refused.
    const Outcome finished = run(folder, program, with({"--resume", checkpoint}));
    CHECK(finished.last_line() == straight.last_line());
    CHECK(finished.out.find("epoch 1/3") == std::string::npos);
    const Outcome refused = run(folder, program, with({"--resume", checkpoint, "--seed", "9"}));
    CHECK(refused.code == 1);
    CHECK_THAT(refused.err, contains("other settings") && contains("seed 9"));
  }
}

TEST_CASE("Ctrl-C ends mnist in order") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 256, 50);
  Running running(
      folder, program,
      {"--data", images.path.string(), "--epochs", "100000", "--save", folder / "weights"});
  REQUIRE(running.wait_for("epoch 1/"));
  running.send(SIGINT);
  const Outcome outcome = running.wait();
  CHECK(outcome.code == 130);
  CHECK(outcome.signal == 0);
  CHECK_THAT(outcome.out, contains("interrupted in epoch"));
  CHECK_FALSE(std::filesystem::exists(folder / "weights"));
}

TEST_CASE("a learning rate that is too high ends mnist with the operation to blame") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 256, 50);
  const Outcome outcome = run(folder, program, {"--data", images.path.string(), "--lr", "1e20"});
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, contains("mnist: fit: the loss is") && contains("(layer ") &&
                              contains("learning rate"));
}

TEST_CASE("a part without images ends mnist in a sentence") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  for (const bool training : {true, false}) {
    const TemporaryFolder folder, images;
    write_idx(images, 64, 20);
    const std::string part = images / (training ? "train" : "t10k");
    data::write_idx(part + "-images-idx3-ubyte", Tensor<std::uint8_t, 3>({0, 28, 28}));
    data::write_idx(part + "-labels-idx1-ubyte", Tensor<std::uint8_t, 1>({0}));
    const Outcome outcome = run(folder, program, {"--data", images.path.string()});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, StartsWith(training ? "mnist: there are no training images"
                                                : "mnist: there are no test images") &&
                                contains("the folder of --data"));
  }
}

TEST_CASE("without data and network, mnist draws digits and says why") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run(folder, program, {"--epochs", "0"}, nowhere(folder));
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, contains("MNIST is not to be had") && contains("--data FOLDER") &&
                              contains("data: drawn digits, 20000 training and 4000 test images"));
  CHECK_THAT(outcome.last_line(), StartsWith("test accuracy: ") && contains("/4000)"));

  // Debian's Fashion-MNIST, where it is installed.
  if (std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    auto environment = nowhere(folder);
    environment[1] = "XDG_DATA_DIRS=/usr/share";
    const Outcome fashion = run(folder, program, {"--epochs", "0"}, environment);
    CHECK(fashion.code == 0);
    CHECK_THAT(fashion.out, contains("data: Fashion-MNIST, 60000 training and 10000 test images"));
  }
}

TEST_CASE("mnist takes MNIST from its cache") {
  const std::string program = example("mnist");
  if (program.empty()) return;
  const char* said = std::getenv("EBB_DATA");
  const std::string real = std::string(said ? said : "../shared/data") + "/mnist";
  if (!std::filesystem::exists(real + "/train-images-idx3-ubyte.gz")) {
    WARN("skipped: there is no " + real);
    return;
  }
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "ebb/mnist");
  for (const char* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                           "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"})
    std::filesystem::copy_file(real + "/" + name, folder / (std::string("ebb/mnist/") + name));
  const Outcome cached = run(folder, program, {"--epochs", "0"}, nowhere(folder));
  if (cached.out.find("without libcurl") != std::string::npos) return;
  CHECK_THAT(cached.out,
             contains("data: MNIST, 60000 training and 10000 test images, from the cache"));
  // A damaged file is not believed, and it cannot be fetched again here.
  write_file(folder / "ebb/mnist/t10k-labels-idx1-ubyte.gz", "nonsense");
  const Outcome damaged = run(folder, program, {"--epochs", "0"}, nowhere(folder));
  CHECK_THAT(damaged.out, contains("MNIST is not to be had: no mirror delivers it"));
}
