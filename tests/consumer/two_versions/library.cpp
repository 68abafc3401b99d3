// A library that uses ebb inside: it sets the seed, draws, and says which version it is.
#include <ebb/ebb.hpp>

extern "C" int CALL(unsigned seed, unsigned long long* drawn) {
  if (seed > 0) ebb::manual_seed(seed);
  *drawn = ebb::default_generator().seed;
  ebb::Tape tape;
  const auto x = tape.watch(ebb::Tensor<float, 1>({2}, {1, 2}));
  ebb::backward(ebb::sum(x * x));
  return x.grad()(1) == 4 ? EBB_VERSION_MINOR : -1;
}
