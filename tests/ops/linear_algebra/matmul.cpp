#include <ebb/ops/linear_algebra/matmul.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;
using Catch::Matchers::Contains;

namespace {

template <class T>
void compare(Index batch, Index m, Index n, Index k, kernel::Transposed transposed, bool add,
             std::uint64_t seed) {
  const auto a = random<T>(transposed.a ? Shape{batch, k, m} : Shape{batch, m, k}, seed);
  const auto b = random<T>(transposed.b ? Shape{batch, n, k} : Shape{batch, k, n}, seed + 1);
  const auto fast = random<T>(Shape{batch, m, n}, seed + 2), slow = fast.clone();
  gemm(Cpu{}, transposed, a.view(), b.view(), into(fast, add));
  kernel::reference::gemm<T>(transposed, a.view(), b.view(), into(slow, add));
  INFO(batch << " x " << m << " x " << n << " x " << k << " transposed " << transposed.a << " "
             << transposed.b << " add " << add);
  const double unit = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;
  CHECK(absolute_difference(fast, slow) < unit * (static_cast<double>(k) + 8));
}

}  // namespace

TEST_CASE("matmul: the reference kernel multiplies", "[matmul]") {
  const Tensor<int, 3> a({1, 2, 3}, {1, 2, 3, 4, 5, 6}), b({1, 3, 2}, {7, 8, 9, 10, 11, 12});
  const Tensor<int, 3> c({1, 2, 2});
  kernel::reference::gemm<int>({}, a.view(), b.view(), into(c));
  CHECK(c.values() == std::vector<int>{58, 64, 139, 154});
  kernel::reference::gemm<int>({}, a.view(), b.view(), into(c, true));
  CHECK(c.values() == std::vector<int>{116, 128, 278, 308});
  const Tensor<int, 3> at({1, 3, 2}, {1, 4, 2, 5, 3, 6}), bt({1, 2, 3}, {7, 9, 11, 8, 10, 12});
  kernel::reference::gemm<int>({.a = true, .b = true}, at.view(), bt.view(), into(c));
  CHECK(c.values() == std::vector<int>{58, 64, 139, 154});
}

TEST_CASE("matmul: the fast kernel against the reference, on every instruction set", "[matmul]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    const RandomStream draw{1, 2};
    for (std::uint64_t i = 0; i < 200; ++i) {
      const auto below = [&](Index n, std::uint64_t at) { return draw.below(n, 8 * i + at); };
      Index m = 1 + below(40, 0), n = 1 + below(120, 1), k = 1 + below(150, 2), batch = 1;
      if (i % 10 == 0) m = 1 + below(300, 0);  // blocks of rows
      if (i % 10 == 1) n = 1 + below(700, 1);  // blocks of columns
      if (i % 10 == 2) m = 1 + below(6, 0), n = 1 + below(9, 1), k = 2000 + below(9000, 2);
      if (i % 10 == 3) batch = 1 + below(20, 3), m = 1 + below(9, 0);
      const kernel::Transposed transposed{below(2, 4) == 1, below(2, 5) == 1};
      compare<float>(batch, m, n, k, transposed, below(2, 6) == 1, i);
      compare<double>(batch, m, n, k, transposed, below(2, 6) == 1, i);
    }
    compare<float>(1, 7, 5, 0, {}, false, 1);  // an empty sum is zero
    compare<float>(1, 7, 5, 0, {}, true, 1);
  });
}

TEST_CASE("matmul: every way a product can go, at the edges of its blocks", "[matmul]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    const Index lanes = kernel::simd::tiles<float>().lanes;
    const auto both = [](Index m, Index n, Index k, kernel::Transposed transposed,
                         bool add = false) {
      compare<float>(1, m, n, k, transposed, add, 1);
      compare<double>(1, m, n, k, transposed, add, 2);
    };
    for (const Index m : {1, 2, 3, 5, 7, 8, 9, 16, 17, 64}) {
      both(m, 1100, 37, {});                       // B's rows streamed
      both(m, 4500, 21, {}, m % 2 == 0);           // a few of them at a time, where they are long
      both(m, 12 * lanes * 3 + 1, 9, {}, true);    // and one column more than whole registers
      both(m, 65, 1700, {.b = true}, m % 2 == 0);  // dot products, in two steps along k
      both(70, 333, m, {.a = true});               // long rows of a small batch's weight gradient
    }
    both(300, 260, 270, {});
    both(300, 260, 270, {.a = true, .b = true}, true);
    both(1, 5, 40000, {});  // the sum is split
    both(129, 1, 700, {});  // one column is contiguous either way
    both(129, 1, 700, {.a = true}, true);
    both(1, 300, 700, {.a = true, .b = true});
  });
}

TEST_CASE("matmul: which way a product goes", "[matmul]") {
  const auto way = [](Index m, Index n, Index k, kernel::Transposed transposed) {
    return kernel::detail::GemmPlan::of(m, n, k, transposed, kernel::simd::tiles<float>()).way;
  };
  using Way = kernel::detail::GemmWay;
  CHECK(way(16, 64, 25088, {.b = true}) == Way::dot);
  CHECK(way(17, 64, 25088, {.b = true}) == Way::packed);
  CHECK(way(60000, 10, 784, {.b = true}) == Way::dot);
  CHECK(way(64, 64, 3, {.b = true}) == Way::packed);
  CHECK(way(16, 25088, 64, {}) == Way::streams);
  CHECK(way(17, 25088, 64, {}) == Way::packed);
  CHECK(way(64, 25088, 16, {.a = true}) == Way::streams);
  CHECK(way(64, 25088, 17, {.a = true}) == Way::packed);
  CHECK(way(512, 512, 512, {}) == Way::packed);
}

TEST_CASE("matmul: small products are shared out, long sums are split", "[matmul]") {
  const auto plan = [](Index m, Index n, Index k) {
    return kernel::detail::GemmPlan::of(m, n, k, {.b = true}, kernel::simd::tiles<float>());
  };
  CHECK(plan(64, 120, 400).columns < 120);  // a dense layer of LeNet: several tasks
  CHECK(plan(64, 120, 400).splits == 1);
  CHECK(plan(64, 64, 25088).columns >= 64);
  CHECK(plan(64, 64, 25088).splits > 1);
  CHECK(plan(64, 10, 64).columns >= 10);  // too little to be worth a second thread
}

TEST_CASE("matmul: the number of threads does not change a bit", "[matmul]") {
  const auto product = [](Index m, Index n, Index k, kernel::Transposed transposed) {
    const auto a = random<float>(transposed.a ? Shape{k, m} : Shape{m, k}, 1);
    const auto b = random<float>(transposed.b ? Shape{n, k} : Shape{k, n}, 2);
    check_threads([&] {
      const Tensor<float, 2> c({m, n});
      gemm(Cpu{}, transposed, a.view(), b.view(), into(c));
      return c;
    });
  };
  each_isa([&](Isa) {
    product(150, 500, 300, {});
    product(64, 64, 6000, {.b = true});  // the sum is split
    product(9, 64, 6000, {.b = true});
    product(33, 21, 9000, {.a = true});
    product(3, 9000, 40, {});  // streamed
    product(70, 5000, 4, {.a = true});
  });
}

TEST_CASE("matmul: gradients", "[matmul]") {
  const auto product = [](const auto& a, const auto& b) { return matmul(a, b); };
  CHECK_GRADIENTS(product, random<double>(Shape{3, 4}, 1), random<double>(Shape{4, 2}, 2));
  CHECK_GRADIENTS(product, random<double>(Shape{1, 1}, 1), random<double>(Shape{1, 1}, 2));
  CHECK_GRADIENTS(product, random<double>(Shape{7, 1}, 1), random<double>(Shape{1, 5}, 2));
  CHECK_GRADIENTS(product, random<double>(Shape{2, 3, 4}, 1), random<double>(Shape{2, 4, 2}, 2));
  CHECK_GRADIENTS(product, random<double>(Shape{3, 2, 4}, 1), random<double>(Shape{4, 5}, 2));
  const auto square = [](const auto& a) { return matmul(a, a); };  // one operand, twice
  CHECK_GRADIENTS(square, random<double>(Shape{3, 3}, 1));
}

TEST_CASE("matmul: records its multiply-adds", "[matmul]") {
  Tape tape;
  const auto a = tape.watch(random<float>(Shape{2, 3, 4}));
  const auto y = matmul(a, random<float>(Shape{4, 5}));
  CHECK(y.shape() == Shape{2, 3, 5});
  CHECK(tape.nodes().back().op == "matmul");
  CHECK(tape.nodes().back().macs == 2 * 3 * 4 * 5);
}

TEST_CASE("matmul: dual numbers carry derivatives", "[matmul]") {
  using D = Dual<double>;
  const Tensor<D, 2> a({1, 2}, {D(1, 1), D(2)}), b({2, 1}, {D(3), D(4, 10)});
  const auto y = matmul(a, b);
  CHECK(y.item().value == 11);
  CHECK(y.item().tangent == 3 + 2 * 10);
}

TEST_CASE("matmul: what does not fit is refused in a sentence", "[matmul]") {
  const Tensor<float, 2> a({2, 3}), b({2, 3});
  CHECK_THROWS_AS(matmul(a, b), ShapeError);
  CHECK_THROWS_WITH(matmul(a, b),
                    "matmul: (2, 3) times (2, 3): the columns of the first (3) must "
                    "be as many as the rows of the second (2); transpose() one of "
                    "them, perhaps");
  const Tensor<float, 3> c({2, 3, 4}), d({3, 4, 5});
  CHECK_THROWS_WITH(matmul(c, d), Contains("the batches hold 2 and 3 matrices"));
  CHECK(matmul(Tensor<float, 2>({0, 3}), Tensor<float, 2>({3, 2})).shape() == Shape{0, 2});
  CHECK(matmul(Tensor<float, 2>({2, 0}), Tensor<float, 2>({0, 1})).values() ==
        std::vector<float>{0, 0});
}

TEST_CASE("isa: only what the processor has can be chosen", "[matmul]") {
  CHECK(supports(Isa::portable));
  CHECK(supports(isa()));
  if (!supports(Isa::avx512))
    CHECK_THROWS_WITH(set_isa(Isa::avx512), "set_isa: this processor does not have avx512");
}
