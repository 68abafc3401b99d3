/// \file
/// Maps of one to five pixels under windows of up to thirteen, any stride, dilation and padding:
/// where lines are shorter than registers, and windows wider than maps. A part of all geometries by
/// default; `test_ops "[small-geometries]"`, with an address sanitizer, runs every one.

#include <ebb/ops/convolution/conv2d/conv2d.hpp>
#include <ebb/ops/convolution/conv_transpose2d.hpp>
#include <ebb/ops/pooling/adaptive_avg_pool2d.hpp>
#include <ebb/ops/pooling/avg_pool2d.hpp>
#include <ebb/ops/pooling/max_pool2d.hpp>
#include <ebb/ops/pooling/upsample/upsample.hpp>
#include <ebb/ops/shape/pad/pad.hpp>

#include "tests/support/kernels.hpp"

using namespace ebb;
using test::absolute_difference;
using test::each_isa;
using test::fill;
using test::into;

namespace {

/// One axis of a map and of the windows over it.
struct Axis {
  Index in, kernel, stride, dilation, padding;

  Index window() const { return dilation * (kernel - 1) + 1; }
  bool fits() const { return window() <= in + 2 * padding; }
};

std::vector<Axis> all_axes(Index most_padding) {
  std::vector<Axis> axes;
  for (Index in = 1; in <= 5; ++in)
    for (Index kernel = 1; kernel <= 13; ++kernel)
      for (const Index stride : {1, 2, 3, 7})
        for (const Index dilation : {1, 2, 3})
          for (Index padding = 0; padding <= most_padding; ++padding)
            if (const Axis a{in, kernel, stride, dilation, padding}; a.fits()) axes.push_back(a);
  return axes;
}

/// Calls f(y axis, x axis, number) for every `step`-th axis, beside another one: every axis is once
/// a height, which so many are seen beside, and once a width.
template <class F>
void each_pair(const std::vector<Axis>& axes, std::size_t step, const F& f) {
  for (std::size_t i = 0; i < axes.size(); i += step) {
    const Axis &a = axes[i], &b = axes[(i * 7919 + 13) % axes.size()];
    f(a, b, 2 * i / step);
    f(b, a, 2 * i / step + 1);
  }
}

constexpr std::size_t all = 1;

/// Images, channels in and out, groups: so chosen that every layout of vectors gets some.
struct Channels {
  Index images, in, out, groups;
};
constexpr Channels few[] = {{1, 1, 1, 1}, {2, 3, 2, 1},   {3, 4, 4, 1}, {1, 1, 9, 1},
                            {9, 5, 9, 1}, {17, 4, 8, 1},  {8, 6, 4, 2}, {2, 7, 7, 7},
                            {2, 6, 5, 1}, {1, 33, 33, 33}};
constexpr Channels many[] = {{2, 16, 17, 1}, {1, 40, 33, 1},   {33, 2, 6, 1},    {3, 70, 64, 1},
                             {2, 34, 36, 2}, {5, 128, 130, 1}, {1, 130, 128, 1}, {1, 256, 260, 2}};

std::string to_string(const kernel::Conv2dGeometry& g) {
  return message(g.batch, " images of ", g.in_channels, " to ", g.out_channels,
                 " channels, groups ", g.groups, ", ", g.input, " to ", g.output, ", kernel ",
                 g.kernel, ", stride ", g.stride, ", padding ", g.padding, ", dilation ",
                 g.dilation);
}

/// All three passes against the reference. Sums of products of `fill` are exact, but for
/// Winograd's.
template <class T>
void compare_convolution(const kernel::Conv2dGeometry& g, std::size_t number) {
  INFO(to_string(g));
  const bool add = number % 3 == 0, relu = number % 2 == 0;
  const auto x = fill<T>(Shape{g.batch, g.in_channels, g.input.height, g.input.width});
  const auto w = fill<T>(Shape{g.out_channels, g.group_in(), g.kernel.height, g.kernel.width});
  const auto dy = fill<T>(Shape{g.batch, g.out_channels, g.output.height, g.output.width});
  const auto bias = fill<T>(Shape{g.out_channels}), bias_in = fill<T>(Shape{g.in_channels});
  const auto bound = [&](ConvPass pass, Index terms) {
    return sizeof(T) == 4 && kernel::conv2d_algorithm<T>(g, pass) == ConvAlgorithm::winograd
               ? 3e-6 * static_cast<double>(terms + 8)
               : 0.0;
  };
  bool same = true;
  const auto check = [&](const auto& a, const auto& b, double most) {
    const double apart = absolute_difference(a, b);
    if (!(apart <= most)) {
      same = false;
      UNSCOPED_INFO("differs by " << apart);
    }
  };

  const Tensor<T, 4> y(dy.shape()), y2(dy.shape());
  const kernel::Epilogue<T> end{bias.data(), nullptr, relu ? Activation::relu : Activation::none};
  conv2d_forward<T>(Cpu{}, g, x.view(), w.view(), y.mut(), end);
  kernel::reference::conv2d_forward<T>(g, x.view(), w.view(), y2.mut(), end);
  check(y, y2, bound(ConvPass::forward, g.taps()));

  const auto dx = fill<T>(x.shape()), dx2 = dx.clone();
  conv2d_grad_input<T>(Cpu{}, g, dy.view(), w.view(), bias_in.view(), into(dx, add));
  kernel::reference::conv2d_grad_input<T>(g, dy.view(), w.view(), bias_in.view(), into(dx2, add));
  check(dx, dx2, bound(ConvPass::grad_input, g.group_out() * g.kernel.area()));

  const auto dw = fill<T>(w.shape()), dw2 = dw.clone();
  conv2d_grad_weight<T>(Cpu{}, g, x.view(), dy.view(), into(dw, add));
  kernel::reference::conv2d_grad_weight<T>(g, x.view(), dy.view(), into(dw2, add));
  check(dw, dw2, bound(ConvPass::grad_weight, g.batch * g.output.area()));
  CHECK(same);
}

/// Convolutions and transposed ones, of no more than `work` multiply-adds, or four times as many
/// for those with many channels.
void sweep_convolutions(std::size_t step, double work) {
  const auto axes = all_axes(13);
  each_isa([&](Isa) {
    for (const bool large : {false, true})
      each_pair(axes, large ? 3 * step : step, [&](const Axis& v, const Axis& h, std::size_t i) {
        const Channels c = large ? many[i % std::size(many)] : few[i % std::size(few)];
        const Size2 stride{v.stride, h.stride}, dilation{v.dilation, h.dilation};
        const Shape<4> weight{c.out, c.in / c.groups, v.kernel, h.kernel};
        const auto run = [&](const kernel::Conv2dGeometry& g) {
          if (static_cast<double>(g.macs()) > (large ? 4 : 1) * work) return;
          compare_convolution<float>(g, i);
          if (i % 4 == 0) compare_convolution<double>(g, i);
        };
        run(kernel::detail::conv2d_geometry("", {c.images, c.in, v.in, h.in}, weight,
                                            {.stride = stride,
                                             .padding = {v.padding, h.padding},
                                             .dilation = dilation,
                                             .groups = c.groups}));
        if (v.stride == 1 && h.stride == 1)
          run(kernel::detail::conv2d_geometry(
              "", {c.images, c.in, v.in, h.in}, weight,
              {.padding = same, .dilation = dilation, .groups = c.groups}));
        // As many outputs as the padding leaves, and up to the stride or dilation more.
        const auto room = [](const Axis& a) { return (a.in - 1) * a.stride + a.window(); };
        const Index most_v = (room(v) - 1) / 2, most_h = (room(h) - 1) / 2;
        run(detail::conv_transpose2d_geometry(
            "", {c.images, c.out, v.in, h.in}, weight,
            {.stride = stride,
             .padding = {std::min(v.padding, most_v), std::min(h.padding, most_h)},
             .output_padding = {static_cast<Index>(i) % std::max(v.stride, v.dilation),
                                static_cast<Index>(i / 2) % std::max(h.stride, h.dilation)},
             .groups = c.groups,
             .dilation = dilation}));
      });
  });
}

/// What PyTorch makes of some of them: tests/oracle/small_geometries.py.
struct Row {
  Channels channels;
  Axis height, width;
  double y, dx, dw;
};
constexpr Row convolutions[] = {
    {{2, 3, 2, 1}, {1, 13, 1, 1, 6}, {2, 3, 1, 1, 1}, -4.125, -7.75, -11.125},
    {{1, 4, 9, 1}, {2, 5, 2, 3, 8}, {3, 1, 3, 1, 4}, 1.3125, -25.375, 6.75},
    {{9, 4, 6, 2}, {5, 3, 1, 2, 2}, {1, 4, 2, 1, 3}, 13.75, -35.8125, 77.0625},
    {{2, 7, 7, 7}, {4, 13, 7, 1, 13}, {2, 2, 1, 1, 0}, 24.5625, 29.5, 3.125},
    {{1, 128, 128, 1}, {1, 3, 1, 1, 1}, {2, 3, 1, 1, 1}, -229.6875, 53.625, -1.375},
    {{2, 40, 31, 1}, {1, 7, 1, 1, 3}, {1, 5, 1, 1, 2}, 58.375, -33.625, -0.5625},
};
constexpr Row max_pools[] = {
    {{1, 3, 3, 1}, {1, 13, 1, 1, 6}, {1, 13, 1, 1, 6}, 2.75, 2.75, 0},
    {{1, 2, 2, 1}, {2, 9, 2, 1, 4}, {5, 3, 1, 2, 1}, 17, 5.75, 0},
    {{1, 5, 5, 1}, {3, 7, 1, 1, 3}, {1, 3, 2, 1, 1}, 43.25, 2.75, 0},
    {{1, 1, 1, 1}, {4, 3, 2, 1, 1}, {4, 3, 2, 1, 1}, 11.5, 1.5, 0},
};
constexpr Row avg_pools[] = {
    {{1, 3, 3, 1}, {1, 13, 1, 1, 6}, {1, 13, 1, 1, 6}, 0.0162721893491124, 0.0162721893491124, 0},
    {{1, 5, 5, 1}, {3, 7, 1, 1, 3}, {1, 3, 2, 1, 1}, 0.142857142857143, 0.142857142857143, 0},
    {{1, 1, 1, 1}, {4, 3, 2, 1, 1}, {4, 3, 2, 1, 1}, 0.194444444444444, 0.194444444444445, 0},
};

/// The sum of all elements, by the weights 1, 2, ..., 5, 1, ...
template <int N>
double digest(const Tensor<double, N>& x) {
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) sum += x.data()[i] * static_cast<double>(i % 5 + 1);
  return sum;
}

kernel::Pool2dGeometry pool_of(const Row& r, const Shape<4>& in) {
  const Axis &v = r.height, &h = r.width;
  return kernel::pool2d_geometry("pool", in, {v.kernel, h.kernel}, {v.stride, h.stride},
                                 {v.padding, h.padding}, {v.dilation, h.dilation}, false);
}

template <class T>
void compare_max_pool(const kernel::Pool2dGeometry& g, const Shape<4>& in, const Shape<4>& out,
                      bool add) {
  const auto x = fill<T>(in), dy = fill<T>(out), dx = fill<T>(in), dx2 = fill<T>(in);
  const Tensor<T, 4> y(out), y2(out), y3(out);
  const Tensor<int, 4> at(out), at2(out);
  max_pool2d_forward<T>(Cpu{}, g, x.view(), y.mut(), at.mut());
  max_pool2d_forward<T>(Cpu{}, g, x.view(), y3.mut(), {});
  kernel::reference::max_pool2d_forward<T>(g, x.view(), y2.mut(), at2.mut());
  CHECK(y.values() == y2.values());
  CHECK(y3.values() == y2.values());
  CHECK(at.values() == at2.values());
  max_pool2d_backward<T>(Cpu{}, g, at.view(), dy.view(), into(dx, add));
  kernel::reference::max_pool2d_backward<T>(g, at2.view(), dy.view(), into(dx2, add));
  CHECK(dx.values() == dx2.values());
}

template <class T>
void compare_avg_pool(const kernel::Pool2dGeometry& g, const Shape<4>& in, const Shape<4>& out,
                      bool add) {
  const auto x = fill<T>(in), dy = fill<T>(out), dx = fill<T>(in), dx2 = fill<T>(in);
  const Tensor<T, 4> y(out), y2(out);
  avg_pool2d_forward<T>(Cpu{}, g, x.view(), y.mut());
  kernel::reference::avg_pool2d_forward<T>(g, x.view(), y2.mut());
  CHECK(absolute_difference(y, y2) < 1e-6);
  avg_pool2d_backward<T>(Cpu{}, g, dy.view(), into(dx, add));
  kernel::reference::avg_pool2d_backward<T>(g, dy.view(), into(dx2, add));
  CHECK(absolute_difference(dx, dx2) < 1e-4);
}

void sweep_pools(std::size_t step) {
  each_pair(all_axes(6), step, [](const Axis& v, const Axis& h, std::size_t i) {
    const Index channels = i % 5 == 0 ? 512 / (v.in * h.in) : 3;
    const Shape<4> in{2, channels, v.in, h.in};
    const bool ceil_mode = i % 4 >= 2;
    const auto geometry = [&](Size2 dilation) {
      return kernel::pool2d_geometry(
          "pool", in, {v.kernel, h.kernel}, {v.stride, h.stride},
          {std::min(v.padding, v.kernel / 2), std::min(h.padding, h.kernel / 2)}, dilation,
          ceil_mode);
    };
    for (const bool dilated : {false, true}) {
      kernel::Pool2dGeometry g;
      try {
        g = geometry(dilated ? Size2(v.dilation, h.dilation) : Size2(1));
      } catch (const ShapeError&) {  // with less padding the window does not fit, or sees nothing
        continue;
      }
      INFO("kernel " << v.kernel << "x" << h.kernel << ", stride " << v.stride << "x" << h.stride
                     << ", padding " << g.y.padding << "x" << g.x.padding << ", dilation "
                     << g.y.dilation << "x" << g.x.dilation << ", ceil " << ceil_mode << ", maps "
                     << v.in << "x" << h.in);
      const Shape<4> out{2, channels, g.y.out, g.x.out};
      compare_max_pool<float>(g, in, out, i % 3 == 0);
      if (dilated) continue;
      g.count_include_pad = i % 2 == 0;
      g.divisor = i % 7 == 0 ? 3 : 0;
      compare_avg_pool<float>(g, in, out, i % 3 == 0);
      if (i % 4 == 0) compare_max_pool<double>(g, in, out, false);
      if (i % 4 == 1) compare_avg_pool<double>(g, in, out, false);
    }
  });
}

/// Upsampling and adaptive pooling of maps of 1 to 5 pixels to 1 to `most`, and margins around
/// them.
void sweep_sizes(Index most, Index step) {
  using T = float;
  Index number = 0;
  for (Index h = 1; h <= 5; ++h)
    for (Index w = 1; w <= 5; ++w)
      for (Index height = 1; height <= most; ++height)
        for (Index width = 1; width <= most; ++width) {
          if (++number % step != 0) continue;
          INFO(h << "x" << w << " to " << height << "x" << width);
          const bool add = number % 3 == 0;
          const Shape<4> in{2, number % 7 == 0 ? 40 : 3, h, w}, out{2, in[1], height, width};
          const auto x = fill<T>(in), dy = fill<T>(out);
          const auto compare = [&](const auto& forward, const auto& forward2, const auto& backward,
                                   const auto& backward2) {
            const Tensor<T, 4> y(out), y2(out);
            forward(y.mut());
            forward2(y2.mut());
            CHECK(absolute_difference(y, y2) < 1e-6);
            const auto dx = fill<T>(in), dx2 = fill<T>(in);
            backward(into(dx, add));
            backward2(into(dx2, add));
            CHECK(absolute_difference(dx, dx2) < 1e-4);
          };
          for (const bool corners : {false, true}) {
            const auto g =
                kernel::UpsampleGeometry::of("upsample", in, Size2(height, width), corners);
            compare(
                [&](auto y) { upsample_bilinear_forward(Cpu{}, g, x.view(), y); },
                [&](auto y) { kernel::reference::upsample_bilinear_forward<T>(g, x.view(), y); },
                [&](auto dx) { upsample_bilinear_backward(Cpu{}, g, dy.view(), dx); },
                [&](auto dx) {
                  kernel::reference::upsample_bilinear_backward<T>(g, dy.view(), dx);
                });
            if (corners) continue;
            compare([&](auto y) { upsample_nearest_forward(Cpu{}, g, x.view(), y); },
                    [&](auto y) { kernel::reference::upsample_nearest_forward<T>(g, x.view(), y); },
                    [&](auto dx) { upsample_nearest_backward(Cpu{}, g, dy.view(), dx); },
                    [&](auto dx) {
                      kernel::reference::upsample_nearest_backward<T>(g, dy.view(), dx);
                    });
          }
          const auto g = kernel::AdaptivePoolGeometry::of("adaptive", in, Size2(height, width));
          compare(
              [&](auto y) { adaptive_avg_pool2d_forward(Cpu{}, g, x.view(), y); },
              [&](auto y) { kernel::reference::adaptive_avg_pool2d_forward<T>(g, x.view(), y); },
              [&](auto dx) { adaptive_avg_pool2d_backward(Cpu{}, g, dy.view(), dx); },
              [&](auto dx) {
                kernel::reference::adaptive_avg_pool2d_backward<T>(g, dy.view(), dx);
              });
        }
}

void sweep_margins(Index most, Index step) {
  using T = float;
  Index number = 0;
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
    for (Index h = 1; h <= 5; ++h)
      for (Index before = 0; before <= most; ++before)
        for (Index after = 0; after <= most; ++after) {
          if (++number % step != 0) continue;
          const Index w = number % 5 + 1, limit = mode == PadMode::reflect ? 0 : most;
          const auto at_most = [&](Index n, Index extent) {
            return std::min(n, std::max(limit, extent - 1));
          };
          Margins<4> margins;
          margins.axis[2] = {at_most(before, h), at_most(after, h)};
          margins.axis[3] = {at_most(after, w), at_most(number % 4, w)};
          const Shape<4> in{2, 3, h, w};
          const auto g = kernel::PadGeometry<4>::of(in, margins, mode);
          INFO(ebb::to_string(in) << " to " << ebb::to_string(g.to));
          const auto x = fill<T>(in), dy = fill<T>(g.to);
          const Tensor<T, 4> y(g.to), y2(g.to);
          pad_forward<T>(Cpu{}, g, 5, x.view(), y.mut());
          kernel::reference::pad_forward<T>(g, 5, x.view(), y2.mut());
          CHECK(y.values() == y2.values());
          const auto dx = fill<T>(in), dx2 = fill<T>(in);
          pad_backward<T>(Cpu{}, g, dy.view(), into(dx, number % 2 == 0));
          kernel::reference::pad_backward<T>(g, dy.view(), into(dx2, number % 2 == 0));
          CHECK(dx.values() == dx2.values());
        }
}

}  // namespace

TEST_CASE("small geometries: the reference is PyTorch's", "[conv2d][pool]") {
  for (const Row& r : convolutions) {
    const auto& [c, v, h, y_sum, dx_sum, dw_sum] = r;
    const auto x = fill(Shape{c.images, c.in, v.in, h.in});
    const auto w = fill(Shape{c.out, c.in / c.groups, v.kernel, h.kernel});
    const auto g = kernel::detail::conv2d_geometry("", x.shape(), w.shape(),
                                                   {.stride = {v.stride, h.stride},
                                                    .padding = {v.padding, h.padding},
                                                    .dilation = {v.dilation, h.dilation},
                                                    .groups = c.groups});
    const Tensor<double, 4> y(Shape{c.images, c.out, g.output.height, g.output.width});
    const Tensor<double, 4> dx(x.shape()), dw(w.shape());
    const auto dy = fill(y.shape());
    kernel::reference::conv2d_forward<double>(g, x.view(), w.view(), y.mut());
    kernel::reference::conv2d_grad_input<double>(g, dy.view(), w.view(), {}, into(dx));
    kernel::reference::conv2d_grad_weight<double>(g, x.view(), dy.view(), into(dw));
    INFO(to_string(g));
    CHECK(digest(y) == y_sum);
    CHECK(digest(dx) == dx_sum);
    CHECK(digest(dw) == dw_sum);
  }
  for (const Row& r : max_pools) {
    const auto x = fill(Shape{Index{1}, r.channels.in, r.height.in, r.width.in});
    const auto g = pool_of(r, x.shape());
    const Tensor<double, 4> y(Shape{Index{1}, r.channels.in, g.y.out, g.x.out}), dx(x.shape());
    const Tensor<int, 4> at(y.shape());
    kernel::reference::max_pool2d_forward<double>(g, x.view(), y.mut(), at.mut());
    kernel::reference::max_pool2d_backward<double>(g, at.view(), fill(y.shape()).view(), into(dx));
    CHECK(digest(y) == r.y);
    CHECK(digest(dx) == r.dx);
  }
  for (const Row& r : avg_pools) {
    const auto x = fill(Shape{Index{1}, r.channels.in, r.height.in, r.width.in});
    const auto g = pool_of(r, x.shape());
    const Tensor<double, 4> y(Shape{Index{1}, r.channels.in, g.y.out, g.x.out}), dx(x.shape());
    kernel::reference::avg_pool2d_forward<double>(g, x.view(), y.mut());
    kernel::reference::avg_pool2d_backward<double>(g, fill(y.shape()).view(), into(dx));
    CHECK(std::abs(digest(y) - r.y) < 1e-13);
    CHECK(std::abs(digest(dx) - r.dx) < 1e-13);
  }
}

TEST_CASE("small geometries: convolutions are the reference's", "[conv2d]") {
  sweep_convolutions(101, 3e4);
}
TEST_CASE("small geometries: pools are the reference's", "[pool]") { sweep_pools(17); }
TEST_CASE("small geometries: other sizes are the reference's", "[upsample][pad]") {
  sweep_sizes(13, 59);
  sweep_margins(13, 31);
}

TEST_CASE("small geometries: all of them", "[.][small-geometries]") {
  sweep_sizes(13, 1);
  sweep_margins(13, 1);
  sweep_pools(all);
  sweep_convolutions(all, 4e5);
}
