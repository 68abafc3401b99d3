"""The rounding error of Winograd's F(4x4, 3x3) in float32 for several choices of its points 0, +-a,
+-b and infinity, against sums in double: why include/ebb/ops/convolution/conv2d/cpu/winograd_transforms.hpp takes
5/8 and 3/2. Prints the root mean square error of one output, for one channel of standard normal
pixels and weights. Needs numpy."""

import numpy as np

TILES = 4000
random = np.random.default_rng(0)
pixels, weights = random.standard_normal((TILES, 6, 6)), random.standard_normal((TILES, 3, 3))


def direct(pixels, weights):
    y = np.zeros((TILES, 4, 4), pixels.dtype)
    for i in range(3):
        for j in range(3):
            y += pixels[:, i:i + 4, j:j + 4] * weights[:, i:i + 1, j:j + 1]
    return y


def matrices(a, b):
    """A^T, G and B^T: powers of the points, and the polynomials that vanish at all others."""
    points = [0, a, -a, b, -b]
    a_t = np.array([[p**i for p in points] + [float(i == 3)] for i in range(4)])
    g, b_t = [], []
    for p in points:
        others = [q for q in points if q != p]
        g.append(np.array([1, p, p * p]) / np.prod([p - q for q in others]))
        b_t.append(np.append(np.poly(others)[::-1], 0))
    g.append([0, 0, 1])
    b_t.append(np.poly(points)[::-1])
    return a_t, np.array(g), np.array(b_t)


exact = direct(pixels, weights)


def error(y):
    return np.sqrt(np.mean((y - exact)**2))


print(f"direct sum    {error(direct(pixels.astype(np.float32), weights.astype(np.float32))):.2e}")
for a, b in ((1, 2), (1 / 2, 3 / 2), (5 / 8, 3 / 2), (3 / 4, 3 / 2), (5 / 8, 5 / 4)):
    check = matrices(a, b)
    assert np.allclose(check[0] @ ((check[1] @ weights @ check[1].T) * (check[2] @ pixels @ check[2].T)) @ check[0].T, exact)
    a_t, g, b_t = (m.astype(np.float32) for m in check)
    y = a_t @ ((g @ weights.astype(np.float32) @ g.T) * (b_t @ pixels.astype(np.float32) @ b_t.T)) @ a_t.T
    print(f"{a:5} {b:5}   {error(y):.2e}")
