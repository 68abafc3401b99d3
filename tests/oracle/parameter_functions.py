"""Gradients of functions of parameters, for tests/tape/track.cpp: tied weights, weight
normalisation, a masked layer, an L2 term. Prints them.

Made with PyTorch 2.15.0.
"""
import torch

torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=17)


def leaf(*values, shape):
    return torch.tensor(values).reshape(shape).requires_grad_()


def show(name, *tensors):
    for t in tensors:
        print(name, ", ".join(repr(v) for v in t.detach().flatten().tolist()))


x = torch.tensor([0.5, -1.0, 2.0, 1.5, 0.25, -0.75]).reshape(2, 3)
mask = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 1.0]).reshape(2, 3)


def parameters():
    return leaf(0.3, -0.2, 0.5, -0.4, 0.1, 0.6, shape=(2, 3)), leaf(0.7, -1.1, shape=(2,))


w, b = parameters()
h = torch.tanh(torch.nn.functional.linear(x, w, b))
loss = ((torch.nn.functional.linear(h, w.t()) - x) ** 2).mean()
loss.backward()
show("tied", loss, w.grad, b.grad)

w, b = parameters()  # b is the length g
loss = (torch.nn.functional.linear(x, torch._weight_norm(w, b.reshape(2, 1), 0)) ** 2).mean()
loss.backward()
show("weight norm", loss, w.grad, b.grad)

w, b = parameters()
loss = (torch.nn.functional.linear(x, w * mask, b) ** 2).mean()
loss.backward()
show("masked", loss, w.grad, b.grad)

w, b = parameters()
loss = (torch.nn.functional.linear(x, w, b) ** 2).mean() + 0.1 * (w**2).sum() + 0.01 * b.abs().sum()
loss.backward()
show("penalty", loss, w.grad, b.grad)
