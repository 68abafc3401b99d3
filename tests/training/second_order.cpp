// Derivatives beyond one backward pass, through real operations.
#include <ebb/ebb.hpp>

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

TEST_CASE("the Hessian of logistic regression is A' S A", "[training][hvp]") {
  // loss(w) = mean softplus(-y (A w)); H v = A' diag(s (1 - s)) A v / n with s = sigmoid(A w),
  // whatever the labels (Bishop, "Pattern Recognition and Machine Learning", eq. 4.97).
  const Index n = 6, d = 3;
  const auto a = random<double>(Shape{n, d}, 1);
  const auto w = random<double>(Shape{d, 1}, 2), v = random<double>(Shape{d, 1}, 3);
  const auto zero = Tensor<double, 2>::zeros(a.shape());
  const auto rows = dual(a, zero);
  const auto loss = [&](const auto& x) { return mean(softplus(matmul(rows, x))); };
  const auto result = hvp(loss, w, v);

  for (Index k = 0; k < d; ++k) {
    double expected = 0;
    for (Index i = 0; i < n; ++i) {
      double z = 0, along = 0;
      for (Index j = 0; j < d; ++j) {
        z += a(i, j) * w(j, 0);
        along += a(i, j) * v(j, 0);
      }
      const double s = 1 / (1 + std::exp(-z));
      expected += a(i, k) * s * (1 - s) * along / static_cast<double>(n);
    }
    CHECK(result.product(k, 0) == Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("Hessian-vector products of a small network agree with differences of its gradient",
          "[training][hvp]") {
  const auto f = [](const auto& x) {
    const auto h = gelu(x * x + 0.5 * x);
    return sum(log_softmax(sigmoid(h) * tanh(x), 1) * h);
  };
  const auto x = random<double>(Shape{3, 4}, 1), v = random<double>(Shape{3, 4}, 2);
  const auto gradient = [&](double step) {
    Tape tape;
    const auto at = tape.watch(x + v * step);
    backward(f(at));
    return at.grad();
  };
  const double h = 1e-5;
  const auto expected = (gradient(h) - gradient(-h)) * (0.5 / h);
  const auto result = hvp(f, x, v);
  for (Index i = 0; i < x.size(); ++i)
    CHECK(result.product.data()[i] == Approx(expected.data()[i]).epsilon(1e-7).margin(1e-9));
}

TEST_CASE("a convolutional network is differentiated forward as well as backward",
          "[training][jvp]") {
  const auto w = random<double>(Shape{2, 1, 3, 3}, 5);
  const auto x = random<double>(Shape{1, 1, 6, 6}, 1), v = random<double>(Shape{1, 1, 6, 6}, 2);
  const auto weights = dual(w, Tensor<double, 4>::zeros(w.shape()));
  const auto forward = jvp(
      [&](const auto& at) {
        return sum(avg_pool2d(tanh(conv2d(at, weights, {.padding = 1})), {.kernel = 2}));
      },
      x, v);

  Tape tape;
  const auto at = tape.watch(x);
  backward(sum(avg_pool2d(tanh(conv2d(at, w, {.padding = 1})), {.kernel = 2})));
  CHECK(forward.tangent.item() == Approx(sum(at.grad() * v).item()).epsilon(1e-12));
}

TEST_CASE("a network with a checkpointed block learns the same bits", "[training][checkpoint]") {
  const auto losses = [](bool save_memory) {
    manual_seed(2);
    nn::Linear<> first(4, 8), last(8, 2);
    nn::Sequential block(nn::Linear<>(8, 8), nn::BatchNorm1d<>(8), relu, nn::Dropout(0.3));
    optim::Optimizer<optim::Sgd> one(first, {.lr = 0.1}), two(block, {.lr = 0.1}),
        three(last, {.lr = 0.1});
    const auto x = random<float>(Shape{10, 4});
    const Tensor<int, 1> y({10}, {0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
    std::vector<float> values;
    for (int step = 0; step < 5; ++step) {
      Tape tape;
      const auto h = first(tape.input(x));
      const auto apply = [&](const auto& in) { return block(in); };
      const auto loss = cross_entropy(last(save_memory ? checkpoint(apply, h) : apply(h)), y);
      one.zero_grad(), two.zero_grad(), three.zero_grad();
      backward(loss);
      one.step(), two.step(), three.step();
      values.push_back(loss.item());
    }
    nn::visit_buffers(block, [&](const std::string&, const auto& b) {
      for (const auto v : b.value().values()) values.push_back(static_cast<float>(v));
    });
    return values;
  };
  CHECK(losses(true) == losses(false));
}
