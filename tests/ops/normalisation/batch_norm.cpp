#include <ebb/ops/normalisation/batch_norm/batch_norm.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;
using test::difference;

namespace {
using Vector = Tensor<double, 1>;
constexpr BatchNormOptions training{.training = true};

Param<Vector> weight() { return Vector({3}, {1.5, -0.5, 2.0}); }
Param<Vector> bias() { return Vector({3}, {0.1, 0.2, -0.3}); }

/// ramp ** 2
template <int N>
Tensor<double, N> squared_ramp(const Shape<N>& shape) {
  const auto x = test::ramp<double>(shape);
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] *= x.data()[i];
  return x;
}
}  // namespace

// x = ramp(2, 3, 2, 2), w = [1.5, -0.5, 2], b = [0.1, 0.2, -0.3]; rm = [0, 1, 2], rv = [1, 2, 3]
// y = F.batch_norm(x, rm, rv, w, b, training=True, momentum=0.1, eps=1e-5)
// y.backward(ramp(2, 3, 2, 2) ** 2)
TEST_CASE("batch_norm: training, the values of PyTorch", "[ops][batch_norm]") {
  const auto w = weight(), b = bias();
  const Vector running_mean({3}, {0, 1, 2}), running_var({3}, {1, 2, 3});
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{2, 3, 2, 2}));
  const auto y = batch_norm(x, running_mean, running_var, w, b, training);
  CHECK(difference(y.value(), {-2.507935788645945,
                               0.666942562749119,
                               -1.147273638048061,
                               2.027604713347003,
                               0.005449896328563,
                               0.697183598271451,
                               -0.513350380128603,
                               0.178383321814285,
                               -2.174070515828522,
                               2.198760687771363,
                               -0.3,
                               -2.798760687771363,
                               0.666942562749119,
                               -1.147273638048061,
                               2.027604713347003,
                               0.213388512549824,
                               0.697183598271451,
                               -0.513350380128603,
                               0.178383321814285,
                               0.870117023757173,
                               2.198760687771363,
                               -0.3,
                               -2.798760687771363,
                               1.574070515828522}) < 1e-14);
  CHECK(difference(running_mean, {0.04375, 0.921875, 1.8}) < 1e-15);
  CHECK(difference(running_var, {0.978125, 1.859709821428571, 2.773214285714286}) < 1e-15);
  backward(y, squared_ramp(y.shape()));
  CHECK(difference(x.grad(), {1.955440602837766,  -0.942738992692188, -0.647298517272956,
                              1.216839414289686,  0.332935117535014,  -0.063026362043413,
                              -0.277994256581206, 0.363644816754699,  -0.195215678732138,
                              0.897992122167834,  -1.600768565603529, 0.897992122167834,
                              -0.942738992692188, -0.647298517272956, 1.216839414289686,
                              -1.209044411486851, -0.063026362043413, -0.277994256581206,
                              0.363644816754699,  -0.378183513795173, 0.897992122167834,
                              -1.600768565603529, 0.897992122167834,  -0.195215678732138}) < 1e-14);
  CHECK(difference(w.grad(), {4.384355818593184, 3.310053847187648, 0}) < 1e-14);
  CHECK(difference(b.grad(), {7.0, 4.5625, 5.125}) < 1e-14);
}

// the same with training=False, eps=1e-3
TEST_CASE("batch_norm: evaluation, the values of PyTorch", "[ops][batch_norm]") {
  const auto w = weight(), b = bias();
  const Vector running_mean({3}, {0, 1, 2}), running_var({3}, {1, 2, 3});
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{2, 3, 2, 2}));
  const auto y = batch_norm(x, running_mean, running_var, w, b, {.eps = 1e-3});
  CHECK(
      difference(y.value(),
                 {-1.39925056203166,  1.224437921523745,  -0.274812640507915, 2.34887584304749,
                  0.376732517688726,  0.730197553066177,  0.111633741155637,  0.465098776533088,
                  -3.474897375068879, -1.454508136388683, -2.609016272777367, -3.763524409166051,
                  1.224437921523745,  -0.274812640507915, 2.34887584304749,   0.84962528101583,
                  0.730197553066177,  0.111633741155637,  0.465098776533088,  0.81856381191054,
                  -1.454508136388683, -2.609016272777367, -3.763524409166051, -1.743135170485854}) <
      1e-14);
  CHECK(running_mean.values() == std::vector<double>{0, 1, 2});
  CHECK(running_var.values() == std::vector<double>{1, 2, 3});
  backward(y, squared_ramp(y.shape()));
  CHECK(difference(x.grad(), {1.49925056203166,
                              0.843328441142809,
                              0.093703160126979,
                              3.373313764571234,
                              -0.088366258844363,
                              -0.088366258844363,
                              -0.552289117777267,
                              -0.022091564711091,
                              0.649410826718634,
                              1.154508136388684,
                              0,
                              1.154508136388684,
                              0.843328441142809,
                              0.093703160126979,
                              3.373313764571234,
                              0.374812640507915,
                              -0.088366258844363,
                              -0.552289117777267,
                              -0.022091564711091,
                              -0.198824082399816,
                              1.154508136388684,
                              0,
                              1.154508136388684,
                              0.649410826718634}) < 1e-14);
  CHECK(difference(w.grad(), {6.684158755724483, -0.828433676665901, -5.916854198992003}) < 1e-14);
  CHECK(difference(b.grad(), {7.0, 4.5625, 5.125}) < 1e-14);
}

// x = ramp(4, 3); rm = zeros(3), rv = ones(3)
// F.batch_norm(x, rm, rv, None, None, training=True, momentum=0.25)
TEST_CASE("batch_norm: (batch, channels) without weights, the values of PyTorch",
          "[ops][batch_norm]") {
  const Vector running_mean = Vector::zeros(Shape{3}), running_var = Vector::ones(Shape{3});
  const auto y = batch_norm(test::ramp<double>(Shape{4, 3}), running_mean, running_var,
                            {.training = true, .momentum = 0.25});
  CHECK(difference(y, {-1.704216197562591, 1.3415549297317, 1.3415549297317, 0.820548539567174,
                       0.447184976577233, 0.447184976577233, 0.568072065854197, -0.447184976577233,
                       -0.447184976577233, 0.315595592141221, -1.3415549297317, -1.3415549297317}) <
        1e-14);
  CHECK(difference(running_mean, {0.171875, 0.09375, -0.15625}) < 1e-15);
  CHECK(difference(running_var, {1.076822916666667, 0.776041666666667, 0.776041666666667}) < 1e-15);
}

TEST_CASE("batch_norm: without running statistics the batch's are used", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{4, 2, 3});
  const auto running_mean = Vector::zeros(Shape{2}), running_var = Vector::ones(Shape{2});
  const auto trained = batch_norm(x, running_mean, running_var, training);
  CHECK(test::same_bits(batch_norm(x, Vector(), Vector()), trained));
  CHECK(test::same_bits(batch_norm(x, Vector(), Vector(), training), trained));
}

TEST_CASE("batch_norm: an absent weight or bias is one or zero", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{4, 3, 2});
  const Param<Vector> none, one(Vector::ones(Shape{3})), zero(Vector::zeros(Shape{3}));
  const auto running_mean = Vector::zeros(Shape{3}), running_var = Vector::ones(Shape{3});
  const auto full = batch_norm(x, running_mean, running_var, one, zero);
  CHECK(test::same_bits(batch_norm(x, running_mean, running_var, none, none), full));
  CHECK(test::same_bits(batch_norm(x, running_mean, running_var, one, none), full));
  CHECK(test::same_bits(batch_norm(x, running_mean, running_var, none, zero), full));
}

TEST_CASE("batch_norm: a replayed pass leaves the running statistics alone", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{4, 3, 2});
  const auto running_mean = Vector::zeros(Shape{3}), running_var = Vector::ones(Shape{3});
  Tape tape;
  tape.set_replays(true);
  batch_norm(tape.watch(x), running_mean, running_var, training);
  CHECK(running_mean.values() == std::vector<double>{0, 0, 0});
  CHECK(running_var.values() == std::vector<double>{1, 1, 1});
  tape.set_replays(false);
  batch_norm(tape.watch(x), running_mean, running_var, training);
  CHECK(running_mean(0) != 0);
  CHECK(running_var(0) != 1);
}

TEST_CASE("batch_norm: the backward pass sees the statistics of its forward pass",
          "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{4, 3, 2});
  const auto gradient = [&](bool disturb) {
    const Vector running_mean = Vector::zeros(Shape{3}), running_var = Vector::ones(Shape{3});
    const auto w = weight();
    Tape tape;
    const auto y = batch_norm(tape.watch(x), running_mean, running_var, w, bias());
    if (disturb) {
      running_mean.mutable_data()[0] = 100;
      running_var.mutable_data()[0] = 100;
    }
    backward(y, test::random<double>(y.shape(), 3));
    return w.grad();
  };
  CHECK(test::same_bits(gradient(true), gradient(false)));
}

TEST_CASE("batch_norm: what does not fit", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{2, 4, 2, 2});
  const Vector three = Vector::ones(Shape{3}), four = Vector::ones(Shape{4});
  const auto w = weight();
  w.set_name("encoder.bn1.weight");
  CHECK(test::error_of<ShapeError>([&] { batch_norm(x, four, four, w, Param<Vector>()); }) ==
        "batch_norm (layer encoder.bn1): the input (2, 4, 2, 2) has 4 channels (axis 1), but the "
        "weight has 3 elements");
  CHECK(contains(test::error_of<ShapeError>([&] { batch_norm(x, four, four, four, three); }),
                 "but the bias has 3 elements"));
  CHECK(contains(test::error_of<ShapeError>([&] { batch_norm(x, three, four); }),
                 "but the running mean has 3 elements"));
  CHECK(contains(test::error_of<ShapeError>([&] { batch_norm(x, four, three); }),
                 "but the running variance has 3 elements"));
  const auto single = test::random<double>(Shape{1, 3, 1, 1});
  CHECK(contains(
      test::error_of<ShapeError>([&] { batch_norm(single, three, three, w, w, training); }),
      "batch_norm (layer encoder.bn1): the input (1, 3, 1, 1) holds one value per channel"));
  CHECK(batch_norm(single, three, three).shape() == single.shape());
  CHECK(contains(test::error_of<ShapeError>([&] {
                   batch_norm(Tensor<double, 3>(Shape{2, 3, 0}), three, three);
                 }),
                 "are empty"));
}

TEST_CASE("batch_norm: gradients", "[ops][batch_norm]") {
  const auto running_mean = test::random<double>(Shape{3}, 5);
  const auto running_var = test::random<double>(Shape{3}, 6, 0.5, 2);
  const auto w = test::random<double>(Shape{3}, 7), b = test::random<double>(Shape{3}, 8);
  for (const bool by_batch : {true, false}) {
    const auto f = [&](const auto& x, const auto& v, const auto& c) {
      return batch_norm(x, running_mean.clone(), running_var.clone(), v, c, {.training = by_batch});
    };
    CHECK_GRADIENTS(f, test::random<double>(Shape{5, 3}), w, b);
    CHECK_GRADIENTS(f, test::random<double>(Shape{2, 3, 4}), w, b);
    CHECK_GRADIENTS(f, test::random<double>(Shape{2, 3, 2, 3}), w, b);
    CHECK_GRADIENTS(f, test::random<double>(Shape{1, 3, 3, 1}), w, b);
    CHECK_GRADIENTS(f, test::random<double>(Shape{3, 3, 1, 1}), w, b);
    CHECK_GRADIENTS(
        [&](const auto& x) {
          return batch_norm(x, running_mean.clone(), running_var.clone(), {.training = by_batch});
        },
        test::random<double>(Shape{2, 3, 4}));
  }
}

TEST_CASE("batch_norm: only the gradients that are wanted", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{2, 3, 4});
  const auto running_mean = Vector::zeros(Shape{3}), running_var = Vector::ones(Shape{3});
  const auto w = weight(), b = bias();
  b.set_trainable(false);
  Tape tape;
  const auto y = batch_norm(tape.input(x), running_mean, running_var, w, b, training);
  backward(y, test::random<double>(y.shape()));
  CHECK(w.grad().defined());
  CHECK_FALSE(b.grad().defined());
  CHECK(tape.nodes().back().macs == 24);
}

namespace {
template <class T>
double worst_against_reference() {
  const RandomStream random{14, 0};
  std::uint64_t at = 0;
  double worst = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const auto draw = [&](Index low, Index high) {
      return low + random.below(high - low + 1, at++);
    };
    const kernel::BatchNormGeometry g{draw(2, 9), draw(1, 70), trial % 2 ? 1 : draw(2, 60)};
    const Shape<1> all{g.size()}, channels{g.channels};
    const auto x = test::random<T>(all, at, 2, 4), dy = test::random<T>(all, at + 1);
    const auto w = test::random<T>(channels, at + 2), b = test::random<T>(channels, at + 3);
    const Tensor<kernel::detail::Wide<T>, 2> scratch(g.scratch());
    const Tensor<T, 1> mean(channels), var(channels), inv(channels), mean2(channels),
        var2(channels), y(all), y2(all), s(channels), s2(channels), t(channels), t2(channels);
    batch_norm_statistics(Cpu{}, g, x.view(), scratch.mut(), mean.mut(), var.mut());
    kernel::reference::batch_norm_statistics(g, x.view(), mean2.mut(), var2.mut());
    inverse_deviation(Cpu{}, var.view(), 1e-5, inv.mut());
    batch_norm_apply(Cpu{}, g, x.view(), mean.view(), inv.view(), w.view(), b.view(), y.mut());
    kernel::reference::batch_norm_apply(g, x.view(), mean.view(), inv.view(), w.view(), b.view(),
                                        y2.mut());
    batch_norm_sums(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(), scratch.mut(), s.mut(),
                    t.mut());
    kernel::reference::batch_norm_sums(g, x.view(), dy.view(), mean.view(), inv.view(), s2.mut(),
                                       t2.mut());
    for (const double d : {difference(mean, mean2), difference(var, var2), difference(y, y2),
                           difference(s, s2), difference(t, t2)})
      worst = std::fmax(worst, d);
    for (const bool add : {false, true})
      for (const bool by_batch : {false, true}) {
        const View<const T, 1> none;
        const auto dx = test::random<T>(all, 3), dx2 = dx.clone();
        batch_norm_backward(Cpu{}, g, x.view(), dy.view(), mean.view(), inv.view(), w.view(),
                            by_batch ? s.view() : none, by_batch ? t.view() : none,
                            Into<T, 1>{dx.mutable_data(), all, add});
        kernel::reference::batch_norm_backward(
            g, x.view(), dy.view(), mean.view(), inv.view(), w.view(), by_batch ? s.view() : none,
            by_batch ? t.view() : none, Into<T, 1>{dx2.mutable_data(), all, add});
        worst = std::fmax(worst, difference(dx, dx2));
      }
  }
  return worst;
}
}  // namespace

TEST_CASE("batch_norm: the fast kernels are the reference", "[ops][batch_norm]") {
  CHECK(worst_against_reference<float>() < 1e-5);
  CHECK(worst_against_reference<double>() < 1e-13);
}

TEST_CASE("batch_norm: a large mean does not spoil the variance", "[ops][batch_norm]") {
  const auto check = [](const auto& x) {
    const Tensor<float, 1> mean = Tensor<float, 1>::zeros(Shape{1}), var = mean.clone();
    batch_norm(x, mean, var, {.training = true, .momentum = 1});
    double sum = 0, squares = 0;
    for (Index i = 0; i < x.size(); ++i) sum += static_cast<double>(x.data()[i]);
    const double m = sum / static_cast<double>(x.size());
    for (Index i = 0; i < x.size(); ++i) {
      const double d = static_cast<double>(x.data()[i]) - m;
      squares += d * d;
    }
    const double expected = squares / static_cast<double>(x.size() - 1);
    CHECK(std::fabs(static_cast<double>(var.item()) / expected - 1) < 1e-6);
  };
  check(test::random<float>(Shape{20000, 1}, 1, 4096, 4097));
  check(test::random<float>(Shape{20, 1, 1000}, 1, 4096, 4097));
}

TEST_CASE("batch_norm: any number of threads", "[ops][batch_norm]") {
  const auto run = [](const auto& x, bool gradient) {
    const Tensor<float, 1> none;
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = batch_norm(v, none, none, training);
    if (!gradient) return y.value();
    backward(y, test::random<float>(y.shape(), 4));
    return v.grad();
  };
  const auto images = test::random<float>(Shape{9, 5, 31, 33});
  const auto rows = test::random<float>(Shape{700, 129});
  for (const bool gradient : {false, true}) {
    CHECK(test::same_for_any_threads([&] { return run(images, gradient); }));
    CHECK(test::same_for_any_threads([&] { return run(rows, gradient); }));
  }
}

TEST_CASE("batch_norm: dual numbers are directional derivatives", "[ops][batch_norm]") {
  const auto x = test::random<double>(Shape{3, 2, 2}, 1),
             along = test::random<double>(x.shape(), 2);
  Tensor<Dual<double>, 3> d(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    d.mutable_data()[i] = Dual<double>(x.data()[i], along.data()[i]);
  const auto y = batch_norm(d, {}, {}, training);
  const double h = 1e-6;
  const auto moved = [&](double step) {
    const auto z = x.clone();
    for (Index i = 0; i < z.size(); ++i) z.mutable_data()[i] += step * along.data()[i];
    return batch_norm(z, {}, {}, training);
  };
  const auto above = moved(h), below = moved(-h);
  for (Index i = 0; i < x.size(); ++i) {
    const double slope = (above.data()[i] - below.data()[i]) / (2 * h);
    CHECK(std::fabs(y.data()[i].tangent - slope) < 1e-8);
  }
}
