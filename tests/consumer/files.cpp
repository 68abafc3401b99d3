// The smallest program of another project: one forward and one backward pass.
#include <ebb/ops/relu.hpp>

#include <cstdio>

int main() {
  ebb::Tape tape;
  const auto x = tape.watch(ebb::Tensor<float, 1>({3}, {-1.0F, 2.0F, 3.0F}));
  const auto y = ebb::relu(x);
  ebb::backward(y, ebb::Tensor<float, 1>::ones(y.shape()));
  std::printf("slope of relu: %g %g %g\n", static_cast<double>(x.grad()(0)),
              static_cast<double>(x.grad()(1)), static_cast<double>(x.grad()(2)));
  return x.grad()(0) == 0.0F && x.grad()(1) == 1.0F ? 0 : 1;
}
