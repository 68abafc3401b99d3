#include "files.hpp"

#include <ebb/io.hpp>

#include <cstdio>
#include <sstream>

namespace io = ebb::io;

namespace {

// One line per epoch. Times are left out: a checkpoint is to be the same bits in every run.
std::string to_text(const std::vector<ebb::EpochFacts>& epochs) {
  std::string text;
  for (const auto& e : epochs) {
    char line[256];
    std::snprintf(line, sizeof line, "%d %.17g %.17g %.17g %.17g %td %td\n", e.epoch, e.loss,
                  e.accuracy, e.lr, e.validation->loss, e.validation->correct, e.validation->count);
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

std::string text_of(const io::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

}  // namespace

void save_weights(const std::string& path, const Cnn& net) { io::save(net, path); }

void load_weights(const std::string& path, Cnn& net) { io::load(net, path); }

void save_checkpoint(const std::string& path, const Cnn& net, AnyOptimizer& optimizer,
                     const Run& run) {
  io::Progress progress;
  progress.epoch = static_cast<std::int64_t>(run.epochs.size());
  progress.metadata = {{"settings", run.settings}, {"epochs", to_text(run.epochs)}};
  io::save_checkpoint(path, net, optimizer, progress);
}

Run load_checkpoint(const std::string& path, Cnn& net, AnyOptimizer& optimizer,
                    const std::string& settings) {
  const std::string then = text_of(io::SafetensorsFile(path).metadata(), "settings");
  if (!then.empty() && then != settings)
    throw ebb::ValueError(ebb::message("--resume: the run in ", path,
                                       " has other settings, so it cannot "
                                       "be continued with these; name another file, or delete it\n"
                                       "  there: ",
                                       then, "\n  here:  ", settings));
  const io::Progress progress = io::load_checkpoint(path, net, optimizer);
  Run run{settings, from_text(text_of(progress.metadata, "epochs"))};
  if (static_cast<std::int64_t>(run.epochs.size()) != progress.epoch)
    throw ebb::FileError(ebb::message("--resume: ", path, " is not a checkpoint of this program"));
  return run;
}

void load_checkpoint_weights(const std::string& path, Cnn& net) {
  io::load(net, path, {.prefix = "model."});
}
