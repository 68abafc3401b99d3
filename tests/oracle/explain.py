"""What a small network looked at, in double: gradients, SmoothGrad, integrated gradients, Grad-CAM and
occlusion of two images, written out with PyTorch's autograd alone.
"""

import json
import os
import zlib

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import ebb_random
from follow import FIXTURES, Data, fill


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class MedicalCnn(nn.Module):
    def __init__(self, channels, classes, w):
        super().__init__()
        self.block1, self.block2 = Block(channels, w), Block(w, w)
        self.block3, self.block4, self.block5 = Block(w, 2 * w), Block(2 * w, 2 * w), Block(2 * w, 4 * w)
        self.fc = nn.Linear(4 * w, classes)

    def forward(self, x, parts=None):
        parts = {} if parts is None else parts
        parts["block2"] = self.block2(self.block1(x))
        parts["block4"] = self.block4(self.block3(F.max_pool2d(parts["block2"], 2)))
        parts["block5"] = self.block5(F.max_pool2d(parts["block4"], 2))
        return self.fc(parts["block5"].mean((2, 3)))


def normal(seed, stream, shape):
    """RandomStream::normal<double>, by Box and Muller."""
    n = int(np.prod(shape))
    words = ebb_random.bits(seed, stream, 2 * n).astype(np.float64).reshape(n, 2)
    z = np.sqrt(-2 * np.log((words[:, 0] + 1) / 4294967296.0)) * \
        np.cos(6.283185307179586476925 * (words[:, 1] / 4294967296.0))
    return torch.from_numpy(z.reshape(shape))


seed = zlib.crc32(b"explain")
net = MedicalCnn(2, 3, 3).double().eval()
fill(net, seed)
with torch.no_grad():  # livelier than they start, so that the images are seen at the far end
    for p in net.parameters():
        p.mul_(6 if p.dim() == 4 else 1)
x = Data(seed, 0).uniform(2, 2, 12, 12)
targets = torch.tensor([2, 0])
rows = torch.arange(2)


def gradient(x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(net(x)[rows, targets].sum(), x)[0]


record = {"seed": seed, "targets": targets.tolist(), "scores": net(x)[rows, targets].tolist()}
record["gradient"] = gradient(x)
record["saliency"] = gradient(x).abs().amax(1)

spread = x.flatten(1).max(1).values - x.flatten(1).min(1).values
record["smooth_grad"] = sum(gradient(x + 0.15 * spread.view(2, 1, 1, 1) * normal(seed, 7 + s, tuple(x.shape)))
                            for s in range(8)) / 8

baseline = torch.full_like(x, 0.25)
record["integrated"] = (x - baseline) * sum(gradient(baseline + (k + 0.5) / 20 * (x - baseline))
                                            for k in range(20)) / 20

for part in ("block2", "block4", "block5"):
    parts = {}
    score = net(x, parts)[rows, targets].sum()
    a = parts[part]
    weight = torch.autograd.grad(score, a)[0].mean((2, 3), keepdim=True)
    cam = F.relu((weight * a).sum(1, keepdim=True))
    assert cam.max() > 0
    record["grad_cam " + part] = F.interpolate(cam, size=(12, 12), mode="bilinear", align_corners=False)[:, 0]

whole = F.softmax(net(x), 1)[rows, targets]
fall, covered = torch.zeros(2, 12, 12), torch.zeros(12, 12)
for top in (0, 3, 6, 7):
    for left in (0, 2, 4, 6, 8):
        hidden = x.clone()
        hidden[:, :, top:top + 5, left:left + 4] = 0.5
        fall[:, top:top + 5, left:left + 4] += (whole - F.softmax(net(hidden), 1)[rows, targets]).view(2, 1, 1)
        covered[top:top + 5, left:left + 4] += 1
record["occlusion"] = fall / covered

record = {k: v.detach().flatten().tolist() if isinstance(v, torch.Tensor) else v for k, v in record.items()}
with open(os.path.join(FIXTURES, "explain.json"), "w") as f:
    f.write(json.dumps(record) + "\n")
print("explain.json:", {k: max(map(abs, v)) for k, v in record.items() if isinstance(v, list)})
