#include <ebb/tensor/eigen.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;

TEST_CASE("a tensor is an Eigen tensor to its user", "[tensor][eigen]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  auto map = x.eigen();
  CHECK(map.data() == x.data());
  CHECK(map(1, 2) == 6);
  map(1, 2) = 60;
  CHECK(x(1, 2) == 60);

  const Tensor<float, 2> y = x.eigen() * 2.0f + x.eigen().square();
  CHECK(y(0, 1) == 8);
  const Tensor<float, 1> sums = x.eigen().sum(Eigen::array<int, 1>{1});
  CHECK(sums.values() == std::vector<float>{6, 69});
  const Tensor<float, 0> total(x.eigen().sum());
  CHECK(total.item() == 75);
  Tensor<float, 2> z(Shape{2, 3});
  z.eigen() = x.eigen().cwiseMax(5.0f);
  CHECK(z(0, 0) == 5);
}

TEST_CASE("construction from Eigen tensors", "[tensor][eigen]") {
  Eigen::Tensor<double, 3, Eigen::RowMajor> e(2, 3, 4);
  e.setRandom();
  const Tensor<double, 3> x = e;
  CHECK(x.shape() == Shape{2, 3, 4});
  CHECK(x(1, 2, 3) == e(1, 2, 3));

  Eigen::Tensor<double, 3> columns(2, 3, 4);
  columns.setRandom();
  const auto y = from_column_major(columns);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) CHECK(y(i, j, k) == columns(i, j, k));

  // Of one axis there is only one order.
  const Tensor<float, 1> v = Eigen::Tensor<float, 1>(3).setConstant(2);
  CHECK(v.values() == std::vector<float>{2, 2, 2});
}

TEST_CASE("ranks 1 and 2 are Eigen matrices too", "[tensor][eigen]") {
  const Tensor<double, 2> a({2, 2}, {1, 2, 3, 4});
  const Tensor<double, 1> b({2}, {1, -1});
  const Eigen::Vector2d product = a.matrix() * b.vector();
  CHECK(product(0) == -1);
  CHECK(a.matrix().trace() == 5);
  a.matrix().row(0).setZero();
  CHECK(a(0, 1) == 0);

  const Eigen::MatrixXd column_major = Eigen::MatrixXd::Random(3, 2);
  const auto copy = from_matrix(column_major);
  CHECK(copy(2, 1) == column_major(2, 1));
  CHECK(copy(0, 1) == column_major(0, 1));
}
