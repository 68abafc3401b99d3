/// \file
/// Pictures of a training run, drawn by gnuplot: curves, a confusion matrix, the path of an
/// optimizer over the level lines of a function. SVG, or PNG where the path ends in ".png".
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/train/gnuplot.hpp>
#include <ebb/train/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::plot {

/// A range of an axis; from == to lets gnuplot choose.
struct Range {
  double from = 0, to = 0;
  bool chosen() const { return from != to; }
};

struct Axes {
  std::string title{}, x{}, y{};
  bool log_x = false, log_y = false;
  Range x_range{}, y_range{};
  int width = 820, height = 480;
  bool key_below = false;  ///< the key in the lower right corner: for curves that rise
  bool whole_x = false;    ///< tics of the x axis at whole numbers only
};

/// Points joined by a line. Points that are not finite leave a gap.
struct Line {
  std::string label{};  ///< for the key; empty: none
  std::vector<double> x{}, y{};
  bool dots = false;  ///< mark the points, too
  bool dashed = false;
};

namespace detail {

/// Colours that can be told apart, also by those who see fewer (after Okabe & Ito, 2008).
inline const char* colour(std::size_t line) {
  constexpr const char* colours[] = {"#0b6fb8", "#e0711c", "#14936a", "#c2347f", "#7a56c2",
                                     "#3aa9dc", "#b58900", "#8c4a2f", "#5b6470", "#111418"};
  return colours[line % (sizeof colours / sizeof *colours)];
}

/// Shortest digits that read back as the same number; what is not finite becomes a gap.
inline std::string number(double value) {
  if (!math::is_finite(value)) return "NaN";
  return ebb::detail::general(value, 9);
}

/// A data block of gnuplot with one row per point.
inline std::string block(const std::string& name, const Line& line) {
  if (line.x.size() != line.y.size())
    throw ValueError(message("plot: line '", line.label, "' has ", line.x.size(), " x and ",
                             line.y.size(), " y"));
  std::string text = name + " << EOD\n";
  for (std::size_t i = 0; i < line.x.size(); ++i)
    text += number(line.x[i]) + " " + number(line.y[i]) + "\n";
  return text + "EOD\n";
}

/// The house style: a faint grid, axes left and below, nothing else.
inline std::string style(const Axes& axes) {
  std::string text =
      "set border 3 lw 1 lc rgb '#9aa1a9'\n"
      "set grid lw 0.6 lc rgb '#e3e6ea' lt 1\n"
      "set tics nomirror out scale 0.6 textcolor rgb '#444b54'\n"
      "set key right opaque tc rgb '#222831' samplen 2 spacing 1.25\n"
      "set datafile missing 'NaN'\n"
      "set lmargin 10\nset rmargin 3\nset bmargin 4\nset tmargin 3\n";
  text += axes.key_below ? "set key bottom\n" : "set key top\n";
  text += axes.whole_x ? "set xtics 1\n" : "set xtics autofreq\n";
  text += "set title " + literal(axes.title) + " tc rgb '#222831' offset 0,-0.2\n";
  text += "set xlabel " + literal(axes.x) + " tc rgb '#444b54'\n";
  text += "set ylabel " + literal(axes.y) + " tc rgb '#444b54'\n";
  text +=
      axes.log_x ? "set logscale x\nset format x '%h'\n" : "unset logscale x\nset format x '%h'\n";
  text += axes.log_y ? "set logscale y\nset format y '%.0e'\n"
                     : "unset logscale y\nset format y '%h'\n";
  const auto range = [](const char* axis, Range r) {
    return std::string("set ") + axis + "range [" +
           (r.chosen() ? number(r.from) + ":" + number(r.to) : std::string("*:*")) + "]\n";
  };
  return text + range("x", axes.x_range) + range("y", axes.y_range);
}

/// "plot ..." of lines whose blocks are called $`prefix`0, $`prefix`1, ...
inline std::string plot_command(const std::string& prefix, const std::vector<Line>& lines,
                                const std::string& before = {}) {
  std::string text = "plot " + before;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string block = "$" + prefix + std::to_string(i);
    const std::string paint = std::string(" lc rgb '") + colour(i) + "'";
    if (i > 0 || !before.empty()) text += ", ";
    text.append(block).append(" using 1:2 with ");
    text.append(lines[i].dots ? "linespoints pt 7 ps 0.55" : "lines").append(" lw 2.2");
    text.append(lines[i].dashed ? " dt 2" : "").append(paint);
    text.append(lines[i].label.empty() ? " notitle" : " title " + literal(lines[i].label));
  }
  return text + "\n";
}

inline std::string blocks(const std::string& prefix, const std::vector<Line>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += block("$" + prefix + std::to_string(i), lines[i]);
  return text;
}

inline void require_points(const std::string& path, const std::vector<Line>& lines) {
  for (const Line& line : lines)
    for (std::size_t i = 0; i < std::min(line.x.size(), line.y.size()); ++i)
      if (math::is_finite(line.x[i]) && math::is_finite(line.y[i])) return;
  throw ValueError(message("plot: ", path, ": there is no finite point to draw"));
}

}  // namespace detail

/// Lines over common axes.
/// \throws ValueError when there is nothing to draw, FileError when it cannot be drawn.
inline void lines(const std::string& path, const std::vector<Line>& lines, const Axes& axes = {}) {
  detail::require_points(path, lines);
  gnuplot(path,
          detail::blocks("line", lines) + detail::style(axes) + detail::plot_command("line", lines),
          axes.width, axes.height);
}

/// Several sets of lines side by side, each over its own axes.
struct Panel {
  Axes axes;
  std::vector<Line> lines;
};
inline void panels(const std::string& path, const std::vector<Panel>& panels, int width = 1040,
                   int height = 440) {
  if (panels.empty()) throw ValueError(message("plot: ", path, ": there is nothing to draw"));
  std::string script;
  for (std::size_t p = 0; p < panels.size(); ++p) {
    detail::require_points(path, panels[p].lines);
    script += detail::blocks("panel" + std::to_string(p) + "_", panels[p].lines);
  }
  script += message("set multiplot layout 1,", panels.size(), "\n");
  for (std::size_t p = 0; p < panels.size(); ++p)
    script += detail::style(panels[p].axes) +
              detail::plot_command("panel" + std::to_string(p) + "_", panels[p].lines);
  gnuplot(path, script + "unset multiplot\n", width, height);
}

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
  script += "EOD\n" + detail::blocks("line", paths);
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
