#include <ebb/train/metrics.hpp>

#include <cmath>
#include <limits>

#include "tests/support/match.hpp"

using namespace ebb;
using ebb::test::Approx;
using ebb::test::contains;

TEST_CASE("a running mean weighs every value by its count") {
  RunningMean mean;
  CHECK(mean.value() == 0);
  mean.add(2.0, 64);
  mean.add(5.0, 32);
  CHECK(mean.value() == Approx(3.0));
  CHECK(mean.count() == 96);
  mean.reset();
  CHECK(mean.count() == 0);
}

TEST_CASE("accuracy counts the samples whose class has the highest score") {
  const Tensor<float, 2> logits({4, 3}, {1, 2, 3,  // 2
                                         9, 1, 1,  // 0
                                         0, 4, 4,  // 1: the first of equals, as argmax
                                         -3, -2, -1});
  const Tensor<int, 1> labels({4}, {2, 1, 1, 0});
  Accuracy accuracy;
  accuracy.add(logits, labels);
  CHECK(accuracy.correct() == 2);
  CHECK(accuracy.count() == 4);
  CHECK(accuracy.value() == Approx(0.5));

  SECTION("over several batches") {
    accuracy.add(logits, Tensor<int, 1>({4}, {2, 0, 1, 2}));
    CHECK(accuracy.value() == Approx(6.0 / 8));
    accuracy.reset();
    CHECK(accuracy.value() == 0);
  }
  SECTION("the second of equals is wrong") {
    Accuracy second;
    second.add(logits, Tensor<int, 1>({4}, {2, 0, 2, 2}));
    CHECK(second.correct() == 3);
  }
}

TEST_CASE("top-k counts the samples whose class is among the k highest") {
  const Tensor<double, 2> logits({3, 4}, {4, 3, 2, 1,  //
                                          1, 2, 3, 4,  //
                                          5, 5, 5, 5});
  const Tensor<int, 1> labels({3}, {1, 1, 2});
  const Index expected[] = {0, 1, 3, 3, 3};
  for (Index k = 1; k <= 5; ++k) {
    TopK top(k);
    top.add(logits, labels);
    CHECK(top.correct() == expected[k - 1]);
  }
  CHECK_THROWS_WITH(TopK(0), contains("k is 0"));
}

TEST_CASE("a score that is not a number is never right") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor<float, 2> logits({3, 2}, {nan, nan, 1, nan, nan, 1});
  for (const int label : {0, 1}) {
    Accuracy accuracy;
    accuracy.add(logits, Tensor<int, 1>({3}, {label, label, label}));
    CHECK(accuracy.correct() == 0);
  }
}

TEST_CASE("metrics take maps of scores, and leave out ignored positions") {
  // One image of 1 x 3 pixels with 2 classes: scores of class 0, then of class 1.
  const Tensor<float, 4> logits({1, 2, 1, 3}, {1, 0, 1,  //
                                               0, 1, 0});
  const Tensor<int, 3> labels({1, 1, 3}, {0, 1, 255});
  Accuracy accuracy(255);
  accuracy.add(logits, labels);
  CHECK(accuracy.count() == 2);
  CHECK(accuracy.correct() == 2);
  ConfusionMatrix confusion(2, 255);
  confusion.add(logits, labels);
  CHECK(confusion(0, 0) == 1);
  CHECK(confusion(1, 1) == 1);
}

TEST_CASE("the confusion matrix and its ratios agree with counting by hand") {
  // Rows: truth. 0: 5 right, 1 called 1. 1: 3 right, 2 called 0. 2 occurs once and is called 0.
  ConfusionMatrix m({"cat", "dog", "emu"});
  const int counts[3][3] = {{5, 1, 0}, {2, 3, 0}, {1, 0, 0}};
  for (int t = 0; t < 3; ++t)
    for (int p = 0; p < 3; ++p)
      for (int i = 0; i < counts[t][p]; ++i) m.add(Index{t}, Index{p});
  CHECK(m.count() == 12);
  CHECK(m.correct() == 8);
  CHECK(m.accuracy() == Approx(8.0 / 12));
  CHECK(m.true_count(1) == 5);
  CHECK(m.predicted_count(0) == 8);
  CHECK(m.precision(0) == Approx(5.0 / 8));
  CHECK(m.recall(0) == Approx(5.0 / 6));
  CHECK(m.f1(0) == Approx(2.0 * 5 / (2 * 5 + 3 + 1)));
  CHECK(std::isnan(m.precision(2)));  // never predicted
  CHECK(m.recall(2) == 0);
  CHECK(m.balanced_accuracy() == Approx((5.0 / 6 + 3.0 / 5 + 0) / 3));
  CHECK(to_string(m) ==
        "true |  cat  dog  emu | recall  precision  F1\n"
        " cat |    5    1    . |   83.3     62.5    71.4\n"
        " dog |    2    3    . |   60.0     75.0    66.7\n"
        " emu |    1    .    . |    0.0        -     0.0\n");
  m.reset();
  CHECK(m.count() == 0);
  CHECK(std::isnan(m.accuracy()));
}

TEST_CASE("metrics refuse what does not belong together") {
  const auto logits = Tensor<float, 2>::zeros({4, 3});
  Accuracy accuracy;
  CHECK_THROWS_WITH(accuracy.add(logits, Tensor<int, 1>::zeros({5})),
                    contains("(4, 3)") && contains("(5)"));
  CHECK_THROWS_WITH(accuracy.add(logits, Tensor<int, 1>::full({4}, 3)),
                    contains("label 3") && contains("0 to 2"));
  CHECK_THROWS_AS(accuracy.add(logits, Tensor<int, 1>::full({4}, -1)), ValueError);
  ConfusionMatrix confusion(2);
  CHECK_THROWS_WITH(confusion.add(logits, Tensor<int, 1>::zeros({4})),
                    contains("2 classes") && contains("have 3"));
  CHECK_THROWS_AS(confusion.add(Index{0}, Index{2}), ValueError);
  CHECK_THROWS_AS(ConfusionMatrix(Index{0}), ValueError);
  // An empty batch adds nothing.
  accuracy.add(Tensor<float, 2>::zeros({0, 3}), Tensor<int, 1>::zeros({0}));
  CHECK(accuracy.count() == 0);
}
