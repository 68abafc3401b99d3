/// \file
/// Pictures of a training run, drawn by gnuplot: curves, a confusion matrix, the path of an
/// optimizer over the level lines of a function. SVG, or PNG where the path ends in ".png".
#pragma once

#include <ebb/train/metrics.hpp>
#include <ebb/train/plot_lines.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::plot {

/// A confusion matrix with its counts: right answers in blue by the share of their class, mistakes
/// in orange by their share of the commonest one, so that rare ones show.
inline void confusion(const std::string& path, const ConfusionMatrix& matrix,
                      const std::string& title = "Confusion matrix") {
  const Index classes = matrix.classes();
  Index worst = 1;
  std::size_t longest = 1;
  for (Index t = 0; t < classes; ++t) {
    longest = std::max(longest, matrix.names()[static_cast<std::size_t>(t)].size());
    for (Index p = 0; p < classes; ++p)
      if (t != p) worst = std::max(worst, matrix(t, p));
  }
  const auto mix = [](double share, int r, int g, int b) {  // white at 0, the colour at 1
    const auto channel = [share](int c) {
      return static_cast<int>(std::lround(255 + share * (c - 255)));
    };
    return (channel(r) << 16) + (channel(g) << 8) + channel(b);
  };
  std::string cells = "$cells << EOD\n", dark, light, tics;
  for (Index t = 0; t < classes; ++t) {
    const std::string& name = matrix.names()[static_cast<std::size_t>(t)];
    tics += (t > 0 ? "," : "") + literal(name) + " " + std::to_string(t);
    for (Index p = 0; p < classes; ++p) {
      const Index count = matrix(t, p);
      const double share = t == p ? (matrix.true_count(t) > 0 ? matrix.recall(t) : 0.0)
                                  : static_cast<double>(count) / static_cast<double>(worst);
      const double ink = count == 0 ? 0.0 : 0.12 + (t == p ? 0.88 : 0.68) * share;
      const int rgb = t == p      ? mix(ink, 0x0b, 0x5c, 0x9e)
                      : count > 0 ? mix(ink, 0xe0, 0x71, 0x1c)
                                  : 0xf4f5f7;
      cells += message(p, " ", t, " ", rgb, "\n");
      if (count > 0) (t == p && ink > 0.5 ? light : dark) += message(p, " ", t, " ", count, "\n");
    }
  }
  const bool slanted = longest > 4;
  const int left = static_cast<int>(std::min<std::size_t>(longest, 24)) + 6;
  const std::string summary =
      message(ebb::detail::fixed(100 * matrix.accuracy(), 2), " % of ", matrix.count(), " right");
  std::string script = cells + "EOD\n";
  if (!dark.empty()) script += "$dark << EOD\n" + dark + "EOD\n";
  if (!light.empty()) script += "$light << EOD\n" + light + "EOD\n";
  script += message(
      "unset border\nunset key\nunset colorbox\nset tics scale 0 textcolor rgb '#444b54'\n"
      "set title ",
      literal(title + (matrix.count() > 0 ? ": " + summary : "")),
      " tc rgb '#222831'\nset xlabel 'predicted' tc rgb '#444b54'", slanted ? " offset 0,-0.6" : "",
      "\nset ylabel 'true' tc rgb '#444b54'\nset lmargin ", left, "\nset rmargin ", slanted ? 7 : 2,
      "\nset bmargin ", slanted ? 7 : 4, "\nset xrange [-0.5:", classes - 1, ".5]\nset yrange [",
      classes - 1, ".5:-0.5]\nset xtics (", tics, ")", slanted ? " rotate by -35 left" : "",
      "\nset ytics (", tics,
      ")\nplot $cells using 1:2:(0.47):(0.47):3 with boxxyerror fill solid 1 noborder "
      "lc rgb variable");
  const char* font = classes > 15 ? "',8'" : "',12'";
  if (!dark.empty())
    script += message(", $dark using 1:2:3 with labels tc rgb '#222831' font ", font);
  if (!light.empty())
    script += message(", $light using 1:2:3 with labels tc rgb '#ffffff' font ", font);
  const int size = std::clamp(static_cast<int>(classes) * 52, 260, 1000);
  gnuplot(path, script + "\n", size + 8 * left + (slanted ? 66 : 30), size + (slanted ? 150 : 110));
}

/// Level lines of f(x, y) with paths over them, as an optimizer walks: every path starts at a ring
/// and ends at a dot. `log_levels` spaces the levels by the logarithm of f above its least value.
template <class F>
void contour(const std::string& path, F&& f, Range x, Range y, const std::vector<Line>& paths,
             Axes axes = {}, bool log_levels = true) {
  if (!x.chosen() || !y.chosen())
    throw ValueError(message("plot: ", path, ": level lines need a range of x and one of y"));
  constexpr int grid = 241;
  std::vector<double> z(static_cast<std::size_t>(grid) * grid);
  const auto point = [](Range r, int i) { return r.from + (r.to - r.from) * i / (grid - 1); };
  const auto place = [](int i, int j) {
    return static_cast<std::size_t>(j) * std::size_t{grid} + static_cast<std::size_t>(i);
  };
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (int j = 0; j < grid; ++j)
    for (int i = 0; i < grid; ++i) {
      const double value = static_cast<double>(f(point(x, i), point(y, j)));
      z[place(i, j)] = value;
      least = std::min(least, value);
      most = std::max(most, value);
    }
  // The logarithm has no bottom, and no two levels should crowd there.
  const double floor = most > least ? 2e-5 * (most - least) : 1.0;
  std::string script = "$grid << EOD\n";
  for (int j = 0; j < grid; ++j) {
    for (int i = 0; i < grid; ++i) {
      const double value = z[place(i, j)];
      script += detail::number(point(x, i)) + " " + detail::number(point(y, j)) + " " +
                detail::number(log_levels ? std::log10(value - least + floor) : value) + "\n";
    }
    script += "\n";
  }
  script += "EOD\n" + detail::blocks("line", paths, axes);
  axes.x_range = x;
  axes.y_range = y;
  script +=
      "set contour base\nset cntrparam levels auto 18\nunset surface\nset table $levels\n"
      "splot $grid using 1:2:3\nunset table\nunset contour\n" +
      detail::style(axes) +
      "unset grid\nunset colorbox\n"
      "set palette defined (0 '#4f80b0', 1 '#d3dde8')\n";
  std::string before = "$levels using 1:2:3 with lines lw 1 lc palette notitle";
  std::string command = detail::plot_command("line", paths, before);
  command.pop_back();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string block = "$line" + std::to_string(i);
    const std::string paint = std::string(" lc rgb '") + detail::colour(i) + "' notitle";
    command += ", " + block +
               " every ::0::0 using 1:2 with points pt 6 ps 1.1 lw 1.6 lc rgb "
               "'#222831' notitle";
    if (!paths[i].x.empty())
      command += message(", ", block, " every ::", paths[i].x.size() - 1,
                         " using 1:2 with points "
                         "pt 7 ps 0.9",
                         paint);
  }
  gnuplot(path, script + command + "\n", axes.width, axes.height);
}

}  // namespace ebb::plot
