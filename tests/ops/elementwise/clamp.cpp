#include <ebb/ops/elementwise/clamp.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("clamp: values and gradients", "[ops][clamp]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.clamp(-1, 2); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return clamp(x, -1, 2); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5}, {-1.0, -1.0, -0.4, 0.3, 1.1, 2.0},
                          {0.0, 0.0, 1.0, 1.0, 1.0, 0.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.clamp(-0.5, 1.5); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(Clamp(-0.5, 1.5), {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.5, -0.5, -0.4, 0.3, 1.1, 1.5}, {0.0, 0.0, 1.0, 1.0, 1.0, 0.0});
}

TEST_CASE("clamp: both ends pass the gradient, and nan passes through", "[ops][clamp]") {
  // x = torch.tensor([-1., 2., 2.5], requires_grad=True); x.clamp(-1, 2).sum().backward()
  // print(x.grad)  # 1, 1, 0
  const Tensor<double, 1> x({4}, {-1, 2, 2.5, NAN});
  const auto dx = test::gradient([](const auto& v) { return clamp(v, -1, 2); }, x,
                                 Tensor<double, 1>::ones({4}));
  CHECK(dx(0) == 1);
  CHECK(dx(1) == 1);
  CHECK(dx(2) == 0);
  CHECK(std::isnan(clamp(x, -1, 2)(3)));
}

TEST_CASE("clamp: ends in the wrong order", "[ops][clamp]") {
  const Tensor<float, 1> x({1}, {0});
  CHECK(test::error_of<ValueError>([&] { clamp(x, 2, 1); }) ==
        "clamp: the lower end 2 must not be above the upper end 1, and neither may be nan");
  CHECK(
      test::contains(test::error_of<ValueError>([&] { clamp(x, NAN, 1); }), "neither may be nan"));
}
