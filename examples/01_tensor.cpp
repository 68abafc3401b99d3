// What is a tensor?
//
// A block of numbers with a shape. This program makes a few, looks at their elements, adds and
// multiplies them, and shows the three facts that matter for everything that follows:
//
//   1. The last axis is contiguous ("row-major"): element (i, j) of a (2, 3) tensor is number
//      3 i + j in memory. A batch of images is (batch, channels, height, width).
//   2. A tensor is a handle. Copying it is cheap, and both copies see the same numbers; `clone`
//      makes new ones.
//   3. On the CPU it is an Eigen tensor: every Eigen expression reads it and can make one.
//
// Rank and scalar type belong to the type, Tensor<float, 2>; the extents are known when it runs. So
// the compiler catches a matrix where an image should be, and a sentence catches a matrix of the
// wrong size.

#include <ebb/ebb.hpp>

#include <cstdio>

using namespace ebb;

// Printing, for this program: a name and a tensor's text below each other.
void show(const char* name, const auto& x) {
  std::printf("%s, shape %s:\n%s\n\n", name, to_string(x.shape()).c_str(), to_string(x).c_str());
}

int main() {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  show("x", x);
  std::printf("x(1, 0) = %g is element number 3 in memory: %g\n\n", x(1, 0), x.data()[3]);

  // Arithmetic, element by element. A smaller tensor is repeated along the axes it lacks.
  const Tensor<float, 1> bonus({3}, {10, 20, 30});
  show("2 x + bonus", 2 * x + bonus);

  // Reductions fold an axis away.
  show("sum over the rows of x", sum(x, 0));
  show("mean of each row of x", mean(x, 1));
  std::printf("mean of all: %g\n\n", mean(x).item());

  // Matrix products, and functions of every element.
  show("x times x transposed", matmul(x, transpose(x)));
  show("softmax of each row", softmax(x, 1));

  // A handle sees the same numbers, a clone has its own.
  const Tensor<float, 2> handle = x, copy = x.clone();
  x(0, 0) = 100;
  std::printf("after x(0, 0) = 100: handle(0, 0) = %g, copy(0, 0) = %g\n\n", handle(0, 0),
              copy(0, 0));

  // The same memory as an Eigen tensor and as an Eigen matrix.
  const Tensor<float, 2> squared = x.eigen().square();
  show("x squared by Eigen", squared);
  std::printf("largest entry by Eigen: %g\n\n", x.matrix().maxCoeff());

  // A mistake is a sentence.
  try {
    matmul(x, x);
  } catch (const Error& error) {
    std::printf("matmul(x, x) throws:\n  %s\n", error.what());
  }
}
