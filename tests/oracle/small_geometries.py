"""What PyTorch makes of convolutions and pools on maps of one to five pixels: the sums that
tests/ops/small_geometries.cpp holds. Operands are `fill` of tests/support/kernels.hpp, and results are
added up with the weights 1, 2, ..., 5, 1, ..., so that a misplaced element shows."""

import math
import torch
import torch.nn.functional as F


def fill(*shape):
    return (((7 * torch.arange(math.prod(shape)) + 3) % 11 - 5).double() / 4).reshape(shape)


def digest(x):
    return (x.detach().flatten() * (torch.arange(x.numel()) % 5 + 1)).sum().item()


def row(numbers, y, *operands):
    y.backward(fill(*y.shape))
    sums = ", ".join(f"{digest(v):.15g}" for v in [y, *(x.grad for x in operands)])
    print("    {{%s}, {%s}}," % (", ".join(str(n) for n in numbers), sums))


print("images, in, out, groups; height: in, kernel, stride, dilation, padding; the same of the width")
for c, v, h in [((2, 3, 2, 1), (1, 13, 1, 1, 6), (2, 3, 1, 1, 1)), ((1, 4, 9, 1), (2, 5, 2, 3, 8), (3, 1, 3, 1, 4)),
                ((9, 4, 6, 2), (5, 3, 1, 2, 2), (1, 4, 2, 1, 3)), ((2, 7, 7, 7), (4, 13, 7, 1, 13), (2, 2, 1, 1, 0)),
                ((1, 128, 128, 1), (1, 3, 1, 1, 1), (2, 3, 1, 1, 1)), ((2, 40, 31, 1), (1, 7, 1, 1, 3), (1, 5, 1, 1, 2))]:
    x = fill(c[0], c[1], v[0], h[0]).requires_grad_()
    w = fill(c[2], c[1] // c[3], v[1], h[1]).requires_grad_()
    y = F.conv2d(x, w, None, (v[2], h[2]), (v[4], h[4]), (v[3], h[3]), c[3])
    row([*c, *v, *h], y, x, w)

print("channels, then the same; greatest elements")
pools = [(3, (1, 13, 1, 1, 6), (1, 13, 1, 1, 6)), (2, (2, 9, 2, 1, 4), (5, 3, 1, 2, 1)),
         (5, (3, 7, 1, 1, 3), (1, 3, 2, 1, 1)), (1, (4, 3, 2, 1, 1), (4, 3, 2, 1, 1))]
for c, v, h in pools:
    x = fill(1, c, v[0], h[0]).requires_grad_()
    row([1, c, c, 1, *v, *h],
        F.max_pool2d(x, (v[1], h[1]), (v[2], h[2]), (v[4], h[4]), (v[3], h[3])), x)
print("means")
for c, v, h in pools:
    if v[3] * h[3] > 1:
        continue
    x = fill(1, c, v[0], h[0]).requires_grad_()
    row([1, c, c, 1, *v, *h], F.avg_pool2d(x, (v[1], h[1]), (v[2], h[2]), (v[4], h[4])), x)
