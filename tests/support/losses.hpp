/// \file
/// What has to hold for every loss that compares an input with a target of its shape.
#pragma once

#include <ebb/ops/loss/reduction.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

#include <string>

namespace ebb::test {

/// What PyTorch says of one loss: its mean, and the gradients of the mean.
struct ExpectedLoss {
  double value;
  std::vector<double> input_grad, target_grad;
};

/// Checks `loss(input, target, reduction)` on x = ramp(2, 3) and t = ramp(3, 2).reshape(2, 3) / 2
/// + 0.3 against PyTorch, against differences, with threads, dual numbers, floats, and bad shapes.
template <class Loss>
void check_pointwise_loss(const std::string& name, Loss loss, const ExpectedLoss& expected) {
  const auto x = ramp<double>(Shape{2, 3});
  Tensor<double, 2> t(Shape{2, 3});
  for (Index i = 0; i < 6; ++i) t.mutable_data()[i] = x.data()[5 - i] / 2 + 0.3;
  CHECK(std::abs(loss(x, t, Reduction::mean).item() - expected.value) < 1e-14);
  CHECK(std::abs(loss(x, t, Reduction::sum).item() - 6 * expected.value) < 1e-13);
  Tape tape;
  const auto vx = tape.watch(x), vt = tape.watch(t);
  const auto y = loss(vx, vt, Reduction::mean);
  backward(y, Retain::yes);
  CHECK(difference(vx.grad(), expected.input_grad) < 1e-14);
  CHECK(difference(vt.grad(), expected.target_grad) < 1e-14);
  backward(loss(vx, t, Reduction::sum));  // adds six times as much
  std::vector<double> more;
  for (double d : expected.input_grad) more.push_back(7 * d);
  CHECK(difference(vx.grad(), more) < 1e-13);

  for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
    const auto f = [&](const auto& a, const auto& b) { return loss(a, b, reduction); };
    CHECK_GRADIENTS(f, x, t);
    CHECK_GRADIENTS(f, Tensor<double, 0>(0.3), Tensor<double, 0>(0.7));
    CHECK_GRADIENTS(f, random<double>(Shape{1, 2, 3, 2}, 1), random<double>(Shape{1, 2, 3, 2}, 2));
  }

  const auto xf = random<float>(Shape{64, 1000}, 1), tf = random<float>(Shape{64, 1000}, 2, 0, 1);
  Tensor<double, 2> xd(xf.shape()), td(tf.shape());
  for (Index i = 0; i < xf.size(); ++i) {
    xd.mutable_data()[i] = static_cast<double>(xf.data()[i]);
    td.mutable_data()[i] = static_cast<double>(tf.data()[i]);
  }
  const double wide = loss(xd, td, Reduction::mean).item();
  CHECK(std::abs(static_cast<double>(loss(xf, tf, Reduction::mean).item()) / wide - 1) < 1e-6);
  CHECK(same_for_any_threads([&] { return loss(xf, tf, Reduction::mean); }));
  CHECK(same_for_any_threads([&] {
    Tape recorded;
    const auto v = recorded.watch(xf);
    backward(loss(v, tf, Reduction::sum));
    return v.grad();
  }));

  // The derivative along a direction is the gradient's product with it.
  const auto along = random<double>(Shape{2, 3}, 3);
  double product = 0;
  for (Index i = 0; i < 6; ++i)
    product += expected.input_grad[static_cast<std::size_t>(i)] * along.data()[i];
  Tensor<Dual<double>, 2> dual_target(Shape{2, 3});
  for (Index i = 0; i < 6; ++i) dual_target.mutable_data()[i] = t.data()[i];
  const auto forward = loss(dual(x, along), dual_target, Reduction::mean).item();
  CHECK(std::abs(forward.value - expected.value) < 1e-14);
  CHECK(std::abs(forward.tangent - product) < 1e-14);

  const Tensor<float, 2> none(Shape{0, 3});
  CHECK(loss(none, none, Reduction::sum).item() == 0);
  CHECK(std::isnan(loss(none, none, Reduction::mean).item()));  // as PyTorch's
  CHECK(error_of<ShapeError>([&] { loss(xf, none, Reduction::mean); }) ==
        name +
            ": the input has shape (64, 1000) and the target (0, 3); they must be equal (losses "
            "do not broadcast)");
}

}  // namespace ebb::test
