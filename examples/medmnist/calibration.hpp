// What the validation images teach about how far to believe the network.
#pragma once

#include "../common/model_file.hpp"
#include "account.hpp"

class Page;

// Fitted on the validation images alone. The epoch was chosen on the same images, and temperature
// and threshold share them, so the coverage that is promised holds approximately: look at what the
// test images say of it.
struct Calibration {
  double coverage = 0.9;
  std::string source;  // a file that it comes from; empty: it was fitted now
  double temperature = 1;
  std::string why_not;   // why no temperature was fitted; empty where one was
  double threshold = 0;  // a class is in the conformal set when 1 - its probability is at most this
  double referral = 0;   // an answer stands when its probability is at least this
  static constexpr double most_risk = 0.1;  // among answers that stand
  std::size_t images = 0;
};

Calibration calibrate(const Answers& validation);

// What a file of weights says; the threshold of referral it does not keep is fitted.
Calibration calibration_of(const ModelFile& file, const Answers& validation);

// One line of it.
std::string to_text(const Calibration& calibration);

// The sections of the report: reliability, conformal sets, referral, precision and recall.
void report_certainty(Page& page, const std::string& folder, const Calibration& calibration,
                      const Answers& test, std::uint64_t seed);
