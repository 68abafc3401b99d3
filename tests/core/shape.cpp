#include <ebb/core/shape.hpp>
#include <ebb/core/view.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;

TEST_CASE("a shape knows its size, strides and text", "[core][shape]") {
  const Shape shape{2, 3, 4};
  CHECK(shape.size() == 24);
  CHECK(shape.stride(0) == 12);
  CHECK(shape.stride(2) == 1);
  CHECK(to_string(shape) == "(2, 3, 4)");
  CHECK(to_string(Shape<0>{}) == "()");
  CHECK(Shape<0>{}.size() == 1);
  CHECK(shape == Shape{2, 3, 4});
  CHECK_FALSE(shape == Shape{2, 4, 3});
}

TEST_CASE("axes may be counted from the end", "[core][shape]") {
  CHECK(normalize_axis("sum", -1, 3) == 2);
  CHECK(normalize_axis("sum", 0, 3) == 0);
  CHECK_THROWS_WITH(normalize_axis("sum", 3, 3),
                    "sum: axis 3 is out of range for a tensor of rank 3; use -3 to 2");
  CHECK_THROWS_AS(normalize_axis("sum", -4, 3), ShapeError);
}

TEST_CASE("messages join text, numbers and shapes", "[core][error]") {
  CHECK(message("a", 1, std::string("b"), 2.5, Shape{3, 4}, true) == "a1b2.5(3, 4)true");
}

TEST_CASE("views index in row-major order; Into overwrites or adds", "[core][view]") {
  float data[6] = {0, 1, 2, 3, 4, 5};
  const View<float, 2> view{data, {2, 3}};
  CHECK(view(1, 2) == 5);
  CHECK(view(1, 0) == 3);
  Into<float, 1> into{data, {6}, false};
  into.put(0, 7.0f);
  CHECK(data[0] == 7);
  into.add = true;
  into.put(0, 1.0f);
  CHECK(data[0] == 8);
}
