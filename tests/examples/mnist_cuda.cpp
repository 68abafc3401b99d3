// mnist --device cuda: on the emulator, and on a GPU where the program was built for one.
#include <cmath>
#include <sstream>

#include "tests/examples/digits.hpp"
#include "tests/examples/run.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// The rows of a CSV file as numbers, without the seconds.
std::vector<std::vector<double>> rows(const std::string& path) {
  std::vector<std::vector<double>> table;
  std::istringstream lines(read_file(path));
  std::string line, cell;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line.substr(0, line.rfind(',')));
    table.emplace_back();
    while (std::getline(cells, cell, ',')) table.back().push_back(std::stod(cell));
  }
  return table;
}

void check_training(const std::string& program) {
  const TemporaryFolder folder, images;
  write_idx(images, 5, 3);
  const auto go = [&](std::vector<std::string> more) {
    // Batches of two, two and one.
    const char* const common[] = {"--batch-size", "2", "--data", images.path.c_str()};
    more.insert(more.begin(), std::begin(common), std::end(common));
    return run(folder, program, more);
  };
  const std::string cpu = folder / "cpu.csv", gpu = folder / "gpu.csv", whole = folder / "whole",
                    plots = folder / "plots";
  const Outcome trained =
      go({"--device", "cuda", "--epochs", "3", "--csv", gpu, "--save", whole, "--plots", plots});
  if (trained.code != 0) {  // built for a GPU, and there is none here
    CHECK(trained.code == 1);
    CHECK_THAT(trained.err, StartsWith("mnist: ") && contains("GPU"));
    return;
  }
  CHECK_THAT(trained.out, contains("conv1") && contains("epoch 3/3: loss ") &&
                              contains("5 training images, on a GPU in fp32"));
  CHECK_THAT(read_file(plots + "/mistakes.svg"), contains("</svg>"));

  // The same numbers as on the CPU, but for rounding.
  REQUIRE(go({"--epochs", "3", "--csv", cpu}).code == 0);
  const auto expected = rows(cpu), found = rows(gpu);
  REQUIRE(expected.size() == 3);
  REQUIRE(found.size() == 3);
  for (std::size_t e = 0; e < 3; ++e) {
    REQUIRE(expected[e].size() == 6);
    REQUIRE(found[e].size() == 6);
    for (std::size_t i = 0; i < 6; ++i) CHECK(std::abs(found[e][i] - expected[e][i]) <= 1e-5);
  }

  // Interrupted after an epoch and continued: the same bits as in one go.
  struct Case {
    std::string optimizer, epochs;
  };
  for (const Case& c : {Case{"sgd", "3"}, Case{"nadam", "2"}}) {
    const std::string one = folder / (c.optimizer + ".one"), two = folder / (c.optimizer + ".two"),
                      checkpoint = folder / (c.optimizer + ".checkpoint");
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), {"--device", "cuda", "--optimizer", c.optimizer});
      return go(more);
    };
    const Outcome straight = with({"--epochs", c.epochs, "--save", one});
    REQUIRE(with({"--epochs", "1", "--resume", checkpoint}).code == 0);
    const Outcome rest = with({"--epochs", c.epochs, "--resume", checkpoint, "--save", two});
    CHECK_THAT(rest.out, contains("resuming") && contains("after epoch 1"));
    CHECK(rest.last_line() == straight.last_line());
    CHECK(read_file(one).size() > 6'000'000);
    CHECK((read_file(one) == read_file(two)));
    // ... but not on another device, whose bits are others.
    const Outcome refused =
        go({"--optimizer", c.optimizer, "--epochs", "3", "--resume", checkpoint});
    CHECK(refused.code == 1);
    CHECK_THAT(refused.err, contains("other settings"));
  }

  const Outcome tested = go({"--device", "cuda", "--load", whole, "--eval-only"});
  CHECK(tested.last_line() == trained.last_line());

  const std::string rounded = folder / "rounded.csv";
  const Outcome coarse =
      go({"--device", "cuda", "--precision", "bf16", "--epochs", "1", "--csv", rounded});
  CHECK_THAT(coarse.out, contains("on a GPU in bf16"));
  const double apart = std::abs(rows(rounded)[0][2] - expected[0][2]);
  CHECK(apart > 1e-5);
  CHECK(apart < 0.05);

  const Outcome diverged = go({"--device", "cuda", "--epochs", "1", "--lr", "1e20"});
  CHECK(diverged.code == 1);
  CHECK_THAT(diverged.err,
             StartsWith("mnist: fit_captured: the loss is") && contains(" of epoch 1"));
}

bool knows_cuda(const std::string& program) {
  const TemporaryFolder folder;
  return run(folder, program, {"--help"}).out.find("cpu or cuda") != std::string::npos;
}

}  // namespace

TEST_CASE("mnist trains on the emulator as on the CPU, and resumes to the same bits") {
  const std::string program = example("../tests/cuda/mnist_emulated");
  if (!program.empty()) check_training(program);
}

TEST_CASE("mnist trains on a GPU, where it is built for one, or says that there is none") {
  const std::string program = example("mnist");
  if (!program.empty() && knows_cuda(program)) check_training(program);
}

TEST_CASE("the training programs say which devices they know") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& program, std::vector<std::string> arguments,
                           const char* sentence) {
    const Outcome outcome = run(folder, program, arguments);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, contains(sentence));
  };
  if (const auto emulated = example("../tests/cuda/mnist_emulated"); !emulated.empty()) {
    CHECK(knows_cuda(emulated));
    refused(emulated, {"--device", "tpu"}, "there is no device 'tpu'; use cpu or cuda");
    refused(emulated, {"--precision", "fp16"}, "no precision 'fp16'; use fp32, tf32 or bf16");
  }
  if (const auto program = example("mnist"); !program.empty() && !knows_cuda(program)) {
    refused(program, {"--device", "tpu"}, "there is no device 'tpu'; use cpu\n");
    refused(program, {"--device", "cuda"},
            "this program was built for the CPU alone; leave --device out, or build it for a GPU: "
            "cmake -DEBB_CUDA=ON");
    CHECK(run(folder, program, {"--help"}).out.find("cuda") == std::string::npos);
    refused(program, {"--precision", "tf32"}, "--precision");
  }
  if (const auto program = example("medmnist"); !program.empty())
    refused(program, {"--device", "cuda"}, "this program knows the CPU alone");
}
