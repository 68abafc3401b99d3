/// \file
/// Lakshminarayanan, Pritzel & Blundell, "Simple and scalable predictive uncertainty estimation
/// using deep ensembles", NeurIPS 2017.
#pragma once

#include <ebb/uncertainty/prediction.hpp>

namespace ebb::inline EBB_ABI::uncertainty {

/// The mean over networks trained from different seeds, each a copy that evaluates: images x (n,
/// ...) to logits (n, classes, ...). For networks of different types use `Average`.
/// \throws ValueError when there is none, ShapeError when their logits differ in shape.
template <class Nets, class Tens>
auto ensemble(const Nets& nets, const Tens& x) {
  using Net = std::remove_cvref_t<decltype(*std::begin(nets))>;
  detail::AverageOf<decltype(std::declval<const Net&>()(x))> average;
  for (const Net& net : nets) {
    Net copy = net;
    nn::eval(copy);
    average.add(copy(x));
  }
  return average.result();
}

}  // namespace ebb::uncertainty
