/// \file
/// How the digits are written: their strokes, as Bezier curves.
#pragma once

#include <ebb/core/config.hpp>

#include <array>
#include <initializer_list>
#include <vector>

namespace ebb::inline EBB_ABI::data {

namespace detail {

struct Point {
  float x = 0, y = 0;
};

/// Cubic Bezier curves, end to end: 1 + 3 k points; the pen is down all along.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// A straight pen movement as a Bezier curve.
inline void line_to(Stroke& stroke, Point b) {
  const Point a = stroke.back();
  stroke.push_back({a.x + (b.x - a.x) / 3, a.y + (b.y - a.y) / 3});
  stroke.push_back({a.x + (b.x - a.x) * 2 / 3, a.y + (b.y - a.y) * 2 / 3});
  stroke.push_back(b);
}

inline Stroke lines(std::initializer_list<Point> points) {
  Stroke stroke{*points.begin()};
  for (const Point* p = points.begin() + 1; p != points.end(); ++p) line_to(stroke, *p);
  return stroke;
}

/// The ways to write each digit, in the unit square, y down.
inline const std::array<std::vector<Glyph>, 10>& glyphs() {
  static const std::array<std::vector<Glyph>, 10> all{{
      // 0: a closed oval
      {{{{0.5f, 0.05f},
         {0.1f, 0.05f},
         {0.1f, 0.95f},
         {0.5f, 0.95f},
         {0.9f, 0.95f},
         {0.9f, 0.05f},
         {0.5f, 0.05f}}},
       {{{0.6f, 0.08f},
         {0.15f, 0.0f},
         {0.05f, 0.9f},
         {0.42f, 0.95f},
         {0.9f, 0.98f},
         {0.95f, 0.1f},
         {0.45f, 0.1f}}}},
      // 1: a bar, or a bar with a flag, or with a foot as well
      {{lines({{0.52f, 0.05f}, {0.48f, 0.95f}})},
       {lines({{0.33f, 0.25f}, {0.55f, 0.05f}, {0.52f, 0.95f}})},
       {lines({{0.35f, 0.24f}, {0.52f, 0.06f}, {0.52f, 0.93f}}),
        lines({{0.3f, 0.94f}, {0.74f, 0.94f}})}},
      // 2: a hook and a foot; or with a loop at the bottom
      {{{{0.2f, 0.3f},
         {0.22f, -0.02f},
         {0.8f, -0.05f},
         {0.76f, 0.32f},
         {0.73f, 0.55f},
         {0.35f, 0.75f},
         {0.18f, 0.93f},
         {0.4f, 0.93f},
         {0.6f, 0.93f},
         {0.83f, 0.92f}}},
       {{{0.22f, 0.25f},
         {0.3f, 0.0f},
         {0.78f, 0.0f},
         {0.74f, 0.32f},
         {0.7f, 0.6f},
         {0.4f, 0.95f},
         {0.22f, 0.88f},
         {0.1f, 0.75f},
         {0.4f, 0.7f},
         {0.55f, 0.85f},
         {0.65f, 0.95f},
         {0.8f, 0.95f},
         {0.85f, 0.85f}}}},
      // 3: two bows; or a flat top
      {{{{0.22f, 0.17f},
         {0.4f, -0.02f},
         {0.78f, 0.03f},
         {0.74f, 0.28f},
         {0.7f, 0.45f},
         {0.5f, 0.47f},
         {0.42f, 0.47f},
         {0.6f, 0.47f},
         {0.82f, 0.52f},
         {0.8f, 0.72f},
         {0.76f, 1.0f},
         {0.3f, 1.0f},
         {0.18f, 0.82f}}},
       {{{0.22f, 0.08f},
         {0.4f, 0.08f},
         {0.6f, 0.08f},
         {0.75f, 0.08f},
         {0.65f, 0.2f},
         {0.52f, 0.32f},
         {0.42f, 0.42f},
         {0.7f, 0.38f},
         {0.86f, 0.58f},
         {0.78f, 0.78f},
         {0.68f, 1.0f},
         {0.3f, 0.98f},
         {0.2f, 0.84f}}}},
      // 4: open on top; or closed
      {{lines({{0.28f, 0.08f}, {0.2f, 0.55f}, {0.82f, 0.55f}}),
        lines({{0.68f, 0.08f}, {0.64f, 0.95f}})},
       {lines({{0.64f, 0.95f}, {0.66f, 0.05f}, {0.15f, 0.65f}, {0.86f, 0.65f}})}},
      // 5: a roof, a back, a belly; or in one go
      {{lines({{0.78f, 0.08f}, {0.32f, 0.08f}}),
        {{0.32f, 0.08f},
         {0.3f, 0.2f},
         {0.28f, 0.32f},
         {0.26f, 0.44f},
         {0.5f, 0.33f},
         {0.85f, 0.42f},
         {0.8f, 0.7f},
         {0.74f, 1.0f},
         {0.3f, 0.98f},
         {0.18f, 0.84f}}},
       {{{0.8f, 0.1f},
         {0.65f, 0.08f},
         {0.5f, 0.06f},
         {0.36f, 0.1f},
         {0.3f, 0.2f},
         {0.28f, 0.35f},
         {0.3f, 0.44f},
         {0.6f, 0.38f},
         {0.82f, 0.5f},
         {0.76f, 0.74f},
         {0.68f, 0.98f},
         {0.34f, 0.98f},
         {0.22f, 0.9f}}}},
      // 6: a sweep that closes into a belly
      {{{{0.68f, 0.06f},
         {0.4f, 0.15f},
         {0.18f, 0.45f},
         {0.22f, 0.72f},
         {0.26f, 1.0f},
         {0.76f, 1.02f},
         {0.78f, 0.72f},
         {0.78f, 0.45f},
         {0.35f, 0.45f},
         {0.23f, 0.7f}}},
       {{{0.5f, 0.04f},
         {0.3f, 0.25f},
         {0.2f, 0.5f},
         {0.24f, 0.74f},
         {0.3f, 1.02f},
         {0.8f, 0.98f},
         {0.74f, 0.7f},
         {0.68f, 0.5f},
         {0.4f, 0.52f},
         {0.26f, 0.78f}}}},
      // 7: a roof and a slant; or crossed; or with a curved slant
      {{lines({{0.2f, 0.1f}, {0.8f, 0.1f}, {0.42f, 0.95f}})},
       {lines({{0.2f, 0.1f}, {0.8f, 0.1f}, {0.4f, 0.95f}}), lines({{0.36f, 0.52f}, {0.74f, 0.5f}})},
       {{{0.2f, 0.2f},
         {0.22f, 0.0f},
         {0.5f, 0.12f},
         {0.78f, 0.1f},
         {0.6f, 0.35f},
         {0.48f, 0.6f},
         {0.48f, 0.95f}}}},
      // 8: one crossing stroke; or two ovals
      {{{{0.72f, 0.2f},
         {0.6f, 0.0f},
         {0.25f, 0.02f},
         {0.28f, 0.26f},
         {0.32f, 0.5f},
         {0.78f, 0.5f},
         {0.76f, 0.76f},
         {0.72f, 1.02f},
         {0.24f, 1.0f},
         {0.25f, 0.74f},
         {0.28f, 0.5f},
         {0.7f, 0.42f},
         {0.72f, 0.2f}}},
       {{{0.5f, 0.06f},
         {0.2f, 0.06f},
         {0.22f, 0.46f},
         {0.5f, 0.46f},
         {0.78f, 0.46f},
         {0.8f, 0.06f},
         {0.5f, 0.06f}},
        {{0.5f, 0.46f},
         {0.12f, 0.46f},
         {0.14f, 0.95f},
         {0.5f, 0.95f},
         {0.86f, 0.95f},
         {0.88f, 0.46f},
         {0.5f, 0.46f}}}},
      // 9: a head and a straight tail; or a curved one
      {{{{0.74f, 0.28f},
         {0.7f, 0.0f},
         {0.24f, 0.0f},
         {0.24f, 0.3f},
         {0.26f, 0.56f},
         {0.7f, 0.56f},
         {0.74f, 0.26f},
         {0.72f, 0.5f},
         {0.68f, 0.75f},
         {0.64f, 0.95f}}},
       {{{0.76f, 0.2f},
         {0.6f, -0.02f},
         {0.2f, 0.05f},
         {0.24f, 0.32f},
         {0.3f, 0.55f},
         {0.7f, 0.5f},
         {0.76f, 0.2f},
         {0.8f, 0.6f},
         {0.7f, 1.0f},
         {0.3f, 0.92f}}}},
  }};
  return all;
}

}  // namespace detail

}  // namespace ebb::data
