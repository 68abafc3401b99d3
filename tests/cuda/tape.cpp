#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

TEST_CASE("cuda: a tape that checks names the first operation that is not finite, and where") {
  auto host = test::random<float>(Shape{3, 1000}, 1, 1, 2);
  host.mutable_data()[2100] = -1;
  host.mutable_data()[2900] = -1;
  const auto x = to<Cuda>(host);
  Tape tape({.check_finite = true});
  const auto v = tape.watch(x);
  CHECK_NOTHROW(exp(v));
  CHECK_THROWS_WITH(log(v), Contains("log: element 2100 of its result, of shape (3, 1000)"));
  CHECK_NOTHROW(exp(tape.watch(Tensor<float, 2, Cuda>(Shape{0, 3}))));
}

TEST_CASE("cuda: derivatives along a direction agree with the CPU") {
  const auto x = test::random<double>(Shape{4, 7}, 1), v = test::random<double>(Shape{4, 7}, 2);
  const auto f = [](const auto& z) { return exp(z) * tanh(z) + sum(square(z), 1, keep_axis); };
  const auto cpu = jvp(f, x, v), cuda = [&] {
    const auto all = jvp(f, to<Cuda>(x), to<Cuda>(v));
    return Directional<Tensor<double, 2>>{to<Cpu>(all.value), to<Cpu>(all.tangent)};
  }();
  CHECK(test::deviation(cuda.value, cpu.value) < test::near_double);
  CHECK(test::deviation(cuda.tangent, cpu.tangent) < test::near_double);

  const auto loss = [](const auto& z) { return sum(square(z) * z); };
  const auto here = hvp(loss, x, v);
  const auto there = hvp(loss, to<Cuda>(x), to<Cuda>(v));
  CHECK(std::abs(there.value - here.value) < 1e-12);
  CHECK(test::deviation(there.gradient, here.gradient) < test::near_double);
  CHECK(test::deviation(there.product, here.product) < test::near_double);
}
