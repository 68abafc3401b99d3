#include "training.hpp"

#include <ebb/models/medical_cnn.hpp>

int train_cnn(const Options& options, const ebb::data::MedMnist& set) {
  using Net = ebb::models::MedicalCnn<>;
  return train_and_test<Net>(options, set, "block5", [&] {
    return Net({.channels = set.train.channels(), .classes = set.class_count()});
  });
}
