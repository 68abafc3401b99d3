#include <ebb/ops/convolution/conv2d/conv2d.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

#include <iterator>
#include <optional>
#include <random>
#include <utility>

using namespace ebb;
using namespace ebb::test;

namespace {

struct Case {
  Shape<4> x, w;
  Conv2dOptions options;

  kernel::Conv2dGeometry geometry() const {
    return kernel::detail::conv2d_geometry("", x, w, options);
  }
};

std::string to_string(const Case& c) {
  return message("x ", c.x, " w ", c.w, " stride ", c.options.stride, " padding ",
                 c.options.padding.size, " dilation ", c.options.dilation, " groups ",
                 c.options.groups);
}

constexpr ConvAlgorithm all_ways[] = {
    ConvAlgorithm::reference,  ConvAlgorithm::pointwise, ConvAlgorithm::depthwise,
    ConvAlgorithm::three_rows, ConvAlgorithm::unfolded,  ConvAlgorithm::images,
    ConvAlgorithm::channels,   ConvAlgorithm::lines,     ConvAlgorithm::winograd};

/// The way that is asked for while it lives.
struct Asked {
  explicit Asked(ConvAlgorithm way) { set_conv2d_algorithm(way); }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() { reset_conv2d_algorithm(); }
};

/// All three passes by one way wherever it can, with what surrounds them, against the reference.
template <class T>
int compare(ConvAlgorithm way, const Case& c, std::uint64_t seed) {
  const kernel::Conv2dGeometry g = c.geometry();
  const Asked asked(way);
  const bool taken[] = {kernel::conv2d_algorithm<T>(g, ConvPass::forward) == way,
                        kernel::conv2d_algorithm<T>(g, ConvPass::grad_input) == way,
                        kernel::conv2d_algorithm<T>(g, ConvPass::grad_weight) == way};
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = random<T>(c.x, seed), w = random<T>(c.w, seed + 1);
  const auto dy = random<T>(y_shape, seed + 2);
  const auto bias = random<T>(Shape{g.out_channels}, seed + 3);
  const auto bias_in = random<T>(Shape{g.in_channels}, seed + 4);
  const bool relu = seed % 2 == 0, add = seed % 3 == 0;
  INFO(ebb::to_string(way) << ", " << to_string(c) << " relu " << relu << " add " << add);
  const double unit = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;
  const double rounding = way == ConvAlgorithm::winograd ? 30 : 1;
  const auto bound = [&](Index terms) {
    return rounding * unit * (static_cast<double>(terms) + 8);
  };

  if (taken[0]) {
    const Tensor<T, 4> y(y_shape), y2(y_shape);
    const kernel::Epilogue<T> end{bias.data(), nullptr, relu ? Activation::relu : Activation::none};
    conv2d_forward<T>(Cpu{}, g, x.view(), w.view(), y.mut(), end);
    kernel::reference::conv2d_forward<T>(g, x.view(), w.view(), y2.mut(), end);
    CHECK(absolute_difference(y, y2) < bound(g.taps()));
  }
  if (taken[1]) {
    const auto dx = random<T>(c.x, seed + 5), dx2 = dx.clone();
    conv2d_grad_input<T>(Cpu{}, g, dy.view(), w.view(), bias_in.view(), into(dx, add));
    kernel::reference::conv2d_grad_input<T>(g, dy.view(), w.view(), bias_in.view(), into(dx2, add));
    CHECK(absolute_difference(dx, dx2) < bound(g.group_out() * g.kernel.area()));
  }
  if (taken[2]) {
    const auto dw = random<T>(c.w, seed + 6), dw2 = dw.clone();
    conv2d_grad_weight<T>(Cpu{}, g, x.view(), dy.view(), into(dw, add));
    kernel::reference::conv2d_grad_weight<T>(g, x.view(), dy.view(), into(dw2, add));
    CHECK(absolute_difference(dw, dw2) < bound(g.batch * g.output.area()));
  }
  return taken[0] + taken[1] + taken[2];
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
    const Size2 window = kernel::detail::reach(kernel, c.options.dilation);
    if (window.height <= c.x[2] + 2 * c.options.padding.size.height &&
        window.width <= c.x[3] + 2 * c.options.padding.size.width)
      cases.push_back(c);
  }
  return cases;
}

}  // namespace

TEST_CASE("conv2d: every way against the reference, wherever it can", "[conv2d]") {
  each_isa([](Isa set) {
    INFO(ebb::to_string(set));
    std::uint64_t seed = 0;
    int taken[std::size(all_ways) + 1] = {};
    for (const auto& cases : {special_cases(), random_cases(150)})
      for (const Case& c : cases) {
        ++seed;
        // What the cost model takes, and of the others the one that had fewest.
        const kernel::Conv2dGeometry g = c.geometry();
        ConvAlgorithm way = ConvAlgorithm::reference;
        for (const ConvAlgorithm other : all_ways)
          if (kernel::detail::conv2d_can(other, {g, ConvPass::forward, 4}) &&
              taken[static_cast<std::size_t>(other)] < taken[static_cast<std::size_t>(way)])
            way = other;
        compare<float>(kernel::conv2d_algorithm(c.geometry(), ConvPass::forward), c, seed);
        compare<double>(kernel::conv2d_algorithm<double>(c.geometry(), ConvPass::grad_input), c,
                        seed);
        compare<double>(kernel::conv2d_algorithm<double>(c.geometry(), ConvPass::grad_weight), c,
                        seed + 1);
        taken[static_cast<std::size_t>(way)] += compare<float>(way, c, seed + 2);
        taken[static_cast<std::size_t>(way)] += compare<double>(way, c, seed + 3);
      }
    for (const ConvAlgorithm way : all_ways) {
      INFO(ebb::to_string(way));
      CHECK(taken[static_cast<std::size_t>(way)] > 0);
    }
  });
}

TEST_CASE("conv2d: no way depends on the number of threads", "[conv2d]") {
  for (const auto& taken :
       {std::pair{ConvAlgorithm::lines, Case{{9, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}}},
        std::pair{ConvAlgorithm::pointwise, Case{{5, 40, 14, 14}, {50, 40, 1, 1}, {}}},
        std::pair{ConvAlgorithm::channels, Case{{3, 40, 7, 7}, {50, 40, 3, 3}, {.padding = 1}}},
        std::pair{ConvAlgorithm::images, Case{{30, 6, 14, 14}, {6, 6, 5, 5}, {.padding = 1}}},
        std::pair{ConvAlgorithm::unfolded, Case{{2, 130, 2, 2}, {140, 130, 3, 3}, {.padding = 1}}},
        std::pair{ConvAlgorithm::winograd, Case{{3, 40, 9, 7}, {50, 40, 3, 3}, {.padding = 1}}},
        std::pair{ConvAlgorithm::depthwise,
                  Case{{3, 40, 17, 17}, {40, 1, 3, 3}, {.padding = 1, .groups = 40}}},
        std::pair{ConvAlgorithm::three_rows,
                  Case{{3, 40, 17, 17}, {40, 1, 3, 3}, {.padding = 1, .groups = 40}}}}) {
    const ConvAlgorithm way = taken.first;
    const Case& c = taken.second;  // not a structured binding: clang++ 14 captures none
    INFO(ebb::to_string(way) << ", " << to_string(c));
    const kernel::Conv2dGeometry g = c.geometry();
    const Asked asked(way);
    CHECK(kernel::conv2d_algorithm(g, ConvPass::forward) == way);
    const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
    const auto x = random<float>(c.x, 1), w = random<float>(c.w, 2), dy = random<float>(y_shape, 3);
    check_threads([&] {
      const Tensor<float, 4> y(y_shape);
      conv2d_forward(Cpu{}, g, x.view(), w.view(), y.mut());
      return y;
    });
    check_threads([&] {
      const Tensor<float, 4> dx(c.x);
      conv2d_grad_input(Cpu{}, g, dy.view(), w.view(), View<const float, 1>{}, into(dx));
      return dx;
    });
    check_threads([&] {
      const Tensor<float, 4> dw(c.w);
      conv2d_grad_weight(Cpu{}, g, x.view(), dy.view(), into(dw));
      return dw;
    });
  }
}

TEST_CASE("conv2d: infinity stays where it belongs", "[conv2d]") {
  // With vectors along channels, padding is not multiplied with at all.
  const Case c{{1, 8, 6, 6}, {8, 8, 3, 3}, {.padding = 1}};
  const kernel::Conv2dGeometry g = c.geometry();
  auto x = random<float>(c.x, 1), dy = random<float>(c.x, 2);
  x.mutable_data()[0] = dy.mutable_data()[0] = INFINITY;  // the first pixel of channel 0
  const Tensor<float, 4> dw(c.w), dw2(c.w);
  const Asked asked(ConvAlgorithm::channels);
  CHECK(kernel::conv2d_algorithm(g, ConvPass::grad_weight) == ConvAlgorithm::channels);
  conv2d_grad_weight(Cpu{}, g, x.view(), dy.view(), into(dw));
  kernel::reference::conv2d_grad_weight<float>(g, x.view(), dy.view(), into(dw2));
  for (Index i = 0; i < dw.size(); ++i)
    CHECK(std::isfinite(dw.data()[i]) == std::isfinite(dw2.data()[i]));
}

TEST_CASE("conv2d: the plan follows from geometry, pass and scalar", "[conv2d]") {
  using enum ConvAlgorithm;
  using enum ConvPass;
  const auto plan = [](const Case& c, ConvPass pass, std::optional<ConvAlgorithm> wanted = {},
                       Index scalar = 4) {
    const kernel::Conv2dGeometry g = c.geometry();
    return kernel::detail::conv2d_plan({g, pass, scalar}, wanted);
  };
  const Case one{{2, 8, 8, 8}, {8, 8, 1, 1}, {}}, three{{2, 16, 28, 28}, {32, 16, 3, 3}, {}};
  const Case depth{{2, 8, 6, 6}, {8, 1, 3, 3}, {.groups = 8}};
  const Case first{{2, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}};
  const Case small{{32, 6, 12, 12}, {6, 6, 5, 5}, {}};
  const Case last{{1, 256, 2, 2}, {256, 256, 3, 3}, {.padding = 1}};
  CHECK(plan(one, forward) == pointwise);
  CHECK(plan(one, grad_input) == pointwise);
  CHECK(plan(one, grad_weight) == channels);
  CHECK(plan({one.x, one.w, {.stride = 2}}, grad_input) != pointwise);
  CHECK(plan({one.x, one.w, {.padding = 1}}, grad_input) != pointwise);
  for (const ConvPass pass : {forward, grad_input, grad_weight}) {
    CHECK(plan(depth, pass) == three_rows);
    CHECK(plan({depth.x, {8, 1, 5, 5}, {.groups = 8}}, pass) == depthwise);
    CHECK(plan({depth.x, depth.w, {.stride = 2, .groups = 8}}, pass) == depthwise);
    CHECK(plan({depth.x, {16, 1, 3, 3}, {.groups = 8}}, pass) != depthwise);
    CHECK(plan(three, pass) == winograd);
    CHECK(plan(three, pass, {}, 8) == channels);  // doubles are never Winograd's
    CHECK(plan(three, pass, direct) == channels);
    CHECK(plan(last, pass) == unfolded);
    CHECK(plan({{0, 1, 8, 8}, {1, 1, 3, 3}, {}}, pass) == reference);
    CHECK(plan({{1, 1, 8, 8}, {1, 1, 3, 3}, {.padding = 5000, .dilation = 5000}}, pass) ==
          reference);
    // What is asked for is done wherever it can be.
    for (const ConvAlgorithm way : all_ways) {
      INFO(ebb::to_string(way));
      const ConvAlgorithm planned = plan(three, pass, way);
      const bool can = way != pointwise && way != depthwise &&
                       (pass != grad_weight || (way != three_rows && way != images));
      CHECK(planned == (can ? way : winograd));
    }
  }
  CHECK(plan(first, forward) == lines);
  CHECK(plan(first, grad_input) == three_rows);
  CHECK(plan(first, grad_weight) == lines);
  CHECK(plan(small, forward) == images);
  CHECK(plan(small, grad_input) == images);
  CHECK(plan({{1, 6, 12, 12}, {6, 6, 5, 5}, {}}, forward) == channels);  // few images

  const auto x = random<float>(three.x, 1), w = random<float>(three.w, 2);
  reset_conv2d_algorithm();
  const auto fast = conv2d(x, w);
  const Asked asked(reference);
  CHECK(absolute_difference(conv2d(x, w), fast) < 1e-4);
}
