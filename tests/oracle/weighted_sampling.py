"""How often PyTorch's WeightedRandomSampler draws what, beside the formulas, and what it refuses.

For tests/data/load/sampling.cpp, which holds ebb's sampling to the same formulas. Prints only.
"""

import itertools

import torch
from torch.utils.data import WeightedRandomSampler

torch.manual_seed(1)
draws = 60000
weights = [1, 0, 3, 0.5, 5.5, 0]
drawn = torch.tensor(list(WeightedRandomSampler(weights, draws)))
print("with replacement: share, and weight over the sum of weights")
for i, w in enumerate(weights):
    print(f"  {i}: {(drawn == i).double().mean():.4f} {w / sum(weights):.4f}")

weights, epochs = [1, 2, 0, 5], 20000
total = sum(weights)
pairs = {}
for _ in range(epochs):
    pair = tuple(WeightedRandomSampler(weights, 2, replacement=False))
    pairs[pair] = pairs.get(pair, 0) + 1 / epochs
print("without replacement: share of each pair, and w_i / W * w_j / (W - w_i)")
for i, j in itertools.permutations(range(4), 2):
    print(f"  {i}, {j}: {pairs.get((i, j), 0):.4f} {weights[i] / total * weights[j] / (total - weights[i]):.4f}")

print("refused:")
for weights, count, replacement in (
    ([1, 0, 3, 4], 4, False),
    ([1, -2, 3, 4], 4, True),
    ([0, 0, 0, 0], 4, True),
    ([1, float("nan"), 3, 4], 4, True),
    ([1, 2, 3, 4], -1, True),
):
    try:
        list(WeightedRandomSampler(weights, count, replacement))
        print(f"  {weights} {count} {replacement}: not refused")
    except (RuntimeError, ValueError) as error:
        print(f"  {weights} {count} {replacement}: {str(error).splitlines()[0]}")
