// The smallest program of another project: one step of training.
#include <ebb/ebb.hpp>

#include <cstdio>

int main() {
  ebb::nn::Linear<> line(1, 1);
  ebb::optim::Optimizer opt(line, ebb::optim::GradientDescent{.lr = 0.1});
  const ebb::Tensor<float, 2> x({2, 1}, {1, 2}), y({2, 1}, {3, 5});

  float loss[2];
  for (float& value : loss) {
    ebb::Tape tape;
    const auto error = ebb::mse_loss(line(tape.input(x)), y);
    opt.zero_grad();
    ebb::backward(error);
    opt.step();
    value = error.item();
  }
  std::printf("the loss falls from %g to %g\n", static_cast<double>(loss[0]),
              static_cast<double>(loss[1]));
  return loss[1] < loss[0] ? 0 : 1;
}
