"""Every layer of ebb, in a small network that PyTorch trains in double."""

import warnings

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import ebb_random
from cases import Cases, Pair
from follow import follow, save

warnings.filterwarnings("ignore", "Using padding=.same.")  # a remark on speed

cases = Cases()
layer, image = cases.layer, cases.image

# linear
layer("linear", Pair(nn.Linear(6, 4), nn.Linear(4, 3)), (5, 6), (5, 3))
layer("linear no bias", Pair(nn.Linear(6, 4, bias=False), nn.Linear(4, 3, bias=False)), (5, 6), (5, 3))
layer("linear rank 3", Pair(nn.Linear(6, 4), nn.Linear(4, 3)), (2, 5, 6), (2, 5, 3))
layer("linear batch 1", Pair(nn.Linear(6, 4), nn.Linear(4, 3)), (1, 6), (1, 3))

# convolution
image("conv2d", nn.Conv2d(4, 6, 3), (2, 6, 5, 3))
image("conv2d 1x1", nn.Conv2d(4, 6, 1), (2, 6, 7, 5))
image("conv2d padding 1", nn.Conv2d(4, 6, 3, padding=1), (2, 6, 7, 5))
image("conv2d stride 2 padding 1", nn.Conv2d(4, 6, 3, stride=2, padding=1), (2, 6, 4, 3))
image("conv2d stride (3, 1) padding (0, 2) kernel (2, 4)",
      nn.Conv2d(4, 6, (2, 4), stride=(3, 1), padding=(0, 2)), (2, 6, 2, 6))
image("conv2d stride above kernel", nn.Conv2d(4, 6, 2, stride=4), (2, 6, 2, 1))
image("conv2d dilation (2, 1)", nn.Conv2d(4, 6, 3, dilation=(2, 1)), (2, 6, 3, 3))
image("conv2d same", nn.Conv2d(4, 6, 3, padding="same"), (2, 6, 7, 5))
image("conv2d same even kernel", nn.Conv2d(4, 6, (2, 4), padding="same"), (2, 6, 7, 5))
image("conv2d same dilation 2", nn.Conv2d(4, 6, 3, dilation=2, padding="same"), (2, 6, 7, 5))
image("conv2d groups 2", nn.Conv2d(4, 6, 3, padding=1, groups=2), (2, 6, 7, 5))
image("conv2d depthwise", nn.Conv2d(4, 8, 3, padding=1, stride=2, groups=4), (2, 8, 4, 3))
image("conv2d no bias", nn.Conv2d(4, 6, 3, bias=False), (2, 6, 5, 3))
image("conv2d kernel = image", nn.Conv2d(4, 6, (7, 5)), (2, 6, 1, 1))
image("conv2d 1x1 image", nn.Conv2d(4, 6, 3, padding=1), (2, 6, 1, 1), x=(2, 3, 1, 1))

# transposed convolution
image("conv_transpose2d", nn.ConvTranspose2d(4, 6, 3), (2, 6, 9, 7))
image("conv_transpose2d stride 2", nn.ConvTranspose2d(4, 6, 2, stride=2), (2, 6, 14, 10))
image("conv_transpose2d output padding", nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
      (2, 6, 14, 10))
image("conv_transpose2d (3, 2) output padding (2, 0)",
      nn.ConvTranspose2d(4, 6, (3, 2), stride=(3, 2), padding=(1, 0), output_padding=(2, 0)), (2, 6, 21, 10))
image("conv_transpose2d groups 2 dilation 2", nn.ConvTranspose2d(4, 6, 3, padding=2, groups=2, dilation=2),
      (2, 6, 7, 5))
image("conv_transpose2d no bias", nn.ConvTranspose2d(4, 6, 3, bias=False), (2, 6, 9, 7))

# pooling
image("max_pool2d 2", nn.MaxPool2d(2), (2, 4, 3, 2))
image("max_pool2d 3 stride 2 padding 1", nn.MaxPool2d(3, 2, 1), (2, 4, 4, 3))
image("max_pool2d (3, 2) stride (1, 2)", nn.MaxPool2d((3, 2), (1, 2)), (2, 4, 5, 2))
image("max_pool2d dilation 2", nn.MaxPool2d(2, 1, 0, 2), (2, 4, 5, 3))
image("avg_pool2d 2", nn.AvgPool2d(2), (2, 4, 3, 2))
image("avg_pool2d 3 stride 2 padding 1", nn.AvgPool2d(3, 2, 1), (2, 4, 4, 3))
image("avg_pool2d (3, 2) stride (1, 2)", nn.AvgPool2d((3, 2), (1, 2)), (2, 4, 5, 2))
image("adaptive_avg_pool2d (3, 2)", nn.AdaptiveAvgPool2d((3, 2)), (2, 4, 3, 2))
image("adaptive_avg_pool2d (9, 5)", nn.AdaptiveAvgPool2d((9, 5)), (2, 4, 9, 5))
image("global_avg_pool2d", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (2, 4))

# normalisation
layer("batch_norm1d", Pair(nn.Linear(6, 4), nn.BatchNorm1d(4)), (5, 6), (5, 4))
layer("batch_norm1d momentum 0.3 eps 0.01", Pair(nn.Linear(6, 4), nn.BatchNorm1d(4, eps=0.01, momentum=0.3)),
      (5, 6), (5, 4))
image("batch_norm2d", nn.BatchNorm2d(4), (2, 4, 7, 5))
layer("layer_norm", Pair(nn.Linear(6, 4), nn.LayerNorm(4)), (5, 6), (5, 4))
layer("layer_norm rank 3", Pair(nn.Linear(6, 4), nn.LayerNorm(4, eps=0.01)), (2, 5, 6), (2, 5, 4))
image("layer_norm 2 axes", nn.LayerNorm((7, 5)), (2, 4, 7, 5))
image("group_norm 2", nn.GroupNorm(2, 4), (2, 4, 7, 5))
image("group_norm 4", nn.GroupNorm(4, 4), (2, 4, 7, 5))
image("group_norm 1", nn.GroupNorm(1, 4, eps=0.01), (2, 4, 7, 5))

# upsampling
image("upsample nearest 2", nn.Upsample(scale_factor=2), (2, 4, 14, 10))
image("upsample nearest (3, 2)", nn.Upsample(scale_factor=(3, 2)), (2, 4, 21, 10))
image("upsample bilinear 2", nn.Upsample(scale_factor=2, mode="bilinear"), (2, 4, 14, 10))
image("upsample bilinear 3 corners", nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True),
      (2, 4, 21, 15))
image("upsample bilinear of 1x1", nn.Upsample(scale_factor=2, mode="bilinear"), (2, 4, 2, 2), x=(2, 3, 1, 1))

# dropout
image("dropout 0", nn.Dropout(0.0), (2, 4, 7, 5))


def dropped(y, d, p):
    """Dropout with ebb's mask: element i is kept where bits [8, 32) of its random word reach p 2^24."""
    words = ebb_random.bits(d.seed, d.stream(3), y.numel()) >> np.uint64(8)
    kept = torch.from_numpy((words >= int(p * 16777216 + 0.5)).astype(np.float64)).reshape(y.shape)
    return y * kept / (1 - p)


cases.append(follow("dropout 0.3", nn.Conv2d(3, 4, 1),
                    lambda net, d: F.mse_loss(dropped(net(d.uniform(2, 3, 7, 5)), d, 0.3), d.target(2, 4, 7, 5))))

# composition
class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


layer("sequential", nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                  nn.Linear(36, 3)), (2, 1, 6, 6), (2, 3))
layer("residual", Pair(nn.Linear(6, 4), Residual(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)))),
      (5, 6), (5, 4))

save("layers.json", cases)
