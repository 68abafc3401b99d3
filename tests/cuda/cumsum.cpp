// nvcc's report is of this file too (kernels/check.sh).
#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

template <class T, int N>
void check(double tolerance, const Shape<N>& shape) {
  for (int axis = 0; axis < N; ++axis) {
    INFO("axis " << axis << " of " << to_string(shape));
    CHECK_ON_CUDA(
        tolerance, [axis](const auto& v) { return cumsum(v, axis); },
        test::random<T>(shape, 1, 0, 1));
  }
}

}  // namespace

TEST_CASE("cuda: cumsum sums up what it sums up on the CPU") {
  check<float>(near_float, Shape{3, 5, 2, 7});
  check<double>(near_double, Shape{2, 40, 33});
  check<float>(near_float, Shape{3, 256});
  check<float>(near_float, Shape{2, 700});  // a row in several steps
  check<float>(near_float, Shape{300, 3});
  check<float>(near_float, Shape{1});
  check<float>(near_float, Shape{0, 3});
}
