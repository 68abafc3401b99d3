#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;

namespace {

/// What `f` fills a tensor with on either device, from the same generator.
template <class T, class F, int N>
void check_filled(double tolerance, F&& f, const Shape<N>& shape) {
  Generator one{12, 34}, other{12, 34};
  const Tensor<T, N> cpu(shape);
  const Tensor<T, N, Cuda> cuda(shape);
  f(cpu, one);
  f(cuda, other);
  CHECK(test::deviation(cuda, cpu) <= tolerance);
  CHECK(one == other);
  CHECK(test::deviation(cpu.values(), std::vector<T>(cpu.values().size(), cpu.values()[0])) > 0);
}

}  // namespace

TEST_CASE("cuda: parameters begin with the CPU's random numbers") {
  // Uniform numbers are the same; normal ones go through the logarithm and cosine of each machine.
  check_filled<float>(
      0, [](const auto& x, Generator& g) { nn::init::uniform(x, -2, 3, g); }, Shape{7, 83});
  check_filled<double>(
      0, [](const auto& x, Generator& g) { nn::init::xavier_uniform(x, 1, g); }, Shape{3, 5, 2, 2});
  check_filled<float>(
      1e-6, [](const auto& x, Generator& g) { nn::init::normal(x, 1, 2, g); }, Shape{301});
  check_filled<float>(
      1e-6, [](const auto& x, Generator& g) { nn::init::kaiming_normal(x, {}, g); }, Shape{30, 10});
  check_filled<float>(
      0, [](const auto& x, Generator& g) { nn::init::orthogonal(x, 1, g); }, Shape{6, 9});
}

TEST_CASE("cuda: an empty parameter and a constant one are filled") {
  const Tensor<float, 1, Cuda> none(Shape{0}), some(Shape{5});
  nn::init::uniform(none);
  nn::init::constant(some, 2.5);
  CHECK(some.values() == std::vector<float>(5, 2.5f));
}
