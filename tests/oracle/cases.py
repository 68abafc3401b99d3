"""The small networks that layers.py and operations.py train."""

from torch import nn
import torch.nn.functional as F

from follow import follow


class Pair(nn.Module):
    """A layer in front, so that the gradient of the one behind reaches parameters too."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return self.second(self.first(x))


class Cases(list):
    def layer(self, name, net, x, y):
        """Mean squared error of net(x) against a random target of shape y."""
        self.append(follow(name, net, lambda net, d: F.mse_loss(net(d.uniform(*x)), d.target(*y))))

    def image(self, name, second, y, x=(2, 3, 7, 5)):
        """An image layer behind a 1x1 convolution from 3 to 4 channels."""
        self.layer(name, Pair(nn.Conv2d(3, 4, 1), second), x, y)

    def rows(self, name, op, y):
        """An operation on the (5, 4) result of a linear layer."""
        self.append(follow(name, nn.Linear(6, 4), lambda net, d: F.mse_loss(op(net(d.uniform(5, 6))), d.target(*y))))

    def pixels(self, name, op, y):
        """An operation on the (2, 4, 7, 5) result of a 1x1 convolution."""
        self.append(follow(name, nn.Conv2d(3, 4, 1),
                           lambda net, d: F.mse_loss(op(net(d.uniform(2, 3, 7, 5))), d.target(*y))))
