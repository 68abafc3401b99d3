/// \file
/// Distorted stroke digits, drawn by the library: data for tests and demonstrations without any
/// file. Each digit is a few Bezier strokes; every image bends, turns, slants and thickens them
/// anew.
#pragma once

#include <ebb/data/drawn/glyphs.hpp>
#include <ebb/data/sets/dataset.hpp>
#include <ebb/device/cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ebb::inline EBB_ABI::data {

struct StrokeDigitsOptions {
  Size2 size = 28;  ///< of the images; at least 8x8
  std::uint64_t seed = 0;
  Index first = 0;       ///< number of the first image: the same seed further on gives others
  float distortion = 1;  ///< 0: printed alike; 1: as people write; 2: hard to read
  float noise = 0.02f;   ///< standard deviation of the noise in the pixels
};

namespace detail {

/// A pen on a grey canvas: keeps for each pixel how far it is inside the thickest stroke near it.
class Canvas {
 public:
  explicit Canvas(Size2 size) : size_(size), ink_(static_cast<std::size_t>(size.area()), 0.0f) {}

  /// A straight piece from a to b of the given radius, in pixels; the edge is one pixel soft.
  void draw(Point a, Point b, float radius) {
    const float reach = radius + 1;
    const auto begin = [](float v) { return std::max<Index>(0, static_cast<Index>(std::ceil(v))); };
    const auto end = [](float v, Index n) {
      return std::min<Index>(n - 1, static_cast<Index>(std::floor(v)));
    };
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float length2 = dx * dx + dy * dy;
    const Index bottom = end(std::max(a.y, b.y) + reach, size_.height);
    const Index right = end(std::max(a.x, b.x) + reach, size_.width);
    for (Index i = begin(std::min(a.y, b.y) - reach); i <= bottom; ++i)
      for (Index j = begin(std::min(a.x, b.x) - reach); j <= right; ++j) {
        const float px = static_cast<float>(j) - a.x, py = static_cast<float>(i) - a.y;
        const float along =
            length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0f, 1.0f) : 0.0f;
        const float ex = px - along * dx, ey = py - along * dy;
        const float covered = std::clamp(radius + 0.5f - std::sqrt(ex * ex + ey * ey), 0.0f, 1.0f);
        float& ink = ink_[static_cast<std::size_t>(i * size_.width + j)];
        ink = std::max(ink, covered);
      }
  }

  float ink(Index i) const { return ink_[static_cast<std::size_t>(i)]; }

 private:
  Size2 size_;
  std::vector<float> ink_;
};

inline Point bezier(const Point* p, float t) {
  const float s = 1 - t;
  const float w[4] = {s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t};
  Point q;
  for (int k = 0; k < 4; ++k) {
    q.x += w[k] * p[k].x;
    q.y += w[k] * p[k].y;
  }
  return q;
}

/// Draws `digit` in a hand of its own, given by `random`, into size.area() bytes.
inline void draw_digit(int digit, RandomStream random, const StrokeDigitsOptions& options,
                       std::uint8_t* out) {
  std::uint64_t drawn = 0;
  const auto uniform = [&](float low, float high) {
    return low + (high - low) * random.uniform(drawn++);
  };
  const float d = options.distortion;
  const auto about = [&](float middle, float spread) {  // sum of two: small deviations are likelier
    return middle + 0.5f * d * (uniform(-spread, spread) + uniform(-spread, spread));
  };
  constexpr float pi = std::numbers::pi_v<float>, degree = pi / 180;

  const std::vector<Glyph>& ways = glyphs()[static_cast<std::size_t>(digit)];
  const auto way = d > 0 ? random.below(static_cast<Index>(ways.size()), drawn++) : 0;
  // A turn, a slant, unequal scales and a shift, and on top a slow wave along either axis.
  const float turn = about(0, 22 * degree), slant = about(-0.08f * d, 0.4f);
  const float wide = about(0.52f, 0.2f), high = about(0.7f, 0.14f);
  const float right = about(0, 0.09f), down = about(0, 0.09f);
  const float wave_x = about(0, 0.07f), wave_y = about(0, 0.07f);
  const float phase_x = uniform(0, 2 * pi), phase_y = uniform(0, 2 * pi);
  const float pitch_x = uniform(0.5f, 1.3f), pitch_y = uniform(0.5f, 1.3f);
  const float c = std::cos(turn), s = std::sin(turn);
  const auto width = static_cast<float>(options.size.width);
  const auto height = static_cast<float>(options.size.height);
  const float side = std::min(width, height);
  const auto place = [&](Point p) {
    const float x = p.x - 0.5f + wave_x * std::sin(2 * pi * pitch_x * p.y + phase_x);
    const float y = p.y - 0.5f + wave_y * std::sin(2 * pi * pitch_y * p.x + phase_y);
    const float u = wide * x - slant * high * y, v = high * y;
    return Point{0.5f * (width - 1) + (right + c * u + s * v) * side,
                 0.5f * (height - 1) + (down - s * u + c * v) * side};
  };
  const float radius = std::max(0.45f, about(0.047f, 0.028f) * side);
  const float pressure = uniform(0, 2 * pi), ink = about(0.92f, 0.14f);

  Canvas canvas(options.size);
  for (const Stroke& shape : ways[static_cast<std::size_t>(way)]) {
    Stroke stroke = shape;
    for (Point& p : stroke) p = {about(p.x, 0.06f), about(p.y, 0.06f)};
    constexpr int pieces = 10;
    Point from = place(stroke[0]);
    for (std::size_t curve = 0; curve + 3 < stroke.size(); curve += 3)
      for (int piece = 1; piece <= pieces; ++piece) {
        const Point to = place(bezier(&stroke[curve], static_cast<float>(piece) / pieces));
        const float along = static_cast<float>(curve) + 3 * static_cast<float>(piece) / pieces;
        canvas.draw(from, to, radius * (1 + 0.2f * d * std::sin(0.7f * along + pressure)));
        from = to;
      }
  }
  const RandomStream noise = derive(random, 0);
  for (Index i = 0; i < options.size.area(); ++i) {
    // The sum of four bytes: near enough to normal, with standard deviation 147.8.
    const std::uint32_t b = noise.bits(static_cast<std::uint64_t>(i));
    const auto sum = static_cast<float>((b & 255) + (b >> 8 & 255) + (b >> 16 & 255) + (b >> 24));
    const float grey = ink * canvas.ink(i) + options.noise * (sum - 510) / 147.8f;
    out[i] = static_cast<std::uint8_t>(std::lround(std::clamp(grey, 0.0f, 1.0f) * 255));
  }
}

}  // namespace detail

/// A dataset of handwriting-like digits, light on dark, in one channel. Image number i is a pure
/// function of (options, first + i); every ten images in a row hold each digit once.
/// \throws ValueError when an option is out of its range.
inline Dataset<std::uint8_t> stroke_digits(Index count, StrokeDigitsOptions options = {}) {
  if (count < 0 || options.first < 0)
    throw ValueError(message("stroke_digits: ", count, " images from number ", options.first,
                             " were asked for; use 0 or more"));
  if (options.size.height < 8 || options.size.width < 8)
    throw ValueError(message("stroke_digits: images of ", options.size,
                             " were asked for; digits need at least 8x8 pixels"));
  if (!(options.distortion >= 0 && options.distortion <= 4))
    throw ValueError(message("stroke_digits: a distortion of ", options.distortion,
                             " was asked for; use 0 (printed) to 4 (illegible)"));
  if (!(options.noise >= 0))
    throw ValueError(message("stroke_digits: noise of standard deviation ", options.noise,
                             " was asked for; use 0 or more"));
  Tensor<std::uint8_t, 4> images({count, 1, options.size.height, options.size.width});
  Tensor<int, 1> labels({count});
  const RandomStream root = derive({options.seed, 0}, 4);
  const Index pixels = options.size.area();
  parallel_for(count, count * pixels * 50, [&](Index i) {
    const auto number = static_cast<std::uint64_t>(options.first + i);
    const auto digit = permutation(
        10, derive(derive(root, 0), number / 10))[static_cast<std::size_t>(number % 10)];
    labels(i) = static_cast<int>(digit);
    detail::draw_digit(labels(i), derive(derive(root, 1), number), options,
                       images.mutable_data() + i * pixels);
  });
  return {images, labels, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

}  // namespace ebb::data
