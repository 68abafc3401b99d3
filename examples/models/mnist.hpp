// The network of mnist, which trains it.
#pragma once

#include "../mnist/network.hpp"
#include "classifier.hpp"

struct MnistClassifier {
  static constexpr const char* name = "mnist";
  static constexpr const char* about = "two convolutions, two dense layers";
  static constexpr const char* last_image = "conv2";
  static constexpr FixedSize size{.channels = 1, .classes = 10, .side = 28};

  static Cnn<> make(ebb::Index, ebb::Index) { return {}; }
};
