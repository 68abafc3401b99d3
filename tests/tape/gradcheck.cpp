#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/elementwise/square.hpp>
#include <ebb/tape/gradcheck.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

namespace {

/// A planted bug: the slope is off by a factor at negative inputs.
struct WrongSquare : Elementwise<WrongSquare> {
  static constexpr const char* name = "wrong_square";
  template <class T>
  EBB_HD T value(T x) const {
    return x * x;
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return x < T(-0.5) ? T(2.001) * x : 2 * x;
  }
};

struct Scale {
  Param<Tensor<double, 1>> weight{random<double>(Shape{4}, 3)};
  auto operator()(const auto& x) const { return track_scale(x); }
  static void visit(auto& self, auto&& f) { f("weight", self.weight); }

  template <class X>
  auto track_scale(const X& x) const {
    tensor_of<X> y(x.shape());
    for (Index i = 0; i < 4; ++i) y(i) = value(x)(i) * weight.value()(i);
    return track(
        "scale", y,
        [x = value(x), w = weight.value(), dx = sink(x), dw = sink(weight),
         wrong = wrong](const auto& dy) {
          const auto into_x = dx.into();
          const auto into_w = dw.into();
          for (Index i = 0; i < 4; ++i) {
            if (dx) into_x.put(i, dy(i) * w(i));
            into_w.put(i, dy(i) * x(i) * (wrong ? 1.01 : 1.0));
          }
        },
        x, weight);
  }
  bool wrong = false;
};

}  // namespace

TEST_CASE("gradcheck accepts right gradients of functions and modules", "[tape][gradcheck]") {
  CHECK_GRADIENTS(Square{}, random<double>(Shape{2, 3}));
  CHECK_GRADIENTS([](const auto& x) { return relu(square(x)); }, random<double>(Shape{5}));
  CHECK_GRADIENTS(Scale{}, random<double>(Shape{4}));
  const auto result = gradcheck(Scale{}, random<double>(Shape{4}));
  CHECK(result.compared == 8);
}

TEST_CASE("gradcheck names the op, the operand and the index of the worst element",
          "[tape][gradcheck]") {
  const Tensor<double, 2> x({2, 2}, {0.3, 0.4, -0.7, 0.1});
  const auto result = gradcheck(WrongSquare{}, x);
  REQUIRE_FALSE(result);
  CHECK(result.message.find("wrong_square: the derivative with respect to operand 0 at index "
                            "(1, 0) is ") != std::string::npos);

  Scale scale;
  scale.wrong = true;
  const auto module = gradcheck(scale, random<double>(Shape{4}));
  REQUIRE_FALSE(module);
  CHECK(module.message.find("with respect to parameter weight at index (") != std::string::npos);
}

TEST_CASE("gradcheck refuses to compare zeros with zeros", "[tape][gradcheck]") {
  const auto result = gradcheck(relu, Tensor<double, 1>({3}, {-1, -2, -3}));
  REQUIRE_FALSE(result);
  CHECK(result.message.find("proves nothing") != std::string::npos);
}
