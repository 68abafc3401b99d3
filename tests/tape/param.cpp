#include <ebb/tape/param.hpp>

#include <type_traits>

#include "tests/support/catch.hpp"

using namespace ebb;

namespace {
using Weights = Param<Tensor<float, 1>>;
Tensor<float, 1> vector(std::initializer_list<float> values) {
  return Tensor<float, 1>({static_cast<Index>(values.size())}, values);
}
}  // namespace

TEST_CASE("copies of a parameter have their own value and no gradient", "[tape][param]") {
  Weights p(vector({1, 2}));
  p.set_name("fc.weight");
  p.cell()->slot.give(vector({5, 5}));
  const Weights copy = p;
  p.value()(0) = 9;
  CHECK(copy.value()(0) == 1);
  CHECK(copy.name() == "fc.weight");
  CHECK_FALSE(copy.grad().defined());
  CHECK(p.grad().values() == std::vector<float>{5, 5});
}

TEST_CASE("moving and assigning keep the cell that optimizers and tapes hold", "[tape][param]") {
  Weights p(vector({1, 2}));
  const auto cell = p.cell();
  Weights moved = std::move(p);
  CHECK(moved.cell() == cell);
  CHECK_FALSE(p.defined());  // NOLINT(bugprone-use-after-move)
  CHECK_THROWS_AS(p.value(), ValueError);

  const Weights other(vector({3, 4}));
  moved = other;
  CHECK(moved.cell() == cell);
  CHECK(cell->value(1) == 4);
  moved = Weights(vector({5, 6}));
  CHECK(moved.cell() == cell);
  CHECK(cell->value(0) == 5);
  moved.value()(0) = 7;
  CHECK(other.value()(0) == 3);

  moved = moved;
  CHECK(moved.value()(0) == 7);
  moved = Weights(vector({1, 2, 3}));  // another shape needs another cell
  CHECK(moved.size() == 3);
  moved = Weights();
  CHECK_FALSE(moved);
  static_assert(std::is_nothrow_move_constructible_v<Weights>);
}

TEST_CASE("a parameter keeps its shape", "[tape][param]") {
  Weights p(vector({1, 2}));
  p.set_name("fc.bias");
  p.set(vector({3, 4}));
  CHECK(p.value()(1) == 4);
  CHECK_THROWS_WITH(p.set(vector({1})),
                    "parameter fc.bias: shape (2) cannot be set to a tensor of shape (1)");
}

TEST_CASE("the first gradient overwrites, later ones add", "[tape][param]") {
  Slot<Tensor<float, 1>> slot(Shape{2});
  CHECK_FALSE(slot.grad().defined());
  const auto first = slot.into();
  CHECK_FALSE(first.add);
  first.put(0, 1.0f), first.put(1, 2.0f);
  const auto second = slot.into();
  CHECK(second.add);
  CHECK(second.data == first.data);
  slot.give(vector({10, 20}));
  CHECK(slot.grad().values() == std::vector<float>{11, 22});
  slot.clear();
  CHECK_FALSE(slot.grad().defined());
  CHECK_FALSE(slot.into().add);
}
