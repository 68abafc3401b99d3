"""ResNet-18 and U-Net through 20 steps of training, and every part of the other models going forward,
in double. The models are written out here, so that torchvision isn't needed; their parameters have its
names and its order.
"""

import json
import os
import zlib

import torch
from torch import nn
import torch.nn.functional as F

from follow import FIXTURES, Data, fill, follow, sums


class Block(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1 or cin != width:
            self.downsample = nn.Sequential(nn.Conv2d(cin, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        if stride != 1 or cin != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(cin, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, block, blocks, channels, classes, width, small):
        super().__init__()
        expansion = 4 if block is Bottleneck else 1
        self.small = small
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False) if small else \
            nn.Conv2d(channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        cin = width
        for s in range(4):
            stage = []
            for b in range(blocks[s]):
                stage.append(block(cin, width << s, 2 if b == 0 and s > 0 else 1))
                cin = (width << s) * expansion
            setattr(self, f"layer{s + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(cin, classes)

    def forward(self, x, probe=lambda name, y: None):
        y = F.relu(self.bn1(self.conv1(x)))
        probe("stem", y)
        if not self.small:
            y = F.max_pool2d(y, 3, 2, 1)
        for s in range(1, 5):
            y = getattr(self, f"layer{s}")(y)
            probe(f"layer{s}", y)
        y = self.fc(y.mean((2, 3)))
        probe("fc", y)
        return y


class DoubleConv(nn.Module):
    def __init__(self, cin, cout, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=not norm)
        if norm:
            self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=not norm)
        if norm:
            self.bn2 = nn.BatchNorm2d(cout)
        self.norm = norm

    def forward(self, x):
        if self.norm:
            return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class UNet(nn.Module):
    def __init__(self, channels, classes, base, depth, norm):
        super().__init__()
        w = [base << k for k in range(depth + 1)]
        self.depth = depth
        self.down = nn.ModuleList(DoubleConv(channels if k == 0 else w[k - 1], w[k], norm) for k in range(depth))
        self.bottom = DoubleConv(w[depth - 1], w[depth], norm)
        self.rise = nn.ModuleList(nn.ConvTranspose2d(w[k + 1], w[k], 2, 2) for k in range(depth))
        self.up = nn.ModuleList(DoubleConv(w[k + 1], w[k], norm) for k in range(depth))
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        kept = []
        for k in range(self.depth):
            x = self.down[k](x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for k in reversed(range(self.depth)):
            x = self.up[k](torch.cat([kept[k], self.rise[k](x)], 1))
        return self.head(x)


class AlexNet(nn.Module):
    def __init__(self, channels, classes, width, hidden, small):
        super().__init__()
        w = width
        self.small = small
        self.features = nn.ModuleDict({
            "0": nn.Conv2d(channels, w, 3, 1, 1) if small else nn.Conv2d(channels, w, 11, 4, 2),
            "3": nn.Conv2d(w, 3 * w, 3, 1, 1) if small else nn.Conv2d(w, 3 * w, 5, 1, 2),
            "6": nn.Conv2d(3 * w, 6 * w, 3, 1, 1), "8": nn.Conv2d(6 * w, 4 * w, 3, 1, 1),
            "10": nn.Conv2d(4 * w, 4 * w, 3, 1, 1)})
        grid = 3 if small else 6
        self.grid = grid
        self.classifier = nn.ModuleDict({"1": nn.Linear(4 * w * grid * grid, hidden), "4": nn.Linear(hidden, hidden),
                                         "6": nn.Linear(hidden, classes)})

    def forward(self, x, probe):
        for k in ("0", "3", "6", "8", "10"):
            x = F.relu(self.features[k](x))
            probe("features." + k, x)
            if k in ("0", "3", "10"):
                x = F.max_pool2d(x, 2 if self.small else 3, 2)
        x = F.adaptive_avg_pool2d(x, self.grid)
        probe("avgpool", x)
        x = x.flatten(1)
        for k in ("1", "4", "6"):
            x = self.classifier[k](x)
            x = x if k == "6" else F.relu(x)
            probe("classifier." + k, x)
        return x


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x, probe):
        x = F.relu(self.conv1(x))
        probe("conv1", x)
        x = F.relu(self.conv2(F.max_pool2d(x, 2)))
        probe("conv2", x)
        x = F.relu(self.fc1(F.max_pool2d(x, 2).flatten(1)))
        probe("fc1", x)
        x = F.relu(self.fc2(x))
        probe("fc2", x)
        x = self.fc3(x)
        probe("fc3", x)
        return x


def forward(name, net, *shape):
    """The sums of every part's result, with the batch's statistics where there is batch norm."""
    net = net.double().train()
    seed = zlib.crc32(name.encode())
    fill(net, seed)
    parts = {}
    with torch.no_grad():
        net(Data(seed, 0).uniform(*shape), lambda part, y: parts.__setitem__(part, sums(y)))
    return {"name": name, "seed": seed, "parts": parts, "parameters": sum(p.numel() for p in net.parameters())}


def slow(net):
    return torch.optim.SGD(net.parameters(), lr=0.02)


if __name__ == "__main__":
    cases = [
        follow("resnet18", ResNet(Block, (2, 2, 2, 2), 1, 3, 4, True),
               lambda net, d: F.cross_entropy(net(d.uniform(4, 1, 16, 16)), d.labels(3, 4)), rule=slow, steps=20),
        follow("unet", UNet(1, 2, 4, 2, True),
               lambda net, d: F.cross_entropy(net(d.uniform(2, 1, 16, 16)), d.labels(2, 2, 16, 16)), rule=slow,
               steps=20),
        follow("unet plain", UNet(2, 3, 4, 3, False),
               lambda net, d: F.cross_entropy(net(d.uniform(2, 2, 16, 8)), d.labels(3, 2, 16, 8)), rule=slow,
               steps=20),
        forward("forward resnet34", ResNet(Block, (3, 4, 6, 3), 3, 5, 4, False), 4, 3, 64, 64),
        forward("forward resnet50", ResNet(Bottleneck, (3, 4, 6, 3), 3, 5, 4, False), 4, 3, 64, 64),
        forward("forward alexnet", AlexNet(3, 5, 4, 16, False), 2, 3, 95, 95),
        forward("forward alexnet small", AlexNet(1, 5, 4, 16, True), 2, 1, 28, 28),
        forward("forward lenet5", LeNet5(), 2, 1, 28, 28),
    ]
    with open(os.path.join(FIXTURES, "models.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print("models.json:", [(c["name"], c["loss"][0], c["loss"][-1]) for c in cases if "loss" in c])
