/// \file
/// Which samples an epoch has, and in which order.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/data/augment/random.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// Draws the samples of an epoch by weight, as PyTorch's WeightedRandomSampler does. Without
/// weights, each sample comes once.
struct Sampling {
  /// One for each sample: of the next draw, sample i has a chance of weights[i] over their sum.
  std::vector<double> weights{};
  Index samples = 0;        ///< drawn for an epoch; 0: as many as the source has
  bool replacement = true;  ///< false: what was drawn is not drawn again in this epoch
};

/// Weights by which all classes come equally often, whatever their sizes: for each sample one over
/// the number of those that have its label.
///
///     data::Loader loader(train, {.sampling = data::balanced(train.labels())});
inline Sampling balanced(std::span<const int> labels) {
  std::map<int, Index> sizes;
  for (const int label : labels) ++sizes[label];
  Sampling sampling;
  sampling.weights.reserve(labels.size());
  for (const int label : labels)
    sampling.weights.push_back(1.0 / static_cast<double>(sizes[label]));
  return sampling;
}
/// The same for the labels of a data set.
inline Sampling balanced(const Tensor<int, 1>& labels) {
  return balanced(std::span<const int>(labels.data(), static_cast<std::size_t>(labels.size())));
}

namespace detail {

/// What an epoch's order and its samples' random numbers derive from.
constexpr RandomStream epoch_stream(std::uint64_t seed, std::uint64_t epoch) {
  return derive(derive({seed, 0}, 3), epoch);
}
/// The order of n samples in an epoch that shuffles them.
inline std::vector<Index> shuffled(Index n, RandomStream epoch) {
  return permutation(n, derive(epoch, 0));
}

/// Uniform in [0, 1), a multiple of 2^-53.
constexpr double uniform53(RandomStream random, std::uint64_t index) {
  const std::uint64_t high = random.bits(2 * index), low = random.bits(2 * index + 1);
  return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

/// `count` positions, each by weight whatever came before.
inline std::vector<Index> drawn(const std::vector<double>& weights, Index count,
                                RandomStream random) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  std::vector<Index> order(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < order.size(); ++i) {
    // The first sum beyond a point of the whole: no sample of weight 0 has one.
    const double point = uniform53(random, i) * sums.back();
    order[i] = std::upper_bound(sums.begin(), sums.end(), point) - sums.begin();
  }
  return order;
}

/// `count` different positions, each by weight among those that are left. That is the order of
/// waiting times whose rates are the weights (Efraimidis and Spirakis, "Weighted random sampling
/// with a reservoir", Information Processing Letters 97, 2006).
inline std::vector<Index> drawn_once(const std::vector<double>& weights, Index count,
                                     RandomStream random) {
  std::vector<std::pair<double, Index>> waiting;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0)
      waiting.emplace_back(-std::log(1 - uniform53(random, i)) / weights[i], static_cast<Index>(i));
  const auto end = waiting.begin() + count;
  std::partial_sort(waiting.begin(), end, waiting.end());
  std::vector<Index> order;
  for (auto it = waiting.begin(); it != end; ++it) order.push_back(it->second);
  return order;
}

/// \throws ValueError when the samples of an epoch cannot be drawn so.
inline void check(const Sampling& sampling, Index n) {
  const auto& weights = sampling.weights;
  if (sampling.samples < 0)
    throw ValueError(message("loader: ", sampling.samples,
                             " samples an epoch were asked for; use 1 or more, or 0 for as many as "
                             "there are"));
  if (weights.empty()) {
    if (sampling.samples > 0 || !sampling.replacement)
      throw ValueError(message("loader: how many samples are drawn was said, but no weights; give ",
                               n, " of them, or leave sampling out"));
    return;
  }
  if (static_cast<Index>(weights.size()) != n)
    throw ValueError(message("loader: ", weights.size(), " weights came with a source of ", n,
                             " samples; give one for each"));
  Index positive = 0;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0))
      throw ValueError(message("loader: the weight of sample ", i, " is ", weights[i],
                               "; weights are 0 or more"));
    positive += weights[i] > 0;
    sum += weights[i];
  }
  if (positive == 0 || !std::isfinite(sum))
    throw ValueError(
        message("loader: the weights add up to ", sum, "; their sum must be above 0, and finite"));
  const Index count = sampling.samples > 0 ? sampling.samples : n;
  if (!sampling.replacement && positive < count)
    throw ValueError(message("loader: ", count,
                             " samples are to be drawn without replacement, but ", positive,
                             " have a weight above 0; draw fewer, or with replacement"));
}

}  // namespace detail

}  // namespace ebb::data
