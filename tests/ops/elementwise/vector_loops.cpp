// Kernels that are compiled for several instruction sets, at every length around a vector's.

#include <ebb/ops/elementwise/dropout.hpp>
#include <ebb/ops/elementwise/gelu.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/elementwise/tanh.hpp>
#include <ebb/optim/adam.hpp>
#include <ebb/optim/kernel.hpp>
#include <ebb/optim/sgd.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

namespace {

using namespace ebb;
constexpr Index longest = 70;

/// A function and its gradient, also over their operands and added, against the same in double.
template <class F>
void check_map(F f, double tolerance) {
  test::each_isa([&](Isa set) {
    for (Index n = 1; n <= longest; ++n) {
      INFO(to_string(set) << ", " << F::name << ", " << n << " elements");
      const auto x = test::random<float>(Shape{n}, 3, -4, 4), dy = test::random<float>(Shape{n}, 4);
      Tensor<float, 1> y(Shape{n}), dx(Shape{n});
      map_forward(Cpu{}, f, x.view(), y.mut());
      const Tensor<float, 1> over = x.clone();
      map_forward(Cpu{}, f, over.view(), over.mut());
      CHECK(test::same_bits(over, y));
      const auto& saved = [&]() -> const Tensor<float, 1>& {
        if constexpr (requires { f.slope_at_output(1.0f); })
          return y;
        else
          return x;
      }();
      map_backward(Cpu{}, f, saved.view(), dy.view(), test::into(dx));
      const Tensor<float, 1> over_dy = dy.clone();
      map_backward(Cpu{}, f, saved.view(), over_dy.view(), test::into(over_dy));
      CHECK(test::same_bits(over_dy, dx));
      for (Index i = 0; i < n; ++i) {
        const auto v = static_cast<double>(x.data()[i]);
        const double value = f.value(v);
        double slope;
        if constexpr (requires { f.slope_at_output(1.0); })
          slope = f.slope_at_output(value);
        else
          slope = f.slope_at_input(v);
        REQUIRE(std::abs(static_cast<double>(y.data()[i]) - value) < tolerance);
        REQUIRE(std::abs(static_cast<double>(dx.data()[i]) -
                         slope * static_cast<double>(dy.data()[i])) < tolerance);
      }
      const Tensor<float, 1> twice = dx.clone();
      map_backward(Cpu{}, f, saved.view(), dy.view(), test::into(twice, true));
      for (Index i = 0; i < n; ++i) REQUIRE(std::abs(twice.data()[i] - 2 * dx.data()[i]) < 1e-6f);
    }
  });
}

/// One update of `n` weights in float against the same in double.
template <class R>
void check_rule(const R& rule) {
  test::each_isa([&](Isa set) {
    for (Index n = 1; n <= longest; ++n) {
      INFO(to_string(set) << ", " << R::name << ", " << n << " weights");
      const auto w = test::random<float>(Shape{n}, 1), g = test::random<float>(Shape{n}, 2);
      Tensor<float, 1> updated = w.clone(), state[3];
      kernel::UpdateJob<R, float> job{{rule, optim::detail::prepare(rule, optim::StepInfo{})}};
      job.weight = updated.mutable_data();
      job.gradient = g.data();
      job.states_used = optim::detail::states_used(rule);
      for (int k = 0; k < job.states_used; ++k) {
        state[k] = test::random<float>(Shape{n}, 5, 0.1, 1);
        job.state[k] = state[k].mutable_data();
      }
      job.size = n;
      Tensor<float, 1> before[3];
      for (int k = 0; k < job.states_used; ++k) before[k] = state[k].clone();
      update_parameters(Cpu{}, &job, 1);
      for (Index i = 0; i < n; ++i) {
        double wide[3] = {}, weight = w.data()[i];
        for (int k = 0; k < job.states_used; ++k) wide[k] = before[k].data()[i];
        rule.update(weight, static_cast<double>(g.data()[i]), wide, job.step);
        REQUIRE(std::abs(static_cast<double>(updated.data()[i]) - weight) < 1e-6);
        for (int k = 0; k < job.states_used; ++k)
          REQUIRE(std::abs(static_cast<double>(state[k].data()[i]) - wide[k]) < 1e-6);
      }
    }
  });
}

}  // namespace

TEST_CASE("elementwise kernels are right for every length, and over their operands") {
  check_map(relu, 1e-12);
  check_map(sigmoid, 1e-6);
  check_map(Tanh{}, 2e-6);
  check_map(gelu, 4e-6);
}

TEST_CASE("update rules are right for every length") {
  check_rule(optim::Sgd{.lr = 0.1});
  check_rule(optim::Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  check_rule(optim::Adam{.lr = 0.01});
  check_rule(optim::Adam{.lr = 0.01, .amsgrad = true});
}

template <class T>
void check_dropout() {
  const auto mask = kernel::DropoutMask::of({21, 4}, 0.3);
  test::each_isa([&](Isa set) {
    for (Index n = 1; n <= 2 * longest; ++n) {
      INFO(to_string(set) << ", " << n << " elements");
      const auto x = test::random<T>(Shape{n}, 1, 1, 2);
      const Tensor<T, 1> y(Shape{n}), dx(Shape{n}), unmarked(Shape{n});
      const Tensor<std::uint32_t, 1> kept(Shape{kernel::DropoutMask::words(n)});
      dropout_forward(Cpu{}, mask, T(2), x.view(), y.mut(), kept.mut());
      dropout_forward(Cpu{}, mask, T(2), x.view(), unmarked.mut(), View<std::uint32_t, 1>{});
      CHECK(test::same_bits(unmarked, y));
      dropout_backward(Cpu{}, kept.view(), T(2), x.view(), test::into(dx));
      CHECK(test::same_bits(dx, y));
      dropout_backward(Cpu{}, kept.view(), T(2), x.view(), test::into(dx, true));
      for (Index i = 0; i < n; ++i) {
        const bool keeps = mask.keeps(mask.stream.bits(static_cast<std::uint64_t>(i)));
        REQUIRE(y(i) == (keeps ? 2 * x(i) : T(0)));
        REQUIRE(dx(i) == (keeps ? 4 * x(i) : T(0)));
      }
    }
  });
}

TEST_CASE("dropout draws the numbers of its stream, for every length") {
  check_dropout<float>();
  check_dropout<double>();
}
