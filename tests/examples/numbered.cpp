#include "tests/examples/run.hpp"

using namespace ebb::test;

namespace {

// Runs a numbered example with a folder for its pictures; each returns 0 only if its numbers came
// out as its comment says.
Outcome run_example(const TemporaryFolder& folder, const std::string& program) {
  const Outcome outcome = run(folder, program, {folder.path.string()});
  INFO(outcome.out);
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  return outcome;
}

}  // namespace

TEST_CASE("example 01: tensors") {
  const std::string program = example("01_tensor");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  CHECK_THAT(outcome.out, contains("x(1, 0) = 4") && contains("[[14, 32],\n [32, 77]]") &&
                              contains("handle(0, 0) = 100, copy(0, 0) = 1") &&
                              contains("matmul: (2, 3) times (2, 3)"));
}

TEST_CASE("example 02: a gradient") {
  const std::string program = example("02_gradient");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  // d/dx x^2 sin x at 1 is 2 sin 1 + cos 1 = 2.223244275.
  CHECK_THAT(outcome.out, contains("square") && contains("sin") && contains("2.223244275") &&
                              contains("4 derivatives agree"));
}

TEST_CASE("example 03: your own operation") {
  const std::string program = example("03_your_own_op");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  CHECK_THAT(outcome.out, contains("softsign: 6 derivatives agree") &&
                              contains("gram: 6 derivatives agree") &&
                              contains("wrong_gram: the derivative"));
}

TEST_CASE("example 04: linear regression") {
  const std::string program = example("04_linear_regression");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  CHECK_THAT(outcome.out, contains("the loss changes less than the threshold") &&
                              contains("gradient descent: y = ") &&
                              contains("least squares:    y = "));
}

TEST_CASE("example 05: logistic regression") {
  const std::string program = example("05_logistic_regression");
  if (program.empty()) return;
  const TemporaryFolder folder;
  CHECK_THAT(run_example(folder, program).out, contains("accuracy on points never seen: 0.8"));
}

TEST_CASE("example 06: your own update rule") {
  const std::string program = example("06_your_own_update_rule");
  if (program.empty()) return;
  const TemporaryFolder folder;
  CHECK_THAT(run_example(folder, program).out, contains("signum (ours)"));
}

TEST_CASE("example 07: optimizers on Rosenbrock's function") {
  const std::string program = example("07_optimizers_on_rosenbrock");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  CHECK_THAT(outcome.out, contains("L-BFGS") && contains("not within 2000 steps"));
  if (outcome.out.find("no picture") == std::string::npos) {
    CHECK_THAT(read_file(folder / "rosenbrock.svg"), contains("</svg>"));
    CHECK_THAT(read_file(folder / "rosenbrock_race.svg"), contains("</svg>"));
  }
}

TEST_CASE("example 08: vanishing gradients") {
  const std::string program = example("08_vanishing_gradients");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  CHECK_THAT(outcome.out, contains("as it is  loss") && contains("nan") && contains("clipped"));
  if (outcome.out.find("no picture") == std::string::npos)
    CHECK_THAT(read_file(folder / "vanishing_gradients.svg"), contains("</svg>"));
}
