// How fast is 99 %?
//
// From the start of the process, with MNIST's four files on disk, to a network that reads 99 of 100
// digits it has never seen: reading, training and testing included.
//
//   network.hpp   a small network, on the middle of the images
//   recipe.cpp    51,000 images, each seen once, at a large learning rate that rises and falls
//   batches.cpp   cropped images, shifted by a pixel at random
//
// benchmarks/peers/speedrun.py does the same in PyTorch.

#include "../common/command_line.hpp"
#include "../common/program.hpp"
#include "../common/say.hpp"
#include "../common/source.hpp"
#include "recipe.hpp"

#include <ebb/device/cpu/parallel.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace {

struct Options {
  std::string data;  // folder; empty: find some
  int seeds = 1, threads = 0;
  bool json = false;
  Recipe recipe;
};

std::optional<int> parse_command_line(int count, char** words, Options& o) {
  CLI::App app("From the start of the process to 99 % on MNIST's test images.");
  app.footer(
      "Examples:\n"
      "  speedrun --data mnist\n"
      "  speedrun --seeds 10 --threads 1 --json\n");
  option(app, "--data", o.data,
         "Folder with MNIST's four files [EBB_DATA/mnist, or what examples/mnist takes]", "DIR");
  option(app, "--seed", o.recipe.seed, "Of the initial weights and the order of images [1]", "N")
      ->check(number(std::uint64_t{0}, ~std::uint64_t{0} - 1000,
                     "a seed: use a whole number from 0 on"));
  option(app, "--seeds", o.seeds, "This many runs, with one seed after the other [1]", "N")
      ->check(number(1, 1000, "a number of runs: use 1 to 1000"));
  add_threads(app, o.threads);
  option(app, "--epochs", o.recipe.epochs,
         "Passes over the training images; may be part of one [0.85]", "X")
      ->check(number(0.001, 1000.0, "a number of epochs: use 0.001 to 1000"));
  app.add_flag("--json", o.json, "The last line says it in JSON, for programs [off]");
  if (const auto code = parse(app, count, words, "speedrun")) return code;
  if (o.data.empty()) {
    const char* folder = std::getenv("EBB_DATA");
    const std::string mnist = std::string(folder ? folder : "../shared/data") + "/mnist";
    std::error_code ignored;
    if (std::filesystem::is_directory(mnist, ignored)) o.data = mnist;
  }
  return {};
}

// One run, as a line; `reading` counts as if each run had read the images itself.
void report(const Options& o, const Recipe& recipe, double reading, const Outcome& r) {
  const double total = reading + r.training() + r.evaluation;
  say_result(
      "seed %llu: %.2f %% of %td test images in %.2f s: reading %.2f, batches %.2f, forward %.2f, "
      "backward %.2f, update %.2f, evaluation %.2f\n",
      static_cast<unsigned long long>(recipe.seed), r.accuracy(), r.count, total, reading,
      r.batches, r.forward, r.backward, r.update, r.evaluation);
  if (o.json)
    say_result(
        "{\"seconds\": %.4f, \"accuracy\": %.2f, \"reading\": %.4f, \"training\": %.4f, "
        "\"batches\": %.4f, \"forward\": %.4f, \"backward\": %.4f, \"update\": %.4f, "
        "\"evaluation\": %.4f}\n",
        total, r.accuracy(), reading, r.training(), r.batches, r.forward, r.backward, r.update,
        r.evaluation);
}

int work(int count, char** words) {
  Options options;
  if (const auto code = parse_command_line(count, words, options)) return *code;
  ebb::set_num_threads(options.threads);
  const Source source = find_images(options.data);
  require_images(source);
  const double reading = clock_now();
  double accuracy = 0, least = 100, seconds = 0;
  for (int i = 0; i < options.seeds; ++i) {
    Recipe recipe = options.recipe;
    recipe.seed += static_cast<std::uint64_t>(i);
    const Outcome outcome = race(recipe, source.images);
    report(options, recipe, reading, outcome);
    accuracy += outcome.accuracy() / options.seeds;
    least = std::min(least, outcome.accuracy());
    seconds += (reading + outcome.training() + outcome.evaluation) / options.seeds;
  }
  if (options.seeds > 1)
    say_result("mean of %d seeds: %.3f %% (least %.2f %%) in %.2f s\n", options.seeds, accuracy,
               least, seconds);
  return 0;
}

}  // namespace

int main(int count, char** words) { return run_program("speedrun", work, count, words); }
