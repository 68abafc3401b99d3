"""Every loss of ebb with its options, on small networks that PyTorch trains in double."""

import torch
from torch import nn
import torch.nn.functional as F

from follow import follow, save

cases = []
WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 0.25, 1.5], dtype=torch.float64)
POSITIVE = torch.tensor([0.5, 2.0, 3.0, 1.0, 1.5], dtype=torch.float64)


def classes(name, loss):
    """Class scores of 7 rows."""
    cases.append(follow(name, nn.Linear(6, 5), lambda net, d: loss(net(d.uniform(7, 6)), d.labels(5, 7))))


def segments(name, loss):
    """Class scores of every pixel."""
    cases.append(follow(name, nn.Conv2d(3, 5, 1), lambda net, d: loss(net(d.uniform(2, 3, 4, 3)), d.labels(5, 2, 4, 3))))


def values(name, loss, target=lambda d: d.target(7, 5)):
    cases.append(follow(name, nn.Linear(6, 5), lambda net, d: loss(net(d.uniform(7, 6)), target(d))))


def log_probabilities(loss):
    return lambda y, t: loss(F.log_softmax(y, 1), t)


classes("cross_entropy", F.cross_entropy)
classes("cross_entropy sum", lambda y, t: F.cross_entropy(y, t, reduction="sum") / 7)
classes("cross_entropy weights", lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS))
classes("cross_entropy ignore 2", lambda y, t: F.cross_entropy(y, t, ignore_index=2))
classes("cross_entropy smoothing 0.1", lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1))
classes("cross_entropy weights, ignore 1, smoothing 0.2",
        lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS, ignore_index=1, label_smoothing=0.2))
classes("cross_entropy sum, weights, smoothing 0.2",
        lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS, reduction="sum", label_smoothing=0.2) / 7)
segments("cross_entropy of pixels", F.cross_entropy)
segments("cross_entropy of pixels, weights, ignore 3, smoothing 0.1",
         lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS, ignore_index=3, label_smoothing=0.1))
classes("nll_loss", log_probabilities(F.nll_loss))
classes("nll_loss weights, ignore 0", log_probabilities(lambda y, t: F.nll_loss(y, t, weight=WEIGHTS, ignore_index=0)))
segments("nll_loss of pixels", log_probabilities(F.nll_loss))
values("mse_loss", F.mse_loss)
values("mse_loss sum", lambda y, t: F.mse_loss(y, t, reduction="sum") / 35)
values("l1_loss", F.l1_loss)
values("l1_loss sum", lambda y, t: F.l1_loss(y, t, reduction="sum") / 35)
values("huber_loss", F.huber_loss)
values("huber_loss delta 0.3", lambda y, t: F.huber_loss(y, t, delta=0.3))
values("huber_loss sum", lambda y, t: F.huber_loss(y, t, reduction="sum", delta=0.3) / 35)


def yes_no(d):
    return (d.target(7, 5) > 0).double()


values("bce_with_logits", F.binary_cross_entropy_with_logits, yes_no)
values("bce_with_logits soft targets", F.binary_cross_entropy_with_logits, lambda d: (d.target(7, 5) + 1) / 2)
values("bce_with_logits sum",
       lambda y, t: F.binary_cross_entropy_with_logits(y, t, reduction="sum") / 35, yes_no)
values("bce_with_logits positive weight",
       lambda y, t: F.binary_cross_entropy_with_logits(y, t, pos_weight=POSITIVE), yes_no)

save("losses.json", cases)
