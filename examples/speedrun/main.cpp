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

#include "examples/mnist/source.hpp"
#include "recipe.hpp"

#include <ebb/device/parallel.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string_view>

namespace {

struct Options {
  std::string data;  // folder; empty: find some
  int seeds = 1, threads = 0;
  bool json = false, help = false;
  Recipe recipe;
};

constexpr const char* usage =
    "speedrun: from the start of the process to 99 % on MNIST's test images\n"
    "  --data DIR    folder with MNIST's four files [EBB_DATA/mnist, or what examples/mnist "
    "takes]\n"
    "  --seed N      of the initial weights and the order of images [1]\n"
    "  --seeds N     this many runs, with one seed after the other [1]\n"
    "  --threads N   the result does not depend on it [0: all there are]\n"
    "  --epochs X    passes over the training images; may be part of one [0.85]\n"
    "  --json        the last line says it in JSON, for programs\n";

template <class T>
T number(std::string_view option, std::string_view text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least) ||
      !(value <= most))
    throw ebb::ValueError(
        ebb::message(option, ": '", text, "' is not a number from ", least, " to ", most));
  return value;
}

Options parse(int count, char** words) {
  Options o;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = words[i];
    const auto value = [&]() -> std::string_view {
      if (i + 1 >= count) throw ebb::ValueError(ebb::message(option, " needs a value"));
      return words[++i];
    };
    if (option == "--json")
      o.json = true;
    else if (option == "--help" || option == "-h")
      o.help = true;
    else if (option == "--data")
      o.data = value();
    else if (option == "--seed")
      o.recipe.seed = number<std::uint64_t>(option, value(), 0, ~std::uint64_t{0} - 1000);
    else if (option == "--seeds")
      o.seeds = number(option, value(), 1, 1000);
    else if (option == "--threads")
      o.threads = number(option, value(), 0, 1024);
    else if (option == "--epochs")
      o.recipe.epochs = number(option, value(), 0.001, 1000.0);
    else
      throw ebb::ValueError(ebb::message("there is no option ", option));
  }
  if (o.data.empty()) {
    const char* folder = std::getenv("EBB_DATA");
    const std::string mnist = std::string(folder ? folder : "../shared/data") + "/mnist";
    std::error_code ignored;
    if (std::filesystem::is_directory(mnist, ignored)) o.data = mnist;
  }
  return o;
}

// One run, as a line; `reading` counts as if each run had read the images itself.
void report(const Options& o, const Recipe& recipe, double reading, const Outcome& r) {
  const double total = reading + r.training() + r.evaluation;
  std::printf(
      "seed %llu: %.2f %% of %td test images in %.2f s: reading %.2f, batches %.2f, forward %.2f, "
      "backward %.2f, update %.2f, evaluation %.2f\n",
      static_cast<unsigned long long>(recipe.seed), r.accuracy(), r.count, total, reading,
      r.batches, r.forward, r.backward, r.update, r.evaluation);
  if (o.json)
    std::printf(
        "{\"seconds\": %.4f, \"accuracy\": %.2f, \"reading\": %.4f, \"training\": %.4f, "
        "\"batches\": %.4f, \"forward\": %.4f, \"backward\": %.4f, \"update\": %.4f, "
        "\"evaluation\": %.4f}\n",
        total, r.accuracy(), reading, r.training(), r.batches, r.forward, r.backward, r.update,
        r.evaluation);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  try {
    const Options options = parse(count, words);
    if (options.help) {
      std::fputs(usage, stdout);
      return 0;
    }
    ebb::set_num_threads(options.threads);
    const Source source = find_images(options.data);
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
      std::printf("mean of %d seeds: %.3f %% (least %.2f %%) in %.2f s\n", options.seeds, accuracy,
                  least, seconds);
    return 0;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "speedrun: there is not enough memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "speedrun: %s\n%s", error.what(), usage);
  }
  return 1;
}
