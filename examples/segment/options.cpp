#include "options.hpp"

#include "../common/command_line.hpp"
#include "../common/provenance.hpp"
#include "../common/say.hpp"

#include <algorithm>
#include <cmath>

std::optional<int> parse_command_line(int argc, char** argv, Options& o) {
  o.epochs = 20;
  o.batch_size = 4;
  o.optimizer = "adamw";
  o.lr = 0.003;
  CLI::App app(
      "Trains a U-Net to find a structure in images, and says how well it does. For research: not "
      "a medical device.");
  app.footer(
      "Examples:\n"
      "  segment --images train/images --masks train/masks --foreground 0\n"
      "  segment --images ct --masks livers --report results --save liver.safetensors\n"
      "  segment --images ct --masks livers --load liver.safetensors --epochs 0\n");
  option(app, "--images", o.images, "Folder of images: PNG, JPEG or BMP, of any sizes", "DIR")
      ->required();
  option(app, "--masks", o.masks, "Folder of their masks: a file of the same name for each image",
         "DIR")
      ->required();
  option(app, "--val-fraction", o.val_fraction,
         "Share of the images, the last ones by name, that are not trained on [0.2]", "X")
      ->check(number(0.0, 1.0, "a share: use a number from 0 to 1"));
  add_range(app, o.range);
  app.add_option_function<int>(
         "--foreground", [&o](const int& value) { o.foreground = value; },
         "Value in the masks of what is looked for, 0 to 255 [that of --load, else the larger of "
         "two]")
      ->take_last()
      ->type_name("VALUE")
      ->check(number(0, 255, "a value of a mask: use 0 to 255"));
  option(app, "--base", o.base, "Channels of the U-Net at full size [16, or those of --load]", "N")
      ->check(number(1, 1024, "a number of channels: use 1 to 1024"));
  option(app, "--depth", o.depth, "How often the U-Net halves the image [3, or as in --load]", "N")
      ->check(number(1, 6, "a depth: use 1 to 6"));
  option(app, "--patch", o.patch, "Pixels a side of the patches it is trained on [256]", "N")
      ->check(number(8, 4096, "a size of patches: use 8 to 4096 pixels"));
  app.add_flag("--augment,!--no-augment", o.augment,
               "Show the network mirrored, turned and deformed patches, too [on]");
  add_training_options(app, o);
  optional_number(app, "--spacing", o.spacing,
                  "Millimetres from pixel to pixel, for the file of --save: 0.5 [not stated]",
                  "a distance: use a number of millimetres that is not negative");
  option(app, "--report", o.report,
         "Writes report.html, overlays and tables of shapes into this folder [not written]", "DIR");
  return parse(app, argc, argv, "segment", o);
}

Paths paths_of(const Options& o) {
  Paths paths = training_paths(o);
  paths.reads_all("--images", o.images).reads_all("--masks", o.masks);
  return paths.writes_into("--report", o.report, is_of_a_report);
}

void take_from_file(Options& o) {
  o.loaded = model_to_load(o.load);
  if (!o.loaded) return;
  const ModelFile& file = *o.loaded;
  if (!file.segments())
    throw ebb::ValueError(ebb::message("--load: ", file.path, " holds a classifier, ", file.model,
                                       "; segment goes on with what segment --save wrote"));
  for (const auto& [option, value, own] :
       {std::tuple{"--base", &o.base, static_cast<int>(file.base)},
        std::tuple{"--depth", &o.depth, file.depth}}) {
    if (o.has(option) && *value != own)
      throw ebb::ValueError(ebb::message(option, " says ", *value, ", and the U-Net in ", file.path,
                                         " has ", own, "; leave ", option, " out"));
    *value = own;
  }
  if (!o.foreground)
    o.foreground = file.foreground;
  else if (*o.foreground != file.foreground)
    say_warning("--foreground says %d, and %s learnt the foreground %d: taken is %d\n",
                *o.foreground, file.path.c_str(), file.foreground, *o.foreground);
  if (!o.spacing && file.spacing) o.spacing = (*file.spacing)[0];
  if (o.spacing && file.spacing && *o.spacing != (*file.spacing)[0])
    say_warning("--spacing says %g mm, and %s learnt from pixels of %g mm: taken is %g\n",
                *o.spacing, file.path.c_str(), (*file.spacing)[0], *o.spacing);
  take_range(o.range, file);
  if (o.licence.empty()) o.licence = file.licence;
}

namespace {

bool has_foreground(const ebb::data::MaskedImages& set) {
  const int* const mask = set.masks.data();
  return std::find(mask, mask + set.masks.size(), 1) != mask + set.masks.size();
}

}  // namespace

Split read_images(Options& options) {
  const auto all = ebb::data::read_masked_images(
      options.images, options.masks,
      {.channels = options.loaded ? static_cast<int>(options.loaded->channels) : 0,
       .foreground = options.foreground,
       .range = options.range.value_or(ebb::data::ValueRange{}),
       .mixed_sizes = true});
  std::vector<std::string> files = files_in(options.images);
  std::erase_if(files, [](const std::string& path) {  // hidden ones were not read
    return path[path.find_last_of('/') + 1] == '.';
  });
  assume_range(options.range, options.images, files);
  const auto held_out =
      static_cast<ebb::Index>(std::lround(options.val_fraction * static_cast<double>(all.size())));
  const ebb::Index trained = all.size() - held_out;
  if (held_out < 1 || trained < 1)
    throw ebb::ValueError(ebb::message("--val-fraction ", options.val_fraction, " of ", all.size(),
                                       " images leaves ", trained, " for training and ", held_out,
                                       " for validation; both need at least one"));
  Split split{all.part(0, trained), all.part(trained, held_out)};
  for (const auto& [part, name] :
       {std::pair{&split.training, "training"}, std::pair{&split.validation, "validation"}})
    if (!has_foreground(*part))
      throw ebb::ValueError(ebb::message("none of the ", part->size(), " ", name,
                                         " images has foreground, the value ", all.foreground,
                                         " in its mask; change --foreground or --val-fraction"));
  if (options.loaded) require_model(*options.loaded, {"unet"}, all.channels());
  return split;
}
