#include "command_line.hpp"

#include "optimizers.hpp"

#include <cstdio>

namespace {

constexpr double infinity = std::numeric_limits<double>::max();

template <class Value>
std::string with_default(const std::string& what, const Value& value) {
  return ebb::message(what, " [", value, "]");
}

void add_device(CLI::App& app, TrainingOptions& o, Gpu gpu) {
  const bool used = gpu == Gpu::used;
  option(app, "--device", o.device,
         with_default(used ? "Where to compute: cpu or cuda" : "Where to compute", o.device),
         "NAME")
      ->check(CLI::Validator(
          [gpu, used](const std::string& name) {
            if (name == "cpu" || (used && name == "cuda")) return std::string();
            if (name != "cuda")
              return "there is no device '" + name + "'; use cpu" + (used ? " or cuda" : "");
            return std::string(gpu == Gpu::not_built
                                   ? "this program was built for the CPU alone; leave --device "
                                     "out, or build it for a GPU: cmake -DEBB_CUDA=ON"
                                   : "this program knows the CPU alone; leave --device out");
          },
          ""));
  if (!used) return;
  option(app, "--precision", o.precision,
         with_default("Of products on a GPU: fp32, or on tensor cores tf32 or bf16", o.precision),
         "NAME")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return name == "fp32" || name == "tf32" || name == "bf16"
                       ? std::string()
                       : "there is no precision '" + name + "'; use fp32, tf32 or bf16";
          },
          ""));
}

}  // namespace

CLI::Option* optional_number(CLI::App& app, const char* name, std::optional<double>& value,
                             const std::string& what, const char* expected) {
  return app
      .add_option_function<double>(
          name, [&value](const double& given) { value = given; }, what)
      ->take_last()
      ->type_name("X")
      ->check(number(0.0, infinity, expected));
}

void add_training_options(CLI::App& app, TrainingOptions& o, Gpu gpu) {
  option(app, "--epochs", o.epochs, with_default("Passes over the training images", o.epochs), "N")
      ->check(number(0, 1000000, "a number of epochs: use a whole number from 0 on"));
  option(app, "--batch-size", o.batch_size, with_default("Images per step", o.batch_size), "N")
      ->check(number(1, 1000000, "a batch size: use a whole number from 1 on"));
  option(app, "--optimizer", o.optimizer, with_default("One of " + optimizer_names(), o.optimizer),
         "NAME")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return is_optimizer(name)
                       ? std::string()
                       : "there is no optimizer '" + name + "'; use one of " + optimizer_names();
          },
          ""));
  optional_number(app, "--lr", o.lr,
                  o.lr ? with_default("Learning rate", *o.lr)
                       : "Learning rate [sgd: 0.01, adam: 0.001, ...: what suits the optimizer]",
                  "a learning rate: use a number that is not negative");
  option(app, "--seed", o.seed,
         with_default("Of the initial weights and the order of images", o.seed), "N")
      ->check(number(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                     "a seed: use a whole number from 0 on"));
  option(app, "--threads", o.threads,
         "Threads; the result does not depend on it [0: all there are]", "N")
      ->check(number(0, 1024, "a number of threads: use 0 (all) to 1024"));
  add_device(app, o, gpu);
  option(app, "--save", o.save,
         "Writes the trained weights here at the end (safetensors, PyTorch's keys)", "FILE");
  option(app, "--load", o.load, "Starts from the weights in this file", "FILE");
  option(app, "--resume", o.resume,
         "Training checkpoint: written after every epoch and, if it exists at the start, continued "
         "from there (and not from --load) to the same result, bit for bit, as without the "
         "interruption",
         "FILE");
  option(app, "--csv", o.csv, "Writes loss and metrics of every epoch here", "FILE");
}

std::optional<int> parse(CLI::App& app, int argc, char** argv, const char* program) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s\n%s --help lists the options\n", program, error.what(), program);
    return 2;
  }
  return {};
}
