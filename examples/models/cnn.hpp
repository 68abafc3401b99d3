// A small network for medical images.
#pragma once

#include "classifier.hpp"

#include <ebb/models/medical_cnn.hpp>

struct CnnClassifier {
  static constexpr const char* name = "cnn";
  static constexpr const char* about = "five convolutions with batch norm";
  static constexpr const char* last_image = "block5";
  static constexpr FixedSize size{};

  static auto make(ebb::Index channels, ebb::Index classes) {
    return ebb::models::MedicalCnn<>({.channels = channels, .classes = classes});
  }
};
