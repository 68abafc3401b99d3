/// \file
/// Temperature scaling: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks",
/// ICML 2017.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/metrics/calibration.hpp>

namespace ebb::inline EBB_ABI::metrics {

/// A temperature, and the mean negative log likelihood before (at 1) and after.
struct Temperature {
  double value = 1;
  double before = 0, after = 0;
};

namespace detail {

/// softmax(logits * sharpness) of one sample, into `p`; returns log sum exp.
inline double sharpened(std::span<const double> logits, double sharpness, std::vector<double>& p) {
  p.resize(logits.size());
  double top = -HUGE_VAL, sum = 0;
  for (const double z : logits) top = std::max(top, z * sharpness);
  for (std::size_t c = 0; c < p.size(); ++c) sum += p[c] = std::exp(logits[c] * sharpness - top);
  for (double& x : p) x /= sum;
  return top + std::log(sum);
}

/// The mean negative log likelihood at a sharpness (one over the temperature), and its slope there.
struct Likelihood {
  double value = 0, slope = 0;
};
inline Likelihood likelihood_at(double sharpness, std::span<const double> logits,
                                std::span<const int> label, std::size_t classes) {
  Likelihood found;
  std::vector<double> p;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    const auto truth = static_cast<std::size_t>(label[i]);
    found.value += sharpened(row, sharpness, p) - sharpness * row[truth];
    for (std::size_t c = 0; c < classes; ++c) found.slope += p[c] * row[c];
    found.slope -= row[truth];
  }
  const auto n = static_cast<double>(label.size());
  return {found.value / n, found.slope / n};
}

}  // namespace detail

/// The temperature T for which softmax(logits / T) fits the labels best, by the negative log
/// likelihood: a convex function of 1 / T, whose slope is brought to 0 by bisection on a
/// logarithmic scale between T = 1/1000 and 1000. `logits` are (samples, classes), row by row. Fit
/// it on validation data, never on the test set; it changes no answer, only how sure it is.
/// \throws ValueError when the table does not fit the labels, a logit is not finite, or there is no
/// best temperature: all samples are right (colder is always better), or the logits tell no more
/// than chance (hotter always is).
inline Temperature fit_temperature(std::span<const double> logits, std::span<const int> label) {
  constexpr const char* who = "fit_temperature";
  const std::size_t classes = detail::classes_of(who, logits.size(), label);
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (!math::is_finite(logits[i]))
      throw ValueError(message(who, ": logit ", i, " is ", logits[i], ", which is not finite"));
  double low = 1e-3, high = 1e3;  // sharpness
  if (!(detail::likelihood_at(low, logits, label, classes).slope < 0))
    throw ValueError(message(who, ": the logits of these ", label.size(),
                             " samples tell no more than chance, so there is no best temperature; "
                             "hotter is always better"));
  if (!(detail::likelihood_at(high, logits, label, classes).slope > 0))
    throw ValueError(message(who, ": the logits separate these ", label.size(),
                             " samples, so there is no best temperature; colder is always better. "
                             "Use more validation data"));
  for (int i = 0; i < 80; ++i) {
    const double middle = std::sqrt(low * high);
    (detail::likelihood_at(middle, logits, label, classes).slope < 0 ? low : high) = middle;
  }
  const double sharpness = std::sqrt(low * high);
  return {1 / sharpness, detail::likelihood_at(1, logits, label, classes).value,
          detail::likelihood_at(sharpness, logits, label, classes).value};
}

/// The same for one logit a sample, and whether the event came (not 0): sigmoid(logit / T).
inline Temperature fit_temperature_binary(std::span<const double> logits,
                                          std::span<const int> came) {
  if (logits.size() != came.size())
    throw ValueError(message("fit_temperature_binary: ", logits.size(), " logits came with ",
                             came.size(), " outcomes; give one for each sample"));
  std::vector<double> pairs;
  std::vector<int> label;
  for (std::size_t i = 0; i < came.size(); ++i) {
    pairs.insert(pairs.end(), {0.0, logits[i]});
    label.push_back(came[i] != 0);
  }
  return fit_temperature(pairs, label);
}

/// softmax(logits / T), (samples, classes) row by row.
/// \throws ValueError when the temperature is not positive, or the table has no such rows.
inline std::vector<double> softmax_at(double temperature, std::span<const double> logits,
                                      std::size_t classes) {
  if (!(temperature > 0) || classes == 0 || logits.size() % classes != 0)
    throw ValueError(message("softmax_at: temperature ", temperature, ", ", logits.size(),
                             " logits of ", classes,
                             " classes; the temperature is positive, and each sample has a logit "
                             "for each class"));
  std::vector<double> all, p;
  for (std::size_t i = 0; i < logits.size(); i += classes) {
    detail::sharpened(logits.subspan(i, classes), 1 / temperature, p);
    all.insert(all.end(), p.begin(), p.end());
  }
  return all;
}

}  // namespace ebb::metrics
