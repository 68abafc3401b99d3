#include "options.hpp"

#include "../common/classifier_names.hpp"
#include "../common/command_line.hpp"
#include "../common/pixels.hpp"
#include "../common/say.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace {

// "64" or "64x48".
std::optional<ebb::Size2> size_of(const std::string& text) {
  int height = 0, width = 0, read = 0;
  if (std::sscanf(text.c_str(), "%4dx%4d%n", &height, &width, &read) != 2) {
    read = 0;
    if (std::sscanf(text.c_str(), "%4d%n", &height, &read) != 1) return {};
    width = height;
  }
  const bool whole = static_cast<std::size_t>(read) == text.size();
  if (!whole || height < 8 || width < 8 || height > 4096 || width > 4096) return {};
  return ebb::Size2{height, width};
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

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
      "  medmnist --data pneumoniamnist.npz --load weights.safetensors --epochs 0\n"
      "  medmnist --data xrays/ --size 64 --save xrays.safetensors    xrays/CLASS/*.png\n");
  option(app, "--data", o.data,
         "MedMNIST's file: images and labels of three splits (.npz); or a folder of images, "
         "DIR/train/CLASS/*.png, val and test likewise, or DIR/CLASS/*.png",
         "PATH")
      ->required();
  std::string models;
  for (const ClassifierFacts& c : classifiers())
    if (c.size.any()) models += (models.empty() ? "" : "; ") + c.name + ": " + c.about;
  option(app, "--model", o.model, models + " [" + o.model + ", or that of --load]", "NAME")
      ->check(one_of(free_classifiers(), "model"));
  app.add_option_function<std::string>(
         "--size", [&o](const std::string& text) { o.size = *size_of(text); },
         "Pixels, N or HEIGHTxWIDTH, that images are brought to; those of folders keep their "
         "shape, with "
         "black beside them [that of --load; else theirs, or the median where they are of several]")
      ->take_last()
      ->type_name("N")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return size_of(text) ? std::string()
                                 : "'" + text + "' is not a size: use 64 or 64x48, from 8 to 4096";
          },
          ""));
  add_range(app, o.range);
  for (const auto& [name, value, what] :
       {std::tuple{"--val-fraction", &o.val_fraction, "validation"},
        std::tuple{"--test-fraction", &o.test_fraction, "the test"}})
    option(
        app, name, *value,
        std::string("Of a folder DIR/CLASS: share of each class, the last images by name, for ") +
            what + " [0.2]",
        "X")
        ->check(number(0.0, 1.0, "a share: use a number from 0 to 1"));
  option(app, "--positive", o.positive,
         "The class that is looked for, by name: adds its sensitivity at fixed specificity [that "
         "of --load, else none]",
         "CLASS");
  app.add_option("--classes", o.classes,
                 "Names of the classes, in order [those of --load, the folders' names, or 0,1,...]")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_flag("--augment,!--no-augment", o.augment,
               "Show the network shifted and mirrored images, too [on]");
  add_training_options(app, o);
  option(app, "--report", o.report,
         "Writes report.html, with its pictures, into this folder [not written]", "DIR");
  return parse(app, argc, argv, "medmnist", o);
}

Paths paths_of(const Options& o) {
  Paths paths = training_paths(o);
  paths.writes_into("--report", o.report, is_of_a_report);
  return is_folder(o.data) ? paths.reads_all("--data", o.data) : paths.reads("--data", o.data);
}

void take_from_file(Options& o) {
  o.loaded = model_to_load(o.load);
  if (!o.loaded) return;
  const ModelFile& file = *o.loaded;
  if (o.has("--model") && o.model != file.model)
    throw ebb::ValueError(ebb::message("--model says ", o.model, ", and the network in ", file.path,
                                       " is a ", file.model, "; leave one of the two out"));
  o.model = file.model;
  const auto differs = [&](const char* option, const std::string& given, const std::string& own) {
    say_warning("%s says %s, and %s says %s: taken is what %s says\n", option, given.c_str(),
                file.path.c_str(), own.c_str(), option);
  };
  if (o.classes.empty())
    o.classes = file.classes;
  else if (o.classes.size() != file.classes.size())
    throw ebb::ValueError(ebb::message("--classes names ", o.classes.size(),
                                       " classes, and the network in ", file.path, " tells ",
                                       file.classes.size(), " apart: ", joined(file.classes)));
  else if (o.classes != file.classes)
    differs("--classes", joined(o.classes), joined(file.classes));
  if (o.positive.empty()) {
    const bool known =
        std::find(o.classes.begin(), o.classes.end(), file.positive) != o.classes.end();
    if (known) o.positive = file.positive;
  } else if (!file.positive.empty() && o.positive != file.positive) {
    differs("--positive", o.positive, file.positive);
  }
  take_range(o.range, file);
  const ebb::Size2 own{file.height, file.width};
  if (o.size == ebb::Size2{})
    o.size = own;
  else if (!(o.size == own))
    differs("--size", ebb::message(o.size), ebb::message(own));
  if (o.licence.empty()) o.licence = file.licence;
}

ebb::data::Fit fit_of(const Options& o) {
  if (o.loaded) return o.loaded->fit;
  return is_folder(o.data) ? ebb::data::Fit::pad : ebb::data::Fit::stretch;
}

namespace {

// The images in the size that the options ask for, if they ask for one.
ebb::data::Dataset<> in_size(const ebb::data::Dataset<>& set, const Options& o) {
  const ebb::Size2 from = set.image_size(), to = o.size;
  if (to == ebb::Size2{} || to == from) return set;
  const ebb::Index channels = set.channels(), pixels = channels * to.area();
  ebb::Tensor<std::uint8_t, 4> images({set.size(), channels, to.height, to.width});
  ebb::data::ByteImage one({channels, from.height, from.width});
  for (ebb::Index i = 0; i < set.size(); ++i) {
    std::copy_n(set.image(i).data, one.size(), one.mutable_data());
    std::copy_n(ebb::data::resize(one, to, fit_of(o)).data(), pixels,
                images.mutable_data() + i * pixels);
  }
  return {images, set.labels(), set.classes()};
}

// What would otherwise fail after an hour of training.
void check_splits(const Options& o, const ebb::data::MedMnist& set) {
  const auto size = set.train.image_size();
  for (const auto& [split, name] :
       {std::pair{&set.train, "training"}, std::pair{&set.validation, "validation"},
        std::pair{&set.test, "test"}}) {
    if (split->size() == 0)
      throw ebb::ValueError(ebb::message(
          o.data, ": it has no ", name, " images; all three splits need some",
          is_folder(o.data) ? " (more files of each class, or other --val-fraction and "
                              "--test-fraction, bring them)"
                            : ""));
    if (split->image_size().area() == 0)
      throw ebb::ValueError(ebb::message(o.data, ": its ", name, " images have ",
                                         split->image_size(), " pixels; there is nothing to see"));
    if (split->channels() != set.train.channels() || !(split->image_size() == size))
      throw ebb::ValueError(ebb::message(
          o.data, ": its ", name, " images are of ", split->channels(), " channels and ",
          split->image_size(), " pixels, and its training images of ", set.train.channels(),
          " and ", size, "; all must be alike"));
    const auto sizes = split->class_sizes();
    if (std::count_if(sizes.begin(), sizes.end(), [](ebb::Index n) { return n > 0; }) < 2)
      throw ebb::ValueError(ebb::message(
          o.data, ": its ", name,
          split == &set.train
              ? " images are all of one class; there is nothing to tell apart"
              : " images are all of one class, so the area under a ROC curve is not defined"));
  }
  const auto test = set.test.class_sizes();
  if (test.size() == 2 && std::min(test[0], test[1]) < 2)
    throw ebb::ValueError(ebb::message(
        o.data,
        ": there are not two test images of either class, so the area under the ROC curve "
        "and its interval are not defined"));
  for (const std::string& name : set.train.classes())
    if (name.empty() || name.find(',') != name.npos)
      throw ebb::ValueError("a class is called '" + name +
                            "'; names must be there, and without commas");
}

ebb::data::MedMnist read_file(const Options& o) {
  try {
    return ebb::data::read_medmnist(o.data, o.classes);
  } catch (const ebb::ValueError& error) {  // a label of no class: which file it is of
    throw ebb::ValueError(ebb::message(o.data, ": ", error.what()));
  }
}

}  // namespace

ebb::data::MedMnist read_images(Options& options) {
  if (options.has("--range") && !is_folder(options.data))
    say_warning("--range is of images in folders; %s has 8 bits a value\n", options.data.c_str());
  auto set = is_folder(options.data) ? read_folder(options) : read_file(options);
  set.train = in_size(set.train, options);
  set.validation = in_size(set.validation, options);
  set.test = in_size(set.test, options);
  check_splits(options, set);
  if (options.loaded) require_model(*options.loaded, free_classifiers(), set.train.channels());
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
