#include <ebb/ops/shape/permute/permute.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

#include <algorithm>

using namespace ebb;
using test::contains;

TEST_CASE("permute: axes in another order", "[ops][permute]") {
  const auto x = test::random<double>(Shape{2, 3, 4, 5});
  const auto y = permute(x, {0, 3, 1, 2});
  REQUIRE(y.shape() == Shape{2, 5, 3, 4});
  for (Index n = 0; n < 2; ++n)
    for (Index h = 0; h < 3; ++h)
      for (Index w = 0; w < 4; ++w)
        for (Index c = 0; c < 5; ++c) REQUIRE(y(n, c, h, w) == x(n, h, w, c));
  CHECK(test::same_bits(permute(y, {0, 2, 3, 1}), x));
  CHECK(test::same_bits(permute(x, {0, -1, 1, -2}), y));
}

TEST_CASE("permute: orders that name an axis twice, or none", "[ops][permute]") {
  const auto x = test::random<float>(Shape{2, 3, 4});
  CHECK(test::error_of<ShapeError>([&] {
          permute(x, {0, 1, 1});
        }) == "permute: the axes (0, 1, 1) name axis 1 twice; each of the 3 axes must appear once");
  CHECK(contains(test::error_of<ShapeError>([&] {
                   permute(x, {0, 1, 3});
                 }),
                 "axis 3 is out of range"));
}

namespace {
/// Every order of the axes of `shape`, fast kernel against reference, overwriting and adding.
template <class T, int N>
bool every_order_agrees(const Shape<N>& shape) {
  AxisOrder<N> axes{};
  for (int k = 0; k < N; ++k) axes[static_cast<std::size_t>(k)] = k;
  const auto x = test::random<T>(shape);
  bool agrees = true;
  do {
    const auto g = kernel::PermuteGeometry<N>::of(shape, axes);
    for (const bool add : {false, true}) {
      const Tensor<T, N> fast = test::random<T>(g.shape, 2), slow = fast.clone();
      permute_copy(Cpu{}, g, x.view(), Into<T, N>{fast.mutable_data(), g.shape, add});
      kernel::reference::permute_copy(g, x.view(), Into<T, N>{slow.mutable_data(), g.shape, add});
      agrees = agrees && test::same_bits(fast, slow);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
  return agrees;
}
}  // namespace

TEST_CASE("permute: the fast kernel is the reference, for every order", "[ops][permute]") {
  CHECK(every_order_agrees<float>(Shape{3, 4, 5, 6}));
  CHECK(every_order_agrees<double>(Shape{33, 1, 65}));
  CHECK(every_order_agrees<float>(Shape{64, 70, 3}));
  CHECK(every_order_agrees<float>(Shape{1, 1, 1}));
  CHECK(every_order_agrees<float>(Shape{5, 0, 2}));
  CHECK(every_order_agrees<double>(Shape{2, 3, 2, 3, 2}));
  CHECK(every_order_agrees<float>(Shape{257}));
  CHECK(every_order_agrees<Dual<double>>(Shape{3, 2, 4}));
}

TEST_CASE("permute: any number of threads", "[ops][permute]") {
  const auto x = test::random<float>(Shape{8, 50, 60, 3});
  CHECK(test::same_for_any_threads([&] { return permute(x, {0, 3, 1, 2}); }));
  CHECK(test::same_for_any_threads([&] { return permute(x, {1, 0, 2, 3}); }));
}

TEST_CASE("permute: gradients", "[ops][permute]") {
  const auto x = test::random<double>(Shape{2, 3, 4});
  CHECK_GRADIENTS([](const auto& v) { return permute(v, {1, 2, 0}); }, x);
  CHECK_GRADIENTS([](const auto& v) { return permute(v, {2, 0, 1}); }, x);
  CHECK_GRADIENTS([](const auto& v) { return permute(v, {-1, 0, 1}); }, x);
  CHECK_GRADIENTS([](const auto& v) { return permute(v, {0}); }, test::random<double>(Shape{3}));
}
