/// \file
/// Smilkov, Thorat, Kim, Viegas & Wattenberg, "SmoothGrad: removing noise by adding noise",
/// arXiv:1706.03825 (2017).
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/explain/scores.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::explain {

struct SmoothGradOptions {
  int samples = 50;
  double noise = 0.15;       ///< deviation, as a part of each image's range (most - least)
  RandomStream random = {};  ///< sample s draws from the stream that follows by s
};

/// The mean gradient of the target scores over copies of the images with normal noise, (n, c, h,
/// w). \throws ValueError when there is no sample, or the noise is negative.
template <class Net, class T>
Tensor<T, 4> smooth_grad(const Net& net, const Tensor<T, 4>& x, const Tensor<int, 1>& targets,
                         SmoothGradOptions options = {}) {
  if (options.samples < 1 || !(options.noise >= 0))
    throw ValueError(message("smooth_grad: ", options.samples, " samples with noise ",
                             options.noise, " were asked for; use 1 or more, and noise from 0"));
  const Net still = standing(net);
  const Index count = x.extent(0), each = count > 0 ? x.size() / count : 0;
  std::vector<T> deviation;
  for (Index n = 0; n < count && each > 0; ++n) {
    const auto [least, most] = std::minmax_element(x.data() + n * each, x.data() + (n + 1) * each);
    deviation.push_back(static_cast<T>(options.noise) * (*most - *least));
  }
  Tensor<T, 4> sum = Tensor<T, 4>::zeros(x.shape());
  for (int s = 0; s < options.samples; ++s) {
    const RandomStream random{options.random.seed,
                              options.random.stream + static_cast<std::uint64_t>(s)};
    Tensor<T, 4> noisy(x.shape());
    for (Index i = 0; i < x.size(); ++i)
      noisy.mutable_data()[i] = x.data()[i] + deviation[static_cast<std::size_t>(i / each)] *
                                                  random.normal<T>(static_cast<std::uint64_t>(i));
    const auto dx = detail::gradient("smooth_grad", still, noisy, targets);
    for (Index i = 0; i < x.size(); ++i) sum.mutable_data()[i] += dx.data()[i];
  }
  for (Index i = 0; i < x.size(); ++i) sum.mutable_data()[i] /= static_cast<T>(options.samples);
  return sum;
}

}  // namespace ebb::explain
