/// \file
/// Which samples an epoch has, and in which order.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/data/augment/random.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// Says which samples an epoch has where that is not each of them once: `weighted`, `balanced`, or
/// a function of one's own, which must be a pure one of its arguments.
struct Sampling {
  Index samples = 0;  ///< in an epoch
  Index source = 0;   ///< how many the source must have; 0: any number
  /// Their numbers in a source of n, in the order in which they come.
  std::function<std::vector<Index>(Index n, RandomStream random)> draw{};
};

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

/// \throws ValueError when not so many samples can be drawn by these weights.
inline void check_weights(const std::vector<double>& weights, Index count, bool replacement) {
  Index positive = 0;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0))
      throw ValueError(message("weighted: the weight of sample ", i, " is ", weights[i],
                               "; weights are 0 or more"));
    positive += weights[i] > 0;
    sum += weights[i];
  }
  if (positive == 0 || !std::isfinite(sum))
    throw ValueError(message("weighted: the weights add up to ", sum,
                             "; their sum must be above 0, and finite"));
  if (count < 1)
    throw ValueError(message("weighted: ", count,
                             " samples an epoch were asked for; use 1 or more, or 0 for as many as "
                             "there are weights"));
  if (!replacement && positive < count)
    throw ValueError(message("weighted: ", count,
                             " samples are to be drawn without replacement, but ", positive,
                             " have a weight above 0; draw fewer, or with replacement"));
}

}  // namespace detail

struct WeightedOptions {
  Index samples = 0;        ///< drawn for an epoch; 0: as many as there are weights
  bool replacement = true;  ///< false: what was drawn is not drawn again in this epoch
};

/// Draws samples by weight, as PyTorch's WeightedRandomSampler does: of the next draw, sample i has
/// a chance of weights[i] over the sum of the weights; without replacement, over the sum of those
/// that are left.
///
///     data::Loader loader(train, {.sampling = data::weighted(weights, {.samples = 1000})});
///
/// \throws ValueError when a weight is negative, their sum is not above 0 and finite, or fewer
/// samples have a weight than are to be drawn without replacement.
inline Sampling weighted(std::vector<double> weights, WeightedOptions options = {}) {
  const auto n = static_cast<Index>(weights.size());
  const Index count = options.samples == 0 ? n : options.samples;
  detail::check_weights(weights, count, options.replacement);
  if (options.replacement) {
    std::partial_sum(weights.begin(), weights.end(), weights.begin());
    return {count, n, [sums = std::move(weights), count](Index, RandomStream random) {
              std::vector<Index> order(static_cast<std::size_t>(count));
              for (std::size_t i = 0; i < order.size(); ++i) {
                // The first sum beyond a point of the whole: no sample of weight 0 has one.
                const double point = detail::uniform53(random, i) * sums.back();
                order[i] = std::upper_bound(sums.begin(), sums.end(), point) - sums.begin();
              }
              return order;
            }};
  }
  // The order of waiting times whose rates are the weights (Efraimidis and Spirakis, "Weighted
  // random sampling with a reservoir", Information Processing Letters 97, 2006).
  return {count, n, [weights = std::move(weights), count](Index, RandomStream random) {
            std::vector<std::pair<double, Index>> waiting;
            for (std::size_t i = 0; i < weights.size(); ++i)
              if (weights[i] > 0)
                waiting.emplace_back(-std::log(1 - detail::uniform53(random, i)) / weights[i],
                                     static_cast<Index>(i));
            const auto end = waiting.begin() + count;
            std::partial_sort(waiting.begin(), end, waiting.end());
            std::vector<Index> order;
            for (auto it = waiting.begin(); it != end; ++it) order.push_back(it->second);
            return order;
          }};
}

/// Draws all classes equally often, whatever their sizes: the weight of a sample is one over the
/// number of those that have its label.
///
///     data::Loader loader(train, {.sampling = data::balanced(train.labels())});
///
/// \throws ValueError when there are no labels, and as `weighted` does.
inline Sampling balanced(std::span<const int> labels, WeightedOptions options = {}) {
  std::map<int, Index> sizes;
  for (const int label : labels) ++sizes[label];
  std::vector<double> weights;
  weights.reserve(labels.size());
  for (const int label : labels) weights.push_back(1.0 / static_cast<double>(sizes[label]));
  return weighted(std::move(weights), options);
}
/// The same for the labels of a data set.
inline Sampling balanced(const Tensor<int, 1>& labels, WeightedOptions options = {}) {
  return balanced({labels.data(), static_cast<std::size_t>(labels.size())}, options);
}

}  // namespace ebb::data
