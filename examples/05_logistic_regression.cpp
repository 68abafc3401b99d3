// How does a straight line become a classifier?
//
// Two clouds of points in the plane, some of each lying in the other. A linear function z = w.x + b
// is positive on one side of a line and negative on the other; the sigmoid turns it into a
// probability, p = 1 / (1 + exp(-z)). The loss is the surprise at the true labels t,
//
//     -mean( t log p + (1 - t) log(1 - p) ),
//
// the binary cross entropy. bce_with_logits computes it from z directly. Taking the sigmoid first
// and the logarithm afterwards would lose everything as soon as p rounds to 0 or 1; that is why
// losses here take logits, and why a network ends without a sigmoid or a softmax.

#include <ebb/ebb.hpp>

#include <cmath>
#include <cstdio>
#include <string>

using namespace ebb;

// n points, half around (1, 0.5) with label 1, half around (-1, -0.5) with label 0.
struct Points {
  Tensor<float, 2> x;
  Tensor<float, 1> label;

  Points(Index n, RandomStream random) : x({n, 2}), label({n}) {
    for (Index i = 0; i < n; ++i) {
      const float side = i % 2 == 0 ? 1.0f : -1.0f;
      const auto at = static_cast<std::uint64_t>(2 * i);
      x(i, 0) = side + random.normal(at);
      x(i, 1) = 0.5f * side + random.normal(at + 1);
      label(i) = side > 0 ? 1.0f : 0.0f;
    }
  }
};

struct Classifier {
  nn::Linear<> linear{2, 1};

  // (n, 2) -> (n): one logit per point.
  auto operator()(const auto& x) const { return reshape(linear(x), Shape{x.extent(0)}); }
  static void visit(auto& self, auto&& f) { f("linear", self.linear); }
};

double accuracy(const Classifier& classifier, const Points& points) {
  const auto z = classifier(points.x);  // plain tensor in, plain tensor out: nothing is recorded
  Index right = 0;
  for (Index i = 0; i < z.size(); ++i) right += (z(i) > 0) == (points.label(i) > 0.5f);
  return static_cast<double>(right) / static_cast<double>(z.size());
}

int main() {
  const Points train(400, {1, 0}), test(400, {1, 1});
  Classifier classifier;
  optim::Optimizer descent(classifier, optim::GradientDescent{.lr = 0.5});

  std::printf("step    loss  accuracy (training)\n");
  for (int step = 0; step <= 100; ++step) {
    Tape tape;
    const auto loss = bce_with_logits(classifier(tape.input(train.x)), train.label);
    descent.zero_grad();
    backward(loss);
    if (step % 20 == 0)
      std::printf("%4d  %.4f  %.3f\n", step, static_cast<double>(loss.item()),
                  accuracy(classifier, train));
    descent.step();
  }

  const auto w = classifier.linear.weight.value();
  const double w0 = w(0, 0), w1 = w(0, 1), b = classifier.linear.bias.value()(0);
  std::printf("\nthe line: %.3f x + %.3f y + %.3f = 0\n", w0, w1, b);
  // For two clouds of unit deviation, Bayes' rule says z = 2 mu.x: the direction of the means.
  std::printf("its normal is (1, %.3f); the best one is (1, 0.5)\n", w1 / w0);

  // A map of the answers on the test points: o and + are right, capital O and # are wrong.
  std::string map[17];
  for (auto& row : map) row.assign(49, ' ');
  const auto z = classifier(test.x);
  for (Index i = 0; i < z.size(); ++i) {
    const long column = std::lround(24 + 8 * test.x(i, 0)), row = std::lround(8 - 3 * test.x(i, 1));
    if (column < 0 || column > 48 || row < 0 || row > 16) continue;
    const bool one = test.label(i) > 0.5f, right = one == (z(i) > 0);
    map[row][static_cast<std::size_t>(column)] = one ? (right ? '+' : '#') : (right ? 'o' : 'O');
  }
  for (const auto& row : map) std::printf("  %s\n", row.c_str());

  const double result = accuracy(classifier, test);
  std::printf("accuracy on points never seen: %.3f (no line does better than about 0.87)\n",
              result);
  return result > 0.8 ? 0 : 1;
}
