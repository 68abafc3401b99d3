#include "checkpoint.hpp"

#include "provenance.hpp"
#include "say.hpp"

#include <ebb/core/number.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace {

// Takes the next number off a text; false where it does not begin with one.
template <class T>
bool take(std::string_view& text, T& number) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

[[noreturn]] void unreadable() {
  throw ebb::FileError("--resume: the checkpoint's record of its epochs cannot be read");
}

// One line per epoch. Times are left out: a checkpoint is to be the same bits in every run.
std::string to_text(const std::vector<ebb::EpochFacts>& epochs) {
  std::string text;
  for (const auto& e : epochs) {
    const ebb::Evaluation test = e.validation.value_or(ebb::Evaluation{});
    text += std::to_string(e.epoch);
    for (const double x : {e.loss, e.accuracy, e.lr, test.loss}) text += " " + exact(x);
    text += " " + std::to_string(test.correct) + " " + std::to_string(test.count) + "\n";
  }
  return text;
}

std::vector<ebb::EpochFacts> from_text(std::string_view text) {
  std::vector<ebb::EpochFacts> epochs;
  while (!text.empty()) {
    ebb::EpochFacts e;
    ebb::Evaluation test;
    const bool whole = take(text, e.epoch) && take(text, e.loss) && take(text, e.accuracy) &&
                       take(text, e.lr) && take(text, test.loss) && take(text, test.correct) &&
                       take(text, test.count) && text.starts_with('\n');
    if (!whole) unreadable();
    text.remove_prefix(1);
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

std::string exact(double x) { return ebb::detail::general(x, 17); }

std::vector<double> exact_numbers(const std::string& text) {
  std::vector<double> numbers;
  std::string_view rest = text;
  while (rest.find_first_not_of(' ') != rest.npos) {
    numbers.emplace_back();
    if (!take(rest, numbers.back())) unreadable();
  }
  return numbers;
}

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

bool has_checkpoint(const TrainingOptions& options) {
  std::error_code ignored;
  return !options.resume.empty() && std::filesystem::exists(options.resume, ignored);
}

void say_begin(const TrainingOptions& options, const Run& run, Begin begin) {
  if (begin == Begin::resumed)
    say("resuming %s after epoch %zu\n", options.resume.c_str(), run.epochs.size());
  else if (begin == Begin::loaded)
    say("starting from the weights in %s\n", options.load.c_str());
}

void require_weights(const TrainingOptions& options, Begin begin) {
  if (begin == Begin::fresh && options.epochs == 0)
    throw ebb::ValueError("--epochs 0 needs weights to test: give --load FILE");
}

int end_interrupted(const TrainingOptions& options, const Run& run) {
  say("interrupted in epoch %zu; ", run.epochs.size() + 1);
  if (options.resume.empty())
    say("nothing was saved (with --resume FILE, a run can be continued)\n");
  else if (run.epochs.empty())
    say("no epoch was finished, so there is no checkpoint\n");
  else
    say("the same command continues after epoch %zu\n", run.epochs.size());
  return 130;
}
