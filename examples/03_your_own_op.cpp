// How do I add an operation of my own?
//
// In one of two ways, both about ten lines.
//
// 1. A function of one number, applied to every element: give its value and its slope. It becomes
// an
//    operation on tensors, variables and parameters of any shape, and a layer.
//
// 2. Anything else: compute the value as you like (here with Eigen), then call `track` with a
//    pullback, a function that receives the gradient dy of the result and hands on the gradient of
//    each operand. What the pullback captures is what is saved for the way back.
//
// Then let `gradcheck` compare the pullback with finite differences. Do this always: a wrong
// gradient does not crash, it merely trains badly.

#include <ebb/ebb.hpp>

#include <cmath>
#include <cstdio>

using namespace ebb;

// 1. softsign(x) = x / (1 + |x|), with slope 1 / (1 + |x|)^2.
struct Softsign : Elementwise<Softsign> {
  static constexpr const char* name = "softsign";
  template <class T>
  EBB_HD T value(T x) const {
    return x / (T(1) + (x < T(0) ? -x : x));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T d = T(1) + (x < T(0) ? -x : x);
    return T(1) / (d * d);
  }
};
inline constexpr Softsign softsign;

// 2. gram(x) = x x^T: the products of all pairs of rows. If G is the gradient of the result, the
//    product rule gives (G + G^T) x for the gradient of x.
template <OfRank<2> X>
auto gram(const X& x) {
  const auto& v = value(x);
  tensor_of<X> y({v.extent(0), v.extent(0)});
  y.matrix() = v.matrix() * v.matrix().transpose();
  return track(
      "gram", y,
      [v, dx = sink(x)](const auto& dy) {
        if (!dx) return;
        tensor_of<X> gradient(v.shape());
        gradient.matrix() = (dy.matrix() + dy.matrix().transpose()) * v.matrix();
        dx.give(gradient);
      },
      x);
}

// The same with a slip in the pullback: half of the gradient is forgotten.
template <OfRank<2> X>
auto wrong_gram(const X& x) {
  const auto& v = value(x);
  tensor_of<X> y({v.extent(0), v.extent(0)});
  y.matrix() = v.matrix() * v.matrix().transpose();
  return track(
      "wrong_gram", y,
      [v, dx = sink(x)](const auto& dy) {
        if (!dx) return;
        tensor_of<X> gradient(v.shape());
        gradient.matrix() = dy.matrix() * v.matrix();
        dx.give(gradient);
      },
      x);
}

int main() {
  const Tensor<double, 2> x({3, 2}, {0.5, -1.0, 2.0, 0.1, -0.7, 1.5});
  std::printf("softsign(x) =\n%s\n\ngram(x) =\n%s\n\n", to_string(softsign(x)).c_str(),
              to_string(gram(x)).c_str());

  const auto first = gradcheck(softsign, x);
  const auto second = gradcheck([](const auto& v) { return gram(v); }, x);
  const auto third = gradcheck([](const auto& v) { return wrong_gram(v); }, x);
  std::printf("%s\n%s\n\nand where the pullback is wrong:\n%s\n\n", first.message.c_str(),
              second.message.c_str(), third.message.c_str());

  // Both take part in a network like any other operation.
  const nn::Sequential net(nn::Linear<double>(2, 8), softsign, nn::Linear<double>(8, 1));
  Tape tape;
  const auto y = mean(square(net(tape.input(x))));
  backward(y);
  std::printf("a network with softsign, on the tape:\n%s", to_string(tape).c_str());
  return first && second && !third ? 0 : 1;
}
