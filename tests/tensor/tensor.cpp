#include <ebb/tensor/print.hpp>
#include <ebb/tensor/tensor.hpp>

#include <limits>
#include <numeric>

#include "tests/support/catch.hpp"

using namespace ebb;

TEST_CASE("tensors are made from values, filled, read and cloned", "[tensor]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(x(1, 0) == 4);
  CHECK(x.extent(-1) == 3);
  CHECK(x.values() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);

  const Tensor<float, 2> handle = x, copy = x.clone();
  x(0, 0) = 9;
  CHECK(handle(0, 0) == 9);  // handles share
  CHECK(copy(0, 0) == 1);    // clones do not
  CHECK(x.shared());
  CHECK_FALSE(copy.shared());

  CHECK(Tensor<int, 1>::full({3}, 7).values() == std::vector<int>{7, 7, 7});
  CHECK(Tensor<int, 1>::zeros({0}).size() == 0);
  CHECK(Tensor<double, 0>(2.5).item() == 2.5);
  CHECK(to<Cpu>(x).data() == x.data());
}

TEST_CASE("reshape shares the memory", "[tensor]") {
  const Tensor<int, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor<int, 3> y = x.reshape(Shape{3, 1, 2});
  CHECK(y(2, 0, 1) == 6);
  CHECK(y.data() == x.data());
  CHECK_THROWS_WITH(x.reshape(Shape{4}), "reshape: (2, 3) holds 6 elements, (4) holds 4");
}

TEST_CASE("wrong uses of tensors are sentences", "[tensor][errors]") {
  CHECK_THROWS_WITH((Tensor<float, 2>({2, 2}, {1, 2, 3})),
                    "tensor: 3 values were given for shape (2, 2), which holds 4");
  CHECK_THROWS_WITH((Tensor<float, 2>(Shape{2, -1})),
                    "tensor: extent -1 on axis 1 of (2, -1) is negative");
  const Index huge = std::numeric_limits<Index>::max() / 2;
  CHECK_THROWS_AS((Tensor<float, 2>(Shape{huge, huge})), ShapeError);
  CHECK_THROWS_WITH((Tensor<float, 1>::zeros({2}).item()),
                    Catch::Matchers::Contains("reduce it with sum() or mean() first"));
  const Tensor<float, 1> undefined;
  CHECK_FALSE(undefined.defined());
  CHECK(undefined.size() == 0);
  CHECK(undefined.values().empty());
  CHECK_THROWS_WITH(undefined.view(), Catch::Matchers::Contains("undefined"));
  CHECK_THROWS_AS(undefined.clone(), ValueError);
  Tensor<float, 1> moved({1}, {1});
  const Tensor<float, 1> taken = std::move(moved);
  CHECK_THROWS_AS(moved.view(), ValueError);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("memory returns to the pool and is used again", "[tensor][pool]") {
  { const Tensor<float, 1> warm(Shape{12345}); }
  const auto before = Cpu::stats();
  for (int i = 0; i < 10; ++i) const Tensor<float, 1> x(Shape{12345});
  CHECK(Cpu::stats().allocations == before.allocations);
  CHECK(Cpu::stats().bytes_in_use == before.bytes_in_use);
}

TEST_CASE("tensors print as nested lists", "[tensor][print]") {
  CHECK(to_string(Tensor<float, 2>({2, 2}, {1, 2.5, 3, 4})) == "[[1, 2.5],\n [3, 4]]");
  CHECK(to_string(Tensor<int, 0>(7)) == "7");
  Tensor<int, 1> x(Shape{20});
  std::iota(x.mutable_data(), x.mutable_data() + 20, 0);
  CHECK(to_string(x) == "[0, 1, 2, ..., 17, 18, 19]");
  CHECK(to_string(Tensor<int, 1>()) == "undefined");
}
