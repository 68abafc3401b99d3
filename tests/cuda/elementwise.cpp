#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;

TEST_CASE("cuda: elementwise functions agree with the CPU") {
  const auto x = test::random<float>(Shape{3, 1001}, 1, -2.0, 2.0);
  Tape tape, other;
  const auto a = tape.watch(x);
  const auto b = other.watch(to<Cuda>(x));
  const auto y = relu(a);
  const auto z = relu(b);
  CHECK(y.value().values() == z.value().values());
  backward(y, x);
  backward(z, to<Cuda>(x));
  CHECK(a.grad().values() == b.grad().values());
}
