// Where the images come from.
#pragma once

#include <ebb/data/sets/mnist.hpp>

#include <string>

struct Source {
  ebb::data::TrainTest images;
  std::string name;  // "MNIST", for titles
};

// The images in `folder`; if it is empty, the best there are. Prints what it took and why.
// Throws ebb::Error when `folder` does not hold the four files.
Source find_images(const std::string& folder);

// Throws ebb::ValueError when a part has no images.
void require_images(const Source& source);
