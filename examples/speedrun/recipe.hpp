// The recipe: how the network gets from random weights to 99 %.
#pragma once

#include <ebb/data/sets/mnist.hpp>

#include <cstdint>

struct Recipe {
  std::uint64_t seed = 1;
  double epochs = 0.85;  // passes over the training images
  ebb::Index batch_size = 64;
  double lr = 0.15;  // the highest of the cycle
};

// Where the time went, in seconds, and what came of it.
struct Outcome {
  double batches = 0, forward = 0, backward = 0, update = 0, evaluation = 0;
  ebb::Index correct = 0, count = 0;

  double training() const { return batches + forward + backward + update; }
  double accuracy() const {
    return 100 * static_cast<double>(correct) / static_cast<double>(count);
  }
};

// Trains and tests a fresh network. Throws ebb::Error when the images are not MNIST's size, or
// fewer than a batch.
Outcome race(const Recipe& recipe, const ebb::data::TrainTest& mnist);

// Seconds since the program began.
double clock_now();
