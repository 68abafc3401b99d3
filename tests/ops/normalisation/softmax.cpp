#include <ebb/ops/normalisation/log_softmax.hpp>
#include <ebb/ops/normalisation/softmax.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("softmax: values and gradients as PyTorch has them", "[ops][softmax]") {
  // x = ramp(2, 3, 2).requires_grad_(); dy = ramp(2, 3, 2) ** 2
  // for axis in (0, 1, 2):
  //     x.grad = None; y = x.softmax(axis); (y * dy).sum().backward()
  //     print(y.flatten().tolist(), x.grad.flatten().tolist())
  const auto x = test::ramp<double>(Shape{2, 3, 2});
  Tensor<double, 3> dy = test::ramp<double>(Shape{2, 3, 2});
  for (Index i = 0; i < dy.size(); ++i) dy.mutable_data()[i] *= dy.mutable_data()[i];
  const std::vector<double> y[] = {
      {0.0953494648991095, 0.6224593312018546, 0.6224593312018546, 0.6224593312018546,
       0.6224593312018546, 0.6224593312018546, 0.9046505351008906, 0.37754066879814546,
       0.37754066879814546, 0.37754066879814546, 0.37754066879814546, 0.37754066879814546},
      {0.13160164714691436, 0.2938147747114895, 0.278600689196273, 0.6220058829452726,
       0.5897976636568126, 0.08417934234323783, 0.7033139760217739, 0.2938147747114895,
       0.095183196149175, 0.6220058829452726, 0.20150282782905093, 0.08417934234323783},
      {0.14804719803168948, 0.8519528019683106, 0.14804719803168948, 0.8519528019683106,
       0.7310585786300049, 0.26894142136999516, 0.7310585786300049, 0.26894142136999516,
       0.14804719803168948, 0.8519528019683106, 0.7310585786300049, 0.26894142136999516}};
  const std::vector<double> dx[] = {
      {-0.04852009374894169, 0.11750185610079725, -0.11750185610079728, 0.29375464025199305,
       0.058750928050398624, -0.1762527841511959, 0.04852009374894164, -0.11750185610079726,
       0.11750185610079723, -0.29375464025199316, -0.05875092805039863, 0.17625278415119586},
      {0.09258654826031788, -0.3006691452108458, -0.06518242191630282, 0.4131183420638681,
       -0.027404126344015064, -0.11244919685302222, 0.288380789353013, -0.19451967456818076,
       -0.056155100342087046, 0.17133236096886226, -0.23222568901092583, 0.02318731359931854},
      {0.05518153601916164, -0.05518153601916171, -0.27590768009580824, 0.2759076800958082, 0.0,
       0.0, 0.2949178998622227, -0.29491789986222283, -0.055181536019161655, 0.05518153601916161,
       -0.19661193324148188, 0.19661193324148185}};
  for (int axis = 0; axis < 3; ++axis) {
    INFO("axis " << axis);
    const auto k = static_cast<std::size_t>(axis);
    CHECK(test::difference(softmax(x, axis), y[k]) < 1e-15);
    CHECK(test::same_bits(softmax(x, axis), softmax(x, axis - 3)));
    Tape tape;
    const auto v = tape.watch(x);
    backward(softmax(v, axis), dy);
    CHECK(test::difference(v.grad(), dx[k]) < 1e-15);
  }
  CHECK(test::same_bits(softmax(x), softmax(x, 2)));
  CHECK(test::same_bits(Softmax{1}(x), softmax(x, 1)));
}

TEST_CASE("softmax: gradients against differences", "[ops][softmax]") {
  for (int axis = 0; axis < 3; ++axis)
    CHECK_GRADIENTS([=](const auto& x) { return softmax(x, axis); },
                    test::random<double>(Shape{2, 3, 4}));
  CHECK_GRADIENTS(softmax, test::random<double>(Shape{5}));
  CHECK_GRADIENTS([](const auto& x) { return softmax(x, 1); },
                  test::random<double>(Shape{1, 3, 1, 1}));
}

TEST_CASE("softmax: lines sum to one, however large the values", "[ops][softmax]") {
  const Tensor<float, 2> x({2, 3}, {1e4f, 1e4f, -1e4f, -1e30f, -1e30f, -1e30f});
  const auto y = softmax(x, 1);
  CHECK(y(0, 0) == 0.5f);
  CHECK(y(0, 2) == 0);
  CHECK(std::abs(y(1, 0) - 1.0f / 3) < 1e-7f);
  const auto many = test::random<float>(Shape{300, 70, 3}, 1, -20, 20);
  for (float total : sum(softmax(many, 1), 1).values()) CHECK(std::abs(total - 1) < 1e-5f);
  const auto one = softmax(Tensor<double, 2>({3, 1}, {-5, 0, 5}), 1);
  CHECK(one.values() == std::vector<double>{1, 1, 1});
}

TEST_CASE("softmax: nan stays in its own line", "[ops][softmax]") {
  const auto y = softmax(Tensor<double, 2>({2, 2}, {NAN, 0, 0, 0}), 1);
  CHECK(std::isnan(y(0, 0)));
  CHECK(std::isnan(y(0, 1)));
  CHECK(y(1, 0) == 0.5);
}

TEST_CASE("softmax: any number of threads, and dual numbers", "[ops][softmax]") {
  const auto x = test::random<float>(Shape{50, 10, 30, 7}, 1);
  for (int axis = 0; axis < 4; ++axis) {
    CHECK(test::same_for_any_threads([&] { return softmax(x, axis); }));
    CHECK(test::same_for_any_threads([&] {
      Tape tape;
      const auto v = tape.watch(x);
      backward(softmax(v, axis), x);
      return v.grad();
    }));
  }
  const auto point = test::random<double>(Shape{3, 4}, 1),
             along = test::random<double>(Shape{3, 4}, 2);
  Tape tape;  // the Jacobian of softmax is symmetric: forward and reverse agree
  const auto v = tape.watch(point);
  backward(softmax(v), along);
  CHECK(test::difference(jvp(softmax, point, along).tangent, v.grad()) < 1e-15);
}

namespace {

/// softmax, log_softmax and their gradients of rows against sums in double.
template <class T>
void check_rows(Index rows, Index n, double tolerance) {
  INFO(rows << " rows of " << n);
  const auto x = test::random<T>(Shape{rows, n}, 1, -3, 3);
  const auto dy = test::random<T>(Shape{rows, n}, 2, -1, 1);
  const Tensor<T, 2> y(x.shape()), log_y(x.shape());
  Tensor<T, 2> dx = test::random<T>(x.shape(), 3), log_dx = dx.clone();
  const auto before = dx.clone();
  softmax_forward(Cpu{}, 1, x.view(), y.mut());
  log_softmax_forward(Cpu{}, 1, x.view(), log_y.mut());
  softmax_backward(Cpu{}, 1, y.view(), dy.view(), test::into(dx, true));
  log_softmax_backward(Cpu{}, 1, log_y.view(), dy.view(), test::into(log_dx, true));
  const Tensor<T, 2> fresh(x.shape());
  softmax_backward(Cpu{}, 1, y.view(), dy.view(), test::into(fresh));
  const auto wide = [n](const Tensor<T, 2>& t, Index row, Index k) {
    return static_cast<double>(t.data()[row * n + k]);
  };
  for (Index row = 0; row < rows; ++row) {
    double total = 0, dot = 0, rise = 0;
    for (Index k = 0; k < n; ++k) total += std::exp(wide(x, row, k));
    for (Index k = 0; k < n; ++k) {
      dot += std::exp(wide(x, row, k)) / total * wide(dy, row, k);
      rise += wide(dy, row, k);
    }
    for (Index k = 0; k < n; ++k) {
      const double p = std::exp(wide(x, row, k)) / total, up = wide(dy, row, k);
      REQUIRE(std::abs(wide(y, row, k) - p) < tolerance);
      REQUIRE(std::abs(wide(log_y, row, k) - std::log(p)) < 8 * tolerance);
      REQUIRE(std::abs(wide(fresh, row, k) - p * (up - dot)) < 4 * tolerance);
      REQUIRE(std::abs(wide(dx, row, k) - wide(before, row, k) - p * (up - dot)) < 4 * tolerance);
      REQUIRE(std::abs(wide(log_dx, row, k) - wide(before, row, k) - (up - p * rise)) <
              20 * tolerance);
    }
  }
}

}  // namespace

TEST_CASE("softmax: rows of every length, in columns of a copy or where they are",
          "[ops][softmax]") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    for (Index n = 1; n <= 20; ++n)
      for (const Index rows : {1, 2, 3, 7, 64, 65, 131}) {
        check_rows<float>(rows, n, 4e-7);
        check_rows<double>(rows, n, 1e-15);
      }
    for (const Index n : {63, 64, 65, 100, 127, 128, 129, 300})
      for (const Index rows : {1, 3, 33, 70}) {
        check_rows<float>(rows, n, 4e-7);
        check_rows<double>(rows, n, 1e-15);
      }
  });
}

TEST_CASE("softmax: empty tensors and axes that are not there", "[ops][softmax]") {
  CHECK(softmax(Tensor<float, 2>(Shape{0, 3})).shape() == Shape{0, 3});
  CHECK(softmax(Tensor<float, 2>(Shape{3, 0})).shape() == Shape{3, 0});
  CHECK(test::error_of<ShapeError>([] {
          softmax(Tensor<float, 2>(Shape{2, 3}), 2);
        }) == "softmax: axis 2 is out of range for a tensor of rank 2; use -2 to 1");
}
