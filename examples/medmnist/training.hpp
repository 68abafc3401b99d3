// Training, and the choice of the epoch that is kept.
#pragma once

#include "../common/checkpoint.hpp"
#include "../common/pixels.hpp"
#include "../common/program.hpp"
#include "../common/say.hpp"
#include "account.hpp"
#include "options.hpp"
#include "report.hpp"

#include <ebb/data/augment/augment.hpp>
#include <ebb/data/load/loader.hpp>
#include <ebb/explain/grad_cam.hpp>
#include <ebb/explain/overlay.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/optim/schedule/one_cycle.hpp>
#include <ebb/train/csv.hpp>

#include <filesystem>
#include <memory>

// Trains the network that the options name; returns the exit code of the program.
int train(const Options& options, const ebb::data::MedMnist& set);

// What is known of the network and its images; and, with what the validation images taught, what
// its file says, so that it can be used without this program.
ModelFile model_of(const Options& options, const ebb::data::MedMnist& set, const Pixels& pixels);
ebb::io::Metadata describe(ModelFile model, const Calibration& calibration);

// The epochs of the CSV file, and what is printed after each.
class EpochLog {
 public:
  EpochLog(const std::string& path, const std::vector<ebb::EpochFacts>& done,
           const std::vector<double>& aucs);
  void add(const ebb::EpochFacts& epoch, double auc, bool best);

 private:
  std::unique_ptr<ebb::CsvLog> csv_;
};

// The network in training, and as it was after its best epoch.
template <class Net>
struct Contest {
  Net now, best;
  std::vector<double> aucs{};  // on the validation images, one an epoch
  std::size_t best_epoch = 0;  // from 1; 0: none yet

  // The epoch with the largest area wins; of equals, the later one.
  bool enter(double auc) {
    aucs.push_back(auc);
    const bool wins = best_epoch == 0 || !(auc < aucs[best_epoch - 1]);
    if (wins) {
      best = now;
      best_epoch = aucs.size();
    }
    return wins;
  }

  std::string notes() const {
    std::string text = std::to_string(best_epoch);
    for (const double auc : aucs) text += " " + exact(auc);
    return text;
  }
  void read_notes(const std::string& text) {
    aucs = exact_numbers(text);
    const double best = aucs.empty() ? 0 : aucs.front();
    if (!aucs.empty()) aucs.erase(aucs.begin());
    if (!(best >= 0 && best <= static_cast<double>(aucs.size())))
      throw ebb::FileError("--resume: the checkpoint's record of its epochs cannot be read");
    best_epoch = static_cast<std::size_t>(best);
  }

  static void visit(auto& self, auto&& f) {
    f("now", self.now);
    f("best", self.best);
  }
};

// Draws the most convinced mistakes, side by side, under what spoke for the wrong class: Grad-CAM
// on the network's last part that still has an image. Nothing is drawn where there are none.
template <class Net>
void draw_reasons(const std::string& path, const Net& net, const char* part,
                  const ebb::data::Dataset<>& images, const ebb::Mistakes& mistakes,
                  const Pixels& pixels) {
  using ebb::Index;
  const auto count = std::min<Index>(8, static_cast<Index>(mistakes.kept().size()));
  if (count == 0) return;
  const Index channels = images.channels(), height = images.image_size().height,
              width = images.image_size().width, area = height * width;
  ebb::Tensor<float, 4> shown({count, channels, height, width}), seen(shown.shape());
  ebb::Tensor<int, 1> said({count});
  for (Index n = 0; n < count; ++n) {
    const auto& mistake = mistakes.kept()[static_cast<std::size_t>(n)];
    const auto image = images.image(mistake.index);
    said.mutable_data()[n] = mistake.predicted;
    for (Index i = 0; i < channels * area; ++i) {
      const auto c = static_cast<std::size_t>(i / area);
      const float v = static_cast<float>(image.data[i]) / 255;
      shown.mutable_data()[n * channels * area + i] = v;
      seen.mutable_data()[n * channels * area + i] = (v - pixels.mean[c]) / pixels.deviation[c];
    }
  }
  const auto heat = ebb::explain::grad_cam(net, seen, said, part);
  const Index gap = 2, across = count * (width + gap) - gap;
  std::vector<std::uint8_t> strip(static_cast<std::size_t>(3 * height * across), 255);
  for (Index n = 0; n < count; ++n) {
    const auto overlay = ebb::explain::overlay(shown, heat, n);
    for (Index i = 0; i < height; ++i)
      std::copy_n(overlay.pixels.begin() + 3 * i * width, 3 * width,
                  strip.begin() + 3 * (i * across + n * (width + gap)));
  }
  ebb::io::write_png(path, static_cast<int>(across), static_cast<int>(height), 3, strip);
}

// `last_image` is the name of the network's last part that still has an image.
template <class Make>
int train_and_test(const Options& options, const ebb::data::MedMnist& set, const char* last_image,
                   const Make& make) {
  using Net = decltype(make());
  namespace data = ebb::data;
  ebb::set_num_threads(options.threads);
  ebb::manual_seed(options.seed);
  Contest<Net> contest{make(), make()};
  Net& net = contest.now;
  const auto optimizer =
      make_optimizer(options.optimizer, Parameters(net), {.lr = options.lr, .weight_decay = 0.05});

  const double lr = optimizer->lr();  // a checkpoint has the rate of its step

  // Weights go on with the normalisation that they learnt under.
  const Pixels pixels = options.loaded ? Pixels{options.loaded->mean, options.loaded->deviation}
                                       : pixels_of(set.train.images());
  const ModelFile model = model_of(options, set, pixels);
  const data::Normalize normalize(pixels.mean, pixels.deviation);
  data::Transform shown = normalize;
  if (options.augment)
    shown = data::Compose(data::RandomCrop{set.train.image_size(), 2}, data::RandomHorizontalFlip(),
                          normalize);
  data::Loader training(set.train, {.batch_size = options.batch_size,
                                    .shuffle = true,
                                    .seed = options.seed,
                                    .transform = shown});
  // As many at a time as have the pixels of 250 images of 56 x 56: networks take memory for each.
  const ebb::Index at_a_time =
      std::clamp<ebb::Index>(250 * 56 * 56 / set.train.image_size().area(), 1, 250);
  data::Loader validation(set.validation, {.batch_size = at_a_time, .transform = normalize});
  data::Loader test(set.test, {.batch_size = at_a_time, .transform = normalize});
  const std::vector<std::string>& classes = set.train.classes();

  Run run{ebb::message(options.model, ", ", optimizer->description(), ", one cycle of ",
                       options.epochs, " epochs, batch size ", options.batch_size, ", seed ",
                       options.seed, options.augment ? ", augmented" : "", ", ", set.train.size(),
                       " training images", data_settings(model.data, options.load))};
  const Begin begin = begin_run(options, run, contest, net, *optimizer);
  require_weights(options, begin);
  if (begin == Begin::resumed) contest.read_notes(run.notes);
  if (begin == Begin::loaded) contest.best = net;

  const int done = static_cast<int>(run.epochs.size());
  if (done < options.epochs) {
    say("%s\n%s\n",
        to_string(
            ebb::nn::summary(net, ebb::Shape{1, set.train.channels(), set.train.image_size().height,
                                             set.train.image_size().width}))
            .c_str(),
        run.settings.c_str());
    EpochLog log(options.csv, run.epochs, contest.aucs);
    catch_interrupts();

    // One cycle of the learning rate over the whole run: a function of the step alone.
    const ebb::optim::OneCycleLr cycle{
        .max_lr = lr, .total_steps = options.epochs * static_cast<std::int64_t>(training.size())};
    std::int64_t step = done * static_cast<std::int64_t>(training.size());
    optimizer->set_lr(cycle.lr(step, 0));
    Answers answers(classes);
    const auto history =
        ebb::fit(net, *optimizer, training,
                 {.epochs = options.epochs,
                  .first_epoch = done + 1,
                  .validate =
                      [&] {
                        answers = Answers(classes);
                        return ebb::evaluate(net, validation, answers);
                      },
                  .on_step = [&](const ebb::StepFacts&) { optimizer->set_lr(cycle.lr(++step, 0)); },
                  .on_epoch =
                      [&](const ebb::EpochFacts& e) {
                        const double auc = answers.mean_auc();
                        const bool best = contest.enter(auc);
                        run.epochs.push_back(e);
                        run.notes = contest.notes();
                        log.add(e, auc, best);
                        if (!options.resume.empty())
                          save_checkpoint(options.resume, contest, *optimizer, run);
                      },
                  .interrupted = interrupted,
                  .progress = quiet() ? nullptr : stderr});
    if (history.interrupted) return end_interrupted(options, run);
    say("kept: epoch %zu, the best on the validation images\n", contest.best_epoch);
  }

  Answers tried(classes);
  ebb::evaluate(contest.best, validation, tried);
  // Nothing learnt, nothing calibrated: the file's own temperature and sets are what is tested.
  const bool as_it_is = options.epochs == 0 && options.loaded && options.loaded->temperature &&
                        options.loaded->conformal_threshold;
  const Calibration calibration =
      as_it_is ? calibration_of(*options.loaded, tried) : calibrate(tried);
  if (!options.save.empty()) {
    ebb::io::save(contest.best, options.save, describe(model, calibration));
    say("wrote %s\n", options.save.c_str());
  }
  Answers answers(classes);
  ebb::Mistakes mistakes(40, -pixels.mean[0] / pixels.deviation[0],
                         (1 - pixels.mean[0]) / pixels.deviation[0]);
  ebb::evaluate(contest.best, test, answers, mistakes);
  const auto positive = positive_class(options, classes);
  const Account account = account_of(answers, positive, options.seed);
  say("%s\n\n%s\n", to_text(calibration).c_str(), to_text(account, positive).c_str());
  if (!options.report.empty()) {
    draw_reasons(options.report + "/reasons.png", contest.best, last_image, set.test, mistakes,
                 pixels);
    write_report(options, run, contest.aucs, answers, account, calibration, mistakes);
  }
  say_result("test AUC: %s  accuracy: %.3f\n", to_text(account.auc).c_str(),
             account.confusion.accuracy());
  return 0;
}
