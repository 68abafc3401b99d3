#include <ebb/ops/elementwise/silu.hpp>
#include <ebb/ops/linear_algebra/linear/packed.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/match.hpp"
#include "tests/support/random.hpp"

#include <thread>

using namespace ebb;
using namespace ebb::test;

namespace {

/// Rows, outputs and features: dot products, packed panels with every kind of tail, long sums in
/// pieces, nothing at all.
constexpr Index sizes[][3] = {{1, 30, 200},   {3, 1, 70},     {16, 50, 300}, {17, 50, 300},
                              {70, 100, 99},  {48, 33, 130},  {20, 17, 1},   {40, 1, 40},
                              {24, 20, 6000}, {33, 47, 9001}, {2, 3, 5},     {0, 4, 6}};

template <class T>
void check_bits(Index rows, Index out, Index in) {
  INFO(rows << " rows, " << out << " outputs, " << in << " features, " << sizeof(T));
  const auto x = random<T>(Shape{rows, in}, 1), w = random<T>(Shape{out, in}, 2);
  const auto b = random<T>(Shape{out}, 3);
  const auto skip = random<T>(Shape{rows, out}, 4);
  const auto packed = pack_linear(w, rows);
  const PackedLinear<T> copy = packed;
  CHECK(packed.bytes() >= w.size() * Index{sizeof(T)});
  for (int again = 0; again < 2; ++again) {
    CHECK(same_bits(linear(x, packed), linear(x, w)));
    CHECK(same_bits(linear(x, copy, relu), linear(x, w, relu)));
    CHECK(same_bits(linear(x, packed, b), linear(x, w, b)));
    CHECK(same_bits(linear(x, packed, b, silu), linear(x, w, b, silu)));
    CHECK(same_bits(linear(x, packed, b, relu, skip), linear(x, w, b, relu, skip)));
  }
  const auto before = linear(x, packed).clone();
  for (Index i = 0; i < w.size(); ++i) w.mutable_data()[i] = 0;  // does not reach them
  CHECK(same_bits(linear(x, packed), before));
}

}  // namespace

TEST_CASE("a weight packed once gives linear's bits", "[linear][packed]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const auto& [rows, out, in] : sizes) {
      check_bits<float>(rows, out, in);
      check_bits<double>(rows, out, in);
    }
  });
}

TEST_CASE("a packed product of any kind of operand gives the same bits", "[matmul][packed]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const auto& [m, n, k] : sizes)
      for (const kernel::Transposed t :
           {kernel::Transposed{}, kernel::Transposed{.a = true}, kernel::Transposed{.b = true}}) {
        INFO(m << " x " << n << " x " << k << " " << t.a << t.b);
        const auto a = random<float>(Shape{m * k}, 1), b = random<float>(Shape{k * n}, 2);
        const kernel::detail::Gemm<float> product(t, m, n, k);
        const Tensor<float, 1> packed(Shape<1>{product.packed()}), c(Shape<1>{m * n}), d(c.shape());
        kernel::detail::gemm_matrix<float>(t, m, n, k, a.data(), b.data(), c.mutable_data(), false);
        if (packed.size() == 0) continue;
        kernel::detail::gemm_pack<float>(t, m, n, k, b.data(), packed.mutable_data());
        kernel::detail::gemm_matrix<float>(t, m, n, k, a.data(), {packed.data(), true},
                                           d.mutable_data(), false);
        CHECK(same_bits(c, d));
      }
  });
}

TEST_CASE("a packed weight gives the same bits on any number of threads, and to several",
          "[linear][packed][threads]") {
  for (const Index rows : {1, 100}) {
    const auto x = random<float>(Shape{rows, 700}, 1), w = random<float>(Shape{300, 700}, 2);
    const auto packed = pack_linear(w, rows);
    const auto expected = linear(x, w);
    check_threads([&] { return linear(x, packed); });
    check_threads([&] { return linear(x, pack_linear(w, rows)); });
    int agreeing[4] = {};
    std::vector<std::thread> workers;
    for (int& agreed : agreeing)
      workers.emplace_back([&] {
        for (int i = 0; i < 5; ++i) agreed += same_bits(linear(x, packed), expected);
      });
    for (auto& worker : workers) worker.join();
    for (const int agreed : agreeing) CHECK(agreed == 5);
  }
}

TEST_CASE("a packed weight knows what it was packed for", "[linear][packed]") {
  const auto w = random<float>(Shape{40, 200}, 2);
  const auto few = pack_linear(w), many = pack_linear(w, 64);
  CHECK(few.bytes() == 4 * w.size());
  for (const Index rows : {1, 2, 16}) {
    const auto x = random<float>(Shape{rows, 200});
    CHECK(same_bits(linear(x, few), linear(x, w)));
  }
  const auto x = random<float>(Shape{4, 16, 200});  // of any rank
  CHECK(same_bits(linear(x, many), linear(x, w)));
  CHECK(linear(Tensor<float, 2>({0, 200}), many).shape() == Shape<2>{0, 40});
  CHECK_THROWS_WITH(linear(x, few), contains("packed for 1 row; 64 want them in another layout"));
  CHECK_THROWS_WITH(linear(random<float>(Shape{2, 200}), many), contains("packed for 64 rows; 2"));
  CHECK_THROWS_AS(linear(random<float>(Shape{2, 201}), few), ShapeError);
  CHECK_THROWS_AS(linear(random<float>(Shape{2, 200}), few, random<float>(Shape{41})), ShapeError);
  CHECK_THROWS_AS(linear(random<float>(Shape{2, 200}), few, random<float>(Shape{40}), relu,
                         random<float>(Shape{1, 40})),
                  ShapeError);
  CHECK_THROWS_AS(pack_linear(w, -1), ValueError);
  for (const Isa other : {Isa::portable, Isa::avx2, Isa::avx512})
    if (other != isa() && supports(other)) {
      const std::string now = to_string(isa());
      const OnlyIsa only(other);
      CHECK_THROWS_WITH(linear(random<float>(Shape{1, 200}), few),
                        contains("packed for " + now) && contains("set_isa()"));
    }
}
