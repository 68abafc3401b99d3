"""The work of benchmarks/train/networks.cpp in PyTorch, with the same arguments, and one more:

networks.py cnn|lenet|resnet18|unet train|infer BATCH THREADS SECONDS [SETTING,...]
networks.py cnn|lenet|resnet18|unet check WEIGHTS     writes random weights, and says the loss

Settings: channels_last; frozen (for inference: TorchScript, frozen and optimised for inference)."""

import json
import struct
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * 28 * 28, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False),
                                            nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(y + self.downsample(x), inplace=True)


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        stage = lambda inputs, outputs, stride: nn.Sequential(BasicBlock(inputs, outputs, stride),
                                                              BasicBlock(outputs, outputs, 1))
        self.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1, self.layer2 = stage(64, 64, 1), stage(64, 128, 2)
        self.layer3, self.layer4 = stage(128, 256, 2), stage(256, 512, 2)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class DoubleConv(nn.Module):
    def __init__(self, inputs, outputs, batch_norm):
        super().__init__()
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not batch_norm)
        self.bn1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=not batch_norm)
        self.bn2 = norm(outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(x)), inplace=True)


class UNet(nn.Module):
    """ebb's models::UNet for images of one channel and two classes, with its names of weights."""

    def __init__(self, base=16, depth=3, batch_norm=False):
        super().__init__()
        widths = [base << k for k in range(depth)]
        self.down = nn.ModuleList([DoubleConv(n // 2 if k else 1, n, batch_norm) for k, n in enumerate(widths)])
        self.bottom = DoubleConv(widths[-1], 2 * widths[-1], batch_norm)
        self.rise = nn.ModuleList([nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in widths])
        self.up = nn.ModuleList([DoubleConv(2 * n, n, batch_norm) for n in widths])
        self.head = nn.Conv2d(base, 2, 1)

    def forward(self, x):
        kept = []
        for k, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if k else x)
            kept.append(x)
        x = self.bottom(F.max_pool2d(x, 2))
        for k in reversed(range(len(kept))):
            x = self.up[k](torch.cat([kept[k], self.rise[k](x)], 1))
        return self.head(x)


NETWORKS = {"cnn": Cnn, "lenet": LeNet5, "resnet18": ResNet18, "unet": UNet}


def work(network, batch):
    """Images and labels that are pure functions of their positions, the same in ebb."""
    size, shape, classes = (256, (batch, 256, 256), 2) if network == "unet" else (28, (batch,), 10)
    count = batch * size * size
    images = ((torch.arange(count) * 7919 % 1009).float() / 1009).reshape(batch, 1, size, size)
    numbers = torch.arange(count if network == "unet" else batch)
    return images, (numbers * 31 % classes).reshape(shape)


def save(net, path):
    """Writes the weights as safetensors: a length, a header in JSON, and the numbers."""
    header, data = {}, b""
    for name, tensor in net.state_dict().items():
        raw = tensor.contiguous().numpy().tobytes()
        kind = "I64" if tensor.dtype == torch.int64 else "F32"
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def peak_memory():
    """The most memory this process ever had, in MiB."""
    with open("/proc/self/status") as f:
        return next(float(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def rate(seconds, step):
    for _ in range(2):
        step()
    start, calls = time.perf_counter(), 0
    while True:
        step()
        calls += 1
        passed = time.perf_counter() - start
        if passed >= seconds:
            return calls / passed


def main():
    network, mode = sys.argv[1:3]
    if mode == "check":
        net = NETWORKS[network]()
        save(net, sys.argv[3])
        images, labels = work(network, 4)
        loss = F.cross_entropy(net(images), labels).item()
        print(json.dumps({"loss": loss, "parameters": sum(p.numel() for p in net.parameters())}))
        return

    batch, threads, seconds = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    settings = sys.argv[6].split(",") if len(sys.argv) > 6 else []
    torch.set_num_threads(threads)
    net = NETWORKS[network]()
    images, labels = work(network, batch)
    if "channels_last" in settings:
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)

    if mode == "train":
        optimizer = torch.optim.SGD(net.parameters(), 0.01)

        def step():
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(net(images), labels).backward()
            optimizer.step()
    else:
        net.eval()
        if "frozen" in settings:
            with torch.no_grad():
                net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, images)))

        def step():
            with torch.inference_mode():
                net(images)

    calls = rate(seconds, step)
    print(json.dumps({"images_per_s": round(calls * batch, 2), "peak_mib": round(peak_memory(), 1)}))


if __name__ == "__main__":
    main()
