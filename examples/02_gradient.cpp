// What does the gradient of a function look like, and how does a program find it?
//
// Take f(x) = sum of x_i^2 sin(x_i). Its derivatives follow from the product rule:
//
//     df/dx_i = 2 x_i sin(x_i) + x_i^2 cos(x_i).
//
// Here nobody tells the program that formula. It computes f, operation by operation, while a tape
// writes down what was done. Then it walks the tape backwards: every operation knows how to turn
// the gradient of its result into the gradients of its operands (its pullback), and the chain rule
// does the rest. One walk gives all derivatives at once, for about the cost of computing f a few
// times.
//
// The check is the definition of the derivative, (f(x + h) - f(x - h)) / 2h, one x_i at a time.

#include <ebb/ebb.hpp>

#include <cmath>
#include <cstdio>

using namespace ebb;

// Written once, for plain tensors (just the value) and for variables on a tape (value and record).
auto f(const auto& x) { return sum(square(x) * sin(x)); }

int main() {
  const Tensor<double, 1> at({4}, {-2.0, 0.5, 1.0, 3.0});

  Tape tape({.keep_gradients = true});
  const auto x = tape.watch(at);  // "I will want the gradient with respect to this."
  const auto y = f(x);
  std::printf("f(x) = %.6f\n\nThe tape, a line per operation, with the lines it read:\n%s\n",
              y.item(), to_string(tape).c_str());

  backward(y);
  const Tensor<double, 1> gradient = x.grad();

  std::printf("    x_i     on the tape   finite difference      by hand\n");
  const double h = 1e-5;
  for (Index i = 0; i < at.size(); ++i) {
    const Tensor<double, 1> above = at.clone(), below = at.clone();
    above(i) += h;
    below(i) -= h;
    const double difference = (f(above).item() - f(below).item()) / (2 * h);
    const double v = at(i), by_hand = 2 * v * std::sin(v) + v * v * std::cos(v);
    std::printf("%7.2f  %14.9f  %18.9f  %14.9f\n", v, gradient(i), difference, by_hand);
  }

  // gradcheck makes this comparison for any function, and refuses to pass on zeros.
  const auto check = gradcheck([](const auto& v) { return f(v); }, at);
  std::printf("\n%s\n", check.message.c_str());
  return check ? 0 : 1;
}
