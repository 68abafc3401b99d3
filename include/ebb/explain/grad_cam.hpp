/// \file
/// Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra, "Grad-CAM: visual explanations from deep
/// networks via gradient-based localization", ICCV 2017.
#pragma once

#include <ebb/explain/scores.hpp>
#include <ebb/models/probe.hpp>

#include <string_view>

namespace ebb::inline EBB_ABI::explain {

/// The activations of the part called `part`, weighted by the means over the plane of the target
/// score's gradient, added up, rectified, and enlarged to the images' size by bilinear
/// interpolation: (n, h, w). The network has a `run(x, probe)` as those of models/ do
/// (models/probe.hpp). Mostly the last part that still has an image is asked for: "layer4" of a
/// ResNet, "block5" of a MedicalCnn.
/// \throws ValueError when there is no such part with activations (n, c, h', w').
template <class Net, class T>
Tensor<T, 3> grad_cam(const Net& net, const Tensor<T, 4>& x, const Tensor<int, 1>& targets,
                      std::string_view part) {
  const Net still = standing(net);
  Tape tape(TapeOptions{.keep_gradients = true});
  models::Recorder<Var<Tensor<T, 4>>> recorder;
  const auto scores = still.run(tape.watch(x), recorder);
  detail::require_targets("grad_cam", x.shape(), scores.shape(), targets);
  const Var<Tensor<T, 4>>& activations = recorder.at(part);
  backward(scores, detail::chosen<Tensor<T, 2>>(scores.shape(), targets));

  const Tensor<T, 4>& a = activations.value();
  const Tensor<T, 4> da = activations.grad();
  const Index count = a.extent(0), channels = a.extent(1), pixels = a.extent(2) * a.extent(3);
  Tensor<T, 4> map = Tensor<T, 4>::zeros({count, 1, a.extent(2), a.extent(3)});
  for (Index n = 0; n < count && da.defined(); ++n)
    for (Index c = 0; c < channels; ++c) {
      const T* gradient = da.data() + (n * channels + c) * pixels;
      const T* activation = a.data() + (n * channels + c) * pixels;
      double weight = 0;
      for (Index i = 0; i < pixels; ++i) weight += static_cast<double>(gradient[i]);
      weight /= static_cast<double>(pixels);
      for (Index i = 0; i < pixels; ++i)
        map.mutable_data()[n * pixels + i] += static_cast<T>(weight) * activation[i];
    }
  const auto large = upsample_bilinear2d(relu(map), Size2{x.extent(2), x.extent(3)});
  return reshape(large, Shape{count, x.extent(2), x.extent(3)});
}

}  // namespace ebb::explain
