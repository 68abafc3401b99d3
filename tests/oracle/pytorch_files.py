"""Files of torch.save of every kind, and the tensors that PyTorch finds in them.

    pytorch_files.py write OUT [SEED]   writes them as text; with a seed also random ones
    pytorch_files.py read FOLDER        loads what ebb saved (tests/io/pytorch_torch.cpp) and compares

fixtures/pytorch_files.txt is `write` by PyTorch 2.15, for tests/io/pytorch.cpp. A line "file NAME HEX"
is a file, packed by zlib; the lines "tensor NAME TYPE SHAPE HEX" after it are what is in its state
dict: the type as safetensors calls it, extents with x between them, the elements little-endian.
Needs torch (1.13 or later) and NumPy.
"""

import argparse
import collections
import io
import os
import random
import sys
import zipfile
import zlib

import numpy as np
import torch

NAMES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
         "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32",
         "uint64": "U64", "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3"}
TYPES = [name for name in NAMES if hasattr(torch, name)]
OLD = TYPES[:10]  # those that have a storage class of their own


def elements(x):
    """Row-major bytes, of types that NumPy does not have, too."""
    width = x.element_size()
    flat = x.detach().clone(memory_format=torch.contiguous_format).reshape(-1)
    if flat.numel() == 0:
        return b""
    same = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[width]
    return flat.view(same).numpy().tobytes()


def lines_of(name, file, state):
    yield f"file {name} {zlib.compress(file, 9).hex()}"
    for key, x in state.items():
        shape = "x".join(map(str, x.shape)) or "-"
        yield f"tensor {key} {NAMES[str(x.dtype)[6:]]} {shape} {elements(x).hex() or '-'}"


def saved(obj, **options):
    out = io.BytesIO()
    torch.save(obj, out, **options)
    return out.getvalue()


def values(kind, *shape):
    x = torch.arange(int(np.prod(shape, dtype=int))).reshape(shape) - 1
    return (x / 3).to(getattr(torch, kind)) if "float" in kind else x.abs().to(getattr(torch, kind))


def strided():
    """Tensors that share storages, turned, stepped, repeated, sliced, empty."""
    base = torch.arange(24, dtype=torch.float32) / 7
    image = base.reshape(1, 4, 2, 3)
    return collections.OrderedDict(
        base=base, turned=base.reshape(4, 6).t(), stepped=base[1::3], repeated=base[3:5, None].expand(2, 3),
        inner=base.reshape(4, 6)[1:3, 2:5], channels_last=image.to(memory_format=torch.channels_last),
        permuted=image.permute(2, 0, 3, 1), empty=base.reshape(4, 6)[:, 3:3], scalar=base[5],
        half=base.reshape(2, 12).half().t()[::2], flags=(base > 1).reshape(4, 6).t())


def big_endian(file, state):
    """What a machine with the highest byte first would have written."""
    widths = {}
    for x in state.values():
        widths[x.storage().data_ptr() if not hasattr(x, "untyped_storage") else x.untyped_storage().data_ptr()] = (
            x.element_size())
    order = list(widths.values())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            part = entry.filename.split("/", 1)[1]
            if part.startswith("data/"):
                data = np.frombuffer(data, f"u{order[int(part[5:])]}").byteswap().tobytes()
            if part != "byteorder":
                new.writestr(entry.filename, data)
        new.writestr("archive/byteorder", "big")
    return out.getvalue()


def packed(file):
    """The same archive, its records deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename.replace("archive/", "another name/"), old.read(entry))
    return out.getvalue()


def without_code(file):
    """A TorchScript archive without what is not weights."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            if "/code/" not in entry.filename:
                new.writestr(entry.filename, old.read(entry))
    return out.getvalue()


def checkpoint(state):
    """What training loops keep beside weights, Lightning's and others'."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
    return {"epoch": 17, "global_step": 1 << 40, "best": np.float64(0.75), "step32": np.float32(-0.5),
            "count": np.int64(-3), "small": np.uint8(200), "flag": np.bool_(True), "name": "a net \u00e9",
            "huge": 1 << 70, "bytes": b"\xff\x00", "none": None, "on": True, "rate": 1e-3,
            "hyper_parameters": {"args": argparse.Namespace(hidden=32, lr=0.5), "layers": [1, 2], "t": (3, "x")},
            "set": {5}, "complex": 1 + 2j, "device": torch.device("cpu"), "size": torch.Size([2, 3]),
            "dtype": torch.float16, "array": np.arange(3.0), "counter": collections.Counter("aab"),
            "default": collections.defaultdict(list, a=[1]), "optimizer_states": [optimizer.state_dict()],
            "state_dict": state}


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3)
        self.norm = torch.nn.BatchNorm2d(2)
        self.rest = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(2, 2))

    def forward(self, x):
        return self.rest(self.norm(self.conv(x)))


def files():
    every = collections.OrderedDict((name, values(name, 2, 3)) for name in OLD)
    every["scalar"], every["none"] = torch.tensor(0.5), torch.ones(0, 3)
    for protocol in (1, 2, 3, 4, 5):
        yield f"protocol{protocol}", saved(every, pickle_protocol=protocol), every
        if protocol > 1:
            yield (f"legacy{protocol}",
                   saved(every, pickle_protocol=protocol, _use_new_zipfile_serialization=False), every)
    newer = {name: values(name, 3) for name in TYPES[10:]}
    if newer:
        yield "newer", saved(newer), newer
        yield "newer_legacy", saved(newer, _use_new_zipfile_serialization=False), newer
    views = strided()
    yield "strided", saved(views), views
    yield "strided_legacy", saved(views, _use_new_zipfile_serialization=False), views
    yield "big_endian", big_endian(saved(views), views), views
    yield "packed", packed(saved(views)), views
    parameters = {"w": torch.nn.Parameter(torch.ones(2, 2) / 3), "b": torch.nn.Parameter(torch.ones(2), False)}
    parameters["w"].note = "an attribute"
    yield "parameters", saved(parameters), parameters
    two = {"a.w": torch.ones(2), "a.b": torch.zeros(1), "c.w": torch.full((1,), 3.0)}
    yield "nested", saved({"a": {"w": two["a.w"], "b": two["a.b"]}, "c": {"w": two["c.w"]}}), two
    yield "under_model", saved({"model": two, "model_ema": {"a.w": torch.zeros(2)}, "epoch": 3}), two
    yield "list", saved([torch.ones(1), (torch.zeros(2),)]), {"0": torch.ones(1), "1.0": torch.zeros(2)}
    for protocol in (2, 4):
        yield f"checkpoint{protocol}", saved(checkpoint(two), pickle_protocol=protocol), two
    torch.manual_seed(1)
    net = Scripted()
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(net), script)
    yield "script", without_code(script.getvalue()), net.state_dict()


def random_files(seed):
    """State dicts of random views of random storages."""
    pick = random.Random(seed)
    for i in range(60):
        kinds = OLD if i % 3 == 2 else TYPES
        stores = []
        for _ in range(pick.randint(1, 3)):
            kind = pick.choice(kinds)
            count = pick.randint(1, 200)
            raw = torch.tensor([pick.randrange(-128, 128) for _ in range(count * 8)], dtype=torch.int8)
            if kind == "bool":
                stores.append(raw[:count] > 0)
            else:
                dtype = getattr(torch, kind)
                stores.append(raw[: count * torch.empty(0, dtype=dtype).element_size()].view(dtype))
        state = collections.OrderedDict()
        for n in range(pick.randint(1, 6)):
            store = pick.choice(stores)
            rank, left = pick.randint(0, 4), store.numel() - 1
            offset = pick.randint(0, left)
            left -= offset
            shape, strides = [], []
            for _ in range(rank):
                stride = pick.choice([0, 1, 2, 3, pick.randint(0, left + 1)])
                extent = pick.randint(0 if pick.random() < 0.1 else 1, min(6, left // stride + 1) if stride else 3)
                left -= max(extent - 1, 0) * stride
                shape.append(extent)
                strides.append(stride)
            state[f"t{n}"] = store.as_strided(shape, strides, offset)
        options = [{"pickle_protocol": 2}, {"pickle_protocol": 5},
                   {"_use_new_zipfile_serialization": False, "pickle_protocol": pick.choice([2, 4])}][i % 3]
        yield f"random{i}", saved(state, **options), state


def write(out, seed=None):
    with open(out, "w") as text:
        for name, file, state in [*files(), *(random_files(int(seed)) if seed is not None else [])]:
            print(*lines_of(name, file, state), sep="\n", file=text)


class Cnn(torch.nn.Module):
    """The tutorial's network."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = torch.nn.Linear(32 * 28 * 28, 64)
        self.fc2 = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def tutorial(folder):
    """The last step of many tutorials, to the letter."""
    torch.manual_seed(3)
    model = Cnn()
    torch.save(model.state_dict(), os.path.join(folder, "model_params.pth"))
    told = model.state_dict()
    told.ebb_metadata = {"model": "mnist", "mean": "0"}
    torch.save(told, os.path.join(folder, "told.pth"))
    x = torch.rand(2, 1, 28, 28)
    torch.save({"x": x, "y": model(x).detach()}, os.path.join(folder, "values.pt"))


def loaded(folder, name):
    return torch.load(os.path.join(folder, name), weights_only=True)


def read(folder):
    values = loaded(folder, "ebb_values.pt")
    model = Cnn()
    model.load_state_dict(loaded(folder, "ebb_params.pth"), strict=True)
    difference = (model(values["x"]) - values["y"]).abs().max().item()
    assert difference < 1e-5, f"outputs differ by {difference}"
    model.load_state_dict(torch.load(os.path.join(folder, "ebb_params.pth"), map_location="cpu"))

    every = loaded(folder, "every.pt")
    with open(os.path.join(folder, "every.txt")) as text:
        expected = text.read().split()
    have = [word for line in lines_of("every", b"", every) for word in line.split()][3:]
    assert have == expected, f"{have}\n{expected}"
    assert every.ebb_metadata == {"classes": "a,b", "note": "a \u00e9"}, every.ebb_metadata

    tied = loaded(folder, "tied.pt")
    assert tied["a"].data_ptr() == tied["b"].data_ptr(), "what shares its elements shares them no more"
    again = io.BytesIO()
    torch.save(every, again)
    with open(os.path.join(folder, "again.pt"), "wb") as file:
        file.write(again.getvalue())
    half = loaded(folder, "half.pth")
    assert half["fc2.weight"].dtype == torch.float16 and torch.equal(
        half["fc2.weight"], loaded(folder, "ebb_params.pth")["fc2.weight"].half())
    brain = loaded(folder, "brain.pth")
    assert torch.equal(brain["fc2.weight"], loaded(folder, "ebb_params.pth")["fc2.weight"].bfloat16())
    with zipfile.ZipFile(os.path.join(folder, "ebb_params.pth")) as archive:
        assert archive.testzip() is None


if __name__ == "__main__":
    {"write": write, "tutorial": tutorial, "read": read}[sys.argv[1]](*sys.argv[2:])
