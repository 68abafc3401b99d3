#include <ebb/ops/normalisation/layer_norm/layer_norm.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;
using test::difference;

namespace {
/// scale ramp ** power + shift
template <int N>
Tensor<double, N> ramp_of(const Shape<N>& shape, double scale, double shift, int power) {
  const auto x = test::ramp<double>(shape);
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = scale * std::pow(x.data()[i], power) + shift;
  return x;
}
}  // namespace

// x = ramp(2, 2, 3), w = ramp(2, 3), b = 2 * ramp(2, 3) + 0.5
// y = F.layer_norm(x, (2, 3), w, b, 1e-5); y.backward(ramp(2, 2, 3) ** 2)
TEST_CASE("layer_norm: the values of PyTorch", "[ops][layer_norm]") {
  const Param<Tensor<double, 2>> w(test::ramp<double>(Shape{2, 3}));
  const Param<Tensor<double, 2>> b(ramp_of(Shape{2, 3}, 2, 0.5, 1));
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{2, 2, 3}));
  const auto y = layer_norm(x, w, b);
  CHECK(difference(y.value(), {-0.106957864268022, 2.522390800899492, 0.124378762118927,
                               5.88807223268339, 1.699006019390283, -0.101987961219435,
                               -2.861959854486424, 2.113496654540536, 0.264825527261249,
                               5.088953163567495, 1.424335563639643, 0.180979927243212}) < 1e-14);
  backward(y, ramp_of(y.shape(), 1, 0, 2));
  CHECK(difference(x.grad(), {0.253223874814478, -1.050124246140269, 0.142409652319151,
                              1.189820135412115, -0.975872543339482, 0.440543126934006,
                              -1.841070486288114, 0.180064164133135, 0.025846269194124,
                              1.884680748904887, 0.141509690398382, -0.391030386342413}) < 1e-14);
  CHECK(difference(w.grad(), {0.73502013690306, 0.401251155219663, -0.626952126867542,
                              4.641410458070082, 0.099503009695141, -1.560965873876706}) < 1e-14);
  CHECK(difference(b.grad(), {2.5625, 0.625, 0.625, 3.25, 0.25, 1.25}) < 1e-14);
}

TEST_CASE("layer_norm: every way to say the shape", "[ops][layer_norm]") {
  const auto x = test::random<double>(Shape{4, 3, 5});
  const Param<Tensor<double, 1>> none, one(Tensor<double, 1>::ones(Shape{5})),
      zero(Tensor<double, 1>::zeros(Shape{5}));
  const auto y = layer_norm(x, Shape{5});
  CHECK(test::same_bits(layer_norm(x, one, zero), y));
  CHECK(test::same_bits(layer_norm(x, none, none), y));
  CHECK(test::same_bits(layer_norm(x, none, zero), y));
  CHECK(test::same_bits(layer_norm(x, one, none), y));
  CHECK(test::same_bits(layer_norm(x, Shape{5}, none, none), y));
  CHECK(difference(y, layer_norm(x, Shape{3, 5})) > 0.01);
  CHECK(layer_norm(x, Shape{4, 3, 5}).shape() == x.shape());
}

TEST_CASE("layer_norm: what does not fit", "[ops][layer_norm]") {
  const auto x = test::random<float>(Shape{4, 3, 5});
  const Param<Tensor<float, 1>> w(Tensor<float, 1>::ones(Shape{4})), none;
  w.set_name("block.norm.weight");
  CHECK(test::error_of<ShapeError>([&] { layer_norm(x, w, none); }) ==
        "layer_norm (layer block.norm): the input (4, 3, 5) does not end in the normalised shape "
        "(4)");
  CHECK(contains(test::error_of<ShapeError>([&] { layer_norm(x, Shape{5}, w, none); }),
                 "the weight has shape (4), but the normalised shape is (5)"));
  CHECK(contains(test::error_of<ShapeError>([&] { layer_norm(x, Shape{5}, none, w); }),
                 "the bias has shape (4)"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   layer_norm(Tensor<float, 2>(Shape{5, 0}), Shape{0});
                 }),
                 "is empty"));
}

TEST_CASE("layer_norm: gradients", "[ops][layer_norm]") {
  const auto f = [](const auto& x, const auto& w, const auto& b) { return layer_norm(x, w, b); };
  CHECK_GRADIENTS(f, test::random<double>(Shape{3, 4}), test::random<double>(Shape{4}, 2),
                  test::random<double>(Shape{4}, 3));
  CHECK_GRADIENTS(f, test::random<double>(Shape{2, 2, 3}), test::random<double>(Shape{2, 3}, 2),
                  test::random<double>(Shape{2, 3}, 3));
  CHECK_GRADIENTS(f, test::random<double>(Shape{9}), test::random<double>(Shape{9}, 2),
                  test::random<double>(Shape{9}, 3));
  CHECK_GRADIENTS([](const auto& x) { return layer_norm(x, Shape{5}); },
                  test::random<double>(Shape{1, 2, 5}));
  CHECK_GRADIENTS(
      [](const auto& x, const auto& w) { return layer_norm(x, Shape{5}, w, Tensor<double, 1>()); },
      test::random<double>(Shape{2, 5}), test::random<double>(Shape{5}, 2));
  CHECK_GRADIENTS(
      [](const auto& x, const auto& b) {
        return layer_norm(x, Shape{5}, Param<Tensor<double, 1>>(), b);
      },
      test::random<double>(Shape{2, 5}), test::random<double>(Shape{5}, 2));
}

namespace {
template <class T>
double worst_against_reference() {
  const RandomStream random{15, 0};
  std::uint64_t at = 0;
  double worst = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const auto draw = [&](Index low, Index high) {
      return low + random.below(high - low + 1, at++);
    };
    const kernel::LayerNormGeometry g{draw(1, 20), draw(2, 90)};
    const Shape<1> all{g.size()}, rows{g.rows}, columns{g.length};
    const auto x = test::random<T>(all, at, 2, 4), dy = test::random<T>(all, at + 1);
    const auto w = test::random<T>(columns, at + 2), b = test::random<T>(columns, at + 3);
    const View<const T, 1> none;
    const auto wv = trial % 2 ? w.view() : none, bv = trial % 3 ? b.view() : none;
    const Tensor<T, 1> mean(rows), inv(rows), mean2(rows), inv2(rows), y(all), y2(all);
    row_statistics(Cpu{}, g.rows, g.length, 1e-5, x.view(), mean.mut(), inv.mut());
    kernel::reference::row_statistics(g.rows, g.length, 1e-5, x.view(), mean2.mut(), inv2.mut());
    layer_norm_apply(Cpu{}, g, x.view(), mean.view(), inv.view(), wv, bv, y.mut());
    kernel::reference::layer_norm_apply(g, x.view(), mean.view(), inv.view(), wv, bv, y2.mut());
    for (const double d : {difference(mean, mean2), difference(inv, inv2), difference(y, y2)})
      worst = std::fmax(worst, d);
    for (const bool add : {false, true}) {
      const auto dx = test::random<T>(all, 3), dx2 = dx.clone();
      const auto dw = test::random<T>(columns, 4), dw2 = dw.clone();
      const auto db = test::random<T>(columns, 5), db2 = db.clone();
      layer_norm_backward(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(), wv,
                          Into<T, 1>{dx.mutable_data(), all, add});
      kernel::reference::layer_norm_backward(g, x.view(), dy.view(), mean.view(), inv.view(), wv,
                                             Into<T, 1>{dx2.mutable_data(), all, add});
      layer_norm_affine_backward(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(),
                                 Into<T, 1>{dw.mutable_data(), columns, add},
                                 Into<T, 1>{db.mutable_data(), columns, add});
      kernel::reference::layer_norm_affine_backward(g, x.view(), dy.view(), mean.view(), inv.view(),
                                                    Into<T, 1>{dw2.mutable_data(), columns, add},
                                                    Into<T, 1>{db2.mutable_data(), columns, add});
      for (const double d : {difference(dx, dx2), difference(dw, dw2), difference(db, db2)})
        worst = std::fmax(worst, d);
    }
  }
  return worst;
}
}  // namespace

TEST_CASE("layer_norm: the fast kernels are the reference", "[ops][layer_norm]") {
  CHECK(worst_against_reference<float>() < 2e-5);
  CHECK(worst_against_reference<double>() < 1e-13);
}

TEST_CASE("layer_norm: any number of threads", "[ops][layer_norm]") {
  const auto x = test::random<float>(Shape{300, 401});
  const auto run = [&](int which) {
    const Param<Tensor<float, 1>> w(test::random<float>(Shape{401}, 2));
    const Param<Tensor<float, 1>> b(test::random<float>(Shape{401}, 3));
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = layer_norm(v, w, b);
    if (which == 0) return y.value().reshape(Shape{x.size()});
    backward(y, test::random<float>(y.shape(), 4));
    return which == 1 ? v.grad().reshape(Shape{x.size()}) : w.grad();
  };
  for (const int which : {0, 1, 2}) CHECK(test::same_for_any_threads([&] { return run(which); }));
}

TEST_CASE("layer_norm: dual numbers are directional derivatives", "[ops][layer_norm]") {
  const auto x = test::random<double>(Shape{2, 4}, 1), along = test::random<double>(x.shape(), 2);
  Tensor<Dual<double>, 2> d(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    d.mutable_data()[i] = Dual<double>(x.data()[i], along.data()[i]);
  const auto y = layer_norm(d, Shape{4});
  const double h = 1e-6;
  const auto moved = [&](double step) {
    const auto z = x.clone();
    for (Index i = 0; i < z.size(); ++i) z.mutable_data()[i] += step * along.data()[i];
    return layer_norm(z, Shape{4});
  };
  const auto above = moved(h), below = moved(-h);
  for (Index i = 0; i < x.size(); ++i) {
    const double slope = (above.data()[i] - below.data()[i]) / (2 * h);
    CHECK(std::fabs(y.data()[i].tangent - slope) < 1e-8);
  }
}
