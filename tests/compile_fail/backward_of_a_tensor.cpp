// expect: this is a plain tensor, so nothing was recorded
#include <ebb/tape/backward.hpp>

void train(const ebb::Tensor<float, 0>& x) {
  ebb::Tape tape;
#ifdef WRONG
  ebb::backward(x);
#else
  ebb::backward(tape.watch(x));
#endif
}
