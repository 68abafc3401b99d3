// expect: the loss must be a scalar; reduce it with mean() or sum() first
#include <ebb/tape/backward.hpp>

void train(const ebb::Tensor<float, 4>& images) {
  ebb::Tape tape;
  const auto y = tape.watch(images);
#ifdef WRONG
  ebb::backward(y);
#else
  ebb::backward(y, ebb::Tensor<float, 4>::ones(images.shape()));
#endif
}
