// Products and convolutions give the same bits on AVX2 and on AVX-512, for many geometries: sums
// have the same order whatever the width of registers.
#include <ebb/ebb.hpp>

#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using namespace ebb::kernel;
using namespace ebb::test;

namespace {

/// Numbers drawn one after the other.
class Draws {
 public:
  template <std::size_t n>
  Index one_of(const Index (&choices)[n]) {
    return choices[below(static_cast<Index>(n))];
  }
  Index below(Index n) {
    return static_cast<Index>(stream_.uniform<double>(at_++) * static_cast<double>(n));
  }

 private:
  RandomStream stream_{5, 3};
  std::uint64_t at_ = 0;
};

/// Some geometry of a few million multiplications at most, or none.
std::optional<Conv2dGeometry> draw_geometry(Draws& draw) {
  constexpr Index channels[] = {1, 2, 3, 4, 6, 8, 12, 16, 20, 32, 48, 64, 128};
  constexpr Index kernels[] = {1, 1, 3, 3, 3, 5, 7, 2}, batches[] = {1, 2, 3, 5, 16, 33};
  Conv2dGeometry g;
  g.batch = draw.one_of(batches);
  g.in_channels = draw.one_of(channels), g.out_channels = draw.one_of(channels), g.groups = 1;
  const Index kind = draw.below(8);
  if (kind == 0) g.groups = g.in_channels = g.out_channels;
  if (kind == 1) g.groups = 2, g.in_channels *= 2, g.out_channels *= 2;
  g.input = Size2(1 + draw.below(20), 1 + draw.below(20));
  g.kernel = draw.below(4) == 0 ? Size2(draw.one_of(kernels), draw.one_of(kernels))
                                : Size2(draw.one_of(kernels));
  g.stride = Size2(draw.below(4) == 0 ? 2 : 1);
  g.dilation = Size2(draw.below(10) == 0 ? 2 : 1);
  if (kind == 2) {  // few outputs, many weights
    g.batch = 1, g.in_channels = g.out_channels = 128;
    g.input = Size2(2), g.kernel = Size2(3), g.stride = g.dilation = Size2(1);
  }
  if (kind == 2 || draw.below(2) == 0) g.padding = Size2(g.kernel.height / 2, g.kernel.width / 2);
  const auto outputs = [](Index input, Index kernel, Index stride, Index padding, Index dilation) {
    const Index free = input + 2 * padding - dilation * (kernel - 1) - 1;
    return free < 0 ? Index{0} : free / stride + 1;
  };
  g.output = Size2(
      outputs(g.input.height, g.kernel.height, g.stride.height, g.padding.height,
              g.dilation.height),
      outputs(g.input.width, g.kernel.width, g.stride.width, g.padding.width, g.dilation.width));
  if (g.output.area() == 0 || g.macs() > 8'000'000) return std::nullopt;
  return g;
}

/// What `compute` gives on AVX2 and on AVX-512 is the same.
template <class Compute>
bool same_bits(const Compute& compute) {
  const auto on = [&](Isa isa) {
    const OnlyIsa only(isa);
    return compute().values();
  };
  return on(Isa::avx2) == on(Isa::avx512);
}

template <class T>
Into<T, 4> into(Tensor<T, 4>& x) {
  return {x.mut().data, x.shape(), false};
}

template <class T>
void check_convolutions(std::set<ConvAlgorithm>& ways) {
  Draws draw;
  for (int i = 0; i < 250; ++i) {
    const auto drawn = draw_geometry(draw);
    if (!drawn) continue;
    const Conv2dGeometry& g = *drawn;
    const auto x = random<T>(Shape{g.batch, g.in_channels, g.input.height, g.input.width}, 1);
    const auto w =
        random<T>(Shape{g.out_channels, g.group_in(), g.kernel.height, g.kernel.width}, 2);
    const auto dy = random<T>(Shape{g.batch, g.out_channels, g.output.height, g.output.width}, 3);
    for (const ConvPass pass : {ConvPass::forward, ConvPass::grad_input, ConvPass::grad_weight}) {
      const ConvAlgorithm way = conv2d_algorithm<T>(g, pass);
      ways.insert(way);
      INFO(to_string(way) << ", pass " << static_cast<int>(pass) << ": x " << x.shape() << ", w "
                          << w.shape() << ", stride " << g.stride << ", padding " << g.padding);
      CHECK(same_bits([&] {
        Tensor<T, 4> y(pass == ConvPass::forward      ? dy.shape()
                       : pass == ConvPass::grad_input ? x.shape()
                                                      : w.shape());
        if (pass == ConvPass::forward)
          conv2d_forward(Cpu{}, g, x.view(), w.view(), y.mut());
        else if (pass == ConvPass::grad_input)
          conv2d_grad_input<T>(Cpu{}, g, dy.view(), w.view(), {nullptr, Shape<1>{0}}, into(y));
        else
          conv2d_grad_weight<T>(Cpu{}, g, x.view(), dy.view(), into(y));
        return y;
      }));
    }
  }
}

template <class T>
void check_products() {
  constexpr Index extents[] = {1, 2, 3, 8, 10, 17, 33, 64, 120, 300},
                  depths[] = {5, 40, 70, 400, 9000};
  Draws draw;
  for (int i = 0; i < 150; ++i) {
    const Index m = draw.one_of(extents), n = draw.one_of(extents), k = draw.one_of(depths);
    if (m * n * k > 8'000'000) continue;
    const Transposed transposed{draw.below(2) == 0, draw.below(2) == 0};
    const auto a = random<T>(transposed.a ? Shape{k, m} : Shape{m, k}, 1);
    const auto b = random<T>(transposed.b ? Shape{n, k} : Shape{k, n}, 2);
    INFO(m << " x " << k << " x " << n << ", transposed " << transposed.a << transposed.b);
    CHECK(same_bits([&] {
      Tensor<T, 2> c(Shape{m, n});
      gemm<Cpu, T>(Cpu{}, transposed, a.view(), b.view(), {c.mut().data, c.shape(), false});
      return c;
    }));
  }
}

}  // namespace

TEST_CASE("products and convolutions have the same bits on AVX2 and on AVX-512", "[ops][isa]") {
  if (!supports(Isa::avx512)) {
    WARN("skipped: this processor has no AVX-512");
    return;
  }
  std::set<ConvAlgorithm> ways;
  check_convolutions<float>(ways);
  check_convolutions<double>(ways);
  CHECK(ways.size() >= 8);  // all but the reference and what is asked for by name
  check_products<float>();
  check_products<double>();
}
