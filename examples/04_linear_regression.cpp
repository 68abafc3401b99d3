// How does gradient descent find a line through points?
//
// The points lie around y = 3 x + 2. The model is y = w x + b with unknown w and b, the loss is the
// mean of the squared errors, and gradient descent repeats
//
//     w <- w - lr dloss/dw,      b <- b - lr dloss/db
//
// until the loss changes by less than a threshold from one step to the next: the convergence test
// of textbooks. For this problem linear algebra knows the answer, so the end can be compared with
// it.
//
// The loop below is every training loop there is: forward, backward, step. Only the model, the loss
// and the rule change from here on.

#include <ebb/ebb.hpp>

#include <Eigen/QR>
#include <cmath>
#include <cstdio>

using namespace ebb;

// A model is a struct that can be called, and says what its parameters are.
struct Line {
  Param<Tensor<double, 0>> w = Tensor<double, 0>(0.0), b = Tensor<double, 0>(0.0);

  auto operator()(const auto& x) const { return x * w + b; }
  static void visit(auto& self, auto&& f) {
    f("w", self.w);
    f("b", self.b);
  }
};

int main() {
  // 100 points with noise of standard deviation 0.5.
  const Index n = 100;
  Tensor<double, 1> x({n}), y({n});
  nn::init::uniform(x, -2, 2);
  const RandomStream noise{7, 0};
  for (Index i = 0; i < n; ++i)
    y(i) = 3 * x(i) + 2 + 0.5 * noise.normal<double>(static_cast<std::uint64_t>(i));

  Line line;
  optim::Optimizer descent(line, optim::GradientDescent{.lr = 0.1});
  optim::Stopping converged({.min_change = 1e-12, .max_steps = 10000});

  std::printf("  step        loss          w          b\n");
  double loss_now = 0;
  do {
    Tape tape;
    const auto loss = mse_loss(line(tape.input(x)), y);
    descent.zero_grad();
    backward(loss);
    loss_now = loss.item();

    const auto step = converged.steps();
    if (step < 4 || step % 20 == 0)
      std::printf("%6lld  %10.6f  %9.6f  %9.6f\n", static_cast<long long>(step), loss_now,
                  line.w.value().item(), line.b.value().item());
    descent.step();
  } while (!converged(loss_now));
  std::printf("\nstopped after %lld steps: %s\n", static_cast<long long>(converged.steps()),
              converged.reason());

  // The same by least squares: columns x and 1.
  Eigen::MatrixXd columns(n, 2);
  columns << x.vector(), Eigen::VectorXd::Ones(n);
  const Eigen::Vector2d exact = columns.colPivHouseholderQr().solve(y.vector());
  const double w = line.w.value().item(), b = line.b.value().item();
  std::printf("gradient descent: y = %.6f x + %.6f\nleast squares:    y = %.6f x + %.6f\n", w, b,
              exact(0), exact(1));
  return std::abs(w - exact(0)) < 1e-4 && std::abs(b - exact(1)) < 1e-4 ? 0 : 1;
}
