#include <ebb/ops/linear_algebra/linear/linear.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;
using Catch::Matchers::Contains;

// x, w, b = fill(2,3), fill(2,3), fill(2); y = torch.nn.functional.linear(x, w, b)
// dy = fill(2,2); (y*dy).sum().backward()                                       (PyTorch 1.13)
TEST_CASE("linear: values and gradients are PyTorch's", "[linear]") {
  Tape tape;
  const auto x = tape.watch(fill(Shape{2, 3})), w = tape.watch(fill(Shape{2, 3}));
  const auto b = tape.watch(fill(Shape{2}));
  const auto y = linear(x, w, b);
  CHECK(y.value().values() == std::vector<double>{1.375, 2.875, 1.125, 2.8125});
  backward(y, fill(Shape{2, 2}));
  CHECK(x.grad().values() == std::vector<double>{-0.6875, 0.625, -0.125, 0.4375, -0.4375, 0.0625});
  CHECK(w.grad().values() == std::vector<double>{0.0625, -0.375, -0.125, -0.0625, 0.8125, 0.3125});
  CHECK(b.grad().values() == std::vector<double>{-0.25, 0.5});
}

TEST_CASE("linear: gradients", "[linear]") {
  const auto affine = [](const auto&... x) { return linear(x...); };
  const auto w = random<double>(Shape{3, 4}, 2);
  const auto b = random<double>(Shape{3}, 3);
  CHECK_GRADIENTS(affine, random<double>(Shape{5, 4}, 1), w, b);
  CHECK_GRADIENTS(affine, random<double>(Shape{1, 4}, 1), w);
  CHECK_GRADIENTS(affine, random<double>(Shape{2, 3, 4}, 1), w, b);
  CHECK_GRADIENTS(affine, random<double>(Shape{2, 1, 3, 4}, 1), w, b);
  CHECK_GRADIENTS(affine, random<double>(Shape{70, 1}, 1), random<double>(Shape{1, 1}, 2),
                  random<double>(Shape{1}, 3));
}

TEST_CASE("linear: operands may be tensors, variables and parameters in any mix", "[linear]") {
  const auto x = random<float>(Shape{2, 4}, 1), w = random<float>(Shape{3, 4}, 2);
  const auto b = random<float>(Shape{3}, 3);
  const Param<Tensor<float, 2>> weight(w);
  const Param<Tensor<float, 1>> bias(b), absent;
  const auto y = linear(x, w, b);
  CHECK(same_bits(linear(x, weight, bias), y));
  CHECK(same_bits(linear(x, weight, b), y));
  CHECK(same_bits(linear(x, weight, absent), linear(x, w)));

  Tape tape;
  const auto input = tape.input(x);
  backward(linear(input, weight, bias), Tensor<float, 2>::ones({2, 3}));
  CHECK(bias.grad().values() == std::vector<float>{2, 2, 2});
  CHECK(weight.grad().defined());
  const auto z = linear(input, weight, absent);
  CHECK(same_bits(z.value(), linear(x, w)));
  backward(z, Tensor<float, 2>::ones({2, 3}));
  CHECK(tape.nodes().back().macs == 2 * 3 * 4);
}

TEST_CASE("linear: the number of threads does not change a bit", "[linear]") {
  const auto x = random<float>(Shape{300, 700}, 1), w = random<float>(Shape{150, 700}, 2);
  const auto b = random<float>(Shape{150}, 3);
  check_threads([&] { return linear(x, w, b); });
  check_threads([&] {
    const Tensor<float, 1> sum({700});
    sum_rows(Cpu{}, x.view(), into(sum));
    return sum;
  });
}

TEST_CASE("linear: the kernel adds the bias and rectifies as it stores", "[linear]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Index m : {1, 7, 70, 200})
      for (const Index n : {1, 10, 64, 97})
        for (const Index k : {0, 1, 33, 300, 9000}) {
          if (m == 200 && k == 9000) continue;
          const auto x = random<float>(Shape{m, k}, 1), w = random<float>(Shape{n, k}, 2);
          const auto b = random<float>(Shape{n}, 3);
          const Tensor<float, 2> plain({m, n}), y({m, n});
          gemm(Cpu{}, {.b = true}, x.view(), w.view(), into(plain));
          for (const bool relu : {false, true})
            for (const bool biased : {false, true}) {
              linear_forward<float>(Cpu{}, x.view(), w.view(), y.mut(),
                                    {biased ? b.data() : nullptr, nullptr,
                                     relu ? Activation::relu : Activation::none});
              bool same = true;
              for (Index i = 0; i < m * n; ++i) {
                const float sum = biased ? plain.data()[i] + b(i % n) : plain.data()[i];
                same = same && y.data()[i] == (relu && sum < 0 ? 0.0f : sum);
              }
              INFO(m << " x " << n << " x " << k << " relu " << relu << " bias " << biased);
              CHECK(same);
            }
        }
  });
}

TEST_CASE("linear: dual numbers carry derivatives", "[linear]") {
  using D = Dual<double>;
  const auto y = linear(Tensor<D, 2>({1, 2}, {D(1, 1), D(2)}), Tensor<D, 2>({1, 2}, {D(3), D(4)}),
                        Tensor<D, 1>({1}, {D(5, 7)}));
  CHECK(y.item().value == 16);
  CHECK(y.item().tangent == 10);
}

TEST_CASE("linear: what does not fit is refused in a sentence", "[linear]") {
  const Param<Tensor<float, 2>> w(Tensor<float, 2>({3, 4}));
  w.set_name("fc1.weight");
  CHECK_THROWS_AS(linear(Tensor<float, 2>({2, 5}), w), ShapeError);
  CHECK_THROWS_WITH(linear(Tensor<float, 2>({2, 5}), w),
                    "linear (layer fc1): the weight (3, 4) expects 4 features, but the input (2, "
                    "5) has 5; flatten() an image first");
  CHECK_THROWS_WITH(linear(Tensor<float, 2>({2, 4}), w, Tensor<float, 1>({2})),
                    Contains("3 outputs, but the bias has 2 elements"));
  CHECK(linear(Tensor<float, 2>({0, 4}), w).shape() == Shape{0, 3});
}
