// expect: elements on this device cannot be read one by one from the host
#include <ebb/tensor/tensor.hpp>

// A device whose memory the host cannot reach, as far as the types say.
struct Elsewhere : ebb::Cpu {
#ifdef WRONG
  static constexpr bool host_accessible = false;
#endif
};

float first(const ebb::Tensor<float, 1, Elsewhere>& x) { return x(0); }
