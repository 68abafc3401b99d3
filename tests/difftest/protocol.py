"""Talks to the driver (driver.hpp has the protocol), and compares what it answers with PyTorch."""

import struct
import subprocess

import numpy as np
import torch

NUMPY = {"f": np.float32, "d": np.float64, "i": np.int32}
TORCH = {"f": torch.float32, "d": torch.float64}
EPSILON = {"f": 2.0**-23, "d": 2.0**-52}


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, count):
        found = self.process.stdout.read(count)
        if len(found) < count:
            raise RuntimeError(f"the driver ended: status {self.process.wait()}")
        return found

    def call(self, header, tensors):
        """(status, text, tensors): the status is 1 where ebb refuses the case."""
        text = header.encode()
        parts = [struct.pack("<I", len(text)), text, struct.pack("<I", len(tensors))]
        for x in tensors:
            if x is None:
                parts.append(b"n\0")
                continue
            kind = {"float32": b"f", "float64": b"d", "int32": b"i"}[x.dtype.name]
            extents = struct.pack(f"<{x.ndim}q", *x.shape)
            parts += [kind, bytes([x.ndim]), extents, np.ascontiguousarray(x).tobytes()]
        self.process.stdin.write(b"".join(parts))
        self.process.stdin.flush()
        status, length = struct.unpack("<II", self.read(8))
        text = self.read(length).decode()
        (count,) = struct.unpack("<I", self.read(4))
        found = []
        for _ in range(count):
            kind, rank = struct.unpack("<cB", self.read(2))
            shape = struct.unpack(f"<{rank}q", self.read(8 * rank))
            if kind == b"n":
                found.append(None)
                continue
            dtype = np.dtype(NUMPY[kind.decode()])
            size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
            found.append(np.frombuffer(self.read(size), dtype).reshape(shape))
        return status, text, found


class Case:
    """One question. `f` is the operation in PyTorch, of the operands `x`; `options` and the tensors
    `more` go to the driver alone, which answers with the value, the gradients of x, and what
    `state()` gives. `units` is the tolerance, in the last place of what `scale` names: "each"
    element's own size, the "largest" element's, or what "sums" of absolute values come to, but no
    less than `least` in the value and `floor` times the largest dy in gradients. `special`: the
    result in PyTorch's own float will do too. `mask`: elements whose gradient is not compared.
    `plain`: there are no gradients."""

    def __init__(self, options, x, f, units, scale="largest", more=(), special=False, mask=None, least=0.0, floor=0.0, state=None, plain=False):
        self.options, self.x, self.f, self.units, self.scale, self.more = options, x, f, units, scale, list(more)
        self.special, self.mask, self.least, self.floor, self.state, self.plain = special, mask, least, floor, state, plain

    def run(self, dy, dtype, absolute=False):
        """The value and the gradients, in PyTorch."""
        operands = [torch.from_numpy(np.abs(x) if absolute else np.array(x)).to(dtype) for x in self.x]
        operands = [x.requires_grad_() for x in operands]
        y = self.f(*operands)
        if self.plain:
            return [y.numpy()]
        slope = torch.from_numpy(np.asarray(np.abs(dy) if absolute else dy)).to(dtype)
        y.backward(slope.reshape(y.shape))
        passes = 2 if self.options.get("twice") else 1
        return [y.detach().numpy()] + [np.zeros(x.shape) if x.grad is None else passes * x.grad.numpy() for x in operands]


def apart(found, right, size, also, units, T):
    """Where `found` is further than so many units from what is right in double (or in T)."""
    with np.errstate(all="ignore"):
        unit = EPSILON[T] * np.abs(size) + float(np.finfo(NUMPY[T]).tiny)
        bad = ~(np.abs(found.astype(np.float64) - right) <= units * unit)
        for reference in (right, right.astype(NUMPY[T]), also):
            bad &= ~((found == reference) | (np.isnan(found) & np.isnan(reference)))
    return bad


def check(driver, case, rng):
    """"" where the driver and PyTorch agree, otherwise a sentence; None where the case says nothing, because
    PyTorch refuses it."""
    T = case.options["T"]
    try:
        with torch.no_grad():
            shape = case.f(*[torch.from_numpy(np.array(x)).double() for x in case.x]).shape
    except (RuntimeError, ValueError, IndexError):
        return None
    dy = np.asarray(rng.standard_normal(tuple(shape)), NUMPY[T])
    header = " ".join(f"{key}={value}" for key, value in case.options.items())
    status, text, found = driver.call(header, case.x + case.more + ([] if case.plain else [dy]))
    if status:
        return f"ebb refuses: {text}"
    if text:
        return text
    also, right = case.run(dy, TORCH[T]), case.run(dy, torch.float64)
    sums = case.run(dy, torch.float64, absolute=True) if case.scale == "sums" else right
    if case.state:
        state = case.state()
        also, right, sums = also + state, right + state, sums + state
    if len(found) != len(right):
        return f"the driver gave {len(found)} tensors, not {len(right)}"
    for k, (a, b, c, s) in enumerate(zip(found, right, also, sums)):
        name = "the value" if k == 0 else f"result {k}"
        if a is None or a.shape != b.shape:
            return f"{name} has shape {None if a is None else a.shape}, not {b.shape}"
        if a.size == 0:
            continue
        finite = np.abs(s[np.isfinite(s)])
        size = np.full(b.shape, finite.max() if finite.size else 0.0) if case.scale == "largest" else np.abs(s)
        floor = case.floor * np.abs(dy).max() if k and dy.size else case.least
        size = np.maximum(np.nan_to_num(size, posinf=0, neginf=0), floor)
        bad = apart(a, b, size, c if case.special else b, case.units, T)
        if k and case.mask is not None and case.mask.shape == bad.shape:
            bad &= ~case.mask
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            return f"{name} at {at} is {a[at]!r}, not {b[at]!r} ({bad.sum()} of {a.size} differ)"
    return ""
