// What a classifier's answers say about it.
#pragma once

#include <ebb/metrics/operating_point.hpp>
#include <ebb/train/metrics.hpp>

#include <optional>
#include <string>
#include <vector>

// The probabilities that a network gave to every image of a split.
class Answers {
 public:
  explicit Answers(std::vector<std::string> classes) : classes_(std::move(classes)) {}

  // A batch: logits (n, classes) and labels (n).
  void add(const ebb::Tensor<float, 2>& logits, const ebb::Tensor<int, 1>& labels);

  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<int>& labels() const { return labels_; }
  const std::vector<double>& logits() const { return logits_; }                // (images, classes)
  const std::vector<double>& probabilities() const { return probabilities_; }  // (images, classes)
  double probability(std::size_t image, int c) const {
    return probabilities_[image * classes_.size() + static_cast<std::size_t>(c)];
  }
  // The probabilities of a class, and which images are of it.
  std::vector<double> scores(int c) const;
  std::vector<int> is(int c) const;
  // Whether there are `least` images of the class, and of the rest.
  bool both_kinds(int c, std::ptrdiff_t least = 1) const;
  // The most probable class of every image.
  std::vector<int> predicted() const;

  ebb::ConfusionMatrix confusion() const;
  // The area under the ROC curve of a class against the rest.
  double auc(int c) const;
  // The mean over the classes that have images (of two classes, both areas are equal).
  double mean_auc() const;

 private:
  std::vector<std::string> classes_;
  std::vector<double> logits_, probabilities_;
  std::vector<int> labels_;
};

// A figure with its 95 % interval.
std::string to_text(const ebb::metrics::Interval& interval);  // "0.961 [0.945, 0.975]"

// "0.961", or "-" for what is not defined.
std::string figure(double x);

struct Account {
  std::vector<std::optional<ebb::metrics::Interval>>
      class_auc;  // none where not defined: fewer than two images
  ebb::metrics::Interval auc;
  ebb::ConfusionMatrix confusion;
  double kappa = 0;  // quadratic weights, which suit grades
  // At the threshold that leaves 90 % specificity, where a class is called positive.
  std::optional<double> sensitivity_at_90;
};

// Throws ebb::ValueError when all images are of one class: then no area is defined.
Account account_of(const Answers& answers, std::optional<int> positive, std::uint64_t seed);

// The table of classes, and what is said about the positive one.
std::string to_text(const Account& account, std::optional<int> positive);
