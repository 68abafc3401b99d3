"""Families of random cases. Each is a function of a generator of random numbers that gives a `Case`.
Tolerances are in units of the last place; each says why where it is more than rounding asks for."""

import numpy as np
import torch
import torch.nn.functional as F

from protocol import NUMPY, Case

SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, 1e4, -1e4, 87, -87, 89, -89, 104, -104, 1e-7, -1e-7, 1e-38,
           -1e-38, 1e-44, 1e20, -1e20, 3e38, np.inf, -np.inf, np.nan, 20, -20, 10, -10, 13, -13]


def pick(rng, *of):
    return of[int(rng.integers(len(of)))]


def within(rng, low, high):
    return int(rng.integers(low, high + 1))


def some(rng, most):
    """A batch of so many at most, and now and then of none."""
    return within(rng, 1, most) if within(rng, 0, 9) else 0


def pair(a, b):
    return f"{a},{b}"


def normal(rng, shape, T, scale=1.0):
    return np.asarray(rng.standard_normal(shape) * scale, NUMPY[T])


def spoil(rng, x, share=0.2):
    """Some elements become nan, infinite, or numbers at which formulas change."""
    x = np.array(x)
    for i in np.flatnonzero(rng.uniform(size=x.size) < share):
        x.flat[i] = pick(rng, *SPECIAL)
    return x


def common(rng):
    return {"T": pick(rng, "f", "d"), "isa": pick(rng, "portable", "avx2", "avx512"), "twice": within(rng, 0, 1),
            "threads": pick(rng, 0, 0, 1)}


def unary(rng):
    o = common(rng)
    T, a, b = o["T"], float(pick(rng, 0.01, 0.5, 1, 2, 3)), float(pick(rng, 5, 20))
    c = float(pick(rng, 2, 3, 0.5, -1, 0, 1, -2))
    number = lambda x: torch.tensor(c, dtype=x.dtype)
    functions = {
        "relu": (F.relu, {}), "relu6": (F.relu6, {}), "hard_swish": (F.hardswish, {}), "leaky_relu": (lambda x: F.leaky_relu(x, a), {"a": a}), "elu": (lambda x: F.elu(x, a), {"a": a}),
        "gelu": (F.gelu, {}), "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), {}), "silu": (F.silu, {}),
        "sigmoid": (torch.sigmoid, {}), "tanh": (torch.tanh, {}), "softplus": (lambda x: F.softplus(x, a, b), {"a": a, "b": b}),
        "exp": (torch.exp, {}), "log": (torch.log, {}), "sqrt": (torch.sqrt, {}), "square": (torch.square, {}),
        "abs": (torch.abs, {}), "sin": (torch.sin, {}), "cos": (torch.cos, {}),
        "clamp": (lambda x: torch.clamp(x, -a, b), {"a": -a, "b": b}), "pow_to": (lambda x: torch.pow(x, c), {"a": c}),
        "pow_of": (lambda x: torch.pow(number(x), x), {"a": c}), "add": (lambda x: x + c, {"a": c}),
        "sub": (lambda x: c - x, {"a": c}), "mul": (lambda x: x * c, {"a": c}), "div": (lambda x: c / x, {"a": c}),
        "maximum": (lambda x: torch.maximum(x, number(x)), {"a": c}), "minimum": (lambda x: torch.minimum(x, number(x)), {"a": c}),
    }
    name = pick(rng, *functions)
    f, more = functions[name]
    x = normal(rng, (within(rng, 1, 60),), T, pick(rng, 1, 1, 10))
    if within(rng, 0, 1):
        x = spoil(rng, x, 0.5)
    if name in ("relu6", "hard_swish"):  # whose slope at nan is 1 in PyTorch's plain loop, and not in its vector loop
        x[np.isnan(x)] = 1
    if name == "pow_to":
        # PyTorch has powers of these by square roots and quotients, which differ from pow's.
        x[np.isneginf(x) | (x == 0)] = 0
    mask = None
    if name == "clamp":  # PyTorch 1.13 and ebb pass the gradient at the ends, 2.15 does not
        mask = (x == NUMPY[T](-a)) | (x == NUMPY[T](b))
    if name == "elu":  # of nan PyTorch's vectors and the rest behind them differ
        mask = np.isnan(x)
    # Slopes that are differences, or computed from the result, are right to the digits of their
    # terms; so is PyTorch's gelu in its tail, where ours keeps its digits.
    floor = {"gelu": 3, "gelu_tanh": 3, "silu": 1.2, "hard_swish": 1, "sigmoid": 1, "tanh": 1, "sin": 1, "cos": 1}.get(name, 0)
    # In double PyTorch's gelu takes its tail from one; in float ours is compared with that double.
    size = float(np.abs(x[np.isfinite(x)]).max()) if np.isfinite(x).any() else 1.0
    least = size * (1 if T == "d" else 2.0**-28) if name in ("gelu", "gelu_tanh") else 0.0
    # Softplus is e^(a x) where that is small, and half a unit of a x is so many of it (beyond 100 it is no number of float).
    units = 16 + (min(a * size, 100) if name == "softplus" else 0)
    return Case({"op": "unary", "f": name, **more, **o}, [x], f, units, "each", special=True, mask=mask, least=least, floor=floor)


def binary(rng):
    o = common(rng)
    functions = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
                 "maximum": torch.maximum, "minimum": torch.minimum}
    name, T = pick(rng, *functions), o["T"]
    n, m, k = within(rng, 1, 4), within(rng, 1, 9), within(rng, 1, 20)
    a, b = pick(rng, ((m, k), (m, k)), ((m, k), (1, k)), ((m, 1), (1, k)), ((k,), (n, m, k)), ((n, m, k), ()))
    if T == "f" and (len(a) != 2 or len(b) != 2):
        a, b = (m, k), (m, k)
    x, y = normal(rng, a, T), normal(rng, b, T)
    if name == "pow":
        x = np.asarray(np.abs(x) + 0.1, NUMPY[T])
    if within(rng, 0, 1):
        x, y = np.asarray(np.round(x), NUMPY[T]), np.asarray(np.round(y), NUMPY[T])
    if within(rng, 0, 2) == 0:
        x, y = spoil(rng, x, 0.1), spoil(rng, y, 0.1)
    # The gradient of an operand that is repeated is a sum, which may cancel.
    return Case({"op": "binary", "f": name, **o}, [x, y], functions[name], 200, special=True, floor=1)


def reduction(rng):
    o = common(rng)
    name, over, axis = pick(rng, "sum", "mean", "max", "min", "variance", "argmax"), pick(rng, "all", "one", "two"), within(rng, 0, 2)
    axes = {"all": [0, 1, 2], "one": [axis], "two": [axis, (axis + 1) % 3]}[over]
    # ebb refuses the unbiased variance of one element, which is nan in PyTorch. Extrema of no elements
    # both refuse.
    fewest = 2 if name == "variance" else 1
    x = normal(rng, (within(rng, fewest, 6), within(rng, fewest, 40), within(rng, fewest, 6)), o["T"])
    if within(rng, 0, 9) == 0:
        x = x.take([], within(rng, 0, 2))
    if within(rng, 0, 1):
        x = np.asarray(np.round(x), NUMPY[o["T"]])
    if within(rng, 0, 2) == 0 and x.size:
        x = spoil(rng, x, 1 / x.size)
    if name == "variance":  # whose squares PyTorch sums in double, beyond the range of float
        x[np.isfinite(x) & (np.abs(x) > 1e15)] = 1
    functions = {"sum": lambda x: torch.sum(x, axes), "mean": lambda x: torch.mean(x, axes), "max": lambda x: torch.amax(x, axes),
                 "min": lambda x: torch.amin(x, axes), "variance": lambda x: torch.var(x, axes)}
    options = {"op": "reduction", "f": name, "axes": over, "axis": axis, **o}
    if name == "argmax":
        return Case(options, [x], lambda x: torch.argmax(x, axis).int(), 0, plain=True)
    # The variance of equal numbers is what rounding leaves, and a sum may cancel.
    scale = "sums" if name in ("sum", "mean") else "largest"
    return Case(options, [x], functions[name], 200, scale=scale, special=True, least=1, floor=1)


def softmax(rng):
    o = common(rng)
    name, axis = pick(rng, "softmax", "log_softmax"), within(rng, 0, 2)
    x = normal(rng, (some(rng, 5), within(rng, 1, 70), within(rng, 1, 9)), o["T"], pick(rng, 1, 30))
    if within(rng, 0, 2) == 0 and x.size:
        x = spoil(rng, x, 1 / x.size)
    f = F.softmax if name == "softmax" else F.log_softmax
    return Case({"op": "softmax", "f": name, "axis": axis, **o}, [x], lambda x: f(x, axis), 100, special=True, least=1, floor=1)


def product(rng):
    o = common(rng)
    T, m, k, n = o["T"], within(rng, 0, 20), within(rng, 1, 60), within(rng, 1, 40)
    if within(rng, 0, 1):
        return Case({"op": "product", "f": "matmul", **o}, [normal(rng, (m, k), T), normal(rng, (k, n), T)], torch.matmul, 60, "sums")
    x = [normal(rng, (m, k), T), normal(rng, (n, k), T), normal(rng, (n,), T)]
    return Case({"op": "product", "f": "linear", **o}, x, F.linear, 60, "sums")


def conv(rng):
    """Small maps, kernels beyond them, any padding, groups, an empty batch."""
    o = common(rng)
    T, g = o["T"], pick(rng, 1, 1, 1, 2, 3)
    n, c, k = pick(rng, 0, 1, 2, 9), g * within(rng, 1, 9), g * within(rng, 1, 9)
    big = within(rng, 0, 3) == 0
    h, w = within(rng, 1, 18 if big else 5), within(rng, 1, 40 if big else 5)
    kh, kw = pick(rng, 1, 3, within(rng, 1, 7)), pick(rng, 1, 3, within(rng, 1, 7))
    s, p, d = [[within(rng, low, high) for _ in range(2)] for low, high in ((1, 2), (0, 4), (1, 2))]
    if within(rng, 0, 2) == 0:
        kh, kw, s, d, p = 3, 3, [1, 1], [1, 1], [within(rng, 0, 1)] * 2
    options = {"op": "conv", "stride": pair(*s), "padding": pair(*p), "dilation": pair(*d), "groups": g, **o}
    x, b = normal(rng, (n, c, h, w), T), lambda k: normal(rng, (k,), T)
    # Winograd's transforms grow the rounding of 3 x 3 kernels (docs/math/winograd.md).
    units, scale = (3000, "largest") if T == "f" and (kh, kw) == (3, 3) else (60, "sums")
    if within(rng, 0, 1):
        f = lambda x, w, b: F.conv2d(x, w, b, s, p, d, g)
        return Case({"f": "conv2d", **options}, [x, normal(rng, (k, c // g, kh, kw), T), b(k)], f, units, scale)
    more = [within(rng, 0, max(s[i], d[i]) - 1) for i in range(2)]

    def f(x, w, b):
        if n == 0:  # PyTorch refuses padding that leaves nothing only where there are images
            F.conv_transpose2d(x.new_zeros(1, *x.shape[1:]), w, b, s, p, more, g, d)
        return F.conv_transpose2d(x, w, b, s, p, more, g, d)

    return Case({"f": "conv_transpose2d", "more": pair(*more), **options}, [x, normal(rng, (c, k // g, kh, kw), T), b(k)], f, units, scale)


def pool(rng):
    """Small maps with windows beyond them, ties, nan."""
    o = common(rng)
    T, kind = o["T"], pick(rng, "max", "max", "avg", "adaptive")
    x = normal(rng, (pick(rng, 0, 1, 3), within(rng, 1, 5), within(rng, 1, 9), within(rng, 1, 20)), T)
    if within(rng, 0, 1):
        x = np.asarray(np.round(x), NUMPY[T])
    if within(rng, 0, 2) == 0 and x.size:
        x = spoil(rng, x, 2 / x.size)
    if kind == "adaptive":
        size = [within(rng, 1, 6), within(rng, 1, 6)]
        return Case({"op": "pool", "f": kind, "size": pair(*size), **o}, [x], lambda x: F.adaptive_avg_pool2d(x, size), 60, "sums", special=True)
    k, s = [within(rng, 1, 9) for _ in range(2)], [within(rng, 1, 3) for _ in range(2)]
    p, d = [within(rng, 0, n // 2) for n in k], [pick(rng, 1, 1, 2) if kind == "max" else 1 for _ in range(2)]
    ceil, inside = within(rng, 0, 1), within(rng, 0, 1)
    for axis in range(2):  # PyTorch writes out of bounds where a window holds padding alone
        n, reach = x.shape[2 + axis], d[axis] * (k[axis] - 1) + 1
        starts = range(-p[axis], n + p[axis] - (reach - 1 if not ceil else 0), s[axis])
        if kind == "max" and not all(any(0 <= at + t * d[axis] < n for t in range(k[axis])) for at in starts):
            d[axis], ceil, k[axis], p[axis] = 1, 0, min(k[axis], n), 0
    options = {"op": "pool", "f": kind, "kernel": pair(*k), "stride": pair(*s), "padding": pair(*p), "dilation": pair(*d), "ceil": ceil, "inside": inside, **o}
    if kind == "max":
        return Case(options, [x], lambda x: F.max_pool2d(x, k, s, p, d, bool(ceil)), 60, special=True)
    return Case(options, [x], lambda x: F.avg_pool2d(x, k, s, p, bool(ceil), not inside), 60, "sums", special=True)


def resize(rng):
    o = common(rng)
    size = [within(rng, 1, 20), within(rng, 1, 20)]
    x = normal(rng, (some(rng, 3), within(rng, 1, 4), within(rng, 1, 9), within(rng, 1, 9)), o["T"])
    kind, align = pick(rng, "nearest", "bilinear"), within(rng, 0, 1)
    more = {} if kind == "nearest" else {"align_corners": bool(align)}
    return Case({"op": "resize", "f": kind, "size": pair(*size), "align": align, **o}, [x],
                lambda x: F.interpolate(x, size=size, mode=kind, **more), 200)


def norm(rng):
    o = common(rng)
    T, kind, g = o["T"], pick(rng, "batch", "batch", "group", "layer"), within(rng, 1, 4)
    c = g * within(rng, 1, 5)
    count = pick(rng, 2, 3, 4, 5) if within(rng, 0, 9) else 0
    x = normal(rng, (count, c, within(rng, 2, 6), within(rng, 2, 7)), T, pick(rng, 1, 1, 50)) + NUMPY[T](pick(rng, 0, 0, 3))
    n = x.shape[3] if kind == "layer" else c
    w, b, more, state = normal(rng, (n,), T), normal(rng, (n,), T), [], []
    options = {"op": "norm", "f": kind, "groups": g, **o}
    if kind == "batch":
        training, momentum = within(rng, 0, 1), float(pick(rng, 0.1, 1))
        mean, variance = normal(rng, (c,), T), np.asarray(rng.uniform(0.5, 2, c), NUMPY[T])
        options.update(training=training, momentum=momentum)
        more = [mean, variance]

        def f(x, w, b):
            state[:] = [torch.from_numpy(v.copy()).to(x.dtype) for v in more]
            return F.batch_norm(x, *state, w, b, bool(training), momentum)

    elif kind == "group":
        f = lambda x, w, b: F.group_norm(x, g, w, b)
    else:
        f = lambda x, w, b: F.layer_norm(x, (n,), w, b)
    # The gradient is a difference of sums over a group, of which little may be left. Means are rounded to
    # T, here and in PyTorch: what that does to numbers that hardly differ, a pair in a row say, is this
    # many units of theirs.
    over = {"batch": (0, 2, 3), "group": (2, 3, 4), "layer": 4}[kind]
    groups = x.reshape(count, g, c // g, *x.shape[2:]) if kind != "batch" else x
    spread = groups.astype(np.float64).var(over).min() if x.size else 1.0
    inverse = (spread + 1e-5) ** -0.5
    shift = 10 / 2000 * float(np.abs(x).max(initial=0)) * float(np.abs(w).max()) * inverse
    return Case(options, [x, w, b], f, 2000, more=more, least=1 + shift, floor=np.abs(w).max() + x.size**0.5 + shift * inverse,
                state=lambda: [v.detach().numpy() for v in state])


def loss(rng):
    """Logits from small to certain, ignored labels, weights that may all be zero, nan."""
    o = common(rng)
    T, over = o["T"], pick(rng, "mean", "sum")
    kind = pick(rng, "mse", "l1", "huber", "bce", "binary_focal", "cross_entropy", "nll", "focal", "dice", "dice_mask")
    n, c, k = some(rng, 5), within(rng, 1, 12), within(rng, 1, 7)
    x = normal(rng, (n, c, k), T, pick(rng, 1, 5, 30))
    special = within(rng, 0, 3) == 0 and kind in ("mse", "l1", "huber", "bce", "cross_entropy", "nll")
    if special and x.size:
        x = spoil(rng, x, 1 / x.size)
    if kind == "bce":  # PyTorch multiplies -inf with 1 - t = 0, where the loss is infinite
        x[np.isneginf(x)] = 1
    options = {"op": "loss", "f": kind, "over": over, **o}
    if kind in ("mse", "l1", "huber", "bce", "binary_focal"):
        t = np.asarray(rng.uniform(0, 1, x.shape), NUMPY[T])
        if within(rng, 0, 1):
            t = np.asarray(np.round(t), NUMPY[T])
        a, b = float(pick(rng, 0.5, 1, 2)), float(pick(rng, 0.25, 0.5))
        w = np.asarray(rng.uniform(0.2, 4, c), NUMPY[T]) if kind == "bce" and within(rng, 0, 1) else None

        def focal(x, t):
            u = torch.sigmoid(x) * (1 - t) + torch.sigmoid(-x) * t
            entropy = -t * F.logsigmoid(x) - (1 - t) * F.logsigmoid(-x)
            terms = (b * t + (1 - b) * (1 - t)) * u**a * entropy
            return terms.mean() if over == "mean" else terms.sum()

        weight = lambda x: None if w is None else torch.from_numpy(w).to(x.dtype)[:, None]
        def bce(x, t):
            if not torch.isfinite(x).all():
                return F.binary_cross_entropy_with_logits(x, t, reduction=over, pos_weight=weight(x))
            # PyTorch's own subtracts what is nearly equal where t = 0, and keeps nothing of losses below 1e-15.
            terms = -(1 - t) * F.logsigmoid(-x) - (1 if w is None else weight(x)) * t * F.logsigmoid(x)
            return terms.mean() if over == "mean" else terms.sum()

        functions = {"mse": lambda x, t: F.mse_loss(x, t, reduction=over), "l1": lambda x, t: F.l1_loss(x, t, reduction=over),
                     "huber": lambda x, t: F.huber_loss(x, t, reduction=over, delta=a), "binary_focal": focal,
                     "bce": bce}
        # The focal loss's slope by the target is a difference of terms as large as the logit.
        floor = float(np.abs(x).max(initial=0)) if kind == "binary_focal" else 0
        return Case({**options, "a": a, "b": b}, [x, t], functions[kind], 300, more=[w], special=special, floor=floor)
    ignore = pick(rng, -100, 0)
    labels = rng.integers(1 if ignore == 0 and c > 1 else 0, c, (n, k)).astype(np.int32)
    labels[rng.uniform(size=labels.shape) < 0.2] = ignore
    if labels.size:
        labels.flat[0] = c - 1
    if ignore == 0 and c == 1:
        ignore, labels = -100, np.zeros_like(labels)
    a, batch = float(pick(rng, 0, 0.1, 0.5)), within(rng, 0, 1)
    w = np.asarray(rng.uniform(0.2, 3, c) * (within(rng, 0, 5) > 0), NUMPY[T]) if within(rng, 0, 1) else None
    weight = lambda x: None if w is None else torch.from_numpy(w).to(x.dtype)
    y, keep = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(labels != ignore)
    floor = 0.1 * float(np.abs(x[np.isfinite(x)]).max() if np.isfinite(x).any() else 1)
    if kind == "focal":
        a = float(pick(rng, 1, 2, 3))

        def f(x):
            p = F.log_softmax(x, 1).gather(1, torch.where(keep, y, 0 * y)[:, None])[:, 0]
            terms = -((1 - p.exp()) ** a) * p * (1 if w is None else weight(x)[torch.where(keep, y, 0 * y)])
            return torch.where(keep, terms, 0 * terms).sum() / (keep.sum() if over == "mean" else 1)
    elif kind in ("dice", "dice_mask"):
        a, mask = float(pick(rng, 1e-5, 1)), np.asarray(rng.uniform(0, 1, x.shape), NUMPY[T])

        def f(x):
            if kind == "dice":
                p, g = torch.softmax(x, 1), F.one_hot(torch.where(keep, y, 0 * y), c).permute(0, 2, 1).to(x.dtype)
                p, g = p * keep[:, None], g * keep[:, None]
            else:
                p, g = torch.sigmoid(x), torch.from_numpy(mask).to(x.dtype)
            both, one, other = (p * g).sum(2), p.sum(2), g.sum(2)
            if batch:
                both, one, other = both.sum(0), one.sum(0), other.sum(0)
            # Of no images ebb's is nan, also where all of them make one fraction.
            return (1 - (2 * both + a) / (one + other + a)).mean() * (1 if n else np.nan)

        labels = mask if kind == "dice_mask" else labels
    else:
        f = {"cross_entropy": lambda x: F.cross_entropy(x, y, weight(x), ignore_index=ignore, reduction=over, label_smoothing=a),
             "nll": lambda x: F.nll_loss(x, y, weight(x), ignore_index=ignore, reduction=over)}[kind]
    # Logits of labels that are ignored have no gradient, also where they are no numbers: there it is nan
    # in PyTorch.
    unlike = (labels == ignore)[:, None] & ~np.isfinite(x).all(1, keepdims=True) & np.ones(x.shape, bool) if special else None
    # A sure softmax is a difference of its largest logit and a sum.
    return Case({**options, "a": a, "ignore": ignore, "batch": batch}, [x], f, 300, more=[labels, w], special=special, mask=unlike,
                least=floor, floor=0.1 / (max(labels.size, 1) if over == "mean" else 1))


def tied(rng):
    """A weight in several places, and in functions of itself alone."""
    kind = pick(rng, "autoencoder", "masked", "normalised", "twice")
    n, i, h = within(rng, 1, 6), within(rng, 1, 8), within(rng, 1, 8)
    x, w = normal(rng, (n, i), "d"), normal(rng, (h, i), "d")
    mask = np.asarray(np.round(rng.uniform(0, 1, w.shape)), np.float64)
    functions = {
        "autoencoder": lambda x, w: F.mse_loss(F.relu(F.linear(x, w)) @ w, x),
        "masked": lambda x, w: F.linear(x, w * torch.from_numpy(mask)).square().mean() + 0.1 * w.square().sum(),
        "normalised": lambda x, w: torch.tanh(F.linear(x, w / w.square().sum(1, keepdim=True).sqrt())).mean(),
        "twice": lambda x, w: (F.linear(x, w) + (x * x) @ w.T).square().mean(),
    }
    # A mean of numbers of both signs may cancel.
    return Case({"op": "tied", "f": kind, "T": "d"}, [x, w], functions[kind], 2000, more=[mask], least=1, floor=1)


def rule(rng):
    """Steps of an update rule from given gradients."""
    kind = pick(rng, "sgd", "sgd", "adam", "adamw", "rmsprop", "adagrad")
    o = {"lr": float(pick(rng, 0.1, 0.01)), "decay": float(pick(rng, 0, 0, 0.1))}
    flag = lambda: within(rng, 0, 1)
    if kind == "sgd":
        o.update(momentum=float(pick(rng, 0, 0.9)), dampening=float(pick(rng, 0, 0.5)))
        o["nesterov"] = int(o["momentum"] > 0 and o["dampening"] == 0 and flag())
    if kind in ("adam", "adamw"):
        o["amsgrad"] = flag()
    if kind == "rmsprop":
        o.update(momentum=float(pick(rng, 0, 0.9)), centered=flag())
    w = normal(rng, (within(rng, 1, 5), within(rng, 1, 6)), "d")
    steps = [normal(rng, w.shape, "d") for _ in range(within(rng, 1, 5))]
    names = {"decay": "weight_decay"}
    flags = ("nesterov", "amsgrad", "centered")
    arguments = {names.get(k, k): bool(v) if k in flags else v for k, v in o.items()}
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}[kind]

    def f():
        p = torch.nn.Parameter(torch.from_numpy(w.copy()))
        optimizer = make([p], **arguments)
        for g in steps:
            p.grad = torch.from_numpy(g.copy())
            optimizer.step()
        return p.detach()

    # Square roots of sums of squares, and their quotients.
    return Case({"op": "rule", "f": kind, "T": "d", **o}, [], f, 2000, more=[w, *steps], plain=True)


FAMILIES = [unary, binary, reduction, softmax, product, conv, pool, resize, norm, loss, tied, rule]
