#include "training.hpp"

#include "../common/checkpoint.hpp"
#include "../common/epoch_table.hpp"
#include "../common/masks.hpp"
#include "../common/pixels.hpp"
#include "../common/program.hpp"
#include "../common/provenance.hpp"
#include "../common/say.hpp"
#include "account.hpp"
#include "report.hpp"

#include <ebb/data/load/loader.hpp>
#include <ebb/data/sets/masked_images.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/ops/loss/dice_loss.hpp>
#include <ebb/ops/loss/weighted_losses.hpp>
#include <ebb/optim/schedule/one_cycle.hpp>

#include <algorithm>
#include <filesystem>

namespace data = ebb::data;
using ebb::Index;

namespace {

// Patches, moved and deformed together with their masks; a margin around them lets turns bring in
// what is there, not its mirror image.
data::SampleTransform<data::ImageAndMask> patches(const Options& options, ebb::Size2 patch,
                                                  const Pixels& pixels) {
  const data::Normalize normalize(pixels.mean, pixels.deviation);
  if (!options.augment)
    return data::ComposePairs(data::CropPair{.size = patch, .padding = patch}, normalize);
  const ebb::Size2 wide{patch.height + patch.height / 4, patch.width + patch.width / 4};
  return data::ComposePairs(
      data::CropPair{.size = wide, .padding = {wide.height / 2, wide.width / 2}}, data::FlipPair{},
      data::AffinePair({.degrees = 90, .smallest = 0.9f, .largest = 1.1f}),
      data::GridPair{.nodes = 4, .deviation = static_cast<float>(patch.width) / 40},
      // Out of the middle: places near the rim came in from outside.
      [patch, wide](const data::ImageAndMask& x, ebb::RandomStream) {
        data::Places at({2, patch.height, patch.width});
        const auto out = at.mut();
        for (Index i = 0; i < patch.height; ++i)
          for (Index j = 0; j < patch.width; ++j) {
            out(0, i, j) = static_cast<float>((wide.width - patch.width) / 2 + j);
            out(1, i, j) = static_cast<float>((wide.height - patch.height) / 2 + i);
          }
        return data::ImageAndMask{data::warp(x.image, at), data::warp(x.mask, at)};
      },
      data::RandomContrast{0.8f, 1.25f}, data::RandomBrightness{0.05f}, normalize);
}

Account account_on(const Options& options, const ebb::models::UNet<>& net,
                   const data::MaskedImages& set, const Pixels& pixels) {
  data::Loader loader(
      set, {.batch_size = 1,
            .transform = data::ComposePairs(data::Normalize(pixels.mean, pixels.deviation))});
  std::vector<ImageAccount> images;
  for (const auto& [image, mask] : loader)
    images.push_back(account_of(set.names[images.size()],
                                predict_mask(net, image, options.threshold()),
                                ebb::reshape(mask, ebb::Shape<2>{mask.extent(1), mask.extent(2)})));
  return account_of(std::move(images), options.seed);
}

// What a file of weights says about itself, so that it can be used without this program: the
// U-Net's extents, how images are normalised, the value in the masks that its second class was
// (foreground), and from which probability of that class on a pixel belongs to it (threshold).
ModelFile describe(const Options& options, const Split& split, const Pixels& pixels) {
  ModelFile m;
  m.model = "unet";
  m.base = options.base;
  m.depth = options.depth;
  m.channels = split.training.channels();
  m.mean = pixels.mean;
  m.deviation = pixels.deviation;
  m.foreground = split.training.foreground;
  m.threshold = options.threshold();
  m.range = options.range;
  m.licence = options.licence;
  if (options.spacing) m.spacing = std::array{*options.spacing, *options.spacing};
  Fingerprint data;
  for (const auto* part : {&split.training, &split.validation}) {
    data.add(part->images);
    data.add(part->masks);
  }
  m.data = data.text();
  return m;
}

Pixels pixels_of(const data::MaskedImages& set) {
  PixelSums sums(set.channels());
  for (Index n = 0; n < set.size(); ++n) sums.add(set.image(n));
  return sums.pixels();
}

// How large images are that are of several sizes. Patches of the median size are cut out of small
// images with their borders mirrored outwards, and out of large ones from any place.
struct Extents {
  ebb::Size2 median;
  Index mean_area = 0;
};
Extents extents_of(const data::MaskedImages& set) {
  std::vector<Index> heights, widths;
  Extents extents;
  for (Index n = 0; n < set.size(); ++n) {
    heights.push_back(set.size_of(n).height);
    widths.push_back(set.size_of(n).width);
    extents.mean_area += set.size_of(n).area();
  }
  extents.mean_area /= set.size();
  const auto median = [](std::vector<Index>& all) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle;
  };
  extents.median = {median(heights), median(widths)};
  return extents;
}

// One Dice for each epoch, in a checkpoint.
std::string to_notes(const std::vector<double>& dices) {
  std::string text;
  for (const double dice : dices) text += exact(dice) + " ";
  return text;
}

}  // namespace

int train_and_account(const Options& options, const Split& split) {
  ebb::set_num_threads(options.threads);
  ebb::manual_seed(options.seed);
  const data::MaskedImages& set = split.training;
  ebb::models::UNet<> net({.channels = set.channels(),
                           .base = options.base,
                           .depth = options.depth,
                           .batch_norm = options.loaded ? options.loaded->batch_norm : true});
  const auto optimizer =
      make_optimizer(options.optimizer, Parameters(net), {.lr = options.lr, .weight_decay = 0.01});
  const double lr = optimizer->lr();

  // Patches halve as often as the network does, and an epoch's cover about as much as its images.
  // Weights go on with the normalisation that they learnt under.
  const Pixels pixels =
      options.loaded ? Pixels{options.loaded->mean, options.loaded->deviation} : pixels_of(set);
  const ModelFile model = describe(options, split, pixels);
  const Index unit = Index{1} << options.depth;
  const auto cut = [&](Index n) {
    return std::max(unit, std::min<Index>(options.patch, n) / unit * unit);
  };
  const Extents extents = extents_of(set);
  const ebb::Size2 patch{cut(extents.median.height), cut(extents.median.width)};
  const Index repeats = std::max<Index>(1, (extents.mean_area + patch.area() / 2) / patch.area());
  data::Loader training(set, {.batch_size = options.batch_size,
                              .repeats = repeats,
                              .shuffle = true,
                              .seed = options.seed,
                              .threads = std::min(4, ebb::num_threads()),
                              .transform = patches(options, patch, pixels)});

  Run run{ebb::message("U-Net of base ", options.base, " and depth ", options.depth, ", ",
                       optimizer->description(), ", one cycle of ", options.epochs,
                       " epochs, batch size ", options.batch_size, ", patches of ", patch,
                       ", seed ", options.seed, options.augment ? ", augmented" : "", ", ",
                       set.size(), " training images, foreground ", set.foreground,
                       data_settings(model.data, options.load))};
  std::vector<double> dices;
  const Begin begin = begin_run(options, run, net, net, *optimizer);
  require_weights(options, begin);
  if (begin == Begin::resumed) dices = exact_numbers(run.notes);

  const int done = static_cast<int>(run.epochs.size());
  if (done < options.epochs) {
    say("%s\n%s\n",
        to_string(ebb::nn::summary(net, ebb::Shape{1, set.channels(), patch.height, patch.width}))
            .c_str(),
        run.settings.c_str());
    auto csv = open_epochs(
        options.csv, {"epoch", "training_loss", "training_accuracy", "validation_dice"},
        run.epochs.size(), [&](ebb::CsvLog& table, std::size_t i) {
          table.row(run.epochs[i].epoch, run.epochs[i].loss, run.epochs[i].accuracy, dices.at(i));
        });
    catch_interrupts();
    const ebb::optim::OneCycleLr cycle{
        .max_lr = lr, .total_steps = options.epochs * static_cast<std::int64_t>(training.size())};
    std::int64_t step = done * static_cast<std::int64_t>(training.size());
    optimizer->set_lr(cycle.lr(step, 0));
    const auto loss = ebb::weighted_losses({1, 1}, ebb::dice_loss, ebb::CrossEntropy{});
    const auto history = ebb::fit(
        net, *optimizer, training, loss,
        {.epochs = options.epochs,
         .first_epoch = done + 1,
         .on_step = [&](const ebb::StepFacts&) { optimizer->set_lr(cycle.lr(++step, 0)); },
         .on_epoch =
             [&](const ebb::EpochFacts& e) {
               const auto& overlap = account_on(options, net, split.validation, pixels).overlap;
               dices.push_back(overlap.defined() ? overlap.dice() : 0);
               say("epoch %d/%d: loss %.4f, training accuracy %s, validation Dice %.4f, "
                   "%.1f s\n",
                   e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(), dices.back(), e.seconds);
               run.epochs.push_back(e);
               run.notes = to_notes(dices);
               if (csv) csv->row(e.epoch, e.loss, e.accuracy, dices.back());
               if (!options.resume.empty()) save_checkpoint(options.resume, net, *optimizer, run);
             },
         .interrupted = interrupted,
         .progress = quiet() ? nullptr : stderr});
    if (history.interrupted) return end_interrupted(options, run);
  }

  if (!options.save.empty()) {
    ebb::io::save(net, options.save, to_metadata(model));
    say("wrote %s\n", options.save.c_str());
  }
  const Account account = account_on(options, net, split.validation, pixels);
  say("\n%s\n", to_text(account).c_str());
  if (!options.report.empty()) write_report(options, split, run, dices, account);
  if (!account.overlap.defined())
    throw ebb::ValueError(
        "the validation images have no foreground, and none was found, so Dice is not defined");
  say_result("validation Dice: %.3f  IoU: %.3f\n", account.overlap.dice(), account.overlap.iou());
  return 0;
}
