#include <ebb/kit/counting.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;

TEST_CASE("unravel counts through a table, its last axis fastest", "[kit]") {
  Index i = 0;
  for (Index a = 0; a < 3; ++a)
    for (Index b = 0; b < 4; ++b)
      for (Index c = 0; c < 5; ++c) {
        const auto [x, y, z] = kernel::unravel(i++, 4, 5);
        CHECK((x == a && y == b && z == c));
      }
  static_assert(kernel::unravel(7)[0] == 7);
  static_assert(kernel::unravel(17, 5)[0] == 3 && kernel::unravel(17, 5)[1] == 2);
  static_assert(kernel::divide_up(9, 4) == 3 && kernel::divide_up(8, 4) == 2);
}
