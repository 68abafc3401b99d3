#include "plots.hpp"

#include <ebb/train/plot.hpp>

void draw_by_epoch(const std::string& path, const std::string& title,
                   const std::vector<double>& values) {
  ebb::plot::Line line{"validation"};
  line.dots = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    line.x.push_back(static_cast<double>(i + 1));
    line.y.push_back(values[i]);
  }
  ebb::plot::Axes axes{title, "epoch", ""};
  axes.whole_x = true;
  axes.key_below = true;
  ebb::plot::lines(path, {line}, axes);
}
