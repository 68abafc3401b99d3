"""examples/speedrun in PyTorch: the very same network and recipe, and the same words:
speedrun.py --data DIR [--seed N] [--threads N] [--epochs X] [--json]"""

import time

began = time.perf_counter()

import argparse
import gzip
import json
import os

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

CROP, MEAN, DEVIATION = 24, 0.1307, 0.3081


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(16, 32, 3, padding=1)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(8), nn.BatchNorm2d(16), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32 * 3 * 3, 10)

    def forward(self, x):
        a = F.relu(self.bn1(self.conv1(x)), inplace=True)
        b = F.max_pool2d(F.relu(self.bn2(self.conv2(a)), inplace=True), 2)
        c = F.max_pool2d(F.relu(self.bn3(self.conv3(b)), inplace=True), 2)
        return self.fc(torch.flatten(c, 1))


def read(folder, name):
    """An IDX file, gzipped or not."""
    path = os.path.join(folder, name)
    raw = gzip.open(path + ".gz").read() if os.path.exists(path + ".gz") else open(path, "rb").read()
    extents = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(extents).copy())


def crops(images, positions, shifts):
    """The middle of these images, or up to a pixel beside it, normalised."""
    margin = (28 - CROP) // 2
    if shifts is None:
        chosen = images[positions, margin:margin + CROP, margin:margin + CROP]
    else:
        line = torch.arange(CROP)
        rows = (margin + shifts[:, 0])[:, None] + line
        columns = (margin + shifts[:, 1])[:, None] + line
        chosen = images[positions[:, None, None], rows[:, :, None], columns[:, None, :]]
    return chosen[:, None].float().mul_(1 / (255 * DEVIATION)).sub_(MEAN / DEVIATION)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=0.85)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    images, labels, test_images, test_labels = (read(options.data, name) for name in (
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"))
    labels, test_labels = labels.long(), test_labels.long()
    reading = time.perf_counter() - began

    torch.manual_seed(options.seed)
    net, batch = Net(), 64
    per_epoch = len(labels) // batch
    steps = int(options.epochs * per_epoch)
    optimizer = torch.optim.SGD(net.parameters(), 0.15, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.15, total_steps=steps, pct_start=0.25, anneal_strategy="linear",
                                                   cycle_momentum=False, div_factor=10, final_div_factor=100)
    spent = {"batches": 0.0, "forward": 0.0, "backward": 0.0, "update": 0.0}
    for step in range(steps):
        start = time.perf_counter()
        at = step % per_epoch
        if at == 0:
            order, shifts = torch.randperm(len(labels)), torch.randint(-1, 2, (len(labels), 2))
        positions = order[at * batch:(at + 1) * batch]
        x, y = crops(images, positions, shifts[at * batch:(at + 1) * batch]), labels[positions]
        batched = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), y, label_smoothing=0.05)
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
        end = time.perf_counter()
        for name, a, b in (("batches", start, batched), ("forward", batched, forward), ("backward", forward, backward),
                           ("update", backward, end)):
            spent[name] += b - a
    trained = time.perf_counter()

    net.eval()
    correct = 0
    with torch.inference_mode():
        for first in range(0, len(test_labels), 250):
            positions = torch.arange(first, min(first + 250, len(test_labels)))
            correct += (net(crops(test_images, positions, None)).argmax(1) == test_labels[positions]).sum().item()
    end = time.perf_counter()
    result = {"seconds": end - began, "accuracy": 100 * correct / len(test_labels), "reading": reading,
              "training": sum(spent.values()), **spent, "evaluation": end - trained}
    if options.json:
        print(json.dumps({name: round(value, 4) for name, value in result.items()}))
    else:
        print(f"seed {options.seed}: {result['accuracy']:.2f} % in {result['seconds']:.2f} s: " +
              ", ".join(f"{name} {result[name]:.2f}" for name in ("reading", *spent, "evaluation")))


main()
