#include "../models/classifiers.hpp"
#include "training.hpp"

int train(const Options& options, const ebb::data::MedMnist& set) {
  int code = 1;
  each_classifier([&]<class C>(C) {
    if constexpr (C::size.any())
      if (options.model == C::name)
        code = train_and_test(options, set, C::last_image,
                              [&] { return C::make(set.train.channels(), set.class_count()); });
  });
  return code;
}
