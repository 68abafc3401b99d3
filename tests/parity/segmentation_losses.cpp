// Losses for segmentation, beside PyTorch in double: tests/oracle/segmentation_losses.py.

#include "follow.hpp"

#include <ebb/nn/conv2d.hpp>
#include <ebb/ops/ops.hpp>

using namespace ebb;
using namespace parity;

namespace {

/// loss(scores of every pixel, labels of 5 classes, the last of them rare).
template <class Loss>
void segments(Fixture& fixture, const char* name, Loss loss) {
  follow(fixture, name, nn::Conv2d<double>(3, 5, 1), [=](const auto& net, const auto& data) {
    auto labels = data.labels(9, Shape{2, 4, 3});
    for (Index i = 0; i < labels.size(); ++i)
      if (int& label = labels.mutable_data()[i]; label > 4) label -= 5;
    return loss(net(data.input(Shape{2, 3, 4, 3})), labels);
  });
}

/// loss(logits of two channels, mask).
template <class Loss>
void masks(Fixture& fixture, const char* name, bool cut, Loss loss) {
  follow(fixture, name, nn::Conv2d<double>(3, 2, 1), [=](const auto& net, const auto& data) {
    auto mask = data.target(Shape{2, 2, 4, 3});
    for (Index i = 0; i < mask.size(); ++i) {
      double& m = mask.mutable_data()[i];
      m = cut ? (m > 0 ? 1 : 0) : (m + 1) / 2;
    }
    return loss(net(data.input(Shape{2, 3, 4, 3})), mask);
  });
}

}  // namespace

TEST_CASE("PyTorch parity: losses on overlap") {
  Fixture f("segmentation_losses.json", "dice_loss", "tversky_loss", "generalised_dice_loss",
            "weighted_losses");
  segments(f, "dice_loss", dice_loss);
  segments(f, "dice_loss batch, smooth 1", DiceLoss{{.smooth = 1, .batch = true}});
  segments(f, "dice_loss without background, ignore 3",
           DiceLoss{{.first_class = 1, .ignore_index = 3}});
  masks(f, "dice_loss of masks", false, dice_loss);
  masks(f, "dice_loss of masks cut, batch", true, DiceLoss{{.batch = true}});
  segments(f, "tversky_loss", tversky_loss);
  segments(f, "tversky_loss 0.2, 1.1, batch, smooth 0.5",
           TverskyLoss{{{.smooth = 0.5, .batch = true}, 0.2, 1.1}});
  masks(f, "tversky_loss of masks", false, tversky_loss);
  segments(f, "generalised_dice_loss", generalised_dice_loss);
  segments(f, "generalised_dice_loss without background, ignore 3",
           GeneralisedDiceLoss{{.first_class = 1, .ignore_index = 3}});
  masks(f, "generalised_dice_loss of masks", false, generalised_dice_loss);
  masks(f, "generalised_dice_loss of masks cut, batch", true, GeneralisedDiceLoss{{.batch = true}});
  segments(f, "weighted_losses",
           weighted_losses({1, 0.5}, dice_loss,
                           [](const auto& x, const auto& t) { return cross_entropy(x, t); }));
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: focal losses") {
  Fixture f("segmentation_losses.json", "focal_loss", "binary_focal_loss");
  const Tensor<double, 1> w({5}, {0.5, 1.0, 2.0, 0.25, 1.5});
  const auto focal = [](FocalOptions<double> options) {
    return [=](const auto& x, const auto& t) { return focal_loss(x, t, options); };
  };
  segments(f, "focal_loss", focal({}));
  segments(f, "focal_loss gamma 0.5, weights, ignore 1",
           focal({.gamma = 0.5, .weights = w, .ignore_index = 1}));
  segments(f, "focal_loss gamma 1, sum", [](const auto& x, const auto& t) {
    return focal_loss(x, t, {.gamma = 1, .reduction = Reduction::sum}) / 24;
  });
  segments(f, "focal_loss gamma 0 is cross entropy", focal({.gamma = 0}));
  masks(f, "binary_focal_loss", true, binary_focal_loss);
  masks(f, "binary_focal_loss soft targets, gamma 1.5, alpha 0.6", false,
        BinaryFocalLoss{1.5, 0.6});
  CHECK(f.left().empty());
}
