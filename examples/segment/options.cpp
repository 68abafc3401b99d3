#include "options.hpp"

#include "../common/command_line.hpp"

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
  option(app, "--images", o.images, "Folder of images: PNG, JPEG or BMP, all of one size", "DIR")
      ->required();
  option(app, "--masks", o.masks, "Folder of their masks: a file of the same name for each image",
         "DIR")
      ->required();
  option(app, "--val-fraction", o.val_fraction,
         "Share of the images, the last ones by name, that are not trained on [0.2]", "X")
      ->check(number(0.0, 1.0, "a share: use a number from 0 to 1"));
  app.add_option_function<int>(
         "--foreground", [&o](const int& value) { o.foreground = value; },
         "Value in the masks of what is looked for [the larger of two]")
      ->take_last()
      ->type_name("VALUE")
      ->check(number(0, 255, "a value of a mask: use 0 to 255"));
  option(app, "--base", o.base, "Channels of the U-Net at full size [16]", "N")
      ->check(number(1, 1024, "a number of channels: use 1 to 1024"));
  option(app, "--depth", o.depth, "How often the U-Net halves the image [3]", "N")
      ->check(number(1, 6, "a depth: use 1 to 6"));
  option(app, "--patch", o.patch, "Pixels a side of the patches it is trained on [256]", "N")
      ->check(number(8, 4096, "a size of patches: use 8 to 4096 pixels"));
  app.add_flag("--augment,!--no-augment", o.augment,
               "Show the network mirrored, turned and deformed patches, too [on]");
  add_training_options(app, o);
  option(app, "--report", o.report,
         "Writes report.html, overlays and tables of shapes into this folder", "DIR");
  return parse(app, argc, argv, "segment");
}

Split read_images(const Options& options) {
  const auto all = ebb::data::read_masked_images(options.images, options.masks,
                                                 {.foreground = options.foreground});
  const auto held_out =
      static_cast<ebb::Index>(std::lround(options.val_fraction * static_cast<double>(all.size())));
  const ebb::Index trained = all.size() - held_out;
  if (held_out < 1 || trained < 1)
    throw ebb::ValueError(ebb::message("--val-fraction ", options.val_fraction, " of ", all.size(),
                                       " images leaves ", trained, " for training and ", held_out,
                                       " for validation; both need at least one"));
  return {all.part(0, trained), all.part(trained, held_out)};
}
