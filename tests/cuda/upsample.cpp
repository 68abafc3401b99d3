#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

template <class T, class To>
void check_upsampled(double tolerance, const Shape<4>& shape, To size) {
  const auto x = test::random<T>(shape, 1);
  CHECK_ON_CUDA(
      tolerance, [size](const auto& v) { return upsample_nearest2d(v, size); }, x);
  for (const bool corners : {false, true})
    CHECK_ON_CUDA(
        tolerance, [=](const auto& v) { return upsample_bilinear2d(v, size, corners); }, x);
}

}  // namespace

TEST_CASE("cuda: upsampling agrees with the CPU") {
  check_upsampled<float>(near_float, {2, 3, 5, 6}, Scale2{2});       // in packs
  check_upsampled<float>(near_float, {2, 3, 5, 7}, Scale2{2});       // and not
  check_upsampled<float>(near_float, {1, 2, 4, 5}, Scale2{3, 1.7});  // floors that step unevenly
  check_upsampled<float>(near_float, {1, 2, 11, 9}, Size2{4, 5});    // shrunk: some are not read
  check_upsampled<float>(near_float, {2, 1, 1, 1}, Size2{4, 3});     // one pixel
  check_upsampled<float>(near_float, {1, 2, 3, 4}, Size2{1, 1});
  check_upsampled<float>(near_float, {1, 1, 6, 4}, Size2{6, 4});  // the same
  check_upsampled<double>(near_double, {1, 2, 5, 4}, Scale2{2.3});
}

TEST_CASE("cuda: upsampling with 64-bit indices") {
  const test::WideIndices wide;
  check_upsampled<float>(near_float, {2, 3, 5, 6}, Scale2{2});
  check_upsampled<float>(near_float, {1, 2, 11, 9}, Size2{4, 5});
}
