#include "checkpoint.hpp"

#include "provenance.hpp"

#include <cstdio>
#include <sstream>

namespace {

// One line per epoch. Times are left out: a checkpoint is to be the same bits in every run.
std::string to_text(const std::vector<ebb::EpochFacts>& epochs) {
  std::string text;
  for (const auto& e : epochs) {
    const ebb::Evaluation test = e.validation.value_or(ebb::Evaluation{});
    char line[256];
    std::snprintf(line, sizeof line, "%d %.17g %.17g %.17g %.17g %td %td\n", e.epoch, e.loss,
                  e.accuracy, e.lr, test.loss, test.correct, test.count);
    text += line;
  }
  return text;
}

std::vector<ebb::EpochFacts> from_text(const std::string& text) {
  std::vector<ebb::EpochFacts> epochs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ebb::EpochFacts e;
    ebb::Evaluation test;
    if (std::sscanf(line.c_str(), "%d %lf %lf %lf %lf %td %td", &e.epoch, &e.loss, &e.accuracy,
                    &e.lr, &test.loss, &test.correct, &test.count) != 7)
      throw ebb::FileError("the checkpoint's record of its epochs cannot be read");
    e.validation = test;
    epochs.push_back(e);
  }
  return epochs;
}

std::string text_of(const ebb::io::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

}  // namespace

ebb::io::Progress to_progress(const Run& run) {
  ebb::io::Progress progress;
  progress.epoch = static_cast<std::int64_t>(run.epochs.size());
  progress.metadata = {{"settings", run.settings}, {"epochs", to_text(run.epochs)}};
  if (!run.notes.empty()) progress.metadata["notes"] = run.notes;
  return progress;
}

Run to_run(const std::string& path, const ebb::io::Progress& progress) {
  Run run{text_of(progress.metadata, "settings"), from_text(text_of(progress.metadata, "epochs")),
          text_of(progress.metadata, "notes")};
  if (static_cast<std::int64_t>(run.epochs.size()) != progress.epoch)
    throw ebb::FileError(ebb::message("--resume: ", path, " is not a checkpoint of this program"));
  return run;
}

std::string data_settings(const std::string& data, const std::string& load) {
  return ", data " + data + (load.empty() ? "" : ", from the weights of " + fingerprint({load}));
}

void require_settings(const std::string& path, const std::string& settings) {
  const std::string then = text_of(ebb::io::SafetensorsFile(path).metadata(), "settings");
  if (!then.empty() && then != settings)
    throw ebb::ValueError(ebb::message("--resume: the run in ", path,
                                       " has other settings, so it cannot "
                                       "be continued with these; name another file, or delete it\n"
                                       "  there: ",
                                       then, "\n  here:  ", settings));
}
