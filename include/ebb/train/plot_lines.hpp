/// \file
/// Lines over common axes, drawn by gnuplot.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/number.hpp>
#include <ebb/train/gnuplot.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
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
  /// Dashes and marks of its own, by its place among the lines, so that it is known from the others
  /// without colours. Marks are at even distances, not at the points.
  bool marked = false;
};

namespace detail {

/// Colours that can be told apart, also by those who see fewer (after Okabe & Ito, 2008).
inline const char* colour(std::size_t line) {
  constexpr const char* colours[] = {"#0b6fb8", "#e0711c", "#14936a", "#c2347f", "#7a56c2",
                                     "#3aa9dc", "#b58900", "#8c4a2f", "#5b6470", "#111418"};
  return colours[line % (sizeof colours / sizeof *colours)];
}

/// The dashes and marks of a line: of 25 in a row, all differ.
inline std::string pattern(std::size_t line) {
  constexpr int marks[] = {7, 5, 9, 13, 11};  // disc, square, triangle, diamond, triangle
  return message(" dt ", line % 5 + 1, " pt ", marks[(line + line / 5) % 5], " ps 0.8");
}

/// Places at even distances along a line, as it is seen in a square picture of `lines`; each line
/// begins a little further on, so that marks of lines which run together do not cover each other.
inline Line marks_of(const std::vector<Line>& lines, std::size_t which, const Axes& axes) {
  constexpr int count = 6;
  using Point = std::pair<double, double>;
  const auto at = [&](const Line& line, std::size_t i) {
    return Point{axes.log_x ? std::log10(line.x[i]) : line.x[i],
                 axes.log_y ? std::log10(line.y[i]) : line.y[i]};
  };
  const auto finite = [](Point p) { return math::is_finite(p.first) && math::is_finite(p.second); };
  const double infinity = std::numeric_limits<double>::infinity();
  Point least{infinity, infinity}, most{-infinity, -infinity};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < std::min(line.x.size(), line.y.size()); ++i)
      if (const Point p = at(line, i); finite(p)) {
        least = {std::min(least.first, p.first), std::min(least.second, p.second)};
        most = {std::max(most.first, p.first), std::max(most.second, p.second)};
      }
  const auto length = [&](Point a, Point b) {
    const auto share = [](double step, double all) { return all > 0 ? step / all : 0; };
    return finite(a) && finite(b)
               ? std::hypot(share(b.first - a.first, most.first - least.first),
                            share(b.second - a.second, most.second - least.second))
               : 0;
  };
  const Line& line = lines[which];
  const std::size_t points = std::min(line.x.size(), line.y.size());
  double whole = 0;
  for (std::size_t i = 1; i < points; ++i) whole += length(at(line, i - 1), at(line, i));
  Line marks;
  const double offset = static_cast<double>(which + 1) / static_cast<double>(lines.size() + 1);
  double passed = 0;
  for (std::size_t i = 1; i < points; ++i) {
    const Point a = at(line, i - 1), b = at(line, i);
    const double piece = length(a, b);
    const auto next = [&] {
      return whole * (static_cast<double>(marks.x.size()) + offset) / count;
    };
    for (; piece > 0 && marks.x.size() < count && next() <= passed + piece;) {
      const double share = (next() - passed) / piece;
      const double x = a.first + share * (b.first - a.first);
      const double y = a.second + share * (b.second - a.second);
      marks.x.push_back(axes.log_x ? std::pow(10, x) : x);
      marks.y.push_back(axes.log_y ? std::pow(10, y) : y);
    }
    passed += piece;
  }
  return marks;
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
    const std::string title =
        lines[i].label.empty() ? " notitle" : " title " + literal(lines[i].label);
    if (i > 0 || !before.empty()) text += ", ";
    if (lines[i].marked) {  // the line, its marks, and both in the key
      const std::string look = pattern(i), dashes = look.substr(0, look.find(" pt"));
      text += message(block, " using 1:2 with lines lw 2.2", dashes, paint, " notitle, ", block,
                      "_marks using 1:2 with points", look.substr(dashes.size()), paint,
                      " notitle, NaN with linespoints lw 2.2", look, paint, title);
      continue;
    }
    text.append(block).append(" using 1:2 with ");
    text.append(lines[i].dots ? "linespoints pt 7 ps 0.55" : "lines").append(" lw 2.2");
    text.append(lines[i].dashed ? " dt 2" : "").append(paint);
    text.append(title);
  }
  return text + "\n";
}

inline std::string blocks(const std::string& prefix, const std::vector<Line>& lines,
                          const Axes& axes) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string name = "$" + prefix + std::to_string(i);
    text += block(name, lines[i]);
    if (lines[i].marked) text += block(name + "_marks", marks_of(lines, i, axes));
  }
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
          detail::blocks("line", lines, axes) + detail::style(axes) +
              detail::plot_command("line", lines),
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
    script += detail::blocks("panel" + std::to_string(p) + "_", panels[p].lines, panels[p].axes);
  }
  script += message("set multiplot layout 1,", panels.size(), "\n");
  for (std::size_t p = 0; p < panels.size(); ++p)
    script += detail::style(panels[p].axes) +
              detail::plot_command("panel" + std::to_string(p) + "_", panels[p].lines);
  gnuplot(path, script + "unset multiplot\n", width, height);
}

}  // namespace ebb::plot
