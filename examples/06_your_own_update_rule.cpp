// How do I write an update rule of my own?
//
// As a struct: its settings, how many numbers it remembers per weight (`states`), and one function
// that changes a weight w, given its gradient g. `Optimizer` turns it into one pass over all
// parameters of a network, in parallel, and saves its state in checkpoints.
//
// The rule here is Signum (Bernstein et al., "signSGD: compressed optimisation for non-convex
// problems", ICML 2018): remember an average m of the gradients, and move each weight by lr in the
// direction of m's sign. Only the sign counts, so all weights move alike, however small their
// gradients are.
//
// It races against the library's own rules on 2000 drawn digits.

#include <ebb/data.hpp>
#include <ebb/ebb.hpp>

#include <cstdio>

using namespace ebb;

struct Signum {
  static constexpr const char* name = "signum";
  static constexpr int states = 1;
  double lr = 1e-3;
  double beta = 0.9;

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const optim::StepInfo&) const {
    T& m = state[0];
    m = T(beta) * m + T(1 - beta) * g;
    w -= T(lr) * (m > T(0) ? T(1) : m < T(0) ? T(-1) : T(0));
  }
};

// Trains a small network from the same start on the same batches; prints the loss of each epoch.
template <class Rule>
double train(const char* name, Rule rule, const data::Dataset<>& digits) {
  manual_seed(1);
  nn::Sequential net(flatten, nn::Linear<>(28 * 28, 64), relu, nn::Linear<>(64, 10));
  optim::Optimizer optimizer(net, rule);
  data::Loader loader(digits, {.batch_size = 50, .shuffle = true, .seed = 1});

  std::printf("%-20s", name);
  double mean_loss = 0;
  for (int epoch = 0; epoch < 5; ++epoch) {
    mean_loss = 0;
    for (const auto& [images, labels] : loader) {
      Tape tape;
      const auto loss = cross_entropy(net(tape.input(images)), labels);
      optimizer.zero_grad();
      backward(loss);
      optimizer.step();
      mean_loss += static_cast<double>(loss.item()) / static_cast<double>(loader.size());
    }
    std::printf("  %.4f", mean_loss);
  }
  std::printf("\n");
  return mean_loss;
}

int main() {
  const data::Dataset<> digits = data::stroke_digits(2000);
  std::printf("mean loss in epoch          1       2       3       4       5\n");
  train("gradient descent", optim::GradientDescent{.lr = 0.1}, digits);
  train("sgd with momentum", optim::Sgd{.lr = 0.05, .momentum = 0.9}, digits);
  train("adam", optim::Adam{.lr = 0.001}, digits);
  const double ours = train("signum (ours)", Signum{.lr = 0.001}, digits);
  return ours < 0.5 ? 0 : 1;
}
