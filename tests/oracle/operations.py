"""Every operation of ebb that is not a layer with parameters, behind a layer that PyTorch trains in
double."""

import torch
from torch import nn
import torch.nn.functional as F

from cases import Cases
from follow import save

cases = Cases()
layer, rows, pixels = cases.layer, cases.rows, cases.pixels

# activations
for name, op in [("relu", F.relu), ("leaky_relu", F.leaky_relu), ("elu", F.elu), ("gelu", F.gelu),
                 ("silu", F.silu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("softplus", F.softplus)]:
    rows(name, op, (5, 4))
rows("leaky_relu 0.2", lambda y: F.leaky_relu(y, 0.2), (5, 4))
rows("elu 0.5", lambda y: F.elu(y, 0.5), (5, 4))
rows("softmax", lambda y: F.softmax(y, 1), (5, 4))
rows("softmax axis 0", lambda y: F.softmax(y, 0), (5, 4))
rows("log_softmax", lambda y: F.log_softmax(y, 1), (5, 4))
pixels("softmax axis 1 of 4", lambda y: F.softmax(y, 1), (2, 4, 7, 5))
pixels("log_softmax axis 2 of 4", lambda y: F.log_softmax(y, 2), (2, 4, 7, 5))

# elementwise
rows("exp", torch.exp, (5, 4))
rows("log", lambda y: torch.log(torch.square(y) + 1), (5, 4))
rows("sqrt", lambda y: torch.sqrt(torch.square(y) + 0.5), (5, 4))
rows("abs", torch.abs, (5, 4))
rows("pow 3", lambda y: torch.pow(y, 3), (5, 4))
rows("pow of two tensors", lambda y: torch.pow(torch.square(y) + 0.5, torch.sin(y)), (5, 4))
rows("sin", torch.sin, (5, 4))
rows("cos", torch.cos, (5, 4))
rows("neg", lambda y: -y, (5, 4))
rows("clamp", lambda y: torch.clamp(y, -0.4, 0.3), (5, 4))
rows("maximum", lambda y: torch.maximum(y, torch.sin(3 * y)), (5, 4))
rows("minimum", lambda y: torch.minimum(y, torch.sin(3 * y)), (5, 4))
rows("arithmetic", lambda y: (2 * y + 1) / (torch.square(y) + 2) - (y - 3) * (1 - y), (5, 4))
rows("broadcast", lambda y: y * y.mean(0) + y.mean(1, keepdim=True) / (1 + torch.square(y.sum())), (5, 4))

# reductions
rows("sum", lambda y: 0.1 * y.sum(), ())
rows("mean", lambda y: y.mean(), ())
rows("max", lambda y: y.max(), ())
rows("min", lambda y: y.min(), ())
rows("variance", lambda y: y.var(), ())
rows("sum axis", lambda y: 0.2 * y.sum(0), (4,))
rows("mean axis", lambda y: y.mean(1), (5,))
rows("max axis", lambda y: y.max(1).values, (5,))
rows("min axis", lambda y: y.min(0).values, (4,))
rows("variance axis", lambda y: y.var(1), (5,))
pixels("sum axes 0, 2, 3", lambda y: 0.02 * y.sum((0, 2, 3)), (4,))
pixels("mean axes 2, 3 kept", lambda y: y - y.mean((2, 3), keepdim=True), (2, 4, 7, 5))

# products
class Product(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first = nn.Parameter(torch.empty(first))
        self.second = nn.Parameter(torch.empty(second))

    def forward(self, x):
        return self.first @ x @ self.second


layer("matmul", Product((5, 6), (4, 3)), (6, 4), (5, 3))
layer("matmul batched", Product((2, 5, 6), (2, 4, 3)), (2, 6, 4), (2, 5, 3))

# shapes
pixels("reshape", lambda y: y.reshape(2, 4, 35), (2, 4, 35))
pixels("flatten", lambda y: y.flatten(1), (2, 140))
rows("transpose", lambda y: y.t() * 2, (4, 5))
pixels("transpose axes 1, 3", lambda y: y.transpose(1, 3), (2, 5, 7, 4))
pixels("permute", lambda y: y.permute(3, 0, 2, 1), (5, 2, 7, 4))
pixels("concat axis 1", lambda y: torch.cat([y, torch.sin(y), y[:, 1:3]], 1), (2, 10, 7, 5))
rows("concat axis 0", lambda y: torch.cat([y, y * y], 0), (10, 4))
rows("stack axis 1", lambda y: torch.stack([y, y * y, torch.sin(y)], 1), (5, 3, 4))
pixels("slice", lambda y: y[:, :, 2:6, :] * 2, (2, 4, 4, 5))
pixels("slice of slice", lambda y: y[:, 1:4][..., 0:2], (2, 3, 7, 2))
pixels("pad", lambda y: F.pad(y, (1, 2, 3, 0)), (2, 4, 10, 8))
rows("gelu tanh", lambda y: F.gelu(y, approximate="tanh"), (5, 4))
rows("softplus 2", lambda y: F.softplus(y, 2), (5, 4))
rows("pow 2.5", lambda y: 0.2 * torch.pow(torch.square(y) + 0.5, 2.5), (5, 4))
rows("2 to the power", lambda y: torch.pow(2, y), (5, 4))
rows("variance axis, biased", lambda y: y.var(0, unbiased=False), (4,))
pixels("max axes 0, 2", lambda y: y.amax((0, 2)), (4, 5))
layer("matmul of a batch and a matrix", Product((2, 5, 6), (4, 3)), (2, 6, 4), (2, 5, 3))
pixels("pad reflect", lambda y: F.pad(y, (1, 2, 3, 1), mode="reflect"), (2, 4, 11, 8))
pixels("pad replicate", lambda y: F.pad(y, (1, 2, 3, 1), mode="replicate"), (2, 4, 11, 8))
pixels("pad value", lambda y: F.pad(y, (1, 0, 0, 2), value=0.5), (2, 4, 9, 6))

save("operations.json", cases)
