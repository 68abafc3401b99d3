#include "report.hpp"

#include "../common/page.hpp"
#include "../common/plots.hpp"
#include "../common/provenance.hpp"
#include "../common/say.hpp"

#include <ebb/train/gallery.hpp>
#include <ebb/train/plot.hpp>

#include <algorithm>

namespace plot = ebb::plot;

namespace {

plot::Line roc_line(const std::string& name, const std::vector<double>& scores,
                    const std::vector<int>& is) {
  plot::Line line{name};
  line.marked = true;
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

}  // namespace

void write_report(const Options& options, const Run& run, const std::vector<double>& aucs,
                  const Answers& answers, const Account& account, const Calibration& calibration,
                  const ebb::Mistakes& mistakes) {
  Page page("A classifier of medical images: " + options.model, options.command);
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
  std::string areas;
  std::vector<plot::Line> lines;
  for (int c = 0; c < static_cast<int>(answers.classes().size()); ++c) {
    const auto at = static_cast<std::size_t>(c);
    if (!answers.both_kinds(c)) continue;
    lines.push_back(roc_line(answers.classes()[at], answers.scores(c), answers.is(c)));
    areas +=
        ebb::message(areas.empty() ? "" : ", ", answers.classes()[at], " ", figure(answers.auc(c)));
  }
  lines.push_back(diagonal("chance"));
  page.picture(folder, "roc.svg", "ROC curve of each class against the rest, on the test images",
               "ROC curves. Area under each: " + areas + ". Chance is the diagonal, 0.5.",
               [&](const std::string& path) {
                 plot::lines(path, lines, square("ROC", "1 - specificity", "sensitivity"));
               });
  show_confusion(page, folder, matrix);
  report_certainty(page, folder, calibration, answers, options.seed);

  page.heading("Training");
  if (!run.epochs.empty()) {
    show_course(page, folder, run.epochs);
    show_by_epoch(page, folder, "auc.svg", "Area under the ROC curve",
                  "Area under the ROC curve on the validation images; the best epoch was kept",
                  aucs);
  }
  page.heading("Where it was most convinced, and wrong");
  const std::string count =
      ebb::message(mistakes.kept().size(), " of ", mistakes.count(), " mistakes among ",
                   answers.labels().size(), " test images");
  plot::gallery(folder + "/mistakes.svg", mistakes.pictures(answers.classes()), count);
  page.gallery(mistakes.pictures(answers.classes()), count);
  if (mistakes.count() > 0)
    page.image(folder + "/reasons.png",
               "The first of these again, and what spoke for the wrong class (Grad-CAM): yellow "
               "most, grey nothing",
               ebb::message("The first ", std::min<std::size_t>(8, mistakes.kept().size()),
                            " of these mistakes side by side, each under a heat map of what spoke "
                            "for the wrong class"),
               800);

  page.heading("How it was made");
  page.list({{"settings, with the CRC-32 of the data", run.settings},
             {"ebb", library_version()},
             {"command", options.command},
             {"data", options.data},
             {"licence of the data",
              options.licence.empty() ? "not stated (--licence)" : options.licence},
             {"seed", std::to_string(options.seed)},
             {"compiler", __VERSION__},
             {"date", today()}});
  const std::string path = folder + "/report.html";
  page.write(path);
  say("wrote %s\n", path.c_str());
}
