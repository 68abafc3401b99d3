"""The tutorial's CNN trained by PyTorch in float from given weights on 200 given batches, by SGD with
momentum and by Adam: the loss at every step. The images are a pattern per class with some noise, and
every eighth label is drawn anew, so the loss stays well above zero and 1e-4 of it means something.
"""

import json
import os

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import ebb_random
from follow import FIXTURES

STEPS, BATCH, SEED = 200, 16, 20
CONTRAST, REDRAWN_EVERY = 0.9, 8
PATTERNS, IMAGES, LABELS, REDRAWN, PARAMETERS = 1, 2, 3, 4, 1_000_000


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * 28 * 28, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def generated(scale):
    """Images: a pattern per class and some noise, in [-scale / 2, scale / 2); labels, some of them redrawn."""
    n = STEPS * BATCH
    true = ebb_random.below(SEED, LABELS, 10, (n,))
    patterns = ebb_random.uniform(SEED, PATTERNS, (10, 784)) - 0.5
    noise = ebb_random.uniform(SEED, IMAGES, (n, 784)) - 0.5
    images = scale * (CONTRAST * patterns[true] + (1 - CONTRAST) * noise)
    redrawn = np.arange(n) % REDRAWN_EVERY == REDRAWN_EVERY - 1
    return images, np.where(redrawn, ebb_random.below(SEED, REDRAWN, 10, (n,)), true)


def train(images, labels, make, dtype):
    net = Net().to(dtype)
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            bound = 0.05 if p.dim() < 2 else 1 / np.sqrt(float(p.numel() // p.shape[0]))
            u = 2 * ebb_random.uniform(SEED, PARAMETERS + k, tuple(p.shape)) - 1
            p.copy_(torch.from_numpy((u * bound).astype(np.float32)))
    x = torch.from_numpy(images.astype(np.float32)).to(dtype).reshape(-1, 1, 28, 28)
    t = torch.from_numpy(labels)
    optimizer = make(net.parameters())
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), t[rows])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return np.array(losses)


# Rates and images at which rounding is not amplified on the way: at 0.005 on images half as large, or
# by Adam at 1e-3, PyTorch's own float and double results part by 1 %, though no more is learnt.
RATES, SCALES = {"sgd": 0.002, "adam": 2e-4}, {"sgd": 2.0, "adam": 1.0}
RULES = {"sgd": lambda p: torch.optim.SGD(p, RATES["sgd"], momentum=0.9),
         "adam": lambda p: torch.optim.Adam(p, RATES["adam"])}


def follow(data, source):
    record = {"seed": SEED, "batch": BATCH, "contrast": CONTRAST, "redrawn_every": REDRAWN_EVERY, "source": source}
    for name, make in RULES.items():
        images, labels = data(SCALES[name])
        losses = train(images, labels, make, torch.float32)
        exact = train(images, labels, make, torch.float64)
        # How far rounding alone moves the loss: what is left of the 1e-4 is for mistakes.
        rounding = np.abs(losses / exact - 1).max()
        print(f"cnn, {source}, {name}: loss {losses[0]:.3f}, at the end {losses[-10:].mean():.3f}, smallest "
              f"{losses.min():.3f}; float is within {rounding:.1e} of double")
        assert source != "generated" or (losses.min() > 0.05 and rounding < 5e-5)
        record[name] = {"lr": RATES[name], "scale": SCALES[name], "loss": losses.tolist(), "rounding": float(rounding)}
    return record


if __name__ == "__main__":
    torch.set_num_threads(1)
    with open(os.path.join(FIXTURES, "cnn.json"), "w") as f:
        json.dump(follow(generated, "generated"), f)
