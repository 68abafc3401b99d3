#include "report.hpp"

#include "../common/page.hpp"
#include "../common/plots.hpp"
#include "../common/provenance.hpp"

#include <ebb/train/curves.hpp>
#include <ebb/train/plot.hpp>

#include <algorithm>
#include <cstdio>

namespace plot = ebb::plot;

namespace {

plot::Line roc_line(const std::string& name, const std::vector<double>& scores,
                    const std::vector<int>& is) {
  plot::Line line{name};
  const auto curve = ebb::metrics::roc_curve(scores, is);
  line.x = curve.false_positive_rate;
  line.y = curve.true_positive_rate;
  return line;
}

plot::Line diagonal(const std::string& name) {
  plot::Line line{name, {0, 1}, {0, 1}};
  line.dashed = true;
  return line;
}

plot::Axes square(const char* title, const char* x, const char* y) {
  plot::Axes axes{title, x, y};
  axes.x_range = axes.y_range = {0, 1};
  axes.width = 620;
  axes.height = 520;
  axes.key_below = true;
  return axes;
}

}  // namespace

void write_report(const Options& options, const Run& run, const std::vector<double>& aucs,
                  const Answers& answers, const Account& account, const Calibration& calibration,
                  const ebb::Mistakes& mistakes) {
  Page page("A classifier of medical images: " + options.model);
  page.paragraph(
      "Research use only. This is not a medical device; nothing here is fit to decide about a "
      "patient. Figures hold for images like those of this file, and intervals only say what "
      "chance does to " +
      std::to_string(answers.labels().size()) + " test images.");
  page.list({{"test AUC, with its 95 % interval", to_text(account.auc)},
             {"accuracy", figure(account.confusion.accuracy())},
             {"balanced accuracy", figure(account.confusion.balanced_accuracy())},
             {"Cohen's kappa, quadratic weights", figure(account.kappa)}});

  page.heading("Class by class");
  std::vector<std::vector<std::string>> rows;
  const auto& matrix = account.confusion;
  for (ebb::Index c = 0; c < matrix.classes(); ++c) {
    const auto& auc = account.class_auc[static_cast<std::size_t>(c)];
    rows.push_back({matrix.names()[static_cast<std::size_t>(c)],
                    std::to_string(matrix.true_count(c)), auc ? to_text(*auc) : "not defined",
                    figure(matrix.recall(c)), figure(matrix.precision(c)), figure(matrix.f1(c))});
  }
  page.table({"class", "test images", "AUC against the rest", "sensitivity", "precision", "F1"},
             rows);

  const std::string& folder = options.report;
  page.picture(folder, "roc.svg", "ROC curve of each class against the rest, on the test images",
               [&](const std::string& path) {
                 std::vector<plot::Line> lines;
                 for (int c = 0; c < static_cast<int>(answers.classes().size()); ++c)
                   if (answers.both_kinds(c))
                     lines.push_back(roc_line(answers.classes()[static_cast<std::size_t>(c)],
                                              answers.scores(c), answers.is(c)));
                 lines.push_back(diagonal("chance"));
                 plot::lines(path, lines, square("ROC", "1 - specificity", "sensitivity"));
               });
  page.picture(folder, "confusion.svg", "Which class was taken for which",
               [&](const std::string& path) { plot::confusion(path, matrix); });
  report_certainty(page, folder, calibration, answers, options.seed);

  page.heading("Training");
  if (!run.epochs.empty()) {
    page.picture(folder, "curves.svg", "Loss and accuracy, epoch by epoch",
                 [&](const std::string& path) { plot::curves(path, run.epochs); });
    page.picture(
        folder, "auc.svg",
        "Area under the ROC curve on the validation images; the best epoch was kept",
        [&](const std::string& path) { draw_by_epoch(path, "Area under the ROC curve", aucs); });
  }
  page.picture(folder, "mistakes.svg", "Where the network was most convinced, and wrong",
               [&](const std::string& path) {
                 plot::gallery(
                     path, mistakes.pictures(answers.classes()),
                     ebb::message(mistakes.kept().size(), " of ", mistakes.count(),
                                  " mistakes among ", answers.labels().size(), " test images"));
               });

  if (mistakes.count() > 0)
    page.image(folder + "/reasons.png",
               "The first of these again, and what spoke for the wrong class (Grad-CAM): yellow "
               "most, grey nothing",
               800);

  page.heading("How it was made");
  page.list({{"settings", run.settings},
             {"ebb", library_version()},
             {"data", options.data + ": " + fingerprint({options.data})},
             {"seed", std::to_string(options.seed)},
             {"compiler", __VERSION__},
             {"date", today()}});
  const std::string path = folder + "/report.html";
  page.write(path);
  std::printf("wrote %s\n", path.c_str());
}
