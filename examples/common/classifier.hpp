// The networks of saved classifiers.
#pragma once

#include "../models/classifiers.hpp"
#include "model_file.hpp"

#include <ebb/metrics/temperature.hpp>

// Calls `use(network, part)` with the network in the file, which evaluates; `part` is the name of
// its last part that still has an image. Throws ebb::FileError when its tensors do not fit.
template <class Use>
void with_classifier(const ModelFile& file, Use&& use) {
  const auto classes = static_cast<ebb::Index>(file.classes.size());
  each_classifier([&]<class C>(C) {
    if (file.model != C::name) return;
    auto net = C::make(file.channels, classes);
    ebb::io::load(net, file.path);
    ebb::nn::eval(net);
    use(net, C::last_image);
  });
}

// Probabilities of the classes of one image, at the file's temperature.
template <class Net>
std::vector<double> class_probabilities(const ModelFile& file, const Net& net,
                                        const ebb::Tensor<float, 4>& input) {
  const std::vector<float> logits = net(input).values();
  const std::vector<double> wide(logits.begin(), logits.end());
  for (const double z : wide)
    if (!std::isfinite(z))
      throw ebb::ValueError(file.path + ": its network gives no finite numbers for this image");
  return ebb::metrics::softmax_at(file.temperature.value_or(1), wide, wide.size());
}
