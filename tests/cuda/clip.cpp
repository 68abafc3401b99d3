#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/cuda/compare.hpp"
#include "tests/support/catch.hpp"

using namespace ebb;

namespace {

template <class T, class Device>
struct Two {
  Param<Tensor<T, 1, Device>> a{to<Device>(test::random<T>(Shape<1>{5000}, 1))};
  Param<Tensor<T, 1, Device>> b{to<Device>(test::random<T>(Shape<1>{3}, 2))};
  Param<Tensor<T, 1, Device>> unused{to<Device>(test::random<T>(Shape<1>{3}, 3))};
  static void visit(auto& self, auto&& f) {
    f("a", self.a);
    f("b", self.b);
    f("unused", self.unused);
  }
  void fill(T spoil = T(0)) const {
    Tape tape;
    backward(tape.watch(a) * T(1), to<Device>(test::random<T>(Shape<1>{5000}, 11)));
    auto last = test::random<T>(Shape<1>{3}, 12);
    if (spoil != T(0)) last.mutable_data()[1] = spoil;
    backward(tape.watch(b) * T(1), to<Device>(last));
  }
  std::vector<T> gradients() const {
    auto all = a.grad().values();
    for (const T v : b.grad().values()) all.push_back(v);
    return all;
  }
};

template <class T>
void check_clipping(double tolerance) {
  using optim::Norm;
  for (const Norm norm : {Norm::one, Norm::two, Norm::infinity})
    for (const double most : {0.25, 1e6}) {
      const Two<T, Cpu> cpu;
      const Two<T, Cuda> cuda, generic;
      cpu.fill();
      cuda.fill();
      generic.fill();
      const double expected = optim::clip_grad_norm(cpu, most, {.norm = norm});
      CHECK(std::fabs(optim::clip_grad_norm<Cuda>(cuda, most, norm).item() - expected) <=
            1e-12 * expected);
      CHECK(std::fabs(optim::clip_grad_norm(generic, most, {.norm = norm}) - expected) <=
            1e-12 * expected);
      CHECK(test::deviation(cuda.gradients(), cpu.gradients()) <= tolerance);
      CHECK(test::deviation(generic.gradients(), cpu.gradients()) <= tolerance);
    }
}

}  // namespace

TEST_CASE("cuda: clipping by the norm agrees with the CPU, with and without reading it back") {
  check_clipping<float>(test::near_float);
  check_clipping<double>(test::near_double);
}

TEST_CASE("cuda: clipping by value agrees with the CPU") {
  const Two<float, Cpu> cpu;
  const Two<float, Cuda> cuda;
  cpu.fill();
  cuda.fill();
  optim::clip_grad_value(cpu, 0.3);
  optim::clip_grad_value(cuda, 0.3);
  CHECK(cuda.gradients() == cpu.gradients());
}

TEST_CASE("cuda: a nan among the gradients reaches the norm and every gradient, as on the CPU") {
  for (const auto norm : {optim::Norm::one, optim::Norm::two, optim::Norm::infinity}) {
    const Two<float, Cuda> net;
    net.fill(NAN);
    CHECK(std::isnan(optim::clip_grad_norm<Cuda>(net, 1.0, norm).item()));
    CHECK(std::isnan(net.gradients()[0]));
    CHECK_THROWS_AS(optim::clip_grad_norm(net, 1.0, {.norm = norm, .error_if_nonfinite = true}),
                    NumericError);
  }
}

TEST_CASE("cuda: without gradients the norm is 0") {
  const Two<float, Cuda> net;
  CHECK(optim::grad_norm<Cuda>(net).item() == 0);
  CHECK(optim::grad_norm(net) == 0);
  CHECK_THROWS_AS(optim::clip_grad_norm<Cuda>(net, 0.0), ValueError);
}
