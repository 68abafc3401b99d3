"""Every update rule of ebb with its options, on one small network that PyTorch trains in double;
then schedules, whose rates are noted, and clipping."""

import torch
from torch import nn, optim
import torch.nn.functional as F

from follow import follow, save, Data, fill, sums

cases = []


def network():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))


def loss_of(net, d):
    """Fresh rows at every step; the class is where the first three entries are largest, so that
    there is something to learn."""
    x = d.uniform(10, 6)
    return F.cross_entropy(net(x), x[:, :3].argmax(1))


def rule(name, make, **hooks):
    cases.append(follow(name, network(), loss_of, lambda net: make(net.parameters()), **hooks))


class Lion(optim.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(b1 * m + (1 - b1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                self.state[p]["m"] = b2 * m + (1 - b2) * p.grad


rule("gd", lambda p: optim.SGD(p, 0.5))
rule("sgd", lambda p: optim.SGD(p, 0.5))
rule("sgd momentum", lambda p: optim.SGD(p, 0.1, momentum=0.9))
rule("sgd dampening", lambda p: optim.SGD(p, 0.3, momentum=0.9, dampening=0.5))
rule("sgd nesterov", lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True))
rule("sgd weight decay", lambda p: optim.SGD(p, 0.3, weight_decay=0.05))
rule("sgd momentum, nesterov, weight decay",
     lambda p: optim.SGD(p, 0.1, momentum=0.8, nesterov=True, weight_decay=0.02))
rule("adagrad", lambda p: optim.Adagrad(p, 0.2))
rule("adagrad decay", lambda p: optim.Adagrad(p, 0.2, lr_decay=0.05, weight_decay=0.02, initial_accumulator_value=0.1))
rule("rmsprop", lambda p: optim.RMSprop(p, 0.01))
rule("rmsprop centered, momentum, weight decay",
     lambda p: optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-6, centered=True, momentum=0.5, weight_decay=0.02))
rule("rmsprop momentum", lambda p: optim.RMSprop(p, 0.005, momentum=0.9))
rule("adadelta", lambda p: optim.Adadelta(p, 1.0))
rule("adadelta rho 0.8, weight decay", lambda p: optim.Adadelta(p, 2.0, rho=0.8, eps=1e-4, weight_decay=0.02))
rule("adam", lambda p: optim.Adam(p, 0.02))
rule("adam betas, weight decay", lambda p: optim.Adam(p, 0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05))
rule("adam amsgrad", lambda p: optim.Adam(p, 0.02, betas=(0.9, 0.9), amsgrad=True))
rule("adamw", lambda p: optim.AdamW(p, 0.02))
rule("adamw amsgrad, weight decay 0.3", lambda p: optim.AdamW(p, 0.02, weight_decay=0.3, betas=(0.9, 0.9), amsgrad=True))
# foreach: the other implementation of PyTorch 1.13 multiplies the product of the momenta by mu(t)
# twice, against its own documentation and later versions.
rule("nadam", lambda p: optim.NAdam(p, 0.02, foreach=True))
rule("nadam weight decay", lambda p: optim.NAdam(p, 0.02, weight_decay=0.05, momentum_decay=0.01, foreach=True))
rule("lion", lambda p: Lion(p, 0.01))
rule("lion weight decay", lambda p: Lion(p, 0.01, betas=(0.8, 0.95), weight_decay=0.5))

rule("clip by norm", lambda p: optim.SGD(p, 0.5, momentum=0.5),
     before_step=lambda net: nn.utils.clip_grad_norm_(net.parameters(), 0.2))
rule("clip by norm 1", lambda p: optim.SGD(p, 0.5, momentum=0.5),
     before_step=lambda net: nn.utils.clip_grad_norm_(net.parameters(), 0.5, norm_type=1))
rule("clip by value", lambda p: optim.SGD(p, 0.5, momentum=0.5),
     before_step=lambda net: nn.utils.clip_grad_value_(net.parameters(), 0.02))


def groups(net):
    """Two parameter groups: the second layer learns slower and has no weight decay."""
    return optim.SGD([{"params": net[0].parameters(), "weight_decay": 0.05},
                      {"params": net[2].parameters(), "lr": 0.1}], lr=0.3, momentum=0.5)


cases.append(follow("parameter groups", network(), loss_of, groups))


def accumulation():
    """Two backward passes before each step."""
    return follow("accumulation", network(), lambda net, d: accumulated(net, d), lambda net: optim.SGD(net.parameters(), 0.2))


def accumulated(net, d):
    x, y = d.uniform(10, 6), d.uniform(10, 6, k=1)
    first = F.cross_entropy(net(x), x[:, :3].argmax(1))
    second = F.cross_entropy(net(y), y[:, :3].argmax(1))
    return first + second


cases.append(accumulation())
save("rules.json", cases)

# Schedules: the rate at each of 60 steps, from 0.1.
STEPS = 60


def rates(name, make, tell=None):
    p = torch.zeros(1, requires_grad=True)
    p.grad = torch.zeros(1)
    optimizer = optim.SGD([p], 0.1)
    schedule = make(optimizer)
    seen = []
    for step in range(STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(tell(step)) if tell else schedule.step()
    return {"name": name, "lr": seen}


s = optim.lr_scheduler
PLATEAU = [1.0, 0.9, 0.8, 0.8, 0.8, 0.81, 0.8, 0.79, 0.79, 0.79, 0.795, 0.79, 0.79, 0.5, 0.5, 0.51, 0.52]
schedules = [
    rates("step", lambda o: s.StepLR(o, 7, gamma=0.5)),
    rates("multi-step", lambda o: s.MultiStepLR(o, [5, 12, 40], gamma=0.3)),
    rates("exponential", lambda o: s.ExponentialLR(o, 0.93)),
    rates("cosine", lambda o: s.CosineAnnealingLR(o, STEPS, eta_min=0.001)),
    rates("cosine with warm restarts", lambda o: s.CosineAnnealingWarmRestarts(o, 8, T_mult=2, eta_min=0.001)),
    rates("cosine with warm restarts, constant", lambda o: s.CosineAnnealingWarmRestarts(o, 15)),
    rates("one-cycle", lambda o: s.OneCycleLR(o, 0.1, total_steps=STEPS + 1, cycle_momentum=False)),
    rates("one-cycle linear", lambda o: s.OneCycleLR(o, 0.5, total_steps=STEPS + 1, pct_start=0.25, anneal_strategy="linear",
                                                     div_factor=10, final_div_factor=100, cycle_momentum=False)),
    rates("warm-up", lambda o: s.LinearLR(o, start_factor=0.1, total_iters=10)),
    dict(rates("plateau", lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=2),
               lambda step: PLATEAU[step % len(PLATEAU)]), values=PLATEAU),
]
import json, os
from follow import FIXTURES
with open(os.path.join(FIXTURES, "schedules.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in schedules) + "\n]\n")
print(f"schedules.json: {len(schedules)} cases")
