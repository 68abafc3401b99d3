#include "training.hpp"

#include <charconv>
#include <cmath>
#include <type_traits>

Pixels pixels_of(const ebb::data::Dataset<>& images) {
  Pixels pixels;
  const ebb::Index channels = images.channels();
  for (ebb::Index c = 0; c < channels; ++c) {
    double sum = 0, squares = 0, count = 0;
    for (ebb::Index n = 0; n < images.size(); ++n) {
      const auto image = images.image(n);
      const ebb::Index area = image.extent(1) * image.extent(2);
      for (ebb::Index i = 0; i < area; ++i) {
        const double x = image.data[c * area + i] / 255.0;
        sum += x;
        squares += x * x;
      }
      count += static_cast<double>(area);
    }
    const double mean = sum / count, variance = squares / count - mean * mean;
    if (!(variance > 1e-12))
      throw ebb::ValueError(ebb::message("--data: channel ", c,
                                         " of the training images is the same everywhere; "
                                         "there is nothing to learn from"));
    pixels.mean.push_back(static_cast<float>(mean));
    pixels.deviation.push_back(static_cast<float>(std::sqrt(variance)));
  }
  return pixels;
}

ebb::io::Metadata describe(const Options& options, const ebb::data::MedMnist& set,
                           const Pixels& pixels, const Calibration& calibration) {
  const auto text_of = [](const auto& x) {
    if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(x)>>) {
      char digits[32];  // the shortest that read back as the same number
      return std::string(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);
    } else {
      return x;
    }
  };
  const auto joined = [&](const auto& list) {
    std::string text;
    for (const auto& x : list) text += (text.empty() ? "" : ",") + text_of(x);
    return text;
  };
  ebb::io::Metadata metadata{{"model", options.model},
                             {"classes", joined(set.train.classes())},
                             {"mean", joined(pixels.mean)},
                             {"deviation", joined(pixels.deviation)},
                             {"channels", std::to_string(set.train.channels())},
                             {"height", std::to_string(set.train.image_size().height)},
                             {"width", std::to_string(set.train.image_size().width)},
                             {"temperature", text_of(calibration.temperature)},
                             {"conformal_coverage", text_of(Calibration::coverage)},
                             {"conformal_threshold", text_of(calibration.threshold)}};
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
