#include <ebb/data/drawn/stroke_digits.hpp>

#include "tests/support/tensors.hpp"

#include <cmath>

using namespace ebb;
using namespace ebb::data;
using ebb::test::error_of;

namespace {

/// Share of `test` that a linear softmax model gets right after some epochs of gradient descent.
double linear_accuracy(const Dataset<std::uint8_t>& train, const Dataset<std::uint8_t>& held_out) {
  const Index pixels = train.images().size() / train.size();
  std::vector<double> weights(static_cast<std::size_t>(10 * (pixels + 1)));
  const auto scores = [&](const Dataset<std::uint8_t>& d, Index i, double* score) {
    const std::uint8_t* x = d.images().data() + i * pixels;
    for (Index c = 0; c < 10; ++c) {
      const double* w = &weights[static_cast<std::size_t>(c * (pixels + 1))];
      score[c] = w[pixels];
      for (Index k = 0; k < pixels; ++k) score[c] += w[k] * x[k] / 255;
    }
  };
  for (int epoch = 0; epoch < 8; ++epoch)
    for (Index i = 0; i < train.size(); ++i) {
      double p[10], sum = 0;
      scores(train, i, p);
      const double top = *std::max_element(p, p + 10);
      for (double& v : p) sum += v = std::exp(v - top);
      const std::uint8_t* x = train.images().data() + i * pixels;
      for (Index c = 0; c < 10; ++c) {
        const double g = 0.02 * (p[c] / sum - (train.label(i) == c ? 1 : 0));
        double* w = &weights[static_cast<std::size_t>(c * (pixels + 1))];
        for (Index k = 0; k < pixels; ++k) w[k] -= g * x[k] / 255;
        w[pixels] -= g;
      }
    }
  Index right = 0;
  for (Index i = 0; i < held_out.size(); ++i) {
    double s[10];
    scores(held_out, i, s);
    right += std::max_element(s, s + 10) - s == held_out.label(i) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(held_out.size());
}

}  // namespace

TEST_CASE("stroke digits are the same for any number of threads, and differ by seed") {
  CHECK(test::same_for_any_threads([] { return stroke_digits(300, {.seed = 4}).images(); }));
  CHECK_FALSE(test::same_bits(stroke_digits(10, {.seed = 4}).images(),
                              stroke_digits(10, {.seed = 5}).images()));
}

TEST_CASE("an image is a function of seed and number") {
  const auto all = stroke_digits(50, {.seed = 1});
  const auto late = stroke_digits(20, {.seed = 1, .first = 30});
  for (Index i = 0; i < 20; ++i) {
    CHECK(late.label(i) == all.label(30 + i));
    CHECK(std::equal(late.image(i).data, late.image(i).data + 784, all.image(30 + i).data));
  }
}

TEST_CASE("every ten digits in a row are all ten") {
  const auto d = stroke_digits(100, {.seed = 9});
  for (Index ten = 0; ten < 10; ++ten) {
    std::vector<int> seen(10);
    for (Index i = 0; i < 10; ++i) ++seen[static_cast<std::size_t>(d.label(10 * ten + i))];
    CHECK(seen == std::vector<int>(10, 1));
  }
  CHECK(d.class_count() == 10);
  CHECK(stroke_digits(0).size() == 0);
}

TEST_CASE("a digit is light strokes in the middle of a dark image, of any size") {
  for (const Size2 size : {Size2(8), Size2(28), Size2(20, 33), Size2(64)}) {
    const auto d = stroke_digits(200, {.size = size, .seed = 2});
    CHECK(d.image_size() == size);
    for (Index i = 0; i < d.size(); ++i) {
      double sum = 0, border = 0;
      int brightest = 0;
      const auto x = d.image(i);
      for (Index r = 0; r < size.height; ++r)
        for (Index c = 0; c < size.width; ++c) {
          sum += x(0, r, c);
          brightest = std::max(brightest, int{x(0, r, c)});
          if (r == 0 || c == 0 || r == size.height - 1 || c == size.width - 1) border += x(0, r, c);
        }
      const double mean = sum / 255 / static_cast<double>(size.area());
      REQUIRE(mean > 0.015);
      REQUIRE(mean < 0.45);
      REQUIRE(brightest > 100);
      REQUIRE(border < 0.35 * sum);
    }
  }
}

TEST_CASE("without distortion and noise, a digit is always drawn alike") {
  const auto d = stroke_digits(20, {.distortion = 0, .noise = 0});
  for (Index i = 0; i < 10; ++i)
    for (Index k = 10; k < 20; ++k)
      CHECK((d.label(i) == d.label(k)) ==
            std::equal(d.image(i).data, d.image(i).data + 784, d.image(k).data));
}

TEST_CASE("a linear model learns the digits, but not all of them") {
  const auto train = stroke_digits(3000, {.size = 14, .seed = 1});
  const auto held_out = stroke_digits(1000, {.size = 14, .seed = 1, .first = 3000});
  const double accuracy = linear_accuracy(train, held_out);
  INFO(accuracy);
  CHECK(accuracy > 0.7);
  CHECK(accuracy < 0.97);
}

TEST_CASE("nonsense options of stroke digits are refused") {
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(-1); }).empty());
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(1, {.size = 4}); }).empty());
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(1, {.first = -1}); }).empty());
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(1, {.distortion = -1}); }).empty());
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(1, {.distortion = 9}); }).empty());
  CHECK_FALSE(error_of<ValueError>([] { stroke_digits(1, {.noise = -1}); }).empty());
}
