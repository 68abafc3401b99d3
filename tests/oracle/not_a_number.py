"""Where PyTorch lets not-a-number travel: each operation on x = [[1, nan, -2, 0.5], [3, 0, -1, 2]] in
double, its value and the gradient of x from ones. Prints the table of
tests/support/not_a_number.hpp. (PyTorch 1.13 and 2.15 agree.)
"""
import torch
import torch.nn.functional as F

NAN = float("nan")
X = torch.tensor([[1, NAN, -2, 0.5], [3, 0, -1, 2]], dtype=torch.float64)
C = torch.tensor([[2, 1, NAN, -1], [0, NAN, 1, 2]], dtype=torch.float64)  # where a second operand is
W = torch.tensor([[1, -1, 2, 0.5], [0, 1, 1, 1], [2, 0, -1, 1]], dtype=torch.float64)
LABELS = torch.tensor([2, 0])
MASK = torch.tensor([[1, 0, 1, 0], [0, 1, 1, 0]], dtype=torch.float64)


def image(x):
    return x.reshape(1, 1, 2, 4)


def dice(x):
    p, g = torch.sigmoid(x), MASK
    return (1 - (2 * p * g + 1e-5) / (p + g + 1e-5)).mean()


def focal(x):
    log_p = F.log_softmax(x, 1).gather(1, LABELS[:, None])[:, 0]
    return -((1 - log_p.exp()) ** 2 * log_p).mean()


OPERATIONS = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "abs": torch.abs,
    "sin": torch.sin,
    "cos": torch.cos,
    "neg": torch.neg,
    "clamp": lambda x: torch.clamp(x, -1.5, 2.5),
    "pow 2": lambda x: x**2,
    "pow 0": lambda x: x**0,
    "2 pow": lambda x: torch.pow(torch.tensor(2.0, dtype=x.dtype), x),
    "add": lambda x: x + 1,
    "mul": lambda x: 2 * x,
    "div": lambda x: 1 / x,
    "sub of two": lambda x: x - C,
    "div of two": lambda x: x / C,
    "pow of two": lambda x: torch.pow(x, C),
    "maximum": lambda x: torch.maximum(x, C),
    "minimum": lambda x: torch.minimum(x, C),
    "maximum of a number": lambda x: torch.maximum(x, torch.tensor(0.25, dtype=x.dtype)),
    "sum": torch.sum,
    "sum of rows": lambda x: torch.sum(x, 1),
    "mean of rows": lambda x: torch.mean(x, 1),
    "variance of rows": lambda x: torch.var(x, 1),
    "max": lambda x: torch.amax(x, (0, 1)),
    "max of rows": lambda x: torch.amax(x, 1),
    "max of columns": lambda x: torch.amax(x, 0),
    "min of rows": lambda x: torch.amin(x, 1),
    "softmax": lambda x: F.softmax(x, 1),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "softmax of columns": lambda x: F.softmax(x, 0),
    "max_pool2d": lambda x: F.max_pool2d(image(x), 2),
    "max_pool2d 3": lambda x: F.max_pool2d(image(x), 3, 1, 1),
    "avg_pool2d": lambda x: F.avg_pool2d(image(x), 2),
    "global_avg_pool2d": lambda x: F.adaptive_avg_pool2d(image(x), 1),
    "upsample_nearest2d": lambda x: F.interpolate(image(x), scale_factor=2),
    "upsample_bilinear2d": lambda x: F.interpolate(image(x), size=(2, 8), mode="bilinear", align_corners=False),
    "conv2d": lambda x: F.conv2d(image(x), W[:, :3].reshape(3, 1, 1, 3)),
    "conv_transpose2d": lambda x: F.conv_transpose2d(image(x), W[0, :2].reshape(1, 1, 1, 2), stride=2),
    "matmul": lambda x: x @ W.T,
    "linear": lambda x: F.linear(x, W),
    "linear, relu": lambda x: F.relu(F.linear(x, W)),
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "group_norm": lambda x: F.group_norm(x, 2),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
    "concat": lambda x: torch.cat([x, x[:, :1]], 1),
    "slice": lambda x: x[:, 1:3],
    "pad": lambda x: F.pad(image(x), (1, 1, 0, 0), mode="reflect"),
    "transpose": lambda x: x.T,
    "dropout of nothing": lambda x: F.dropout(x, 0.0),
    "mse_loss": lambda x: F.mse_loss(x, MASK),
    "l1_loss": lambda x: F.l1_loss(x, MASK),
    "huber_loss": lambda x: F.huber_loss(x, MASK),
    "bce_with_logits": lambda x: F.binary_cross_entropy_with_logits(x, MASK),
    "cross_entropy": lambda x: F.cross_entropy(x, LABELS),
    "nll_loss": lambda x: F.nll_loss(x, LABELS),
    "focal_loss": focal,
    "binary_focal_loss": lambda x: (
        (0.25 * MASK + 0.75 * (1 - MASK))
        * (torch.sigmoid(x) * (1 - MASK) + torch.sigmoid(-x) * MASK) ** 2
        * F.binary_cross_entropy_with_logits(x, MASK, reduction="none")
    ).mean(),
    "dice_loss": dice,
}


def numbers(values):
    return "{" + ", ".join("nan" if v != v else "inf" if v == float("inf") else f"{v:.9g}" for v in values) + "}"


if __name__ == "__main__":
    for name, f in OPERATIONS.items():
        x = X.clone().requires_grad_()
        y = f(x)
        y.backward(torch.ones_like(y))
        print(f'    {{"{name}", {numbers(y.reshape(-1).tolist())}, {numbers(x.grad.reshape(-1).tolist())}}},')
    print("argmax of rows:", torch.argmax(X, 1).tolist(), "of columns:", torch.argmax(X, 0).tolist())
