/// \file
/// Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, "Sanity checks for saliency maps",
/// NeurIPS 2018: an explanation that does not change when the network forgets what it learnt does
/// not explain the network.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/explain/scores.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::explain {

/// Spearman's rank correlation, ties at their mean rank; 0 where either is constant.
/// \throws ShapeError when the two differ in length.
template <class T>
double rank_correlation(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size())
    throw ShapeError(message("rank_correlation: ", a.size(), " and ", b.size(),
                             " values were given; they must be as many"));
  const auto ranks = [](const std::vector<T>& x) {
    std::vector<std::size_t> order(x.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return x[i] < x[j]; });
    std::vector<double> rank(x.size());
    for (std::size_t begin = 0; begin < order.size();) {
      std::size_t end = begin + 1;
      while (end < order.size() && !(x[order[begin]] < x[order[end]])) ++end;
      for (std::size_t k = begin; k < end; ++k)
        rank[order[k]] = 0.5 * static_cast<double>(begin + end - 1);
      begin = end;
    }
    return rank;
  };
  const std::vector<double> ra = ranks(a), rb = ranks(b);
  const double mean = 0.5 * (static_cast<double>(a.size()) - 1);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (ra[i] - mean) * (rb[i] - mean);
    aa += (ra[i] - mean) * (ra[i] - mean);
    bb += (rb[i] - mean) * (rb[i] - mean);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

/// How alike the explanation is once a layer, and all behind it, have forgotten what they learnt.
struct RandomisedLayer {
  std::string layer;
  double correlation = 0;  ///< rank correlation with the explanation before
};

/// Draws the parameters anew, layer by layer from the last to the first and keeping those drawn
/// before (the paper's cascading test), and notes how much of the explanation stays:
///
///     parameter_randomisation(net, [&](const auto& n) { return saliency(n, x, targets); })
///
/// New values are normal with the mean and deviation of the old ones, so what is all alike (a fresh
/// bias of zeros) stays. A sound method ends near 0; one that stays near 1 shows the image, not the
/// network. Running statistics are kept.
template <class Net, class Explain>
std::vector<RandomisedLayer> parameter_randomisation(const Net& net, const Explain& explanation,
                                                     RandomStream random = {}) {
  Net copy = net;
  const auto before = explanation(std::as_const(copy)).values();
  std::vector<std::string> layers;
  const auto layer_of = [](const std::string& path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? path : path.substr(0, dot);
  };
  nn::visit_parameters(copy, [&](const std::string& path, const auto&) {
    if (layers.empty() || layers.back() != layer_of(path)) layers.push_back(layer_of(path));
  });
  std::vector<RandomisedLayer> found;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    std::uint64_t number = 0;
    nn::visit_parameters(copy, [&]<class Tens>(const std::string& path, Param<Tens>& p) {
      const RandomStream stream{random.seed, random.stream + number++};
      if (layer_of(path) != *layer) return;
      auto values = p.value().values();
      double mean = 0, squares = 0;
      for (const auto v : values) mean += static_cast<double>(v);
      mean /= static_cast<double>(values.size());
      for (const auto v : values)
        squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
      const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<typename Tens::scalar>(mean + deviation * stream.normal<double>(i));
      p.set(Tens::from(p.shape(), values));
    });
    found.push_back({*layer, rank_correlation(before, explanation(std::as_const(copy)).values())});
  }
  return found;
}

}  // namespace ebb::explain
