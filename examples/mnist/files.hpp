// The weights and checkpoints that mnist reads and writes.
#pragma once

#include "network.hpp"
#include "optimizers.hpp"

#include <ebb/train/fit.hpp>

#include <string>
#include <vector>

void save_weights(const std::string& path, const Cnn& net);
void load_weights(const std::string& path, Cnn& net);

// The epochs a run has done, kept in its checkpoint. What would change the bits of its result is in
// `settings`, as one sentence.
struct Run {
  std::string settings;
  std::vector<ebb::EpochFacts> epochs;
};

void save_checkpoint(const std::string& path, const Cnn& net, AnyOptimizer& optimizer,
                     const Run& run);

// Throws ebb::ValueError when the checkpoint is of a run with other settings.
Run load_checkpoint(const std::string& path, Cnn& net, AnyOptimizer& optimizer,
                    const std::string& settings);

// Only the weights in a checkpoint, to test them.
void load_checkpoint_weights(const std::string& path, Cnn& net);
