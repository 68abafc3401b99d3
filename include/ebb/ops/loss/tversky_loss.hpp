/// \file
/// Tversky's loss: Dice's with a price for each kind of error.
#pragma once

#include <ebb/ops/loss/region.hpp>

namespace ebb::inline EBB_ABI {

struct TverskyOptions : RegionOptions {
  double alpha = 0.3;  ///< what a false positive counts
  double beta = 0.7;   ///< what a false negative counts; above alpha it raises recall
};

/// The mean over samples and classes of 1 - (TP + s) / (TP + alpha FP + beta FN + s), with soft
/// counts TP = sum p g, FP = sum p (1 - g), FN = sum (1 - p) g of probabilities p. Alpha = beta =
/// 1/2 is Dice's loss with 2 s, alpha = beta = 1 that of the intersection over union.
/// Salehi, Erdogmus & Gholipour, "Tversky loss function for image segmentation using 3D fully
/// convolutional deep networks", MLMI 2017.
///
/// Targets, shapes and errors are those of `dice_loss`. \throws ValueError when alpha or beta is
/// negative.
struct TverskyLoss {
  static constexpr const char* name = "tversky_loss";
  TverskyOptions options = {};

  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target) const {
    return (*this)(logits, target, options);
  }
  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target, const TverskyOptions& with) const {
    if (!(with.alpha >= 0 && with.beta >= 0))
      throw ValueError(message(name, ": alpha = ", with.alpha, " and beta = ", with.beta,
                               " say what false positives and negatives count; they must not be "
                               "negative"));
    return detail::region_loss_of(name, logits, target, with, [&](bool) {
      return kernel::TverskyTerm{with.alpha, with.beta, with.smooth, with.first_class};
    });
  }
};
inline constexpr TverskyLoss tversky_loss;

}  // namespace ebb
