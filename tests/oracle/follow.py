"""Follows a network through training and notes its loss at every step.

A case has a name, whose CRC-32 is its seed. Parameter number k starts at stream PARAMETERS + k;
what step s feeds the network comes from the streams 16 * (s + 1) + k. The C++ side
(tests/parity/follow.hpp) makes the same numbers and must see the same losses.
"""

import copy
import json
import os
import zlib

import numpy as np
import torch

import ebb_random

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)  # NAdam keeps a product of momenta in the default type
STEPS = 50
PARAMETERS = 1_000_000
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")


class Data:
    """What one step feeds the network."""

    def __init__(self, seed, step):
        self.seed, self.step = seed, step

    def stream(self, k):
        return 16 * (self.step + 1) + k

    def uniform(self, *shape, k=0):
        """Uniform in [-1, 1)."""
        return torch.from_numpy(np.asarray(2 * ebb_random.uniform(self.seed, self.stream(k), shape) - 1))

    def target(self, *shape):
        return self.uniform(*shape, k=1)

    def labels(self, n, *shape):
        return torch.from_numpy(ebb_random.below(self.seed, self.stream(2), n, shape))


def fill(net, seed):
    """Starting values: rank 1 uniform in [-0.5, 0.5), others in +-1 / sqrt(elements per output)."""
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            u = 2 * ebb_random.uniform(seed, PARAMETERS + k, tuple(p.shape)) - 1
            bound = 0.5 if p.dim() < 2 else 1 / np.sqrt(float(p.numel() // p.shape[0]))
            p.copy_(torch.from_numpy(u * bound))


def sums(t):
    t = t.detach().double()
    return {"sum": float(t.sum()), "squares": float((t * t).sum())}


def trained(net, seed, loss_of, rule, steps, before_step, nudge):
    """The loss at every step, and the sums of each gradient of the first."""
    fill(net, seed)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1 + nudge)
    optimizer = rule(net) if rule else torch.optim.SGD(net.parameters(), lr=0.2)
    losses, first = [], {}
    net.train()
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(net, Data(seed, step))
        loss.backward()
        if step == 0:
            first = {n: sums(p.grad) for n, p in net.named_parameters()}
        if before_step:
            before_step(net)
        optimizer.step()
        losses.append(float(loss.detach()))
    return np.array(losses), first


def follow(name, net, loss_of, rule=None, steps=STEPS, before_step=None):
    """Trains `net` for `steps` steps of `rule` on `loss_of(net, data)`; returns the record.

    The case is trained twice, the second time from weights that differ in the last digits: where
    that alone moved a loss by 1e-10, agreement to 1e-9 would be luck, and the case is refused.
    """
    net = net.double()
    seed = zlib.crc32(name.encode())
    nudged, _ = trained(copy.deepcopy(net), seed, loss_of, rule, steps, before_step, 1e-15)
    losses, first = trained(net, seed, loss_of, rule, steps, before_step, 0)
    assert np.all(np.isfinite(losses)) and 1e-9 < losses.min() and losses.max() < 10 * losses[0], name
    assert np.abs(nudged / losses - 1).max() < 1e-10, f"{name} is chaotic"
    assert any(g["squares"] > 0 for g in first.values()), name
    net.eval()
    with torch.no_grad():
        eval_loss = float(loss_of(net, Data(seed, steps)))
    state = {n: dict(sums(t), shape=list(t.shape)) for n, t in net.state_dict().items()
             if not n.endswith("num_batches_tracked")}
    return {"name": name, "seed": seed, "loss": losses.tolist(), "eval_loss": eval_loss,
            "first_gradient": first, "state": state}


def save(filename, cases):
    names = [c["name"] for c in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    with open(os.path.join(FIXTURES, filename), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(f"{filename}: {len(cases)} cases; last / first loss from "
          f"{min(c['loss'][-1] / c['loss'][0] for c in cases if 'loss' in c):.3f} to "
          f"{max(c['loss'][-1] / c['loss'][0] for c in cases if 'loss' in c):.3f}")
