/// \file
/// Soft Dice and its generalised form: losses on how far regions overlap.
#pragma once

#include <ebb/ops/loss/region.hpp>

namespace ebb::inline EBB_ABI {

/// The mean over samples and classes of 1 - (2 sum p g + s) / (sum p + sum g + s), where p are
/// probabilities, a softmax or sigmoid of the logits taken in here, and g is what is true. It does
/// not care how rare a class is, which cross entropy does; its gradient is noisy for small regions,
/// so the two are often added (`WeightedLosses`).
/// Milletari, Navab & Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical
/// image segmentation", 3DV 2016; without the squares below the line, as Drozdzal et al., "The
/// importance of skip connections in biomedical image segmentation", 2016.
///
///     dice_loss(logits, labels);                        // softmax over axis 1
///     dice_loss(logits, mask, {.batch = true});         // sigmoid, a channel at a time
///     DiceLoss{{.first_class = 1}}(logits, labels);     // without the background
///
/// Shapes: logits (n, classes, ...) of rank >= 2 with labels (n, ...) of int, or with a mask of the
/// logits' shape and scalar, from 0 to 1; to a scalar. No gradient flows to the target.
/// \throws ShapeError when the shapes do not belong together, or there are no elements.
/// \throws ValueError when a label is neither a class nor the ignored one, all are ignored, or an
/// option makes no sense.
struct DiceLoss {
  static constexpr const char* name = "dice_loss";
  RegionOptions options = {};

  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target) const {
    return (*this)(logits, target, options);
  }
  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target, const RegionOptions& with) const {
    // Tversky's index with both errors counting half, above and below the line halved.
    return detail::region_loss_of(name, logits, target, with, [&](bool) {
      return kernel::TverskyTerm{0.5, 0.5, 0.5 * with.smooth, with.first_class};
    });
  }
};
inline constexpr DiceLoss dice_loss;

/// The mean over samples of 1 - (2 sum_c w_c sum p g + s) / (sum_c w_c (sum p + sum g) + s), where
/// w_c = 1 / (sum g)^2 evens out the sizes of classes: a class twice as large weighs a quarter.
/// Sudre, Li, Vercauteren, Ourselin & Cardoso, "Generalised Dice overlap as a deep learning loss
/// function for highly unbalanced segmentations", DLMIA 2017. A class that does not occur weighs as
/// much as the heaviest that does. Of a mask, each channel's foreground and background are the two
/// classes.
///
/// Targets, shapes and errors are those of `dice_loss`; with a mask `first_class` must be 0.
struct GeneralisedDiceLoss {
  static constexpr const char* name = "generalised_dice_loss";
  RegionOptions options = {};

  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target) const {
    return (*this)(logits, target, options);
  }
  template <Operand X, class Target>
  auto operator()(const X& logits, const Target& target, const RegionOptions& with) const {
    return detail::region_loss_of(name, logits, target, with, [&](bool mask) {
      if (mask && with.first_class != 0)
        throw ValueError(message(name, ": first_class is ", with.first_class,
                                 ", but a mask has no background class to leave out; use 0"));
      return kernel::GeneralisedDiceTerm{with.smooth, with.first_class, mask};
    });
  }
};
inline constexpr GeneralisedDiceLoss generalised_dice_loss;

}  // namespace ebb
