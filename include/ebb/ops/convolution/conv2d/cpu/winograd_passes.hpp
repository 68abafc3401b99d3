/// \file
/// The three passes of a convolution by Winograd's filtering. Each runs in one of two ways: where
/// the transformed weights are small, every task takes its unit of tiles through all three steps
/// within its cache; where they are large, each step is done for many units before the next, so
/// that the weights are read once.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/winograd.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Part of the second-level cache that the transforms of a unit may take.
inline constexpr Index winograd_cache = 96 * 1024;

/// Bytes of a transform of that many elements.
inline Index winograd_bytes(Index elements) { return WinogradUnits::points * 4 * elements; }

/// Whether each step should be done for many units at once: where the transformed weights are too
/// large to be read again for every unit, or all tiles together are few.
inline bool winograd_in_steps(const WinogradUnits& units, Index in, Index out) {
  constexpr Index large = Index{4} << 20, small = Index{4} << 20;
  return winograd_bytes(in * out) > large ||
         winograd_bytes(units.batch * units.tiles.area() * (in + out)) <= small;
}

/// Units whose transformed tiles may be in memory together.
inline Index winograd_units_together(const WinogradUnits& units, Index channels) {
  constexpr Index most_bytes = Index{96} << 20, most_tiles = 8192;
  const Index tiles = std::min(most_tiles, most_bytes / winograd_bytes(channels));
  return std::clamp<Index>(tiles / units.most, 1, units.count);
}

/// Distance between points: tables whose stride is a power of two would share cache sets.
inline Index winograd_point(Index elements) { return divide_up(elements, 16) * 16 + 16; }

/// The forward pass, or the gradient of the input: this is dy correlated with the weights turned
/// round.
class WinogradPass {
 public:
  static constexpr Index points = Winograd::points;

  WinogradPass(const Conv2dGeometry& g, bool forward)
      : forward_(forward),
        in_(forward ? g.in_channels : g.out_channels),
        out_(forward ? g.out_channels : g.in_channels),
        macs_(g.batch * (forward ? g.output : g.input).area() * in_ * out_),
        units_(g.batch, forward ? g.input : g.output, forward ? g.output : g.input,
               forward ? g.padding : Size2(2 - g.padding.height, 2 - g.padding.width), in_,
               winograd_cache),
        f_(units_, in_, out_, in_),
        point_(winograd_point(f_.panels() * in_ * f_.panel_width())) {}

  static bool packs_first() { return true; }
  Index packed() const { return points * point_; }

  /// Writes the transformed weights as (point, panel, in channel, lane).
  void pack(const float* w, float* to) const {
    f_.spread_weights(w, forward_ ? 9 : 9 * out_, forward_ ? 9 * in_ : 9, !forward_, to, point_);
  }

  void run(const float* x, MaybePacked<float> w, float* y,
           const simd::TileEpilogue<float>& end) const {
    if (winograd_in_steps(units_, in_, out_))
      run_in_steps(x, w.data, y, end);
    else
      run_by_units(x, w.data, y, end);
  }

 private:
  /// The product of one point and panel: `tiles` rows of v with the weights u.
  void product(Index tiles, const float* v, Index v_point, const float* u, Index p, Index q,
               float* m) const {
    const Index width = f_.panel_width();
    f_.product(tiles, in_, v + p * v_point, f_.in_padded(), 1, u + p * point_ + q * in_ * width,
               m + p * width, f_.result_row());
  }

  /// Every task takes its unit through all three steps.
  void run_by_units(const float* x, const float* u, float* y,
                    const simd::TileEpilogue<float>& end) const {
    const Index v_point = winograd_point(units_.most * f_.in_padded());
    const Index m_size = f_.overrun(units_.most) * f_.result_row();
    const Scratch<float> scratch =
        Scratch<float>::per_thread(points * v_point + m_size + f_.pixel_elements());
    parallel_for(units_.count, macs_, [&](Index task) {
      const Winograd::Unit unit = units_[task];
      float* const v = scratch.mine();        // (point, tile, in channel)
      float* const m = v + points * v_point;  // (tile, point, lane)
      float* const pixels = m + m_size;       // (row, column, lane)
      for (Index q = 0; q < f_.in_panels(); ++q) f_.spread_input(x, unit, q, pixels, v, v_point);
      for (Index q = 0; q < f_.panels(); ++q) {
        for (Index p = 0; p < points; ++p) product(unit.tiles, v, v_point, u, p, q, m);
        f_.gather_output(m, unit, q, pixels, y, end);
      }
    });
  }

  /// Each step is done for many units before the next.
  void run_in_steps(const float* x, const float* u, float* y,
                    const simd::TileEpilogue<float>& end) const {
    const Index padded = f_.in_padded(), row = f_.result_row(), panels = f_.panels();
    const Index together = winograd_units_together(units_, padded + panels * f_.panel_width());
    const Index v_point = winograd_point(together * units_.most * padded);
    const Index m_panel = f_.overrun(together * units_.most) * row;
    const Scratch<float> tables(points * v_point + panels * m_panel);
    const Scratch<float> pixels = Scratch<float>::per_thread(f_.pixel_elements());
    float* const v = tables.data();         // (point, tile, in channel)
    float* const m = v + points * v_point;  // (panel, tile, point, lane)
    for (Index begin = 0; begin < units_.count; begin += together) {
      const Index some = std::min(together, units_.count - begin);
      const Index first = units_[begin].first;
      const Winograd::Unit last = units_[begin + some - 1];
      const Index tiles = last.first + last.tiles - first;
      parallel_for(some * f_.in_panels(), macs_, [&](Index task) {
        const auto [at, q] = unravel(task, f_.in_panels());
        const Winograd::Unit unit = units_[begin + at];
        f_.spread_input(x, unit, q, pixels.mine(), v + (unit.first - first) * padded, v_point);
      });
      parallel_for(points * panels, macs_, [&](Index task) {
        const auto [p, q] = unravel(task, panels);
        product(tiles, v, v_point, u, p, q, m + q * m_panel);
      });
      parallel_for(some * panels, macs_, [&](Index task) {
        const auto [at, q] = unravel(task, panels);
        const Winograd::Unit unit = units_[begin + at];
        f_.gather_output(m + q * m_panel + (unit.first - first) * row, unit, q, pixels.mine(), y,
                         end);
      });
    }
  }

  bool forward_;
  Index in_, out_;  ///< channels of the source and of the target
  Index macs_;
  WinogradUnits units_;
  Winograd f_;
  Index point_;  ///< from the weights of one point to those of the next
};

inline void winograd_grad_weight(const Conv2dGeometry& g, const float* x, const float* dy,
                                 float* dw, bool add) {
  constexpr Index points = Winograd::points;
  const Index in = g.in_channels, out = g.out_channels;
  // Each unit passes over the sums once: many weights want many tiles.
  const WinogradUnits units(g.batch, g.input, g.output, g.padding, in + out,
                            std::max(winograd_cache, winograd_bytes(in * out) / 2));
  const bool in_steps = winograd_in_steps(units, in, out);
  const Index together = in_steps ? winograd_units_together(units, in + out) : 1;
  const Winograd f(units, in, out, together * units.most);
  const Index width = f.panel_width(), panels = f.panels(), padded = f.in_padded();

  const Index u_panel = f.overrun(in) * width, u_point = winograd_point(panels * u_panel);
  const Index v_point = winograd_point(together * units.most * padded);
  const Index m_panel = together * units.most * width;
  const Index m_point = winograd_point(panels * m_panel);
  // The units are cut into parts whose sums are added up at the end: at most 16, fewer where a copy
  // of the sums for each would be large.
  constexpr Index largest = Index{1} << 22;
  const Index most_parts = in_steps ? 1 : std::clamp<Index>(largest / (points * u_point), 1, 16);
  const Index each = divide_up(units.count, most_parts), parts = divide_up(units.count, each);
  const Scratch<float> sums(parts * points * u_point);

  if (!in_steps) {
    const Scratch<float> scratch =
        Scratch<float>::per_thread(points * (v_point + m_point) + f.pixel_elements());
    parallel_for(parts, g.macs(), [&](Index part) {
      float* const v = scratch.mine();
      float* const m = v + points * v_point;
      float* const pixels = m + points * m_point;
      float* const u = sums.data() + part * points * u_point;
      for (Index i = part * each; i < std::min((part + 1) * each, units.count); ++i) {
        const Winograd::Unit unit = units[i];
        for (Index q = 0; q < f.in_panels(); ++q) f.spread_input(x, unit, q, pixels, v, v_point);
        for (Index q = 0; q < panels; ++q)
          f.spread_slope(dy, unit, q, pixels, m + q * m_panel, m_point);
        for (Index p = 0; p < points; ++p)
          for (Index q = 0; q < panels; ++q)
            f.product(in, unit.tiles, v + p * v_point, 1, padded, m + p * m_point + q * m_panel,
                      u + p * u_point + q * u_panel, width, i > part * each);
      }
    });
  } else {
    const Scratch<float> tables(points * (v_point + m_point));
    const Scratch<float> scratch = Scratch<float>::per_thread(f.pixel_elements());
    float* const v = tables.data();
    float* const m = v + points * v_point;
    const Index both = f.in_panels() + panels;
    for (Index begin = 0; begin < units.count; begin += together) {
      const Index some = std::min(together, units.count - begin);
      const Index first = units[begin].first;
      const Winograd::Unit last = units[begin + some - 1];
      const Index tiles = last.first + last.tiles - first;
      parallel_for(some * both, g.macs(), [&](Index task) {
        const auto [u, q] = unravel(task, both);
        const Winograd::Unit unit = units[begin + u];
        const Index at = unit.first - first;
        if (q < f.in_panels())
          f.spread_input(x, unit, q, scratch.mine(), v + at * padded, v_point);
        else
          f.spread_slope(dy, unit, q - f.in_panels(), scratch.mine(),
                         m + (q - f.in_panels()) * m_panel + at * width, m_point);
      });
      parallel_for(points * panels, g.macs(), [&](Index task) {
        const auto [p, q] = unravel(task, panels);
        f.product(in, tiles, v + p * v_point, 1, padded, m + p * m_point + q * m_panel,
                  sums.data() + p * u_point + q * u_panel, width, begin > 0);
      });
    }
  }
  parallel_for(panels * in, points * panels * in * width * parts, [&](Index task) {
    const auto [q, i] = unravel(task, in);
    f.gather_weight(sums.data() + q * u_panel + i * width, u_point, parts, points * u_point, q, i,
                    add, dw);
  });
}

}  // namespace ebb::kernel::detail
