#include "calibration.hpp"

#include "../common/plots.hpp"

#include <ebb/core/number.hpp>
#include <ebb/metrics/precision_recall.hpp>
#include <ebb/metrics/temperature.hpp>
#include <ebb/train/plot.hpp>
#include <ebb/uncertainty/conformal.hpp>
#include <ebb/uncertainty/selective.hpp>

#include <cmath>

namespace metrics = ebb::metrics;
namespace plot = ebb::plot;
namespace uncertainty = ebb::uncertainty;

namespace {

constexpr int bins = 10;

std::vector<double> tempered(const Answers& answers, double temperature) {
  return metrics::softmax_at(temperature, answers.logits(), answers.classes().size());
}

plot::Line diagram(const std::string& name, const metrics::Claims& claims) {
  plot::Line line{name};
  line.dots = true;
  for (const auto& bin : metrics::reliability(claims.confidence, claims.right, bins))
    if (bin.count > 0) {
      line.x.push_back(bin.probability);
      line.y.push_back(bin.frequency);
    }
  return line;
}

std::string share(double x) { return std::isnan(x) ? "-" : ebb::detail::fixed(100 * x, 1) + " %"; }

// "After: of answers of probability 0.55, 0.48 were right, ..."
std::string in_words(const plot::Line& line) {
  std::string text;
  for (std::size_t i = 0; i < line.x.size(); ++i)
    text += ebb::message(i == 0 ? line.label + ": of answers of probability " : ", of ",
                         figure(line.x[i]), ", ", figure(line.y[i]), " were right");
  return text + ". ";
}

void reliability(Page& page, const std::string& folder, const Calibration& calibration,
                 const Answers& test, const std::vector<double>& after) {
  const auto was = metrics::claims(test.probabilities(), test.labels());
  const auto is = metrics::claims(after, test.labels());
  page.heading("Can its probabilities be believed?");
  page.paragraph(
      calibration.why_not.empty()
          ? ebb::message(
                "Logits are divided by a temperature of ", figure(calibration.temperature),
                calibration.source.empty()
                    ? ebb::message(", fitted on the ", calibration.images, " validation images")
                    : ", which " + calibration.source + " says",
                "; above 1, the network was too sure of itself. It "
                "changes no answer. All figures of this table are of the test images.")
          : "No temperature could be fitted, and 1 is used: " + calibration.why_not);
  const auto ece = [](const metrics::Claims& c) {
    return figure(metrics::expected_calibration_error(c.confidence, c.right, bins));
  };
  page.table({"", "before", "after"},
             {{ebb::message("expected calibration error, ", bins, " bins"), ece(was), ece(is)},
              {"Brier score, summed over classes (0 to 2)",
               figure(metrics::brier_score_of_classes(test.probabilities(), test.labels())),
               figure(metrics::brier_score_of_classes(after, test.labels()))}});
  page.picture(folder, "reliability.svg",
               "Of the images for which the network is so sure, the share it got right: on the "
               "diagonal, its probabilities can be taken at their word",
               in_words(diagram("Before temperature", was)) + in_words(diagram("After", is)),
               [&](const std::string& path) {
                 plot::Line perfect{"perfect", {0, 1}, {0, 1}};
                 perfect.dashed = true;
                 auto before = diagram("before temperature", was);
                 before.dashed = true;
                 plot::lines(path, {before, diagram("after", is), perfect},
                             square("Reliability", "mean probability of the answer",
                                    "share of right answers"));
               });
}

// What sets under the threshold do on the test images.
void sets(Page& page, const Calibration& calibration, const Answers& test,
          const std::vector<double>& p) {
  const std::size_t classes = test.classes().size();
  std::vector<double> sizes(classes + 1), held(classes), all(classes);
  for (std::size_t i = 0; i < test.labels().size(); ++i) {
    std::size_t size = 0;
    for (std::size_t c = 0; c < classes; ++c)
      size += 1 - p[i * classes + c] <= calibration.threshold;
    ++sizes[size];
    const auto truth = static_cast<std::size_t>(test.labels()[i]);
    ++all[truth];
    held[truth] += 1 - p[i * classes + truth] <= calibration.threshold;
  }
  const auto n = static_cast<double>(test.labels().size());
  double right = 0, mean = 0;
  for (std::size_t c = 0; c < classes; ++c) right += held[c] / n;
  for (std::size_t k = 0; k <= classes; ++k) mean += static_cast<double>(k) * sizes[k] / n;
  page.heading("Sets that hold the true class");
  page.paragraph(ebb::message(
      "A conformal set holds every class that is not implausible. Sets were calibrated on the ",
      calibration.images, " validation images to hold the true class of ",
      share(calibration.coverage),
      " of new ones. The epoch was chosen on these same images, and the temperature was fitted on "
      "them, so this is approximate; and it is off where test images come from elsewhere. On the "
      "test images, sets held the true class of ",
      share(right), ", with ", figure(mean), " classes on average."));
  std::vector<std::vector<std::string>> rows;
  for (std::size_t k = 0; k <= classes; ++k)
    if (sizes[k] > 0) rows.push_back({std::to_string(k), share(sizes[k] / n)});
  page.table({"classes in the set", "share of test images"}, rows);
  rows.clear();
  for (std::size_t c = 0; c < classes; ++c)
    rows.push_back({test.classes()[c], share(held[c] / all[c])});
  page.table({"true class", "share of sets that hold it"}, rows);
}

void referral(Page& page, const Calibration& calibration, const Answers& test,
              const std::vector<double>& p) {
  const auto claims = metrics::claims(p, test.labels());
  const auto curve = uncertainty::risk_coverage_curve(claims.confidence, claims.right);
  page.heading("Answer where it is sure, refer the rest to a clinician");
  std::vector<std::vector<std::string>> rows;
  for (const double least : {0.5, 0.7, 0.8, 0.9, 0.95, 1.0})
    for (std::size_t i = 0; i < curve.coverage.size(); ++i)
      if (curve.coverage[i] >= least - 1e-12) {
        rows.push_back({share(curve.coverage[i]), share(1 - curve.coverage[i]),
                        share(curve.risk[i]), figure(curve.threshold[i])});
        break;
      }
  page.table({"answered", "referred", "wrong among the answered", "probability at least"}, rows);
  page.paragraph("These rows show the trade on the test images; no threshold was chosen on them.");
  double answered = 0, wrong = 0;
  for (std::size_t i = 0; i < claims.right.size(); ++i)
    if (claims.confidence[i] >= calibration.referral) ++answered, wrong += claims.right[i] == 0;
  page.paragraph(
      std::isinf(calibration.referral)
          ? ebb::message("The validation images allow no threshold under which at most ",
                         share(Calibration::most_risk),
                         " of the answers would be wrong: everything is to be referred.")
          : ebb::message("The validation images promise at most ", share(Calibration::most_risk),
                         " wrong answers where the probability is at least ",
                         figure(calibration.referral), ". Of the test images this answers ",
                         share(answered / static_cast<double>(claims.right.size())), ", of which ",
                         share(wrong / answered), " are wrong."));
}

void precision(Page& page, const std::string& folder, const Answers& test, std::uint64_t seed) {
  page.heading("Precision and recall");
  std::vector<std::vector<std::string>> rows;
  std::vector<plot::Line> lines;
  std::string averages;
  for (int c = 0; c < static_cast<int>(test.classes().size()); ++c) {
    if (!test.both_kinds(c)) continue;
    const auto scores = test.scores(c);
    const auto is = test.is(c);
    const std::string& name = test.classes()[static_cast<std::size_t>(c)];
    double positives = 0;
    for (const int x : is) positives += x;
    averages += ebb::message(averages.empty() ? "" : ", ", name, " ",
                             figure(metrics::average_precision(scores, is)));
    rows.push_back({name, share(positives / static_cast<double>(is.size())),
                    to_text(metrics::average_precision_bootstrap(scores, is, {.seed = seed}))});
    auto curve = metrics::precision_recall_curve(scores, is);
    lines.push_back({name, std::move(curve.recall), std::move(curve.precision)});
    lines.back().marked = true;
  }
  page.table({"class", "its share (a useless score's average precision)",
              "average precision, with its 95 % interval"},
             rows);
  page.picture(folder, "precision_recall.svg",
               "Precision at every recall, each class against the rest, on the test images",
               "Precision over recall. Average precision: " + averages + ".",
               [&](const std::string& path) {
                 plot::lines(path, lines, square("Precision and recall", "recall", "precision"));
               });
}

}  // namespace

namespace {

void fit_referral(Calibration& found, const Answers& validation, const std::vector<double>& p) {
  const auto claims = metrics::claims(p, validation.labels());
  found.referral =
      uncertainty::referral_threshold(claims.confidence, claims.right, Calibration::most_risk)
          .threshold;
}

}  // namespace

Calibration calibrate(const Answers& validation) {
  Calibration found;
  found.images = validation.labels().size();
  try {
    found.temperature = metrics::fit_temperature(validation.logits(), validation.labels()).value;
  } catch (const ebb::ValueError& error) {
    found.why_not = error.what();
  }
  const auto p = tempered(validation, found.temperature);
  found.threshold =
      uncertainty::Conformal(p, validation.labels(), {.coverage = found.coverage}).threshold();
  fit_referral(found, validation, p);
  return found;
}

Calibration calibration_of(const ModelFile& file, const Answers& validation) {
  Calibration found;
  found.source = file.path;
  found.images = validation.labels().size();
  found.temperature = *file.temperature;
  found.threshold = *file.conformal_threshold;
  found.coverage = file.conformal_coverage;
  fit_referral(found, validation, tempered(validation, found.temperature));
  return found;
}

std::string to_text(const Calibration& c) {
  return ebb::message(
      "from ", c.source.empty() ? ebb::message(c.images, " validation images") : c.source,
      ": temperature ", figure(c.temperature), c.why_not.empty() ? "" : " (none could be fitted)",
      ", conformal sets at ", share(c.coverage), " take classes of probability ",
      std::isinf(c.threshold) ? "0" : figure(1 - c.threshold), " and above");
}

void report_certainty(Page& page, const std::string& folder, const Calibration& calibration,
                      const Answers& test, std::uint64_t seed) {
  const auto p = tempered(test, calibration.temperature);
  reliability(page, folder, calibration, test, p);
  sets(page, calibration, test, p);
  referral(page, calibration, test, p);
  precision(page, folder, test, seed);
}
