#include <ebb/uncertainty/conformal.hpp>

#include <ebb/metrics/temperature.hpp>

#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;
using uncertainty::Conformal;
using uncertainty::ConformalScore;

namespace {

struct Table {
  std::vector<double> p;
  std::vector<int> label;
};

/// That of tests/oracle/uncertainty.py.
Table table(int shift) {
  Table t;
  std::vector<double> z;
  for (int i = shift; i < shift + 60; ++i) {
    t.label.push_back(i * 7 % 5);
    for (int c = 0; c < 5; ++c)
      z.push_back(((i * 13 + c * 29) % 17) / 5.0 + 1.5 * (t.label.back() == c));
  }
  t.p = metrics::softmax_at(1, z, 5);
  return t;
}

/// Labels drawn from the softmax of random logits, and the probabilities of a network that is far
/// too sure of itself: logits three times as large.
Table overconfident(std::uint64_t seed, std::uint64_t n) {
  constexpr int classes = 6;
  Table t;
  std::vector<double> z;
  const RandomStream random{seed, 0}, choose{seed, 1};
  for (std::uint64_t i = 0; i < n; ++i) {
    std::vector<double> row;
    for (std::uint64_t c = 0; c < classes; ++c)
      row.push_back(1.5 * random.normal<double>(classes * i + c));
    const auto p = metrics::softmax_at(1, row, classes);
    double left = choose.uniform<double>(i);
    int label = 0;
    while (label + 1 < classes && left >= p[static_cast<std::size_t>(label)])
      left -= p[static_cast<std::size_t>(label++)];
    t.label.push_back(label);
    for (const double x : row) z.push_back(3 * x);
  }
  t.p = metrics::softmax_at(1, z, classes);
  return t;
}

}  // namespace

TEST_CASE("conformal: thresholds and sets as in NumPy", "[uncertainty]") {
  // tests/oracle/uncertainty.py
  const auto calibration = table(0), test = table(1000);
  const auto check = [&](ConformalScore score, double asked, double threshold, double coverage,
                         double size, double empty, double single, double class2,
                         const std::vector<int>& first) {
    const Conformal rule(calibration.p, calibration.label, {.coverage = asked, .score = score});
    CHECK(rule.threshold() == Approx(threshold).epsilon(1e-13));
    const auto report = rule.evaluate(test.p, test.label);
    CHECK(report.coverage == Approx(coverage).epsilon(1e-13));
    CHECK(report.mean_size == Approx(size).epsilon(1e-13));
    CHECK(report.empty == Approx(empty).epsilon(1e-13));
    CHECK(report.single == Approx(single).epsilon(1e-13));
    CHECK(report.class_coverage[2] == Approx(class2).epsilon(1e-13));
    auto found = rule.set(std::span(test.p).first(5));
    std::sort(found.begin(), found.end());
    CHECK(found == first);
  };
  const auto plain = ConformalScore::least_ambiguous, adaptive = ConformalScore::adaptive;
  check(plain, 0.8, 0.8294802596398894, 0.8666666666666667, 2.1166666666666667, 0, 0.2, 0.75,
        {0, 3});
  check(plain, 0.9, 0.8489355803004225, 0.9166666666666666, 2.2666666666666666, 0, 0.2, 1, {0, 3});
  check(adaptive, 0.8, 0.8420715706877014, 0.8666666666666667, 1.7166666666666666,
        0.016666666666666666, 0.38333333333333336, 1, {0});
  check(adaptive, 0.9, 0.8710701472694912, 0.9, 2.033333333333333, 0.016666666666666666, 0.25, 1,
        {0, 3});
}

TEST_CASE("conformal: the promised coverage is kept, also of an overconfident network",
          "[uncertainty]") {
  // With n calibration samples the mean coverage is ceil((n + 1) c) / (n + 1): here 0.9. The mean
  // of 100 trials of 300 samples strays by 0.003 (one standard deviation).
  const auto mean_coverage = [](ConformalScore score, std::optional<std::uint64_t> seed) {
    double coverage = 0, size = 0;
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
      const auto calibration = overconfident(2 * trial, 199),
                 test = overconfident(2 * trial + 1, 300);
      const Conformal rule(calibration.p, calibration.label,
                           {.coverage = 0.9, .score = score, .seed = seed});
      const auto report = rule.evaluate(test.p, test.label);
      coverage += report.coverage / 100;
      size += report.mean_size / 100;
    }
    CHECK(size > 1);
    CHECK(size < 5);
    return coverage;
  };
  CHECK(mean_coverage(ConformalScore::least_ambiguous, {}) == Approx(0.9).margin(0.01));
  CHECK(mean_coverage(ConformalScore::adaptive, {}) == Approx(0.9).margin(0.01));
  CHECK(mean_coverage(ConformalScore::adaptive, 7) == Approx(0.9).margin(0.01));
  // What the network itself believes would not do: the classes that make up 0.9 of its probability
  // hold the truth much less often.
  double held = 0;
  const auto test = overconfident(1, 3000);
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto p = std::span(test.p).subspan(6 * i, 6);
    std::vector<int> order{0, 1, 2, 3, 4, 5};
    std::sort(order.begin(), order.end(), [&](int a, int b) {
      return p[static_cast<std::size_t>(a)] > p[static_cast<std::size_t>(b)];
    });
    double sum = 0;
    for (std::size_t k = 0; k < 6 && sum < 0.9; ++k) {
      sum += p[static_cast<std::size_t>(order[k])];
      held += order[k] == test.label[i];
    }
  }
  CHECK(held / 3000 < 0.85);
}

TEST_CASE("conformal: order, random parts, and too few samples", "[uncertainty]") {
  const auto calibration = table(0);
  const Conformal wide(calibration.p, calibration.label, {.coverage = 0.99});
  CHECK(wide.threshold() == HUGE_VAL);  // 61 * 0.99 > 60
  CHECK(wide.set(std::vector<double>{0.1, 0.4, 0.1, 0.3, 0.1}) == std::vector<int>{1, 3, 0, 2, 4});
  const Conformal random(calibration.p, calibration.label,
                         {.score = ConformalScore::adaptive, .seed = 1});
  const std::vector<double> p{0.5, 0.2, 0.1, 0.1, 0.1};
  CHECK(random.set(p, 5) == random.set(p, 5));
  bool differ = false;
  for (std::uint64_t i = 0; i < 50; ++i) differ = differ || random.set(p, i) != random.set(p, 5);
  CHECK(differ);
  // (99 + 1) * 0.95 is 95, not a little more: the 95th smallest of 99.
  std::vector<double> steps;
  std::vector<int> zeros(99);
  for (int i = 1; i <= 99; ++i) steps.insert(steps.end(), {i / 128.0, 1 - i / 128.0});
  CHECK(Conformal(steps, zeros, {.coverage = 0.95}).threshold() == 1 - 5 / 128.0);
}

TEST_CASE("conformal: what does not fit is said", "[uncertainty]") {
  const auto t = table(0);
  const std::vector<int> none;
  CHECK_THROWS_WITH(Conformal(t.p, none), contains("300 probabilities for 0"));
  CHECK_THROWS_WITH(Conformal(t.p, t.label, {.coverage = 90}), contains("between 0 and 1"));
  CHECK_THROWS_WITH(Conformal(std::vector<double>{2, 0}, std::vector<int>{0}),
                    contains("2 is no probability"));
  CHECK_THROWS_WITH(Conformal(std::vector<double>{1, 0}, std::vector<int>{2}),
                    contains("label 2 of sample 0"));
  const Conformal rule(t.p, t.label);
  CHECK_THROWS_WITH(rule.set(std::vector<double>{1, 0}), contains("one for each class"));
  CHECK_THROWS_WITH(rule.evaluate(std::vector<double>{1, 0}, std::vector<int>{0}),
                    contains("had 5 classes"));
}
