#include "tests/support/not_a_number.hpp"

#include "tests/support/kernels.hpp"

using namespace ebb;

// docs/numbers.md states the rule; tests/cuda/not_a_number.cpp holds the other device to it.
TEST_CASE("not-a-number travels through every operation as in PyTorch", "[ops]") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    test::check_not_a_number<float, Cpu>();
    test::check_not_a_number<double, Cpu>();
  });
}
