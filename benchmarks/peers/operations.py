"""The work of benchmarks/ops/operations.cpp in PyTorch, with the same arguments:
operations.py THREADS SECONDS"""

import json
import statistics
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
SECONDS = float(sys.argv[2])
results = {}


def median_ms(call):
    call()
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - before))
    return statistics.median(times)


def measure(name, shape, f):
    x = torch.rand(shape) * 2 - 1
    watched = x.clone().requires_grad_()
    parameters = list(f.parameters()) if isinstance(f, nn.Module) else []
    if isinstance(f, nn.Module):
        f.eval()
    with torch.inference_mode():
        forward = median_ms(lambda: f(x))
        ones = torch.ones(f(x).shape)
    ones = ones.clone()
    if isinstance(f, nn.Module):
        f.train()

    def both():
        f(watched).backward(ones)
        for p in [watched, *parameters]:
            p.grad = None

    results[name] = {"forward": round(forward, 4), "both": round(median_ms(both), 4)}


labels = torch.arange(64) % 10
image = (64, 32, 28, 28)
measure("conv2d 1->16, 3x3", (64, 1, 28, 28), nn.Conv2d(1, 16, 3, padding=1))
measure("conv2d 16->32, 3x3", (64, 16, 28, 28), nn.Conv2d(16, 32, 3, padding=1))
measure("conv2d 32->64, 3x3, stride 2", image, nn.Conv2d(32, 64, 3, stride=2, padding=1))
measure("conv2d depthwise 32, 3x3", image, nn.Conv2d(32, 32, 3, padding=1, groups=32))
measure("conv_transpose2d 32->16, 2x2", (64, 32, 14, 14), nn.ConvTranspose2d(32, 16, 2, stride=2))
measure("linear 25088->64", (64, 25088), nn.Linear(25088, 64))
measure("linear 512->512", (64, 512), nn.Linear(512, 512))
measure("max_pool2d 2", image, lambda x: F.max_pool2d(x, 2))
measure("avg_pool2d 2", image, lambda x: F.avg_pool2d(x, 2))
measure("batch_norm2d 32", image, nn.BatchNorm2d(32))
measure("layer_norm 512", (1024, 512), nn.LayerNorm(512))
measure("relu", image, F.relu)
measure("gelu", image, F.gelu)
measure("tanh", image, torch.tanh)
measure("softmax 1000", (256, 1000), lambda x: F.softmax(x, 1))
measure("cross_entropy 10", (64, 10), lambda x: F.cross_entropy(x, labels))
measure("add", image, lambda x: x + x)
measure("mean axes 2, 3", image, lambda x: x.mean((2, 3)))
measure("upsample bilinear 2", (64, 16, 14, 14), lambda x: F.interpolate(x, (28, 28), mode="bilinear"))
print(json.dumps(results))
