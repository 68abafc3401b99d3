#include "options.hpp"

#include "../common/command_line.hpp"

#include <algorithm>

std::optional<int> parse_command_line(int argc, char** argv, Options& o) {
  o.epochs = 15;
  o.optimizer = "adamw";
  o.lr = 0.003;
  CLI::App app(
      "Trains a classifier on medical images, and says how good it is. For research: not a medical "
      "device.");
  app.footer(
      "Examples:\n"
      "  medmnist --data pneumoniamnist.npz --classes normal,pneumonia --positive pneumonia\n"
      "  medmnist --data retinamnist.npz --report results --save retina.safetensors\n"
      "  medmnist --data pneumoniamnist.npz --load weights.safetensors --epochs 0\n");
  option(app, "--data", o.data, "MedMNIST's file: images and labels of three splits (.npz)", "FILE")
      ->required();
  option(app, "--model", o.model,
         "cnn: five convolutions with batch norm; resnet18: He et al. 2016 with a 3x3 stem [cnn]",
         "NAME")
      ->check(CLI::IsMember({"cnn", "resnet18"}));
  option(app, "--positive", o.positive,
         "The class that is looked for, by name or number: adds its sensitivity at fixed "
         "specificity",
         "CLASS");
  app.add_option("--classes", o.classes, "Names of the classes, in order [0,1,...]")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_flag("--augment,!--no-augment", o.augment,
               "Show the network shifted and mirrored images, too [on]");
  add_training_options(app, o);
  option(app, "--report", o.report, "Writes report.html, with its pictures, into this folder",
         "DIR");
  return parse(app, argc, argv, "medmnist");
}

ebb::data::MedMnist read_images(const Options& options) {
  auto set = ebb::data::read_medmnist(options.data, options.classes);
  for (const auto* split : {&set.train, &set.validation, &set.test})
    if (split->size() == 0)
      throw ebb::ValueError(ebb::message(options.data, ": one of its splits has no images"));
  if (set.class_count() < 2)
    throw ebb::ValueError(ebb::message(options.data, ": its training images are all of one class; ",
                                       "there is nothing to tell apart"));
  static_cast<void>(positive_class(options, set.train.classes()));
  return set;
}

std::optional<int> positive_class(const Options& options, const std::vector<std::string>& classes) {
  if (options.positive.empty()) return {};
  auto found = std::find(classes.begin(), classes.end(), options.positive);
  if (found == classes.end()) {
    std::string names;
    for (const auto& name : classes) names += (names.empty() ? "" : ", ") + name;
    throw ebb::ValueError(ebb::message("--positive: there is no class '", options.positive,
                                       "'; the classes are ", names,
                                       " (give them names with --classes)"));
  }
  return static_cast<int>(found - classes.begin());
}
