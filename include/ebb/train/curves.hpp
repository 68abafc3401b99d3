/// \file
/// The course of a training run as a picture.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/train/fit.hpp>
#include <ebb/train/plot.hpp>

namespace ebb::inline EBB_ABI::plot {

/// Loss and, for classifiers, accuracy over the epochs; of the training data and, where there was
/// one, of the validation.
inline void curves(const std::string& path, const std::vector<EpochFacts>& epochs,
                   const std::string& validation_name = "validation") {
  if (epochs.empty()) throw ValueError(message("plot: ", path, ": there is no epoch to draw"));
  Line train_loss{"training", {}, {}, true, false}, loss{validation_name, {}, {}, true, false};
  Line train_accuracy = train_loss, accuracy = loss;
  for (const EpochFacts& e : epochs) {
    const auto number = static_cast<double>(e.epoch);
    train_loss.x.push_back(number);
    train_loss.y.push_back(e.loss);
    if (math::is_finite(e.accuracy)) {
      train_accuracy.x.push_back(number);
      train_accuracy.y.push_back(100 * e.accuracy);
    }
    if (e.validation) {
      loss.x.push_back(number);
      loss.y.push_back(e.validation->loss);
      if (math::is_finite(e.accuracy)) {
        accuracy.x.push_back(number);
        accuracy.y.push_back(100 * e.validation->accuracy());
      }
    }
  }
  const Range x{epochs.front().epoch - 0.25, epochs.back().epoch + 0.25};
  const auto lines = [](const Line& train, const Line& validation) {
    return validation.x.empty() ? std::vector{train} : std::vector{train, validation};
  };
  std::vector<Panel> all{{{.title = "Loss",
                           .x = "epoch",
                           .y = "mean cross entropy",
                           .x_range = x,
                           .whole_x = epochs.size() < 12},
                          lines(train_loss, loss)}};
  if (!train_accuracy.x.empty())
    all.push_back({{.title = "Accuracy",
                    .x = "epoch",
                    .y = "% right",
                    .x_range = x,
                    .key_below = true,
                    .whole_x = epochs.size() < 12},
                   lines(train_accuracy, accuracy)});
  panels(path, all, all.size() > 1 ? 1040 : 560);
}

}  // namespace ebb::plot
