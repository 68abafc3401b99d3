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

/// y = x correlated with w, and what `end` says. Channels of w are `in_step` and
/// `out_step` apart, its taps turned round where `turned`.
inline void winograd_correlate(Index batch, Index in, Size2 input, const float* x, Index out,
                               Size2 output, Size2 padding, const float* w, Index in_step,
                               Index out_step, bool turned, float* y,
                               const simd::TileEpilogue<float>& end) {
  constexpr Index points = Winograd::points;
  const WinogradUnits units(batch, input, output, padding, in, winograd_cache);
  const Winograd f(units, in, out, in);
  const Index width = f.panel_width(), panels = f.panels(), padded = f.in_padded();
  const Index row = f.result_row();
  const Index macs = batch * output.area() * in * out;

  const Index u_point = winograd_point(panels * in * width);
  const Scratch<float> weights(points * u_point);
  float* const u = weights.data();
  f.spread_weights(w, in_step, out_step, turned, u, u_point);

  if (!winograd_in_steps(units, in, out)) {
    const Index v_point = winograd_point(units.most * padded);
    const Index m_size = f.overrun(units.most) * row;
    const Scratch<float> scratch =
        Scratch<float>::per_thread(points * v_point + m_size + f.pixel_elements());
    parallel_for(units.count, macs, [&](Index task) {
      const Winograd::Unit unit = units[task];
      float* const v = scratch.mine();
      float* const m = v + points * v_point;
      float* const pixels = m + m_size;
      for (Index q = 0; q < f.in_panels(); ++q) f.spread_input(x, unit, q, pixels, v, v_point);
      for (Index q = 0; q < panels; ++q) {
        for (Index p = 0; p < points; ++p)
          f.product(unit.tiles, in, v + p * v_point, padded, 1, u + p * u_point + q * in * width,
                    m + p * width, row);
        f.gather_output(m, unit, q, pixels, y, end);
      }
    });
    return;
  }

  const Index together = winograd_units_together(units, padded + panels * width);
  const Index v_point = winograd_point(together * units.most * padded);
  const Index panel = f.overrun(together * units.most) * row;
  const Scratch<float> tables(points * v_point + panels * panel);
  const Scratch<float> scratch = Scratch<float>::per_thread(f.pixel_elements());
  float* const v = tables.data();
  float* const m = v + points * v_point;
  for (Index begin = 0; begin < units.count; begin += together) {
    const Index some = std::min(together, units.count - begin);
    const Index first = units[begin].first;
    const Winograd::Unit last = units[begin + some - 1];
    const Index tiles = last.first + last.tiles - first;
    parallel_for(some * f.in_panels(), macs, [&](Index task) {
      const Winograd::Unit unit = units[begin + task / f.in_panels()];
      f.spread_input(x, unit, task % f.in_panels(), scratch.mine(),
                     v + (unit.first - first) * padded, v_point);
    });
    parallel_for(points * panels, macs, [&](Index task) {
      const Index p = task / panels, q = task % panels;
      f.product(tiles, in, v + p * v_point, padded, 1, u + p * u_point + q * in * width,
                m + q * panel + p * width, row);
    });
    parallel_for(some * panels, macs, [&](Index task) {
      const Winograd::Unit unit = units[begin + task / panels];
      const Index q = task % panels;
      f.gather_output(m + q * panel + (unit.first - first) * row, unit, q, scratch.mine(), y, end);
    });
  }
}

inline void winograd_forward(const Conv2dGeometry& g, const float* x, const float* w, float* y,
                             const simd::TileEpilogue<float>& end) {
  winograd_correlate(g.batch, g.in_channels, g.input, x, g.out_channels, g.output, g.padding, w, 9,
                     9 * g.in_channels, false, y, end);
}

/// The gradient of the input is dy correlated with the weights turned round.
inline void winograd_grad_input(const Conv2dGeometry& g, const float* dy, const float* w, float* dx,
                                const simd::TileEpilogue<float>& end) {
  const Size2 padding{2 - g.padding.height, 2 - g.padding.width};
  winograd_correlate(g.batch, g.out_channels, g.output, dy, g.in_channels, g.input, padding, w,
                     9 * g.in_channels, 9, true, dx, end);
}

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
        const Winograd::Unit unit = units[begin + task / both];
        const Index q = task % both, at = unit.first - first;
        if (q < f.in_panels())
          f.spread_input(x, unit, q, scratch.mine(), v + at * padded, v_point);
        else
          f.spread_slope(dy, unit, q - f.in_panels(), scratch.mine(),
                         m + (q - f.in_panels()) * m_panel + at * width, m_point);
      });
      parallel_for(points * panels, g.macs(), [&](Index task) {
        const Index p = task / panels, q = task % panels;
        f.product(in, tiles, v + p * v_point, 1, padded, m + p * m_point + q * m_panel,
                  sums.data() + p * u_point + q * u_panel, width, begin > 0);
      });
    }
  }
  parallel_for(panels * in, points * panels * in * width * parts, [&](Index task) {
    const Index q = task / in, i = task % in;
    f.gather_weight(sums.data() + q * u_panel + i * width, u_point, parts, points * u_point, q, i,
                    add, dw);
  });
}

}  // namespace ebb::kernel::detail
