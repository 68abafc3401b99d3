#include <ebb/ops/normalisation/log_softmax.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("log_softmax: values and gradients as PyTorch has them", "[ops][softmax]") {
  // x = ramp(2, 3, 2).requires_grad_(); dy = ramp(2, 3, 2) ** 2
  // for axis in (0, 1, 2):
  //     x.grad = None; y = x.log_softmax(axis); (y * dy).sum().backward()
  //     print(y.flatten().tolist(), x.grad.flatten().tolist())
  const auto x = test::ramp<double>(Shape{2, 3, 2});
  Tensor<double, 3> dy = test::ramp<double>(Shape{2, 3, 2});
  for (Index i = 0; i < dy.size(); ++i) dy.mutable_data()[i] *= dy.mutable_data()[i];
  const std::vector<double> y[] = {
      {-2.350206558916747, -0.4740769841801067, -0.4740769841801067, -0.4740769841801067,
       -0.4740769841801067, -0.4740769841801067, -0.10020655891674712, -0.9740769841801067,
       -0.9740769841801067, -0.9740769841801067, -0.9740769841801067, -0.9740769841801067},
      {-2.02797574385531, -1.2248057281763147, -1.2779757438553099, -0.4748057281763146,
       -0.5279757438553098, -2.4748057281763147, -0.3519518638028018, -1.2248057281763147,
       -2.351951863802802, -0.4748057281763146, -1.6019518638028019, -2.4748057281763147},
      {-1.9102241504380872, -0.16022415043808716, -1.9102241504380872, -0.16022415043808716,
       -0.31326168751822286, -1.3132616875182228, -0.31326168751822286, -1.3132616875182228,
       -1.9102241504380872, -0.16022415043808716, -0.31326168751822286, -1.3132616875182228}};
  const std::vector<double> dx[] = {
      {0.755666996196032, 0.1734629179988409, -0.3265370820011591, 0.22700717359397257,
       0.09438516719953635, -0.5280741640023182, -0.7556669961960321, -0.1734629179988409,
       0.3265370820011591, -0.22700717359397257, -0.09438516719953635, 0.5280741640023182},
      {0.8272728381196749, -0.33730774755393655, -0.3031634045701083, 0.3451069834801027,
       -0.5241094335495666, -0.007799235926165773, 0.06795780095373041, -0.543492972842447,
       0.36023570818300316, -0.2828871335746247, -0.42819350913673326, 0.826380106417072},
      {0.7686762530754851, -0.7686762530754853, -0.2798591454482819, 0.2798591454482818,
       -0.11552928931500245, 0.11552928931500245, 0.37452980972624206, -0.37452980972624206,
       0.3311762530754852, -0.33117625307548526, -0.7310585786300049, 0.7310585786300049}};
  for (int axis = 0; axis < 3; ++axis) {
    INFO("axis " << axis);
    const auto k = static_cast<std::size_t>(axis);
    CHECK(test::difference(log_softmax(x, axis), y[k]) < 1e-14);
    Tape tape;
    const auto v = tape.watch(x);
    const auto z = log_softmax(v, axis - 3);
    backward(z, dy, Retain::yes);
    CHECK(test::difference(v.grad(), dx[k]) < 1e-14);
    backward(z, dy);  // adds up
    std::vector<double> twice;
    for (double d : dx[k]) twice.push_back(2 * d);
    CHECK(test::difference(v.grad(), twice) < 1e-14);
  }
  CHECK(test::same_bits(log_softmax(x), log_softmax(x, 2)));
  CHECK(test::same_bits(LogSoftmax{1}(x), log_softmax(x, 1)));
}

TEST_CASE("log_softmax: gradients against differences", "[ops][softmax]") {
  for (int axis = 0; axis < 3; ++axis)
    CHECK_GRADIENTS([=](const auto& x) { return log_softmax(x, axis); },
                    test::random<double>(Shape{2, 3, 4}));
  CHECK_GRADIENTS(log_softmax, test::random<double>(Shape{5}));
}

TEST_CASE("log_softmax: exact where softmax would be zero", "[ops][softmax]") {
  const auto y = log_softmax(Tensor<float, 2>({1, 3}, {0, -1000, 1e4f}));
  CHECK(y.values() == std::vector<float>{-1e4f, -11000, 0});
}

TEST_CASE("log_softmax: any number of threads, and dual numbers", "[ops][softmax]") {
  const auto x = test::random<float>(Shape{50, 10, 30, 7}, 1);
  for (int axis = 0; axis < 4; ++axis) {
    CHECK(test::same_for_any_threads([&] { return log_softmax(x, axis); }));
    CHECK(test::same_for_any_threads([&] {
      Tape tape;
      const auto v = tape.watch(x);
      backward(log_softmax(v, axis), x);
      return v.grad();
    }));
  }
  const auto point = test::random<double>(Shape{3, 4}, 1),
             along = test::random<double>(Shape{3, 4}, 2);
  const auto dual = jvp([](const auto& v) { return log_softmax(v, 0); }, point, along);
  CHECK(test::difference(dual.value, log_softmax(point, 0)) < 1e-15);
  const auto moved = [&](double h) {
    Tensor<double, 2> z = point.clone();
    for (Index i = 0; i < z.size(); ++i) z.mutable_data()[i] += h * along.data()[i];
    return log_softmax(z, 0).values();
  };
  const auto above = moved(1e-6), below = moved(-1e-6);
  std::vector<double> numeric;
  for (std::size_t i = 0; i < above.size(); ++i) numeric.push_back((above[i] - below[i]) / 2e-6);
  CHECK(test::difference(dual.tangent, numeric) < 1e-8);
}

TEST_CASE("log_softmax: axes that are not there", "[ops][softmax]") {
  CHECK(test::contains(test::error_of<ShapeError>([] {
                         log_softmax(Tensor<float, 2>(Shape{2, 3}), -3);
                       }),
                       "log_softmax: axis -3 is out of range"));
}
