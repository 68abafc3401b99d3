"""The work of benchmarks/train/networks.cpp in PyTorch, with the same arguments:
networks.py cnn|lenet train|infer BATCH THREADS SECONDS"""

import json
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

network, mode, batch, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
torch.set_num_threads(threads)

CNN = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                    nn.Flatten(), nn.Linear(32 * 28 * 28, 64), nn.ReLU(), nn.Linear(64, 10))
LENET = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                      nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                      nn.Linear(84, 10))

net = LENET if network == "lenet" else CNN
images, labels = torch.rand(batch, 1, 28, 28), torch.arange(batch) % 10
optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)


def train():
    optimizer.zero_grad()
    F.cross_entropy(net(images), labels).backward()
    optimizer.step()


def infer():
    with torch.inference_mode():
        net(images)


step = train if mode == "train" else infer
for _ in range(3):
    step()
start, calls = time.perf_counter(), 0
while True:
    step()
    calls += 1
    passed = time.perf_counter() - start
    if passed >= seconds:
        break
print(json.dumps({"images_per_s": round(calls * batch / passed, 1)}))
