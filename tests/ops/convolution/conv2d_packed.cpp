#include <ebb/ops/convolution/conv2d/packed.hpp>
#include <ebb/ops/elementwise/leaky_relu.hpp>
#include <ebb/ops/elementwise/silu.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/match.hpp"
#include "tests/support/random.hpp"

#include <thread>

using namespace ebb;
using namespace ebb::test;

namespace {

/// The way that is asked for while it lives.
struct Asked {
  explicit Asked(ConvAlgorithm way) { set_conv2d_algorithm(way); }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() { reset_conv2d_algorithm(); }
};

struct Case {
  ConvAlgorithm way;
  Shape<4> x, w;
  Conv2dOptions options;
};

/// Each way, on shapes that leave parts of blocks, panels and taps empty.
std::vector<Case> cases() {
  using enum ConvAlgorithm;
  return {
      {reference, {2, 3, 5, 4}, {4, 3, 3, 3}, {.padding = 1}},
      {pointwise, {2, 9, 6, 7}, {21, 9, 1, 1}, {}},
      {depthwise, {3, 6, 9, 8}, {6, 1, 5, 3}, {.stride = {2, 1}, .padding = 2, .groups = 6}},
      {three_rows, {2, 5, 9, 18}, {5, 1, 3, 3}, {.padding = 1, .groups = 5}},
      {three_rows, {2, 6, 7, 5}, {4, 3, 3, 2}, {.padding = 1, .groups = 2}},
      {unfolded, {2, 34, 3, 2}, {70, 34, 3, 3}, {.padding = 1}},
      {unfolded, {3, 6, 7, 6}, {20, 3, 3, 3}, {.padding = 1, .groups = 2}},  // in packed panels
      {images, {17, 6, 6, 5}, {10, 6, 3, 3}, {.padding = 1}},
      {channels, {2, 18, 9, 8}, {39, 18, 3, 3}, {.stride = 2, .padding = 1}},
      {channels, {3, 12, 7, 7}, {44, 6, 3, 3}, {.padding = 1, .groups = 2}},
      {channels, {1, 9, 1, 2}, {35, 9, 3, 3}, {.padding = 1}},  // most taps on padding
      {lines, {2, 3, 12, 13}, {7, 3, 5, 5}, {.stride = 2, .padding = 2}},
      {winograd, {2, 18, 13, 10}, {37, 18, 3, 3}, {.padding = 1}},
      {winograd, {3, 5, 7, 6}, {3, 5, 3, 3}, {.padding = 2}},
  };
}

template <class T>
struct Operands {
  Tensor<T, 4> x, w, skip;
  Tensor<T, 1> b;

  explicit Operands(const Case& c)
      : x(random<T>(c.x, 1)), w(random<T>(c.w, 2)), b(random<T>(Shape{c.w[0]}, 3)) {
    const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", c.x, c.w, c.options);
    skip = random<T>(Shape<4>{g.batch, g.out_channels, g.output.height, g.output.width}, 4);
  }
};

template <class T>
void check_bits(const Case& c) {
  const Asked asked(c.way);
  const Operands<T> o(c);
  for (const Activation& f : {Activation(), Activation(relu), Activation(silu)}) {
    INFO(to_string(c.way) << " x " << message(c.x) << " w " << message(c.w) << " " << sizeof(T)
                          << " activation " << f.kind);
    Conv2dOptions options = c.options;
    options.activation = f;
    const auto packed = pack_conv2d(o.w, options, c.x);
    CHECK(packed.algorithm() == c.way);
    const PackedConv2d<T> copy = packed;
    // conv2d packs by the same code, so the plain loops are asked, too.
    Tensor<T, 4> plain(o.skip.shape());
    kernel::reference::conv2d_forward<T>(packed.geometry(), o.x.view(), o.w.view(), plain.mut(),
                                         {o.b.data(), nullptr, f});
    CHECK(absolute_difference(conv2d(o.x, packed, o.b), plain) < (sizeof(T) == 4 ? 1e-3 : 1e-11));
    for (int again = 0; again < 2; ++again) {
      CHECK(same_bits(conv2d(o.x, packed), conv2d(o.x, o.w, options)));
      CHECK(same_bits(conv2d(o.x, copy, o.b), conv2d(o.x, o.w, o.b, options)));
      CHECK(same_bits(conv2d(o.x, packed, o.b, o.skip), conv2d(o.x, o.w, o.b, options, o.skip)));
    }
  }
}

}  // namespace

TEST_CASE("weights packed once give conv2d's bits, by every way", "[conv2d][packed]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Case& c : cases()) {
      check_bits<float>(c);
      if (c.way != ConvAlgorithm::winograd) check_bits<double>(c);
    }
  });
}

TEST_CASE("packed weights give the same bits on any number of threads", "[conv2d][packed]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Case& c : cases()) {
      const Asked asked(c.way);
      INFO(to_string(c.way));
      // Larger, so that there is work to share out.
      Case more = c;
      more.x[0] = 8 * c.x[0];
      const Operands<float> o(more);
      const auto packed = pack_conv2d(o.w, more.options, more.x);
      check_threads([&] { return conv2d(o.x, packed, o.b); });
      check_threads([&] { return conv2d(o.x, pack_conv2d(o.w, more.options, more.x), o.b); });
    }
  });
}

TEST_CASE("one packed value serves several threads at once", "[conv2d][packed][threads]") {
  for (const Case& c : cases()) {
    const Asked asked(c.way);
    INFO(to_string(c.way));
    const Operands<float> o(c);
    const auto packed = pack_conv2d(o.w, c.options, c.x);
    const auto expected = conv2d(o.x, o.w, o.b, c.options);
    int agreeing[4] = {};
    std::vector<std::thread> workers;
    for (int& agreed : agreeing)
      workers.emplace_back([&] {
        for (int i = 0; i < 5; ++i) agreed += same_bits(conv2d(o.x, packed, o.b), expected);
      });
    for (auto& worker : workers) worker.join();
    for (const int agreed : agreeing) CHECK(agreed == 5);
  }
}

TEST_CASE("packed weights are a value", "[conv2d][packed]") {
  for (const Case& c : cases()) {
    const Asked asked(c.way);
    INFO(to_string(c.way));
    const Operands<float> o(c);
    const auto packed = pack_conv2d(o.w, c.options, c.x);
    const auto before = conv2d(o.x, packed).clone();
    for (Index i = 0; i < o.w.size(); ++i) o.w.mutable_data()[i] = 0;  // does not reach them
    CHECK(same_bits(conv2d(o.x, packed), before));
    CHECK(packed.geometry().kernel == Size2(c.w[2], c.w[3]));
    CHECK(packed.bytes() >= 4 * (c.way == ConvAlgorithm::channels ? c.w[0] * c.w[1] : o.w.size()));
  }
  // Without an own layout they take as much memory as before; in Winograd's domain 36/9 and more.
  const auto w = random<float>(Shape{64, 64, 3, 3});
  {
    const Asked asked(ConvAlgorithm::lines);
    CHECK(pack_conv2d(w, {.padding = 1}, {1, 64, 8, 8}).bytes() == 4 * w.size());
  }
  const Asked asked(ConvAlgorithm::winograd);
  const Index bytes = pack_conv2d(w, {.padding = 1}, {1, 64, 8, 8}).bytes();
  CHECK(bytes >= 16 * w.size());
  CHECK(bytes < 24 * w.size());
}

TEST_CASE("packed weights know what they were packed for", "[conv2d][packed]") {
  const Asked asked(ConvAlgorithm::channels);
  const auto w = random<float>(Shape{40, 20, 3, 3}, 2);
  const Conv2dOptions options{.padding = 1};
  const auto packed = pack_conv2d(w, options, {1, 20, 6, 6});
  // Other batches and sizes, whose pixels see the same taps.
  for (const Shape<4>& shape : {Shape<4>{5, 20, 6, 6}, Shape<4>{2, 20, 9, 3}}) {
    const auto x = random<float>(shape, 3);
    CHECK(same_bits(conv2d(x, packed), conv2d(x, w, options)));
  }
  CHECK(conv2d(Tensor<float, 4>({0, 20, 6, 6}), packed).shape() == Shape<4>{0, 40, 6, 6});
  // The same way, of fewer taps.
  CHECK_THROWS_WITH(conv2d(random<float>(Shape{1, 20, 1, 1}), packed),
                    contains("packed for an input (1, 20, 6, 6)") &&
                        contains("another layout: pack them for that shape, too"));
  CHECK_THROWS_AS(conv2d(random<float>(Shape{1, 19, 6, 6}), packed), ShapeError);
  CHECK_THROWS_AS(conv2d(random<float>(Shape{1, 20, 6, 6}), packed, random<float>(Shape{39})),
                  ShapeError);
  CHECK_THROWS_AS(conv2d(random<float>(Shape{1, 20, 6, 6}), packed, random<float>(Shape{40}),
                         random<float>(Shape{1, 40, 6, 5})),
                  ShapeError);
  // Another way.
  set_conv2d_algorithm(ConvAlgorithm::lines);
  CHECK_THROWS_WITH(conv2d(random<float>(Shape{2, 20, 6, 6}), packed),
                    contains("by channels") && contains("goes by lines"));
  // What was planned stays planned.
  CHECK(conv2d(random<float>(Shape{1, 20, 6, 6}), packed).size() == 40 * 36);
  // Another instruction set.
  for (const Isa other : {Isa::portable, Isa::avx2, Isa::avx512})
    if (other != isa() && supports(other)) {
      const std::string now = to_string(isa());
      const OnlyIsa only(other);
      CHECK_THROWS_WITH(conv2d(random<float>(Shape{1, 20, 6, 6}), packed),
                        contains("packed for " + now) && contains("set_isa()"));
    }
}

TEST_CASE("weights packed by Winograd's way serve any image size", "[conv2d][packed]") {
  const Asked asked(ConvAlgorithm::winograd);
  const auto w = random<float>(Shape{33, 17, 3, 3}, 2);
  const auto packed = pack_conv2d(w, {.padding = 1}, {1, 17, 8, 8});
  for (const Index size : {1, 5, 30}) {
    const auto x = random<float>(Shape{2, 17, size, size + 1}, 3);
    CHECK(same_bits(conv2d(x, packed), conv2d(x, w, {.padding = 1})));
  }
}

TEST_CASE("a call with packed weights takes nothing from the system", "[conv2d][packed]") {
  const auto x = random<float>(Shape{1, 64, 14, 14}, 1), w = random<float>(Shape{64, 64, 3, 3}, 2);
  const auto packed = pack_conv2d(w, {.padding = 1}, x.shape());
  conv2d(x, packed);
  const auto before = Cpu::stats().allocations;
  for (int i = 0; i < 5; ++i) conv2d(x, packed);
  CHECK(Cpu::stats().allocations == before);
}
