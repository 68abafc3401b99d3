// Training and testing, on any device. A backend says what differs:
//
//     Backend::Device                          where the network lives
//     Backend::loader(images, options)         batches there; the options are BatchOptions
//     Backend::fit(net, optimizer, loader, options)
//     Backend::settings(options)               of the bits of the result, for its checkpoint
#pragma once

#include "training.hpp"

#include "../common/checkpoint.hpp"
#include "../common/program.hpp"
#include "network.hpp"
#include "pictures.hpp"

#include <ebb/data/transforms.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/train/csv.hpp>
#include <ebb/train/fit.hpp>

#include <cstdio>
#include <filesystem>

namespace {

// Mean and standard deviation of MNIST's training pixels, from 0 to 1.
constexpr float mean = 0.1307f, deviation = 0.3081f;

struct BatchOptions {
  ebb::Index batch_size;
  bool shuffle = false;
  std::uint64_t seed = 0;
  ebb::data::Normalize normalize{mean, deviation};
};

// The epochs of a CSV file: those of a resumed run stay, or are written again from its checkpoint.
class Log {
 public:
  Log(const std::string& path, const std::vector<ebb::EpochFacts>& done) {
    if (path.empty()) return;
    std::error_code ignored;
    const bool keep = !done.empty() && std::filesystem::exists(path, ignored);
    csv_.emplace(path,
                 std::vector<std::string>{"epoch", "lr", "training_loss", "training_accuracy",
                                          "test_loss", "test_accuracy", "seconds"},
                 ebb::CsvOptions{keep ? static_cast<ebb::Index>(done.size()) : 0});
    if (!keep)
      for (const auto& e : done) row(e, "");
  }
  void row(const ebb::EpochFacts& e) { row(e, e.seconds); }

 private:
  template <class Seconds>
  void row(const ebb::EpochFacts& e, const Seconds& seconds) {
    if (csv_)
      csv_->row(e.epoch, e.lr, e.loss, e.accuracy, e.validation->loss, e.validation->accuracy(),
                seconds);
  }
  std::optional<ebb::CsvLog> csv_;
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

}  // namespace

template <class Backend>
int train_and_test_with(const Options& options, const Source& source) {
  using Device = typename Backend::Device;
  const auto& training = source.images.train;
  const auto& test = source.images.test;
  for (const auto* part : {&training, &test})
    if (part->size() == 0 || part->channels() != 1 || !(part->image_size() == ebb::Size2(28)) ||
        part->class_count() > 10)
      throw ebb::ValueError(ebb::message(
          "this network takes grey images of 28x28 pixels in up to 10 "
          "classes; there are ",
          part->size(), " of ", part->image_size(), " in ", part->class_count(), " classes"));
  require_writable("--save", options.save);
  require_writable("--csv", options.csv);
  require_writable("--resume", options.resume);
  make_folder("--plots", options.plots);

  ebb::set_num_threads(options.threads);
  ebb::manual_seed(options.seed);
  Cnn<Device> net;
  const auto optimizer = make_optimizer(options.optimizer, Parameters<Device>(net),
                                        {.lr = options.lr, .momentum = options.momentum});

  auto train_loader = Backend::loader(
      training, {.batch_size = options.batch_size, .shuffle = true, .seed = options.seed});
  auto test_loader = Backend::loader(test, {.batch_size = 250});

  // Where the run starts: fresh, from weights, or where an earlier one was interrupted.
  Run run{ebb::message(optimizer->description(), ", batch size ", options.batch_size, ", seed ",
                       options.seed, ", ", training.size(), " training images",
                       Backend::settings(options)),
          {}};
  std::error_code ignored;
  const bool resumes = !options.resume.empty() && std::filesystem::exists(options.resume, ignored);
  if (resumes && options.eval_only) {
    load_checkpoint_weights(options.resume, net);
  } else if (resumes) {
    run = load_checkpoint(options.resume, net, *optimizer, run.settings);
    std::printf("resuming %s after epoch %zu\n", options.resume.c_str(), run.epochs.size());
  } else if (!options.load.empty()) {
    ebb::io::load(net, options.load);
    std::printf("starting from the weights in %s\n", options.load.c_str());
  } else if (options.eval_only) {
    throw ebb::FileError(ebb::message("--eval-only: there is no checkpoint ", options.resume));
  }

  ebb::Evaluation result;
  std::optional<Pictures> pictures;
  const auto evaluate = [&] {
    if (!options.plots.empty())
      pictures.emplace(test.classes().size() == 10 ? test.classes() : training.classes(), mean,
                       deviation);
    Shown shown{pictures};
    return result = ebb::evaluate(net, test_loader, shown);
  };

  const int done = static_cast<int>(run.epochs.size());
  if (options.eval_only || done >= options.epochs) {
    evaluate();
  } else {
    std::printf("%s\n%s\n",
                to_string(ebb::nn::summary<float, Device>(net, ebb::Shape{1, 1, 28, 28})).c_str(),
                run.settings.c_str());
    std::fflush(stdout);
    train_loader.set_epoch(static_cast<std::uint64_t>(done));
    Log log(options.csv, run.epochs);
    catch_interrupts();

    const auto history = Backend::fit(
        net, *optimizer, train_loader,
        {.epochs = options.epochs,
         .first_epoch = done + 1,
         .validate = evaluate,
         .on_epoch =
             [&](const ebb::EpochFacts& e) {
               std::printf(
                   "epoch %d/%d: loss %.4f, training accuracy %s, test accuracy %s, %.1f s "
                   "(%.0f images/s)\n",
                   e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(),
                   percent(result.accuracy()).c_str(), e.seconds,
                   static_cast<double>(e.samples) / e.seconds);
               std::fflush(stdout);
               run.epochs.push_back(e);
               log.row(e);
               if (!options.resume.empty()) save_checkpoint(options.resume, net, *optimizer, run);
             },
         .interrupted = interrupted,
         .progress = stderr});
    if (history.interrupted) {
      std::printf("interrupted in epoch %zu; ", run.epochs.size() + 1);
      if (options.resume.empty())
        std::printf("nothing was saved (with --resume FILE, a run can be continued)\n");
      else if (run.epochs.empty())
        std::printf("no epoch was finished, so there is no checkpoint\n");
      else
        std::printf("the same command continues after epoch %zu\n", run.epochs.size());
      return 130;
    }
  }

  if (!options.eval_only && !options.save.empty()) {
    ebb::io::save(net, options.save);
    std::printf("wrote %s\n", options.save.c_str());
  }
  if (!options.plots.empty()) pictures->write(options.plots, run.epochs);
  std::printf("test accuracy: %s (%td/%td)\n", percent(result.accuracy()).c_str(), result.correct,
              result.count);
  return 0;
}
