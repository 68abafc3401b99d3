/// \file
/// The masks of tests/oracle/shape.py.
#pragma once

#include <ebb/tensor/tensor.hpp>

namespace ebb::test {

inline Tensor<int, 2> scene() {
  Tensor<int, 2> mask(Shape{64, 80});
  for (Index y = 0; y < 64; ++y)
    for (Index x = 0; x < 80; ++x) {
      const Index a = y - 18, b = x - 24, ring = (y - 44) * (y - 44) + (x - 58) * (x - 58);
      mask(y, x) = 9 * a * a + 4 * b * b + 6 * a * b <= 900 || (ring <= 225 && ring > 64) ||
                   (y >= 48 && y < 56 && x >= 5 && x < 25);
    }
  mask(56, 25) = mask(2, 70) = 1;
  return mask;
}

inline Tensor<int, 3> volume() {
  Tensor<int, 3> mask(Shape{15, 22, 24});
  for (Index z = 0; z < 15; ++z)
    for (Index y = 0; y < 22; ++y)
      for (Index x = 0; x < 24; ++x)
        mask(z, y, x) = 9 * (z - 6) * (z - 6) + 4 * (y - 11) * (y - 11) + 2 * (x - 10) * (x - 10) +
                                3 * (y - 11) * (x - 10) <=
                            180 ||
                        (z >= 12 && z < 14 && y >= 18 && y < 21 && x >= 19 && x < 23);
  mask(14, 21, 23) = 1;
  return mask;
}

}  // namespace ebb::test
