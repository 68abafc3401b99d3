#include <ebb/ops/normalisation/group_norm/group_norm.hpp>
#include <ebb/ops/normalisation/layer_norm/layer_norm.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;
using test::difference;

// x = ramp(2, 4, 3), w = ramp(4), b = 2 * ramp(4) + 0.5
// y = F.group_norm(x, 2, w, b, 1e-5); y.backward(ramp(2, 4, 3) ** 2)
TEST_CASE("group_norm: the values of PyTorch", "[ops][group_norm]") {
  const Param<Tensor<double, 1>> w(test::ramp<double>(Shape{4}));
  const Param<Tensor<double, 1>> b(Tensor<double, 1>({4}, {-1.5, 2, 0, 3.5}));
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{2, 4, 3}));
  const auto y = group_norm(x, 2, w, b);
  CHECK(difference(y.value(), {-0.106957864268022, -2.196521067865989, -1.002484951524294,
                               3.194036116341695,  2.298509029085424,  1.402981941829152,
                               -0.340489963621606, -0.037832218180178, 0.264825527261249,
                               5.088953163567495,  3.27300669091893,   1.457060218270365,
                               -1.786296463780138, -0.412073437635476, -2.816963733388635,
                               1.957055530432979,  0.926388260824483,  2.730055982639352,
                               -0.071574115945034, 0.271981640591131,  -0.329240933347159,
                               3.414111060865959,  1.352776521648965,  4.960111965278704}) < 1e-14);
  const auto dy = test::ramp<double>(y.shape());
  for (Index i = 0; i < dy.size(); ++i) dy.mutable_data()[i] *= dy.data()[i];
  backward(y, dy);
  CHECK(difference(x.grad(), {-0.270815293086432, -1.263853427294708, 0.199124022366293,
                              0.773258290856491,  -0.151836492165898, 0.714122899324254,
                              -0.737202176831906, -0.488257400101758, -0.844628114254465,
                              1.500386562710891,  -0.520601751369667, 1.090302879846905,
                              -0.324902270285475, -0.32855006515475,  -2.125834145948387,
                              0.53307517233762,   -0.157684135603986, 2.403895444654977,
                              -0.366437872462056, -1.012426380397348, -0.332863421964304,
                              -0.463518295095348, 1.123605614454436,  1.051640355464618}) < 1e-14);
  CHECK(difference(w.grad(), {2.023871025265882, 4.631369900247747, 2.26456146188712,
                              -1.186598077362603}) < 1e-14);
  CHECK(difference(b.grad(), {4.5, 4.8125, 3.8125, 3.5625}) < 1e-14);
}

TEST_CASE("group_norm: one group is a layer norm without weights", "[ops][group_norm]") {
  const auto x = test::random<double>(Shape{3, 4, 2, 5});
  CHECK(difference(group_norm(x, 1), layer_norm(x, Shape{4, 2, 5})) < 1e-14);
  const Param<Tensor<double, 1>> none;
  CHECK(test::same_bits(group_norm(x, 2, none, none), group_norm(x, 2)));
  CHECK(difference(group_norm(x, 4), group_norm(x, 2)) > 0.01);
}

TEST_CASE("group_norm: what does not fit", "[ops][group_norm]") {
  const auto x = test::random<float>(Shape{2, 6, 3});
  const Param<Tensor<float, 1>> w(Tensor<float, 1>::ones(Shape{4})), none;
  w.set_name("gn.weight");
  CHECK(test::error_of<ValueError>([&] { group_norm(x, 4, w, none); }) ==
        "group_norm (layer gn): 4 groups do not divide the 6 channels (axis 1) of the input "
        "(2, 6, 3)");
  CHECK(contains(test::error_of<ValueError>([&] { group_norm(x, 0); }), "0 groups"));
  CHECK(contains(test::error_of<ShapeError>([&] { group_norm(x, 3, w, none); }),
                 "has 6 channels (axis 1), but the weight has 4 elements"));
  CHECK(contains(test::error_of<ShapeError>([&] { group_norm(x, 3, none, w); }),
                 "but the bias has 4 elements"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   group_norm(test::random<float>(Shape{2, 6}), 6);
                 }),
                 "one value per group"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   group_norm(Tensor<float, 3>(Shape{2, 6, 0}), 2);
                 }),
                 "are empty"));
}

TEST_CASE("group_norm: gradients", "[ops][group_norm]") {
  const auto w = test::random<double>(Shape{4}, 2), b = test::random<double>(Shape{4}, 3);
  for (const Index groups : {1, 2, 4}) {
    const auto f = [groups](const auto& x, const auto& v, const auto& c) {
      return group_norm(x, groups, v, c);
    };
    CHECK_GRADIENTS(f, test::random<double>(Shape{2, 4, 3}), w, b);
    CHECK_GRADIENTS(f, test::random<double>(Shape{1, 4, 2, 3}), w, b);
  }
  CHECK_GRADIENTS([](const auto& x) { return group_norm(x, 2); },
                  test::random<double>(Shape{3, 6}));
  CHECK_GRADIENTS(
      [](const auto& x, const auto& v) { return group_norm(x, 2, v, Tensor<double, 1>()); },
      test::random<double>(Shape{2, 4, 1, 1}), w);
}

namespace {
template <class T>
double worst_against_reference() {
  const RandomStream random{16, 0};
  std::uint64_t at = 0;
  double worst = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const auto draw = [&](Index low, Index high) {
      return low + random.below(high - low + 1, at++);
    };
    const Index groups = draw(1, 4);
    const kernel::GroupNormGeometry g{draw(1, 5), groups * draw(1, 5), draw(2, 40), groups};
    const Shape<1> all{g.size()}, rows{g.rows()}, channels{g.channels};
    const auto x = test::random<T>(all, at, 2, 4), dy = test::random<T>(all, at + 1);
    const auto w = test::random<T>(channels, at + 2), b = test::random<T>(channels, at + 3);
    const View<const T, 1> none;
    const auto wv = trial % 2 ? w.view() : none, bv = trial % 3 ? b.view() : none;
    const Tensor<T, 1> mean(rows), inv(rows), y(all), y2(all);
    row_statistics(Cpu{}, g.rows(), g.group_size(), 1e-5, x.view(), mean.mut(), inv.mut());
    group_norm_apply(Cpu{}, g, x.view(), mean.view(), inv.view(), wv, bv, y.mut());
    kernel::reference::group_norm_apply(g, x.view(), mean.view(), inv.view(), wv, bv, y2.mut());
    worst = std::fmax(worst, difference(y, y2));
    for (const bool add : {false, true}) {
      const auto dx = test::random<T>(all, 3), dx2 = dx.clone();
      const auto dw = test::random<T>(channels, 4), dw2 = dw.clone();
      const auto db = test::random<T>(channels, 5), db2 = db.clone();
      group_norm_backward(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(), wv,
                          Into<T, 1>{dx.mutable_data(), all, add});
      kernel::reference::group_norm_backward(g, x.view(), dy.view(), mean.view(), inv.view(), wv,
                                             Into<T, 1>{dx2.mutable_data(), all, add});
      group_norm_affine_backward(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(),
                                 Into<T, 1>{dw.mutable_data(), channels, add},
                                 Into<T, 1>{db.mutable_data(), channels, add});
      kernel::reference::group_norm_affine_backward(g, x.view(), dy.view(), mean.view(), inv.view(),
                                                    Into<T, 1>{dw2.mutable_data(), channels, add},
                                                    Into<T, 1>{db2.mutable_data(), channels, add});
      for (const double d : {difference(dx, dx2), difference(dw, dw2), difference(db, db2)})
        worst = std::fmax(worst, d);
    }
  }
  return worst;
}
}  // namespace

TEST_CASE("group_norm: the fast kernels are the reference", "[ops][group_norm]") {
  CHECK(worst_against_reference<float>() < 2e-5);
  CHECK(worst_against_reference<double>() < 1e-13);
}

TEST_CASE("group_norm: any number of threads", "[ops][group_norm]") {
  const auto x = test::random<float>(Shape{5, 8, 30, 31});
  const auto run = [&](int which) {
    const Param<Tensor<float, 1>> w(test::random<float>(Shape{8}, 2));
    const Param<Tensor<float, 1>> b(test::random<float>(Shape{8}, 3));
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = group_norm(v, 4, w, b);
    if (which == 0) return y.value().reshape(Shape{x.size()});
    backward(y, test::random<float>(y.shape(), 4));
    return which == 1 ? v.grad().reshape(Shape{x.size()}) : w.grad();
  };
  for (const int which : {0, 1, 2}) CHECK(test::same_for_any_threads([&] { return run(which); }));
}

TEST_CASE("group_norm: dual numbers", "[ops][group_norm]") {
  // The sum of a normalised group does not move, whatever moves in it.
  Tensor<Dual<double>, 3> x(Shape{1, 2, 3});
  for (Index i = 0; i < 6; ++i)
    x.mutable_data()[i] = Dual<double>(static_cast<double>(i * i), i == 2 ? 1 : 0);
  const auto y = group_norm(x, 1);
  double sum = 0, most = 0;
  for (Index i = 0; i < 6; ++i) {
    sum += y.data()[i].tangent;
    most = std::fmax(most, std::fabs(y.data()[i].tangent));
  }
  CHECK(std::fabs(sum) < 1e-14);
  CHECK(most > 0.01);
}
