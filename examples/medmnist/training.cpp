#include "training.hpp"

#include "../common/epoch_table.hpp"
#include "../common/provenance.hpp"

ModelFile model_of(const Options& options, const ebb::data::MedMnist& set, const Pixels& pixels) {
  ModelFile m;
  m.model = options.model;
  m.channels = set.train.channels();
  m.mean = pixels.mean;
  m.deviation = pixels.deviation;
  m.classes = set.train.classes();
  m.height = set.train.image_size().height;
  m.width = set.train.image_size().width;
  m.fit = fit_of(options);
  m.spacing = options.loaded ? options.loaded->spacing : std::nullopt;
  m.range = options.range;
  m.positive = options.positive;
  m.licence = options.licence;
  m.data = Fingerprint::of(set.train, set.validation, set.test);
  return m;
}

ebb::io::Metadata describe(ModelFile m, const Calibration& calibration) {
  m.temperature = calibration.temperature;
  m.conformal_coverage = calibration.coverage;
  m.conformal_threshold = calibration.threshold;
  return to_metadata(m);
}

EpochLog::EpochLog(const std::string& path, const std::vector<ebb::EpochFacts>& done,
                   const std::vector<double>& aucs)
    : csv_(open_epochs(path,
                       {"epoch", "training_loss", "training_accuracy", "validation_loss",
                        "validation_accuracy", "validation_auc"},
                       done.size(), [&](ebb::CsvLog& table, std::size_t i) {
                         if (i < aucs.size())
                           table.row(done[i].epoch, done[i].loss, done[i].accuracy,
                                     done[i].validation->loss, done[i].validation->accuracy(),
                                     aucs[i]);
                       })) {}

void EpochLog::add(const ebb::EpochFacts& e, double auc, bool best) {
  say("epoch %d/%d: loss %.4f, training accuracy %s, validation AUC %.4f%s, %.1f s "
      "(%.0f images/s)\n",
      e.epoch, e.epochs, e.loss, percent(e.accuracy).c_str(), auc, best ? " (best)" : "", e.seconds,
      static_cast<double>(e.samples) / e.seconds);
  if (csv_)
    csv_->row(e.epoch, e.loss, e.accuracy, e.validation->loss, e.validation->accuracy(), auc);
}
