#include "plots.hpp"

#include <ebb/core/number.hpp>

#include <algorithm>
#include <cmath>

namespace plot = ebb::plot;

namespace {

std::string figure(double x) { return ebb::detail::fixed(x, 3); }

// "0.61 in epoch 1, 0.12 in epoch 15, least 0.11 in epoch 13".
std::string in_words(const plot::Line& line, bool least) {
  if (line.y.empty()) return "nothing";
  const auto best = least ? std::min_element(line.y.begin(), line.y.end())
                          : std::max_element(line.y.begin(), line.y.end());
  const auto at = [&](std::size_t i) {
    return ebb::message(figure(line.y[i]), " in epoch ", static_cast<int>(line.x[i]));
  };
  return ebb::message(at(0), ", ", at(line.y.size() - 1), ", ", least ? "least " : "most ",
                      at(static_cast<std::size_t>(best - line.y.begin())));
}

plot::Axes by_epoch(const std::string& title, std::size_t epochs) {
  plot::Axes axes{title, "epoch", ""};
  axes.whole_x = epochs < 12;
  axes.width = 480;
  axes.height = 340;
  return axes;
}

}  // namespace

plot::Axes square(const char* title, const char* x, const char* y) {
  plot::Axes axes{title, x, y};
  axes.x_range = axes.y_range = {0, 1};
  axes.width = 480;
  axes.height = 440;
  axes.key_below = true;
  return axes;
}

void show_course(Page& page, const std::string& folder, const std::vector<ebb::EpochFacts>& epochs,
                 const std::string& validation_name) {
  for (const bool loss : {true, false}) {
    plot::Line training{"training"}, validation{validation_name};
    training.dots = validation.dots = true;
    validation.dashed = true;  // told apart without colours
    for (const auto& e : epochs) {
      const double one = loss ? e.loss : 100 * e.accuracy;
      if (!std::isfinite(one)) continue;
      training.x.push_back(e.epoch);
      training.y.push_back(one);
      if (!e.validation || e.validation->count == 0) continue;
      validation.x.push_back(e.epoch);
      validation.y.push_back(loss ? e.validation->loss : 100 * e.validation->accuracy());
    }
    if (training.x.empty()) continue;
    std::vector<plot::Line> lines{training};
    std::string said = std::string(loss ? "Loss" : "Accuracy in %") +
                       ". Training: " + in_words(training, loss) + ".";
    if (!validation.x.empty()) {
      lines.push_back(validation);
      said += " " + validation_name + ": " + in_words(validation, loss) + ".";
    }
    auto axes = by_epoch(loss ? "Loss" : "Accuracy, % right", epochs.size());
    axes.key_below = !loss;
    page.picture(folder, loss ? "loss.svg" : "accuracy.svg",
                 loss ? "Loss, epoch by epoch" : "Accuracy, epoch by epoch", said,
                 [&](const std::string& path) { plot::lines(path, lines, axes); });
  }
}

void show_by_epoch(Page& page, const std::string& folder, const std::string& name,
                   const std::string& title, const std::string& caption,
                   const std::vector<double>& values) {
  plot::Line line{"validation"};
  line.dots = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    line.x.push_back(static_cast<double>(i + 1));
    line.y.push_back(values[i]);
  }
  auto axes = by_epoch(title, values.size());
  axes.key_below = true;
  page.picture(folder, name, caption, title + ": " + in_words(line, false) + ".",
               [&](const std::string& path) { plot::lines(path, {line}, axes); });
}

void show_confusion(Page& page, const std::string& folder, const ebb::ConfusionMatrix& matrix) {
  std::string said = ebb::message("Confusion matrix: ", figure(100 * matrix.accuracy()), " % of ",
                                  matrix.count(), " images right.");
  const auto name = [&](ebb::Index c) { return matrix.names()[static_cast<std::size_t>(c)]; };
  for (ebb::Index t = 0; t < matrix.classes(); ++t) {
    if (matrix.true_count(t) == 0) continue;
    said += ebb::message(" Of ", matrix.true_count(t), " of ", name(t), ",");
    std::string parts;
    for (ebb::Index p = 0; p < matrix.classes(); ++p)
      if (matrix(t, p) > 0)
        parts += ebb::message(parts.empty() ? " " : ", ", matrix(t, p), " called ", name(p));
    said += parts + ".";
  }
  page.picture(folder, "confusion.svg", "Which class was taken for which", said,
               [&](const std::string& path) { plot::confusion(path, matrix); });
}
