// Which classifiers there are, for who does not need their networks.
#pragma once

#include "../models/classifier.hpp"

#include <string>
#include <vector>

struct ClassifierFacts {
  std::string name, about;
  FixedSize size;
};

const std::vector<ClassifierFacts>& classifiers();

// The names of those that take images of any size in any classes: what medmnist trains.
std::vector<std::string> free_classifiers();
