#include "options.hpp"

#include "optimizers.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace {

// A number in a range, or a sentence: strtod and its kin accept too much (" 1", "1e999", "-1" as an
// unsigned number).
template <class T>
auto number(T least, T most, const char* expected) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        T value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc{} && end == text.data() + text.size() && value >= least &&
            value <= most)
          return {};
        return "'" + text + "' is not " + expected;
      },
      "");
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  Command command;
  Options& o = command.options;
  CLI::App app("Trains a small convolutional network on images of digits, and tests it.");
  app.footer(
      "Examples:\n"
      "  mnist                                            3 epochs on MNIST, downloaded once\n"
      "  mnist --data DIR --optimizer adam --epochs 5 --save digits.safetensors --plots results\n"
      "  mnist --data DIR --load digits.safetensors --eval-only\n"
      "  mnist --epochs 20 --resume run.ckpt              again: continues a killed run\n");
  constexpr double infinity = std::numeric_limits<double>::max();
  double lr = 0, momentum = 0;
  const auto option = [&](const char* name, auto& value, const std::string& what) {
    return app.add_option(name, value, what)->take_last();
  };
  option("--data", o.data,
         "Folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped or not. Without it: "
         "MNIST, cached or downloaded; else Fashion-MNIST from Debian's package "
         "dataset-fashion-mnist; else drawn digits")
      ->type_name("DIR");
  option("--epochs", o.epochs, "Passes over the training images [3]")
      ->check(number(0, 1000000, "a number of epochs: use a whole number from 0 on"))
      ->type_name("N");
  option("--batch-size", o.batch_size, "Images per step [64]")
      ->check(number(1, 1000000, "a batch size: use a whole number from 1 on"))
      ->type_name("N");
  option("--optimizer", o.optimizer, "One of " + optimizer_names() + " [sgd]")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return is_optimizer(name)
                       ? std::string()
                       : "there is no optimizer '" + name + "'; use one of " + optimizer_names();
          },
          ""))
      ->type_name("NAME");
  const auto* lr_given =
      option("--lr", lr, "Learning rate [sgd: 0.01, adam: 0.001, ...: what suits the optimizer]")
          ->check(number(0.0, infinity, "a learning rate: use a number that is not negative"))
          ->type_name("X");
  const auto* momentum_given =
      option("--momentum", momentum, "Of sgd and rmsprop; others have none [sgd: 0.9, rmsprop: 0]")
          ->check(number(0.0, infinity, "a momentum: use a number that is not negative"))
          ->type_name("X");
  option("--seed", o.seed, "Of the initial weights and the order of images [1]")
      ->check(number(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                     "a seed: use a whole number from 0 on"))
      ->type_name("N");
  option("--threads", o.threads, "Threads; the result does not depend on it [0: all there are]")
      ->check(number(0, 1024, "a number of threads: use 0 (all) to 1024"))
      ->type_name("N");
  option("--save", o.save,
         "Writes the trained weights here at the end (safetensors, PyTorch's keys)")
      ->type_name("FILE");
  option("--load", o.load, "Starts from the weights in this file")->type_name("FILE");
  option("--resume", o.resume,
         "Training checkpoint: written after every epoch and, if it exists at the start, continued "
         "from there (and not from --load) to the same result, bit for bit, as without the "
         "interruption")
      ->type_name("FILE");
  option("--csv", o.csv, "Writes loss and accuracy of every epoch here")->type_name("FILE");
  option("--plots", o.plots,
         "Writes curves.svg, confusion.svg and mistakes.svg into this folder (needs gnuplot)")
      ->type_name("DIR");
  app.add_flag("--eval-only", o.eval_only, "Only tests; needs --load or --resume");

  try {
    app.parse(argc, argv);
    if (o.eval_only && o.load.empty() && o.resume.empty())
      throw CLI::ValidationError("--eval-only needs weights to test: give --load FILE");
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    command.exit_code = 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mnist: %s\nmnist --help lists the options\n", error.what());
    command.exit_code = 2;
  }
  if (lr_given->count() > 0) o.lr = lr;
  if (momentum_given->count() > 0) o.momentum = momentum;
  return command;
}
