#include <ebb/ops/elementwise/pow.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("pow with a number: values and gradients", "[ops][pow]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x ** 3; y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return pow(x, 3); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-27.0, -1.728, -0.06400000000000002, 0.027, 1.3310000000000004, 15.625},
                          {27.0, 4.32, 0.4800000000000001, 0.27, 3.630000000000001, 18.75});

  // x = torch.tensor([0.05, 0.3, 0.9, 1.4, 2.5, 7], dtype=torch.float64, requires_grad=True)
  // y = x ** -1.5; y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return pow(x, -1.5); },
                          {0.05, 0.3, 0.9, 1.4, 2.5, 7.0},
                          {89.44271909999158, 6.0858061945018465, 1.1712139482105108,
                           0.6036816105203691, 0.25298221281347033, 0.05399492471560389},
                          {-2683.2815729997474, -30.42903097250923, -1.9520232470175178,
                           -0.6468017255575383, -0.1517893276880822, -0.011570341010486547});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = 2.5 ** x; y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return pow(2.5, x); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.064, 0.3330212829607493, 0.6931448431551464, 1.3163822043342375,
                           2.7398955659630433, 9.882117688026186},
                          {0.058642606839945925, 0.30514431509377504, 0.6351221956294255,
                           1.206188813435532, 2.510540913395029, 9.054892848828048});
}

TEST_CASE("pow of two tensors: values and gradients", "[ops][pow]") {
  // a = torch.tensor([[0.5, 2.0, 3.0]], dtype=torch.float64, requires_grad=True)
  // b = torch.tensor([[2.0], [-1.5]], dtype=torch.float64, requires_grad=True)
  // y = a ** b; y.sum().backward(); print(y.tolist(), a.grad.tolist(), b.grad.tolist())
  const Tensor<double, 2> a({1, 3}, {0.5, 2, 3}), b({2, 1}, {2, -1.5});
  Tape tape;
  const auto va = tape.watch(a), vb = tape.watch(b);
  const auto y = pow(va, vb);
  backward(sum(y));
  CHECK(test::difference(y.value(), std::vector<double>{0.25, 4.0, 9.0, 2.8284271247461903,
                                                        0.3535533905932738, 0.19245008972987526}) <
        1e-14);
  CHECK(test::difference(va.grad(), std::vector<double>{-7.485281374238571, 3.7348349570550448,
                                                        5.903774955135062}) < 1e-14);
  CHECK(test::difference(vb.grad(), std::vector<double>{12.486812525112782, -1.5040237175374362}) <
        1e-14);
  CHECK_GRADIENTS([](const auto& u, const auto& v) { return pow(u, v); }, a, b);
}

TEST_CASE("pow: slopes at zero", "[ops][pow]") {
  // a = torch.tensor([0., 0., 0., -2.], requires_grad=True)
  // b = torch.tensor([0., 2., 0.5, 3.], requires_grad=True)
  // (a ** b).sum().backward(); print(a.grad, b.grad)  # 0 0 inf 12, 0 0 0 nan
  const Tensor<double, 1> a({4}, {0, 0, 0, -2}), b({4}, {0, 2, 0.5, 3});
  Tape tape;
  const auto va = tape.watch(a), vb = tape.watch(b);
  backward(sum(pow(va, vb)));
  CHECK(va.grad().values() == std::vector<double>{0, 0, INFINITY, 12});
  CHECK(vb.grad()(0) == 0);
  CHECK(vb.grad()(1) == 0);
  CHECK(vb.grad()(2) == 0);
  CHECK(std::isnan(vb.grad()(3)));

  const auto constant = [](const auto& x) { return pow(x, 0); };
  CHECK(test::gradient(constant, a, Tensor<double, 1>::ones({4})).values() ==
        std::vector<double>{0, 0, 0, 0});
}
