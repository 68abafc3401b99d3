#include <cmath>
#include <cstdlib>
#include <sstream>

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

/// The numbers in the rest of the first line that has `label`, nan among them.
std::vector<double> numbers_after(const std::string& text, const std::string& label) {
  const std::size_t found = text.find(label);
  INFO(text);
  REQUIRE(found != text.npos);
  const std::size_t begin = found + label.size();
  std::istringstream words(text.substr(begin, text.find('\n', begin) - begin));
  std::vector<double> numbers;
  for (std::string word; words >> word;) {
    char* end = nullptr;
    const double number = std::strtod(word.c_str(), &end);
    if (end != word.c_str()) numbers.push_back(number);
  }
  return numbers;
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
  CHECK_THAT(outcome.out, contains("the loss changes less than the threshold"));
  // Points of y = 3 x + 2, with noise of 0.5.
  const auto found = numbers_after(outcome.out, "gradient descent: y =");
  const auto exact = numbers_after(outcome.out, "least squares:    y =");
  REQUIRE(found.size() == 2);
  REQUIRE(exact.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(std::abs(found[i] - exact[i]) < 1e-4);
    CHECK(std::abs(exact[i] - (i == 0 ? 3 : 2)) < 0.15);
  }
  // The loss ends at the variance of the noise; in between it falls.
  const double first = numbers_after(outcome.out, "\n     1 ").at(0),
               last = numbers_after(outcome.out, "\n    60 ").at(0);
  CHECK(last < first);
  CHECK(last > 0.15);
  CHECK(last < 0.35);
}

TEST_CASE("example 05: logistic regression") {
  const std::string program = example("05_logistic_regression");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  const double accuracy = numbers_after(outcome.out, "accuracy on points never seen:").at(0);
  CHECK(accuracy > 0.8);
  CHECK(accuracy < 0.88);
  CHECK(std::abs(numbers_after(outcome.out, "its normal is (1,").at(0) - 0.5) < 0.1);
  const double first = numbers_after(outcome.out, "\n   0 ").at(0),
               last = numbers_after(outcome.out, "\n 100 ").at(0);
  CHECK(first < std::log(2.0) + 0.01);  // which a guesser has
  CHECK(last < 0.4);
}

TEST_CASE("example 06: your own update rule") {
  const std::string program = example("06_your_own_update_rule");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  for (const char* rule : {"gradient descent", "sgd with momentum", "adam", "signum (ours)"}) {
    INFO(rule);
    const auto losses = numbers_after(outcome.out, rule);
    REQUIRE(losses.size() == 5);
    for (std::size_t epoch = 1; epoch < 5; ++epoch) CHECK(losses[epoch] < losses[epoch - 1]);
    CHECK(losses.front() < std::log(10.0) + 0.1);  // a guesser's, of ten digits
    CHECK(losses.back() < 0.6);
  }
}

TEST_CASE("example 07: optimizers on Rosenbrock's function") {
  const std::string program = example("07_optimizers_on_rosenbrock");
  if (program.empty()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_example(folder, program);
  const auto lbfgs = numbers_after(outcome.out, "L-BFGS"),
             descent = numbers_after(outcome.out, "\ngradient descent");
  CHECK(lbfgs.at(0) < 1e-6);
  CHECK(lbfgs.at(1) < 100);
  CHECK(descent.at(0) > 1e-3);  // it does not arrive
  CHECK(descent.at(1) == 2000);
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
  // Norms at layers 1, 10 and 20, and the first over the last.
  const auto norms = [&](const char* recipe) {
    const auto found = numbers_after(outcome.out, recipe);
    REQUIRE(found.size() == 4);
    CHECK(found[3] == Approx(found[0] / found[2]).epsilon(0.11));  // of two digits each
    return found;
  };
  CHECK(norms("\nsigmoid ")[3] < 1e-6);
  CHECK(norms("\nrelu, large weights")[3] > 1e2);
  for (const char* sound :
       {"\nrelu, Kaiming", "\ntanh, Xavier", "\nsigmoid, batch norm", "\nsigmoid, residual"}) {
    INFO(sound);
    CHECK(norms(sound)[3] > 0.01);
    CHECK(norms(sound)[3] < 100);
  }
  const auto free = numbers_after(outcome.out, "as it is  loss"),
             clipped = numbers_after(outcome.out, "clipped   loss");
  REQUIRE(free.size() == 10);
  REQUIRE(clipped.size() == 10);
  CHECK(free.front() == clipped.front());
  CHECK(std::isnan(free.back()));
  CHECK(clipped.back() < clipped.front());
  if (outcome.out.find("no picture") == std::string::npos)
    CHECK_THAT(read_file(folder / "vanishing_gradients.svg"), contains("</svg>"));
}
