"""The PyTorch side of tests/io/safetensors_torch.cpp: the same small network, its weights through safetensors.

    safetensors_roundtrip.py write FOLDER   saves a network, an input and its output
    safetensors_roundtrip.py read FOLDER    loads what ebb saved and compares outputs and bytes

Needs torch and safetensors (0.8.0 with torch 1.13 when this was written).
"""

import os
import sys

import torch
from safetensors.torch import load_file, save_file


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.fc1 = torch.nn.Linear(4 * 6 * 5, 7, bias=False)
        self.fc2 = torch.nn.Linear(7, 3)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def write(folder):
    torch.manual_seed(1)
    net = Net()
    for _ in range(3):  # running statistics that are not their initial values
        net(torch.randn(8, 1, 6, 5))
    net.eval()
    x = torch.randn(5, 1, 6, 5)
    save_file(net.state_dict(), os.path.join(folder, "torch.safetensors"), {"format": "pt"})
    values = torch.tensor([0.1, -2.5, 65504.0, 1e-7, float("inf")])
    save_file(
        {"x": x, "y": net(x).detach(), "half": values.half(), "brain": values.bfloat16(),
         "half_as_float": values.half().float(), "brain_as_float": values.bfloat16().float(),
         "flags": torch.tensor([True, False]), "small": torch.arange(-3, 3, dtype=torch.int8),
         "short": torch.arange(-3, 3, dtype=torch.int16), "double": torch.rand(2, 3).double()},
        os.path.join(folder, "values.safetensors"))


def read(folder):
    weights = os.path.join(folder, "ebb.safetensors")
    state = load_file(weights)
    net = Net()
    assert list(net.state_dict()) == open(os.path.join(folder, "keys.txt")).read().split(), "keys"
    net.load_state_dict(state, strict=True)
    net.eval()
    values = load_file(os.path.join(folder, "ebb_values.safetensors"))
    difference = (net(values["x"]) - values["y"]).abs().max().item()
    assert difference < 1e-5, f"outputs differ by {difference}"
    for name, tensor in net.state_dict().items():
        assert tensor.dtype == state[name].dtype and tensor.shape == state[name].shape, name
    again = os.path.join(folder, "again.safetensors")
    save_file(state, again, {"format": "pt"})
    assert open(again, "rb").read() == open(weights, "rb").read(), "the bytes of the files differ"
    print("max difference", difference)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](sys.argv[2])
