#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/stack.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;

namespace {

struct Inner {
  nn::BatchNorm1d<> bn{4};
  nn::Dropout<> drop{0.5}, other{0.5};
  static void visit(auto& self, auto&& f) {
    f("bn", self.bn);
    f("drop", self.drop);
    f("other", self.other);
  }
};

struct Outer {
  nn::Dropout<> drop{0.5};
  std::vector<Inner> parts{Inner{}, Inner{}};
  static void visit(auto& self, auto&& f) {
    f("drop", self.drop);
    f("parts", self.parts);
  }
};

}  // namespace

TEST_CASE("set_dropout_mode finds dropout, and nothing else", "[nn]") {
  Outer net;
  CHECK(nn::set_dropout_mode(net, nn::Mode::train) == 5);
  CHECK(net.drop.mode == nn::Mode::train);
  for (const Inner& part : net.parts) {
    CHECK(part.drop.mode == nn::Mode::train);
    CHECK(part.other.mode == nn::Mode::train);
    CHECK(part.bn.mode == nn::Mode::automatic);
  }
  nn::Dropout<> alone(0.5);
  CHECK(nn::set_dropout_mode(alone, nn::Mode::eval) == 1);
  CHECK(alone.mode == nn::Mode::eval);
  nn::BatchNorm1d<> bn(4);
  CHECK(nn::set_dropout_mode(bn, nn::Mode::train) == 0);
  nn::Stack<2> stack;
  stack.add(nn::Linear<>(4, 4)).add(nn::BatchNorm1d<>(4)).add(nn::Dropout<>(0.5));
  CHECK(nn::set_dropout_mode(stack, nn::Mode::train) == 1);
}
