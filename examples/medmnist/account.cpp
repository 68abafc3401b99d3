#include "account.hpp"

#include <ebb/core/number.hpp>
#include <ebb/metrics/agreement.hpp>
#include <ebb/ops/normalisation/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace metrics = ebb::metrics;

void Answers::add(const ebb::Tensor<float, 2>& logits, const ebb::Tensor<int, 1>& labels) {
  const auto probabilities = ebb::softmax(logits, 1);
  logits_.insert(logits_.end(), logits.data(), logits.data() + logits.size());
  probabilities_.insert(probabilities_.end(), probabilities.data(),
                        probabilities.data() + probabilities.size());
  labels_.insert(labels_.end(), labels.data(), labels.data() + labels.size());
}

std::vector<double> Answers::scores(int c) const {
  std::vector<double> scores(labels_.size());
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = probability(i, c);
  return scores;
}

std::vector<int> Answers::is(int c) const {
  std::vector<int> is(labels_.size());
  for (std::size_t i = 0; i < is.size(); ++i) is[i] = labels_[i] == c;
  return is;
}

bool Answers::both_kinds(int c, std::ptrdiff_t least) const {
  const auto count = std::count(labels_.begin(), labels_.end(), c);
  return count >= least && count + least <= static_cast<std::ptrdiff_t>(labels_.size());
}

std::vector<int> Answers::predicted() const {
  std::vector<int> predicted(labels_.size());
  const auto classes = static_cast<int>(classes_.size());
  for (std::size_t i = 0; i < predicted.size(); ++i)
    for (int c = 1; c < classes; ++c)
      if (probability(i, c) > probability(i, predicted[i])) predicted[i] = c;
  return predicted;
}

ebb::ConfusionMatrix Answers::confusion() const {
  ebb::ConfusionMatrix matrix(classes_);
  const auto answers = predicted();
  for (std::size_t i = 0; i < labels_.size(); ++i) matrix.add(labels_[i], answers[i]);
  return matrix;
}

double Answers::auc(int c) const { return metrics::auc(scores(c), is(c)); }

double Answers::mean_auc() const {
  ebb::RunningMean mean;
  for (int c = 0; c < static_cast<int>(classes_.size()); ++c)
    if (both_kinds(c)) mean.add(auc(c));
  if (mean.count() == 0)
    throw ebb::ValueError(
        "all images of a split are of one class, so the area under its ROC curve is not defined");
  return mean.value();
}

std::string to_text(const metrics::Interval& interval) {
  const auto fixed = [](double x) { return ebb::detail::fixed(x, 3); };
  return fixed(interval.value) + " [" + fixed(interval.low) + ", " + fixed(interval.high) + "]";
}

Account account_of(const Answers& answers, std::optional<int> positive, std::uint64_t seed) {
  Account account{{}, {}, answers.confusion(), 0, {}};
  const auto classes = static_cast<int>(answers.classes().size());
  for (int c = 0; c < classes; ++c) {
    account.class_auc.emplace_back();
    if (answers.both_kinds(c, 2))
      account.class_auc.back() = metrics::auc_delong(answers.scores(c), answers.is(c));
  }
  if (classes == 2 && !account.class_auc[1])
    throw ebb::ValueError(
        "there are not two test images of either class, so the area under the ROC curve and its "
        "interval are not defined");
  account.auc = classes == 2 ? *account.class_auc[1]
                             : metrics::macro_auc(answers.probabilities(), answers.labels(), seed);
  account.kappa = metrics::cohen_kappa(answers.labels(), answers.predicted(), classes,
                                       metrics::KappaWeights::quadratic);
  if (positive && answers.both_kinds(*positive))
    account.sensitivity_at_90 =
        metrics::sensitivity_at_specificity(answers.scores(*positive), answers.is(*positive), 0.9);
  return account;
}

std::string figure(double x) { return std::isnan(x) ? "-" : ebb::detail::fixed(x, 3); }

std::string to_text(const Account& account, std::optional<int> positive) {
  const auto& matrix = account.confusion;
  std::size_t widest = 5;
  for (const auto& name : matrix.names()) widest = std::max(widest, name.size());
  const int width = static_cast<int>(std::min<std::size_t>(widest, 40));
  char line[256];
  std::snprintf(line, sizeof line,
                "%-*s  images  AUC against the rest  sensitivity  specificity  precision     F1\n",
                width, "class");
  std::string text = line;
  for (ebb::Index c = 0; c < matrix.classes(); ++c) {
    const auto& auc = account.class_auc[static_cast<std::size_t>(c)];
    const ebb::Index of = matrix.true_count(c), others = matrix.count() - of;
    const ebb::Index rightly_not = others - (matrix.predicted_count(c) - matrix(c, c));
    std::snprintf(line, sizeof line, "%-*.*s %7td  %-20s %12s %12s %10s %6s\n", width, width,
                  matrix.names()[static_cast<std::size_t>(c)].c_str(), of,
                  auc ? to_text(*auc).c_str() : "not defined", figure(matrix.recall(c)).c_str(),
                  figure(others > 0 ? static_cast<double>(rightly_not) / static_cast<double>(others)
                                    : std::nan(""))
                      .c_str(),
                  figure(matrix.precision(c)).c_str(), figure(matrix.f1(c)).c_str());
    text += line;
  }
  text += "Cohen's kappa with quadratic weights: " + ebb::detail::fixed(account.kappa, 3) + "\n";
  if (positive && account.sensitivity_at_90) {
    text += "sensitivity for " + matrix.names()[static_cast<std::size_t>(*positive)] +
            " at 90 % specificity: " + figure(*account.sensitivity_at_90) + "\n";
  }
  return text;
}
