"""Losses for segmentation and rare classes, written from their papers in plain PyTorch operations,
on small networks that PyTorch trains in double."""

import torch
from torch import nn
import torch.nn.functional as F

from follow import follow, save

cases = []
WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 0.25, 1.5], dtype=torch.float64)


def segments(name, loss):
    """Class scores of every pixel, and labels; class 4 is rare, so that some samples lack it."""

    def step(net, d):
        labels = d.labels(9, 2, 4, 3)
        return loss(net(d.uniform(2, 3, 4, 3)), torch.where(labels > 4, labels - 5, labels))

    cases.append(follow(name, nn.Conv2d(3, 5, 1), step))


def masks(name, loss):
    """Logits of two channels, and a mask in [0, 1]."""
    cases.append(follow(name, nn.Conv2d(3, 2, 1), lambda net, d: loss(net(d.uniform(2, 3, 4, 3)), (d.target(2, 2, 4, 3) + 1) / 2)))


def sums(p, g, batch):
    """Sums of p g, p and g: (groups, classes)."""
    axes = (0, 2, 3) if batch else (2, 3)
    found = [(p * g).sum(axes), p.sum(axes), g.sum(axes)]
    return [s.unsqueeze(0) if batch else s for s in found]


def of_labels(formula, batch=False, first=0, ignore=-100):
    def loss(x, labels):
        counts = (labels != ignore).unsqueeze(1)
        onehot = F.one_hot(labels.clamp(min=0), x.shape[1]).permute(0, 3, 1, 2).to(x.dtype) * counts
        return formula(*[s[:, first:] for s in sums(torch.softmax(x, 1) * counts, onehot, batch)]).mean()

    return loss


def of_masks(formula, batch=False):
    return lambda x, g: formula(*sums(torch.sigmoid(x), g, batch)).mean()


def dice(smooth=1e-5):
    return lambda both, p, g: 1 - (2 * both + smooth) / (p + g + smooth)


def tversky(alpha=0.3, beta=0.7, smooth=1e-5):
    return lambda both, p, g: 1 - (both + smooth) / (both + alpha * (p - both) + beta * (g - both) + smooth)


def generalised(smooth=1e-5):
    def formula(both, p, g):
        w = 1 / (g * g)
        w = torch.where(torch.isinf(w), torch.where(torch.isinf(w), torch.zeros_like(w), w).max(1, keepdim=True).values, w)
        return 1 - (2 * (w * both).sum(1) + smooth) / ((w * (p + g)).sum(1) + smooth)

    return formula


def generalised_of_masks(batch=False):
    def loss(x, g):
        p = torch.sigmoid(x)
        parts = []
        for c in range(x.shape[1]):
            two = [torch.stack([t[:, c], 1 - t[:, c]], 1) for t in (p, g)]
            parts.append(generalised()(*sums(*two, batch)).mean())
        return sum(parts) / len(parts)

    return loss


def focal(gamma=2, weights=None, ignore=-100, reduction="mean"):
    def loss(x, labels):
        counts = labels != ignore
        of_label = F.log_softmax(x, 1).gather(1, labels.clamp(min=0).unsqueeze(1)).squeeze(1)[counts]
        terms = -((1 - of_label.exp()) ** gamma) * of_label
        if weights is not None:
            terms = terms * weights[labels[counts]]
        return terms.mean() if reduction == "mean" else terms.sum()

    return loss


def binary_focal(gamma=2, alpha=0.25):
    def loss(x, t):
        p = torch.sigmoid(x)
        right = p * t + (1 - p) * (1 - t)
        terms = F.binary_cross_entropy_with_logits(x, t, reduction="none") * (1 - right) ** gamma
        return ((alpha * t + (1 - alpha) * (1 - t)) * terms).mean()

    return loss


def cut(loss):
    """Of a mask cut to 0 and 1."""
    return lambda x, g: loss(x, (g > 0.5).to(x.dtype))


segments("dice_loss", of_labels(dice()))
segments("dice_loss batch, smooth 1", of_labels(dice(1.0), batch=True))
segments("dice_loss without background, ignore 3", of_labels(dice(), first=1, ignore=3))
masks("dice_loss of masks", of_masks(dice()))
masks("dice_loss of masks cut, batch", cut(of_masks(dice(), batch=True)))
segments("tversky_loss", of_labels(tversky()))
segments("tversky_loss 0.2, 1.1, batch, smooth 0.5", of_labels(tversky(0.2, 1.1, 0.5), batch=True))
masks("tversky_loss of masks", of_masks(tversky()))
segments("generalised_dice_loss", of_labels(generalised()))
segments("generalised_dice_loss without background, ignore 3", of_labels(generalised(), first=1, ignore=3))
masks("generalised_dice_loss of masks", generalised_of_masks())
masks("generalised_dice_loss of masks cut, batch", cut(generalised_of_masks(batch=True)))
segments("focal_loss", focal())
segments("focal_loss gamma 0.5, weights, ignore 1", focal(0.5, WEIGHTS, 1))
segments("focal_loss gamma 1, sum", lambda x, t: focal(1, reduction="sum")(x, t) / 24)
segments("focal_loss gamma 0 is cross entropy", F.cross_entropy)
masks("binary_focal_loss", cut(binary_focal()))
masks("binary_focal_loss soft targets, gamma 1.5, alpha 0.6", binary_focal(1.5, 0.6))
segments("weighted_losses", lambda x, t: of_labels(dice())(x, t) + 0.5 * F.cross_entropy(x, t))

save("segmentation_losses.json", cases)
