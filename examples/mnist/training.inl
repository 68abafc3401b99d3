// Training and testing, on any device. A backend says what differs:
//
//     Backend::Device                          where the network lives
//     Backend::loader(images, options)         batches there; the options are BatchOptions
//     Backend::fit(net, optimizer, loader, options)
//     Backend::settings(options)               of the bits of the result, for its checkpoint
#pragma once

#include "training.hpp"

#include "../common/checkpoint.hpp"
#include "../common/epoch_table.hpp"
#include "../common/model_file.hpp"
#include "../common/pixels.hpp"
#include "../common/program.hpp"
#include "../common/provenance.hpp"
#include "../common/say.hpp"
#include "network.hpp"
#include "pictures.hpp"

#include <ebb/data/augment/transforms.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/train/fit.hpp>

#include <filesystem>

namespace {

struct BatchOptions {
  ebb::Index batch_size;
  bool shuffle = false;
  std::uint64_t seed = 0;
  ebb::data::Normalize normalize;
};

// Hands tested batches to the pictures, if there are to be any.
struct Shown {
  std::optional<Pictures>& pictures;
  void add(const auto& images, const auto& logits, const auto& labels) {
    if (pictures)
      pictures->add(ebb::to<ebb::Cpu>(images), ebb::to<ebb::Cpu>(logits),
                    ebb::to<ebb::Cpu>(labels));
  }
};

// A row of the table of epochs; a checkpoint does not know how long an epoch took.
template <class Seconds>
void add_row(ebb::CsvLog& table, const ebb::EpochFacts& e, const Seconds& seconds) {
  table.row(e.epoch, e.lr, e.loss, e.accuracy, e.validation->loss, e.validation->accuracy(),
            seconds);
}

// What the file of weights is to say: what the one of --load says, where it says something, else
// MNIST's mean and deviation.
inline ModelFile model_of(const Options& options, const Source& source) {
  ModelFile m;
  m.model = "mnist";
  m.mean = {0.1307f};
  m.deviation = {0.3081f};
  m.classes = source.images.train.classes();
  for (std::size_t c = m.classes.size(); c < 10; ++c) m.classes.push_back(std::to_string(c));
  if (const auto loaded = model_to_load(options.load)) {
    require_model(*loaded, {"mnist"}, 1);
    if (loaded->classes != m.classes)
      say_warning("%s calls its classes %s, and these images are of %s\n", options.load.c_str(),
                  joined(loaded->classes).c_str(), joined(m.classes).c_str());
    m.mean = loaded->mean;
    m.deviation = loaded->deviation;
    m.licence = loaded->licence;
  }
  if (!options.licence.empty()) m.licence = options.licence;
  m.height = m.width = 28;
  m.data = Fingerprint::of(source.images.train, source.images.test);
  return m;
}

}  // namespace

template <class Backend>
int train_and_test_with(const Options& options, const Source& source) {
  using Device = typename Backend::Device;
  const auto& training = source.images.train;
  const auto& test = source.images.test;
  require_images(source);
  for (const auto* part : {&training, &test})
    if (part->channels() != 1 || !(part->image_size() == ebb::Size2(28)) ||
        part->class_count() > 10)
      throw ebb::ValueError(ebb::message(
          "this network takes grey images of 28x28 pixels in up to 10 "
          "classes; there are ",
          part->size(), " of ", part->image_size(), " in ", part->class_count(), " classes"));
  ebb::set_num_threads(options.threads);
  ebb::manual_seed(options.seed);
  Cnn<Device> net;
  const ModelFile model = model_of(options, source);
  const float mean = model.mean[0], deviation = model.deviation[0];
  const ebb::data::Normalize normalize(mean, deviation);
  const auto optimizer = make_optimizer(options.optimizer, Parameters<Device>(net),
                                        {.lr = options.lr, .momentum = options.momentum});

  auto train_loader = Backend::loader(training, {.batch_size = options.batch_size,
                                                 .shuffle = true,
                                                 .seed = options.seed,
                                                 .normalize = normalize});
  auto test_loader = Backend::loader(test, {.batch_size = 250, .normalize = normalize});

  // Where the run starts: fresh, from weights, or where an earlier one was interrupted.
  Run run{ebb::message(optimizer->description(), ", batch size ", options.batch_size, ", seed ",
                       options.seed, ", ", training.size(), " training images",
                       Backend::settings(options), data_settings(model.data, options.load)),
          {}};
  if (options.eval_only && has_checkpoint(options))
    load_checkpoint_weights(options.resume, net);
  else if (options.eval_only && options.load.empty())
    throw ebb::FileError(ebb::message("--eval-only: there is no checkpoint ", options.resume));
  else
    begin_run(options, run, net, net, *optimizer);

  ebb::Evaluation result;
  std::optional<Pictures> pictures;
  const auto evaluate = [&] {
    if (!options.report.empty())
      pictures.emplace(test.classes().size() == 10 ? test.classes() : training.classes(), mean,
                       deviation);
    Shown shown{pictures};
    return result = ebb::evaluate(net, test_loader, shown);
  };

  const int done = static_cast<int>(run.epochs.size());
  if (options.eval_only || done >= options.epochs) {
    evaluate();
  } else {
    say("%s\n%s\n",
        to_string(ebb::nn::summary<float, Device>(net, ebb::Shape{1, 1, 28, 28})).c_str(),
        run.settings.c_str());
    train_loader.set_epoch(static_cast<std::uint64_t>(done));
    auto table = open_epochs(
        options.csv,
        {"epoch", "lr", "training_loss", "training_accuracy", "test_loss", "test_accuracy",
         "seconds"},
        run.epochs.size(), [&](ebb::CsvLog& to, std::size_t i) { add_row(to, run.epochs[i], ""); });
    catch_interrupts();

    const auto history = Backend::fit(
        net, *optimizer, train_loader,
        {.epochs = options.epochs,
         .first_epoch = done + 1,
         .validate = evaluate,
         .on_epoch =
             [&](const ebb::EpochFacts& e) {
               say("epoch %d/%d: loss %.4f, training accuracy %s, test accuracy %s, %.1f s "
                   "(%.0f images/s)\n",
                   e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(),
                   percent(result.accuracy()).c_str(), e.seconds,
                   static_cast<double>(e.samples) / e.seconds);
               run.epochs.push_back(e);
               if (table) add_row(*table, e, e.seconds);
               if (!options.resume.empty()) save_checkpoint(options.resume, net, *optimizer, run);
             },
         .interrupted = interrupted,
         .progress = quiet() ? nullptr : stderr});
    if (history.interrupted) return end_interrupted(options, run);
  }

  if (!options.eval_only && !options.save.empty()) {
    ebb::io::save(net, options.save, to_metadata(model));
    say("wrote %s\n", options.save.c_str());
  }
  if (!options.report.empty())
    pictures->write(options.report, options.command, run.epochs,
                    {{"images", source.name},
                     {"settings, with the CRC-32 of the data", run.settings},
                     {"ebb", library_version()},
                     {"seed", std::to_string(options.seed)},
                     {"compiler", __VERSION__},
                     {"date", today()}});
  say_result("test accuracy: %s (%td/%td)\n", percent(result.accuracy()).c_str(), result.correct,
             result.count);
  return 0;
}
