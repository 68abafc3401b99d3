// expect: a parameter (Param) meets no variable (Var) in this operation
// expect: Write p.on(x) in place of the parameter p
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

/// A decoder with the transposed weight of the encoder.
struct Tied {
  ebb::nn::Linear<> encoder{4, 2};
  auto operator()(const auto& x) const {
#ifdef WRONG
    return matmul(encoder(x), encoder.weight) + sum(encoder.weight * ebb::Tensor<float, 1>({4}));
#else
    return matmul(encoder(x), encoder.weight.on(x));
#endif
  }
};

float train(const Tied& net, const ebb::Tensor<float, 2>& x) {
  ebb::Tape tape;
  return mean(net(tape.input(x))).item() + mean(net(x)).item();
}
