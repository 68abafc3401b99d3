/// \file
/// 3x3 convolutions by Winograd's minimal filtering, all three passes: transforms that hold a
/// vector of channels per pixel, and 36 matrix products over channels by the register tiles
/// (winograd_transforms.hpp has the formulas). Float only: doubles are for checking, not for speed.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cpu/winograd_transforms.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// How the 4x4 tiles of outputs are laid out and shared out: a unit of work is a band of tile rows
/// of one image, or several small images.
struct WinogradUnits {
  static constexpr Index points = 36;

  Index batch;
  Size2 input, output, padding;
  Size2 tiles;         ///< of an image
  Index rows, images;  ///< of tiles and of images in a unit
  Index bands, count;  ///< units in an image (or group of images), and in all
  Index most;          ///< tiles of a unit, at most
  Size2 pixels;        ///< that a unit sees of one image

  /// A unit's transforms of `channels` channels should take about `bytes`.
  WinogradUnits(Index batch_size, Size2 input_size, Size2 output_size, Size2 pad, Index channels,
                Index bytes)
      : batch(batch_size), input(input_size), output(output_size), padding(pad) {
    constexpr Index least = 28, many = 128, tasks = 16;
    tiles = {divide_up(output.height, 4), divide_up(output.width, 4)};
    const Index wanted = std::clamp(bytes / (points * 4 * channels), least, many);
    rows = std::clamp<Index>(wanted / tiles.width, 1, tiles.height);
    bands = divide_up(tiles.height, rows);
    rows = divide_up(tiles.height, bands);
    images = bands > 1
                 ? 1
                 : std::clamp<Index>(wanted / tiles.area(), 1, std::max<Index>(1, batch / tasks));
    count = divide_up(batch, images) * bands;
    most = images * rows * tiles.width;
    pixels = {4 * rows + 2, 4 * tiles.width + 2};
  }

  /// One unit.
  struct Unit {
    Index image, images;  ///< the first, and how many
    Index row, rows;      ///< of tiles
    Index first, tiles;   ///< the first of its tiles among all, and how many
  };
  Unit operator[](Index i) const {
    const auto [handful, band] = unravel(i, bands);
    Unit u;
    u.image = handful * images;
    u.images = std::min(images, batch - u.image);
    u.row = band * rows;
    u.rows = std::min(rows, tiles.height - u.row);
    u.first = (u.image * tiles.height + u.row) * tiles.width;
    u.tiles = u.images * u.rows * tiles.width;
    return u;
  }
};

/// Where element p of consecutive rows of `from` columns stands in rows of `to` columns.
inline void winograd_places(Index rows, Index from, Index to, Index* place) {
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < from; ++c) *place++ = r * to + c;
}

/// The transforms and products of one convolution, with what they share.
class Winograd {
 public:
  using Unit = WinogradUnits::Unit;
  static constexpr Index points = WinogradUnits::points;

  /// `depth`: of the longest product.
  Winograd(const WinogradUnits& units, Index in_channels, Index out_channels, Index depth)
      : s_(units),
        in_(in_channels),
        out_(out_channels),
        vectors_(std::min<Index>(tiles_.tall_vectors, divide_up(out_channels, tiles_.lanes))),
        width_(vectors_ * tiles_.lanes),
        panels_(divide_up(out_channels, width_)),
        offsets_(depth),
        in_place_(units.pixels.height * units.input.width),
        out_place_(4 * units.rows * units.output.width) {
    for (Index k = 0; k < depth; ++k) offsets_.data()[k] = k * width_;
    winograd_places(s_.pixels.height, s_.input.width, s_.pixels.width, in_place_.data());
    winograd_places(4 * s_.rows, s_.output.width, 4 * s_.tiles.width, out_place_.data());
  }

  Index panel_width() const { return width_; }
  Index panels() const { return panels_; }
  /// Channels of the input as the transforms write them, in whole vectors.
  Index in_padded() const { return divide_up(in_, f_.lanes) * f_.lanes; }
  /// Rows of a product's result: register tiles overrun the last one.
  Index overrun(Index rows) const { return rows + tiles_.rows; }
  /// Panels of channels: so many are transformed together, because they share cache lines.
  Index in_panels() const { return divide_up(in_, width_); }
  /// Elements that the pixels of a unit take for one panel of channels.
  Index pixel_elements() const { return s_.pixels.area() * width_; }
  /// Distance between the tiles of a product's result: all points of a tile stand together, which
  /// is how the transform reads them.
  Index result_row() const { return points * width_; }

  /// u[point][panel][in][width] from w, whose channels are `in_step` and `out_step` apart.
  void spread_weights(const float* w, Index in_step, Index out_step, bool turned, float* u,
                      Index point) const {
    parallel_for(panels_, panels_ * in_ * 600, [&](Index panel) {
      for (Index i = 0; i < in_; ++i)
        for (Index l = 0; l < width_; l += f_.lanes) {
          const Index o = panel * width_ + l;
          f_.weight_tile(w + i * in_step + std::min(o, out_ - 1) * out_step, out_step,
                         std::clamp<Index>(out_ - o, 0, f_.lanes), turned,
                         u + (panel * in_ + i) * width_ + l, point);
        }
    });
  }

  /// v[point][tile][in_padded] of the channels of `panel` of a unit.
  void spread_input(const float* x, const Unit& unit, Index panel, float* pixels, float* v,
                    Index point) const {
    const Index lanes = f_.lanes, area = s_.input.area(), width = s_.pixels.width;
    const Index padded = in_padded(), size = s_.pixels.area() * lanes;
    const Index first = panel * width_, groups = (std::min(padded, first + width_) - first) / lanes;
    const Index rows = 4 * unit.rows + 2, top = 4 * unit.row - s_.padding.height;
    const Index begin = std::max<Index>(0, top), end = std::min(s_.input.height, top + rows);
    const Index left = s_.padding.width, right = left + s_.input.width;
    for (Index g = 0; g < groups; ++g)
      for (Index r = 0; r < rows; ++r) {
        const auto clear = [&](Index from, Index to) {
          float* const row = pixels + g * size + r * width * lanes;
          std::fill(row + from * lanes, row + to * lanes, 0.0f);
        };
        const bool inside = top + r >= begin && top + r < end;
        clear(0, inside ? left : width);
        if (inside) clear(right, width);
      }
    for (Index n = 0; n < unit.images; ++n) {
      for (Index g = 0; g < groups && begin < end; ++g) {
        const Index channel = first + g * lanes;
        f_.gather_channels(x + ((unit.image + n) * in_ + channel) * area + begin * s_.input.width,
                           area, std::min(lanes, in_ - channel), in_place_.data(),
                           (end - begin) * s_.input.width,
                           pixels + g * size + ((begin - top) * width + left) * lanes);
      }
      for (Index r = 0; r < unit.rows; ++r)
        for (Index g = 0; g < groups; ++g)
          f_.input_tiles(pixels + g * size + 4 * r * width * lanes, width, s_.tiles.width,
                         v + (n * unit.rows + r) * s_.tiles.width * padded + first + g * lanes,
                         point, padded);
    }
  }

  /// m[point][tile][width] of the channels of `panel` of a unit, from their gradient.
  void spread_slope(const float* dy, const Unit& unit, Index panel, float* pixels, float* m,
                    Index point) const {
    const Index lanes = f_.lanes, area = s_.output.area(), width = 4 * s_.tiles.width;
    const Index rows = std::min(4 * unit.rows, s_.output.height - 4 * unit.row);
    const Index size = s_.pixels.area() * lanes, groups = width_ / lanes;
    const bool hangs_over = rows < 4 * unit.rows || s_.output.width < width;
    for (Index g = 0; g < groups; ++g)
      if (hangs_over || panel * width_ + (g + 1) * lanes > out_)
        std::fill(pixels + g * size, pixels + g * size + 4 * unit.rows * width * lanes, 0.0f);
    for (Index n = 0; n < unit.images; ++n) {
      for (Index g = 0; g < groups; ++g) {
        const Index channel = panel * width_ + g * lanes;
        if (channel < out_)
          f_.gather_channels(
              dy + ((unit.image + n) * out_ + channel) * area + 4 * unit.row * s_.output.width,
              area, std::min(lanes, out_ - channel), out_place_.data(), rows * s_.output.width,
              pixels + g * size);
      }
      for (Index r = 0; r < unit.rows; ++r)
        for (Index g = 0; g < groups; ++g)
          f_.slope_tiles(pixels + g * size + 4 * r * width * lanes, width, s_.tiles.width,
                         m + (n * unit.rows + r) * s_.tiles.width * width_ + g * lanes, point,
                         width_);
    }
  }

  /// y = the outputs of a unit's channels of `panel`, whose products are at `m`.
  void gather_output(const float* m, const Unit& unit, Index panel, float* pixels, float* y,
                     const simd::TileEpilogue<float>& end) const {
    const Index lanes = f_.lanes, area = s_.output.area(), width = 4 * s_.tiles.width;
    const Index rows = std::min(4 * unit.rows, s_.output.height - 4 * unit.row);
    const Index size = s_.pixels.area() * lanes;
    const Index first = panel * width_;
    const Index groups = divide_up(std::min(out_ - first, width_), lanes);
    for (Index n = 0; n < unit.images; ++n) {
      for (Index r = 0; r < unit.rows; ++r)
        for (Index g = 0; g < groups; ++g)
          f_.output_tiles(m + (n * unit.rows + r) * s_.tiles.width * result_row() + g * lanes,
                          width_, result_row(), s_.tiles.width,
                          pixels + g * size + 4 * r * width * lanes, width);
      for (Index g = 0; g < groups; ++g) {
        const Index channel = first + g * lanes;
        const Index live = std::min(lanes, out_ - channel), run = rows * s_.output.width;
        float* const to =
            y + ((unit.image + n) * out_ + channel) * area + 4 * unit.row * s_.output.width;
        f_.scatter_channels(pixels + g * size, out_place_.data(), run, live, end.from(channel), to,
                            area);
        end.afterwards.rows(to, area, live, run);
      }
    }
  }

  /// dw (+)= G^T u G for input channel `i` and all of `panel`, u summed over `splits`.
  void gather_weight(const float* u, Index point, Index splits, Index split, Index panel, Index i,
                     bool add, float* dw) const {
    for (Index l = 0; l < width_ && panel * width_ + l < out_; l += f_.lanes) {
      const Index o = panel * width_ + l;
      f_.weight_slope_tile(u + l, point, splits, split, std::min<Index>(f_.lanes, out_ - o), add,
                           dw + (o * in_ + i) * 9, in_ * 9);
    }
  }

  /// One panel of one point: c[r * c_row + l] = sum over k of a[r * row + k * step] b[k][l].
  void product(Index rows, Index depth, const float* a, Index row, Index step, const float* b,
               float* c, Index c_row, bool add = false) const {
    const auto tall = tiles_.tall[vectors_ - 1], wide = tiles_.wide[vectors_ - 1];
    Index r = 0;
    for (; r + tiles_.tall_rows <= rows; r += tiles_.tall_rows)
      tall(depth, a + r * row, row, step, b, width_, c + r * c_row, c_row, add);
    for (; r + tiles_.rows <= rows; r += tiles_.rows)
      wide(depth, a + r * row, row, step, b, width_, c + r * c_row, c_row, add);
    if (r == rows) return;
    const float* left[simd::Tiles<float>::most_rows];
    for (Index i = 0; i < tiles_.rows; ++i) left[i] = a + std::min(r + i, rows - 1) * row;
    tiles_.broadcast[vectors_ - 1](depth, left, step, b, offsets_.data(), c + r * c_row, c_row,
                                   add);
  }

 private:
  WinogradUnits s_;
  Index in_, out_;
  simd::Tiles<float> tiles_ = simd::tiles<float>();
  simd::WinogradTransforms f_ = simd::winograd_transforms();
  Index vectors_;  ///< registers in a row of a panel
  Index width_, panels_;
  Scratch<Index> offsets_, in_place_, out_place_;
};

}  // namespace ebb::kernel::detail
