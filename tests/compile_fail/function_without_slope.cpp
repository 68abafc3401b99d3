// expect: the function needs its derivative
#include <ebb/ops/elementwise/elementwise.hpp>

struct Cube : ebb::Elementwise<Cube> {
  static constexpr const char* name = "cube";
  template <class T>
  T value(T x) const {
    return x * x * x;
  }
#ifndef WRONG
  template <class T>
  T slope_at_input(T x) const {
    return 3 * x * x;
  }
#endif
};

auto cube(const ebb::Var<ebb::Tensor<float, 1>>& x) { return Cube{}(x); }
