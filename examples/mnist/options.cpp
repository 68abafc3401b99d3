#include "options.hpp"

#include "../common/command_line.hpp"
#include "training.hpp"

Command parse_command_line(int argc, char** argv) {
  Command command;
  Options& o = command.options;
  o.epochs = 3;
  o.optimizer = "sgd";
  CLI::App app("Trains a small convolutional network on images of digits, and tests it.");
  app.footer(
      "Examples:\n"
      "  mnist                                            3 epochs on MNIST, downloaded once\n"
      "  mnist --data DIR --optimizer adam --epochs 5 --save digits.safetensors --report results\n"
      "  mnist --data DIR --load digits.safetensors --eval-only\n"
      "  mnist --data DIR --load model_params.pth --eval-only                 of PyTorch\n"
      "  mnist --epochs 20 --resume run.ckpt              again: continues a killed run\n");
  option(app, "--data", o.data,
         "Folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped or not. Without it: "
         "MNIST, cached or downloaded; else Fashion-MNIST from Debian's package "
         "dataset-fashion-mnist; else drawn digits [none]",
         "DIR");
  add_training_options(app, o, train_and_test_on_gpu ? Gpu::used : Gpu::not_built);
  optional_number(app, "--momentum", o.momentum,
                  "Of sgd and rmsprop; others have none [sgd: 0.9, rmsprop: 0]",
                  "a momentum: use a number that is not negative");
  option(app, "--report,--plots", o.report,
         "Writes report.html with its pictures (curves, confusion matrix, mistakes; the first two "
         "need gnuplot) into this folder [not written]",
         "DIR");
  app.add_flag("--eval-only", o.eval_only, "Only tests; needs --load or --resume [off]");
  app.final_callback([&] {
    if (o.eval_only && o.load.empty() && o.resume.empty())
      throw CLI::ValidationError("--eval-only needs weights to test: give --load FILE");
  });
  command.exit_code = parse(app, argc, argv, "mnist", o);
  return command;
}

Paths paths_of(const Options& o) {
  Paths paths = training_paths(o);
  paths.writes_into("--report", o.report, is_of_a_report);
  if (!o.data.empty())
    for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"})
      for (const char* end : {"", ".gz"}) paths.reads("--data", o.data + "/" + name + end);
  return paths;
}
