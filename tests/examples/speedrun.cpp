#include <regex>

#include "tests/examples/digits.hpp"
#include "tests/examples/run.hpp"

using namespace ebb::test;

namespace {

/// What a run says, without its times.
std::string without_times(const std::string& line) {
  return std::regex_replace(line, std::regex(" in .*"), "");
}

}  // namespace

TEST_CASE("speedrun trains, tests, and says where the time went") {
  const std::string program = example("speedrun");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 2000, 300);  // 300: the last batch of the test is a smaller one
  const auto go = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--data", images.path.string()});
    const Outcome outcome = run(folder, program, more);
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    return outcome;
  };
  const Outcome one = go({"--threads", "1", "--epochs", "4"});
  std::smatch found;
  const std::string line = one.last_line();
  INFO(line);
  REQUIRE(std::regex_match(
      line, found,
      std::regex(R"(seed 1: (\d+\.\d\d) % of 300 test images in \d+\.\d\d s: reading \d+\.\d\d, )"
                 R"(batches \d+\.\d\d, forward \d+\.\d\d, backward \d+\.\d\d, update \d+\.\d\d, )"
                 R"(evaluation \d+\.\d\d)")));
  CHECK(std::stod(found[1]) > 80);  // drawn digits; a guess is right once in ten

  // The same whatever the number of threads, and another thing with another seed.
  CHECK(without_times(go({"--threads", "3", "--epochs", "4"}).last_line()) == without_times(line));
  const Outcome two = go({"--seed", "7", "--seeds", "2", "--epochs", "0.5"});
  CHECK_THAT(two.out, contains("seed 7: ") && contains("seed 8: "));
  CHECK_THAT(two.last_line(), StartsWith("mean of 2 seeds: ") && contains("least"));
  CHECK_THAT(go({"--json", "--epochs", "0.5"}).last_line(),
             StartsWith("{\"seconds\": ") && contains("\"backward\": "));
}

TEST_CASE("speedrun answers nonsense with a sentence") {
  const std::string program = example("speedrun");
  if (program.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 40, 40);
  CHECK_THAT(run(folder, program, {"--help"}).out, contains("--seeds") && contains("--threads"));
  struct Case {
    std::vector<std::string> arguments;
    const char* sentence;
    int code = 2;
  };
  const Case cases[] = {
      {{"--epochs", "many"}, "--epochs: 'many' is not a number of epochs"},
      {{"--epochs", "nan"}, "--epochs: 'nan' is not a number of epochs"},
      {{"--seed", "-1"}, "--seed: '-1' is not a seed"},
      {{"--seeds", "0"}, "--seeds: '0' is not a number of runs"},
      {{"--seed"}, "--seed"},
      {{"--fast"}, "there is no option --fast"},
      {{"--data", folder / "missing"}, "there is no folder", 1},
      {{"--data", images.path.string()},
       "there are 40 training images; one step alone takes 64",
       1},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run(folder, program, c.arguments);
    INFO(c.sentence);
    CHECK(outcome.code == c.code);
    CHECK_THAT(outcome.err, StartsWith("speedrun: ") && contains(c.sentence));
  }
}
