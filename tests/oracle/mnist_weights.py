"""The PyTorch side of tests/parity/mnist_weights.cpp: the tutorial's CNN on MNIST's test images.

    mnist_weights.py predict MNIST WEIGHTS OUT   classifies the test images with saved weights
    mnist_weights.py train MNIST WEIGHTS OUT     trains a little first, and saves the weights

MNIST is a folder with the four IDX files, gzipped; OUT receives the predicted classes. Needs torch,
numpy and safetensors.
"""

import gzip
import os
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file


def images(folder, name):
    with gzip.open(os.path.join(folder, name + "-images-idx3-ubyte.gz")) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return (torch.from_numpy(pixels.copy()).float() / 255 - 0.1307) / 0.3081


def labels(folder, name):
    with gzip.open(os.path.join(folder, name + "-labels-idx1-ubyte.gz")) as file:
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=8).copy()).long()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = torch.nn.Linear(32 * 28 * 28, 64)
        self.fc2 = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def train(net, folder):
    x, y = images(folder, "train"), labels(folder, "train")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for step in range(40):
        batch = slice(64 * step, 64 * step + 64)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()


def main(what, folder, weights, out):
    torch.manual_seed(1)
    net = Net()
    if what == "train":
        train(net, folder)
        save_file(net.state_dict(), weights)
    else:
        net.load_state_dict(load_file(weights), strict=True)
    with torch.no_grad():
        classes = torch.cat([net(x).argmax(1) for x in images(folder, "t10k").split(500)])
    save_file({"classes": classes.int()}, out)


main(*sys.argv[1:])
