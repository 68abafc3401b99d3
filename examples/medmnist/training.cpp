#include "training.hpp"

ebb::io::Metadata describe(const Options& options, const ebb::data::MedMnist& set,
                           const Pixels& pixels, const Calibration& calibration) {
  ebb::io::Metadata metadata{{"model", options.model},
                             {"classes", joined(set.train.classes())},
                             {"mean", joined(pixels.mean)},
                             {"deviation", joined(pixels.deviation)},
                             {"channels", std::to_string(set.train.channels())},
                             {"height", std::to_string(set.train.image_size().height)},
                             {"width", std::to_string(set.train.image_size().width)},
                             {"temperature", digits(calibration.temperature)},
                             {"conformal_coverage", digits(Calibration::coverage)},
                             {"conformal_threshold", digits(calibration.threshold)}};
  if (!options.positive.empty()) metadata["positive"] = options.positive;
  return metadata;
}

EpochLog::EpochLog(const std::string& path, const std::vector<ebb::EpochFacts>& done,
                   const std::vector<double>& aucs) {
  if (path.empty()) return;
  std::error_code ignored;
  const bool keep = !done.empty() && std::filesystem::exists(path, ignored);
  csv_.emplace(path,
               std::vector<std::string>{"epoch", "training_loss", "training_accuracy",
                                        "validation_loss", "validation_accuracy", "validation_auc"},
               ebb::CsvOptions{keep ? static_cast<ebb::Index>(done.size()) : 0});
  if (keep) return;
  for (std::size_t i = 0; i < done.size() && i < aucs.size(); ++i)
    csv_->row(done[i].epoch, done[i].loss, done[i].accuracy, done[i].validation->loss,
              done[i].validation->accuracy(), aucs[i]);
}

void EpochLog::add(const ebb::EpochFacts& e, double auc, bool best) {
  std::printf(
      "epoch %d/%d: loss %.4f, training accuracy %s, validation AUC %.4f%s, %.1f s "
      "(%.0f images/s)\n",
      e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(), auc, best ? " (best)" : "", e.seconds,
      static_cast<double>(e.samples) / e.seconds);
  std::fflush(stdout);
  if (csv_)
    csv_->row(e.epoch, e.loss, e.accuracy, e.validation->loss, e.validation->accuracy(), auc);
}
