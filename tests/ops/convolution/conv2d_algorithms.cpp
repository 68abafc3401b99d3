#include <ebb/ops/convolution/conv2d/conv2d.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

#include <random>

using namespace ebb;
using namespace ebb::test;

namespace {

struct Case {
  Shape<4> x, w;
  Conv2dOptions options;

  Conv2dGeometry geometry() const { return detail::conv2d_geometry("", x, w, options); }
};

std::string to_string(const Case& c) {
  return message("x ", c.x, " w ", c.w, " stride ", c.options.stride, " padding ",
                 c.options.padding.size, " dilation ", c.options.dilation, " groups ",
                 c.options.groups);
}

/// All three passes, with what surrounds them, against the reference.
template <class T>
void compare(const Case& c, std::uint64_t seed) {
  const Conv2dGeometry g = c.geometry();
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = random<T>(c.x, seed), w = random<T>(c.w, seed + 1);
  const auto dy = random<T>(y_shape, seed + 2);
  const auto bias = random<T>(Shape{g.out_channels}, seed + 3);
  const auto bias_in = random<T>(Shape{g.in_channels}, seed + 4);
  const bool relu = seed % 2 == 0, add = seed % 3 == 0;
  INFO(to_string(c) << " relu " << relu << " add " << add);
  const double unit = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;
  const auto bound = [&](Index terms) { return unit * (static_cast<double>(terms) + 8); };

  const Tensor<T, 4> y(y_shape), y2(y_shape);
  detail::direct_forward(g, x.data(), w.data(), y.mutable_data(), {bias.data(), false, relu});
  reference::conv2d_forward<T>(g, x.view(), w.view(), bias.view(), y2.mut(), relu);
  CHECK(absolute_difference(y, y2) < bound(g.taps()));

  const auto dx = random<T>(c.x, seed + 5), dx2 = dx.clone();
  detail::direct_grad_input(g, dy.view(), w.view(), into(dx, add), {bias_in.data(), add, false});
  reference::conv2d_grad_input<T>(g, dy.view(), w.view(), bias_in.view(), into(dx2, add));
  CHECK(absolute_difference(dx, dx2) < bound(g.group_out() * g.kernel.area()));

  const auto dw = random<T>(c.w, seed + 6), dw2 = dw.clone();
  detail::direct_grad_weight(g, x.data(), dy.data(), dw.mutable_data(), add);
  reference::conv2d_grad_weight<T>(g, x.view(), dy.view(), into(dw2, add));
  CHECK(absolute_difference(dw, dw2) < bound(g.batch * g.output.area()));
}

/// Shapes that the layouts of the direct kernels were made for, with every kind of tail.
std::vector<Case> special_cases() {
  std::vector<Case> cases{
      {{3, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}},  // few channels
      {{2, 1, 28, 28}, {6, 1, 5, 5}, {.padding = 2}},   //
      {{1, 3, 40, 37}, {24, 3, 7, 7}, {.stride = 2, .padding = 3}},
      {{2, 17, 14, 14}, {33, 17, 3, 3}, {.padding = 1}},  // vectors along channels
      {{20, 40, 7, 7}, {40, 40, 3, 3}, {.padding = 1}},   // several images in one task
      {{1, 130, 5, 5}, {70, 130, 3, 3}, {.padding = 1}},  // several chunks of channels
      {{2, 3, 9, 9}, {2, 3, 3, 3}, {.padding = 2, .dilation = 2}},
      {{2, 12, 16, 16}, {8, 6, 3, 3}, {.stride = 2, .padding = 1, .groups = 2}},
      {{3, 2, 9, 21}, {7, 2, 3, 3}, {.padding = 2}},  // planes read where they lie
      {{3, 3, 1, 30}, {5, 3, 3, 4}, {.padding = {1, 5}, .dilation = {1, 2}}},
      {{31, 6, 14, 14}, {10, 6, 5, 5}, {}},  // vectors along images
      {{16, 16, 12, 12}, {6, 16, 5, 5}, {.padding = 2}},
      {{24, 12, 9, 11}, {12, 6, 3, 5}, {.stride = {2, 1}, .padding = 1, .groups = 2}},
      {{3, 130, 1, 2}, {70, 130, 3, 3}, {.padding = 1}},  // a few outputs as rows of a product
      {{1, 66, 3, 3}, {130, 33, 5, 5}, {.stride = 2, .padding = 2, .groups = 2}},
      {{2, 260, 2, 2}, {264, 260, 1, 1}, {}},
      {{40, 33, 1, 1}, {40, 33, 5, 5}, {.padding = 2}},  // most taps on padding alone
  };
  for (const Index size : {1, 3, 4, 7, 8, 12, 16, 28})
    for (const Index channels : {1, 5, 16, 38})
      cases.push_back({{2, channels, size, size + 1}, {channels / 2 + 1, channels, 1, 1}, {}});
  for (const Index size : {1, 2, 6, 7, 8, 9, 14, 15, 16, 17, 28, 31, 33})
    for (const Index kernel : {1, 2, 3, 5})
      for (const Index stride : {1, 2, 3})
        cases.push_back({{2, 18, size, size + kernel / 2},
                         {18, 1, kernel, kernel},
                         {.stride = stride,
                          .padding = kernel / 2 + (size % 3 == 0),
                          .dilation = size > 8 ? size % 2 + 1 : 1,
                          .groups = 18}});
  return cases;
}

/// Shapes at random: batches that fill a register of images and that do not, few channels, many
/// strides.
std::vector<Case> random_cases(int count) {
  std::vector<Case> cases;
  std::mt19937 engine(7);
  const auto pick = [&](Index least, Index most) {
    return least + static_cast<Index>(engine() % static_cast<unsigned>(most - least + 1));
  };
  while (static_cast<int>(cases.size()) < count) {
    const Index groups = pick(0, 3) == 0 ? 2 : 1, in = pick(1, 9), out = pick(1, 20);
    const Size2 kernel{pick(1, 5), pick(1, 5)};
    const Case c{
        {pick(0, 1) == 0 ? pick(1, 8) : pick(12, 33), in * groups, pick(1, 15), pick(1, 15)},
        {out * groups, in, kernel.height, kernel.width},
        {.stride = {pick(1, 3), pick(1, 3)},
         .padding = {pick(0, 3), pick(0, 3)},
         .dilation = {pick(1, 2), pick(1, 2)},
         .groups = groups}};
    const Size2 window = detail::reach(kernel, c.options.dilation);
    if (window.height <= c.x[2] + 2 * c.options.padding.size.height &&
        window.width <= c.x[3] + 2 * c.options.padding.size.width)
      cases.push_back(c);
  }
  return cases;
}

}  // namespace

TEST_CASE("conv2d: every layout of the direct kernels against the reference", "[conv2d]") {
  each_isa([](Isa set) {
    INFO(ebb::to_string(set));
    std::uint64_t seed = 0;
    for (const auto& cases : {special_cases(), random_cases(150)})
      for (const Case& c : cases) {
        compare<float>(c, ++seed);
        compare<double>(c, ++seed);
      }
  });
}

TEST_CASE("conv2d: no layout depends on the number of threads", "[conv2d]") {
  for (const Case& c : {Case{{9, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}},
                        Case{{5, 40, 14, 14}, {50, 40, 1, 1}, {}},
                        Case{{3, 40, 7, 7}, {50, 40, 3, 3}, {.padding = 1}},
                        Case{{30, 6, 14, 14}, {6, 6, 5, 5}, {.padding = 1}},
                        Case{{2, 130, 2, 2}, {140, 130, 3, 3}, {.padding = 1}},
                        Case{{3, 40, 17, 17}, {40, 1, 3, 3}, {.padding = 1, .groups = 40}}}) {
    INFO(to_string(c));
    const Conv2dGeometry g = c.geometry();
    const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
    const auto x = random<float>(c.x, 1), w = random<float>(c.w, 2), dy = random<float>(y_shape, 3);
    check_threads([&] {
      const Tensor<float, 4> y(y_shape);
      detail::direct_forward(g, x.data(), w.data(), y.mutable_data(), {nullptr, false, false});
      return y;
    });
    check_threads([&] {
      const Tensor<float, 4> dx(c.x);
      detail::direct_grad_input(g, dy.view(), w.view(), into(dx), {nullptr, false, false});
      return dx;
    });
    check_threads([&] {
      const Tensor<float, 4> dw(c.w);
      detail::direct_grad_weight(g, x.data(), dy.data(), dw.mutable_data(), false);
      return dw;
    });
  }
}

TEST_CASE("conv2d: infinity stays where it belongs", "[conv2d]") {
  // With vectors along channels, padding is not multiplied with at all.
  const Case c{{1, 8, 6, 6}, {8, 8, 3, 3}, {.padding = 1}};
  const Conv2dGeometry g = c.geometry();
  auto x = random<float>(c.x, 1), dy = random<float>(c.x, 2);
  x.mutable_data()[0] = dy.mutable_data()[0] = INFINITY;  // the first pixel of channel 0
  const Tensor<float, 4> dw(c.w), dw2(c.w);
  detail::direct_grad_weight(g, x.data(), dy.data(), dw.mutable_data(), false);
  reference::conv2d_grad_weight<float>(g, x.view(), dy.view(), into(dw2));
  for (Index i = 0; i < dw.size(); ++i)
    CHECK(std::isfinite(dw.data()[i]) == std::isfinite(dw2.data()[i]));
}

TEST_CASE("conv2d: the algorithm follows from the geometry and the switch", "[conv2d]") {
  using enum ConvAlgorithm;
  const auto chosen = [](const Case& c) {
    return conv2d_algorithm(c.geometry(), ConvPass::forward);
  };
  const Case one{{2, 8, 6, 6}, {4, 8, 1, 1}, {}}, three{{2, 8, 6, 6}, {4, 8, 3, 3}, {}};
  const Case depth{{2, 8, 6, 6}, {8, 1, 3, 3}, {.groups = 8}};
  const Case strided{{2, 8, 6, 6}, {4, 8, 3, 3}, {.stride = 2}};
  reset_conv2d_algorithm();
  CHECK(chosen(one) == pointwise);
  CHECK(chosen({one.x, one.w, {.stride = 2}}) == direct);
  CHECK(chosen({one.x, one.w, {.padding = 1}}) == direct);
  CHECK(chosen(depth) == depthwise);
  CHECK(chosen({depth.x, {16, 1, 3, 3}, {.groups = 8}}) == direct);
  CHECK(chosen(strided) == direct);

  set_conv2d_algorithm(winograd);
  CHECK(chosen(three) == winograd);
  CHECK(chosen(strided) == direct);  // does not apply
  CHECK(chosen(one) == pointwise);
  set_conv2d_algorithm(direct);
  CHECK(chosen(three) == direct);
  CHECK(chosen(depth) == depthwise);  // direct too
  set_conv2d_algorithm(reference);
  CHECK(chosen(three) == reference);
  const auto x = random<float>(three.x, 1), w = random<float>(three.w, 2);
  const auto slow = conv2d(x, w);
  reset_conv2d_algorithm();
  CHECK(absolute_difference(conv2d(x, w), slow) < 1e-4);
  for (const ConvAlgorithm a : {reference, direct, pointwise, depthwise, winograd})
    CHECK(std::string(ebb::to_string(a)) != "");
}
