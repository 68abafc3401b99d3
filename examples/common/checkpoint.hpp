// Training checkpoints of the programs: weights, optimizer, random state, and what happened so far.
#pragma once

#include "optimizers.hpp"
#include "training_options.hpp"

#include <ebb/io.hpp>
#include <ebb/train/fit.hpp>

#include <string>
#include <vector>

// The epochs a run has done, kept in its checkpoint. What would change the bits of its result is in
// `settings`, as one sentence; `notes` is the program's own.
struct Run {
  std::string settings;
  std::vector<ebb::EpochFacts> epochs{};
  std::string notes{};
};

// A number with all its digits, with a point in every locale; and the numbers of a text that has
// them between blanks. Throws ebb::FileError when there is something else in it.
std::string exact(double x);
std::vector<double> exact_numbers(const std::string& text);

// A run as the metadata of a checkpoint, and back.
ebb::io::Progress to_progress(const Run& run);
Run to_run(const std::string& path, const ebb::io::Progress& progress);

// What of a run's settings its options do not say: the images, and the weights of --load, by their
// fingerprints.
std::string data_settings(const std::string& data, const std::string& load);

// Throws ebb::ValueError when the checkpoint at `path` is of a run with other settings.
void require_settings(const std::string& path, const std::string& settings);

template <class Net, class Device>
void save_checkpoint(const std::string& path, const Net& net, AnyOptimizer<Device>& optimizer,
                     const Run& run) {
  ebb::io::save_checkpoint<Device>(path, net, optimizer, to_progress(run));
}

template <class Net, class Device>
Run load_checkpoint(const std::string& path, Net& net, AnyOptimizer<Device>& optimizer,
                    const std::string& settings) {
  require_settings(path, settings);
  return to_run(path, ebb::io::load_checkpoint<Device>(path, net, optimizer));
}

// Whether --resume names a checkpoint that is there.
bool has_checkpoint(const TrainingOptions& options);

// Where a run begins.
enum class Begin { fresh, loaded, resumed };

// Throws ebb::ValueError where there are no epochs to do, and no weights either.
void require_weights(const TrainingOptions& options, Begin begin);

void say_begin(const TrainingOptions& options, const Run& run, Begin begin);

// Makes a run begin where an interrupted one ended, whose checkpoint holds `all`; else with the
// weights of --load in `net`; else afresh.
template <class All, class Net, class Device>
Begin begin_run(const TrainingOptions& options, Run& run, All& all, Net& net,
                AnyOptimizer<Device>& optimizer) {
  Begin begin = Begin::fresh;
  if (has_checkpoint(options)) {
    run = load_checkpoint(options.resume, all, optimizer, run.settings);
    begin = Begin::resumed;
  } else if (!options.load.empty()) {
    ebb::io::load(net, options.load);
    begin = Begin::loaded;
  }
  say_begin(options, run, begin);
  return begin;
}

// Says how an interrupted run can be continued; returns the exit code of the program.
int end_interrupted(const TrainingOptions& options, const Run& run);

// Only the weights in a checkpoint, to test them.
template <class Net>
void load_checkpoint_weights(const std::string& path, Net& net) {
  ebb::io::load(net, path, {.prefix = "model."});
}
