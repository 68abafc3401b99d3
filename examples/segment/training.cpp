#include "training.hpp"

#include "../common/checkpoint.hpp"
#include "../common/masks.hpp"
#include "../common/pixels.hpp"
#include "../common/program.hpp"
#include "account.hpp"
#include "report.hpp"

#include <ebb/data/pair_loader.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/ops/loss/dice_loss.hpp>
#include <ebb/ops/loss/weighted_losses.hpp>
#include <ebb/optim/schedule/one_cycle.hpp>
#include <ebb/train/csv.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

namespace data = ebb::data;
using ebb::Index;

namespace {

// Patches, moved and deformed together with their masks; a margin around them lets turns bring in
// what is there, not its mirror image.
data::PairTransform patches(const Options& options, ebb::Size2 patch, const Pixels& pixels) {
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
  data::PairLoader loader(
      set, {.batch_size = 1,
            .transform = data::ComposePairs(data::Normalize(pixels.mean, pixels.deviation))});
  std::vector<ImageAccount> images;
  for (const auto& [image, mask] : loader)
    images.push_back(account_of(set.names[images.size()], predict_mask(net, image),
                                ebb::reshape(mask, ebb::Shape<2>{mask.extent(1), mask.extent(2)})));
  return account_of(std::move(images), options.seed);
}

// What a file of weights says about itself, so that it can be used without this program: the
// U-Net's extents, how images are normalised, the value in the masks that its second class was
// (foreground), and from which probability of that class on a pixel belongs to it (threshold).
ebb::io::Metadata describe(const Options& options, const Split& split, const Pixels& pixels) {
  return {{"model", "unet"},
          {"base", std::to_string(options.base)},
          {"depth", std::to_string(options.depth)},
          {"channels", std::to_string(split.training.channels())},
          {"classes", "background,foreground"},
          {"mean", joined(pixels.mean)},
          {"deviation", joined(pixels.deviation)},
          {"foreground", std::to_string(split.training.foreground)},
          {"threshold", "0.5"}};
}

// One Dice for each epoch, in a checkpoint.
std::string to_notes(const std::vector<double>& dices) {
  std::string text;
  for (const double dice : dices) {
    char number[32];
    std::snprintf(number, sizeof number, "%.17g ", dice);
    text += number;
  }
  return text;
}
std::vector<double> from_notes(const std::string& notes) {
  std::vector<double> dices;
  std::istringstream words(notes);
  for (double dice = 0; words >> dice;) dices.push_back(dice);
  return dices;
}

}  // namespace

int train_and_account(const Options& options, const Split& split) {
  require_writable("--save", options.save);
  require_writable("--csv", options.csv);
  require_writable("--resume", options.resume);
  make_folder("--report", options.report);
  ebb::set_num_threads(options.threads);
  ebb::manual_seed(options.seed);
  const data::MaskedImages& set = split.training;
  ebb::models::UNet<> net(
      {.channels = set.channels(), .base = options.base, .depth = options.depth});
  const auto optimizer =
      make_optimizer(options.optimizer, Parameters(net), {.lr = options.lr, .weight_decay = 0.01});
  const double lr = optimizer->lr();

  // Patches halve as often as the network does, and an epoch's cover about as much as its images.
  const Pixels pixels = pixels_of(set.images);
  const Index unit = Index{1} << options.depth;
  const auto cut = [&](Index n) {
    return std::max(unit, std::min<Index>(options.patch, n) / unit * unit);
  };
  const ebb::Size2 size = set.image_size(), patch{cut(size.height), cut(size.width)};
  const Index repeats = std::max<Index>(1, (size.area() + patch.area() / 2) / patch.area());
  data::PairLoader training(set, {.batch_size = options.batch_size,
                                  .repeats = repeats,
                                  .shuffle = true,
                                  .seed = options.seed,
                                  .transform = patches(options, patch, pixels)});

  Run run{ebb::message("U-Net of base ", options.base, " and depth ", options.depth, ", ",
                       optimizer->description(), ", one cycle of ", options.epochs,
                       " epochs, batch size ", options.batch_size, ", patches of ", patch,
                       ", seed ", options.seed, options.augment ? ", augmented" : "", ", ",
                       set.size(), " training images, foreground ", set.foreground)};
  std::vector<double> dices;
  std::error_code ignored;
  if (!options.resume.empty() && std::filesystem::exists(options.resume, ignored)) {
    run = load_checkpoint(options.resume, net, *optimizer, run.settings);
    dices = from_notes(run.notes);
    std::printf("resuming %s after epoch %zu\n", options.resume.c_str(), run.epochs.size());
  } else if (!options.load.empty()) {
    ebb::io::load(net, options.load);
    std::printf("starting from the weights in %s\n", options.load.c_str());
  } else if (options.epochs == 0) {
    throw ebb::ValueError("--epochs 0 needs weights to test: give --load FILE");
  }

  const int done = static_cast<int>(run.epochs.size());
  if (done < options.epochs) {
    std::printf(
        "%s\n%s\n",
        to_string(ebb::nn::summary(net, ebb::Shape{1, set.channels(), patch.height, patch.width}))
            .c_str(),
        run.settings.c_str());
    std::fflush(stdout);
    std::optional<ebb::CsvLog> csv;
    if (!options.csv.empty())
      csv.emplace(options.csv,
                  std::vector<std::string>{"epoch", "training_loss", "training_accuracy",
                                           "validation_dice"},
                  ebb::CsvOptions{done});
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
               std::printf(
                   "epoch %d/%d: loss %.4f, training accuracy %s, validation Dice %.4f, "
                   "%.1f s\n",
                   e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(), dices.back(), e.seconds);
               std::fflush(stdout);
               run.epochs.push_back(e);
               run.notes = to_notes(dices);
               if (csv) csv->row(e.epoch, e.loss, e.accuracy, dices.back());
               if (!options.resume.empty()) save_checkpoint(options.resume, net, *optimizer, run);
             },
         .interrupted = interrupted,
         .progress = stderr});
    if (history.interrupted) {
      std::printf("interrupted in epoch %zu; %s\n", run.epochs.size() + 1,
                  options.resume.empty()
                      ? "nothing was saved (with --resume FILE, a run can be continued)"
                      : "the same command continues after the last whole epoch");
      return 130;
    }
  }

  if (!options.save.empty()) {
    ebb::io::save(net, options.save, describe(options, split, pixels));
    std::printf("wrote %s\n", options.save.c_str());
  }
  const Account account = account_on(options, net, split.validation, pixels);
  std::printf("\n%s\n", to_text(account).c_str());
  if (!options.report.empty()) write_report(options, split, run, dices, account);
  if (!account.overlap.defined())
    throw ebb::ValueError(
        "the validation images have no foreground, and none was found, so Dice is not defined");
  std::printf("validation Dice: %.3f  IoU: %.3f\n", account.overlap.dice(), account.overlap.iou());
  return 0;
}
