// Update rules and gradient clipping.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
struct Net {
  Param<Tensor<T, 1, Cuda>> weight = operand<1, T>();
  static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

template <class T>
void use_updates() {
  Net<T> net;
  optim::Optimizer(net, optim::Sgd{}).step();
  optim::Optimizer(net, optim::Adam{}).step();
  optim::Optimizer(net, optim::AdamW{}).step();
  optim::Optimizer(net, optim::NAdam{}).step();
  optim::Optimizer(net, optim::RMSprop{}).step();
  optim::Optimizer(net, optim::Adagrad{}).step();
  optim::Optimizer(net, optim::Adadelta{}).step();
  optim::Optimizer(net, optim::Lion{}).step();
  optim::Optimizer(net, optim::GradientDescent{}).step();
  static_cast<void>(optim::clip_grad_norm<Cuda>(net, 1.0));
  static_cast<void>(optim::clip_grad_norm(net, 1.0));
  optim::clip_grad_value(net, 1.0);
}

}  // namespace

void use_updates_of_both() {
  use_updates<float>();
  use_updates<double>();
}
