"""Whole networks: images per second of training and inference, and peak memory."""

import os
import re
import tempfile

from harness import libtorch
from harness.programs import alternate, median, number, output, spread

TITLES = {"cnn": "tutorial's CNN", "lenet": "LeNet-5", "resnet18": "ResNet-18, 28x28", "unet": "U-Net, 256x256"}

# network, train or infer, batch, what ebb is to reach over PyTorch on 1 and on 2 threads
ROWS = [
    ("cnn", "train", 1, 3.0, 3.0),
    ("cnn", "train", 4, None, None),
    ("cnn", "train", 16, 1.9, 1.9),
    ("cnn", "train", 64, 2.0, 2.2),
    ("cnn", "train", 256, 1.9, 1.9),
    ("cnn", "infer", 1, 3.0, 3.0),
    ("cnn", "infer", 64, 1.8, 1.8),
    ("lenet", "train", 64, 4.0, 4.0),
    ("resnet18", "train", 32, 1.4, 1.4),
    ("unet", "train", 2, 1.5, 1.5),
]
QUICK = {("cnn", "train", 1), ("cnn", "train", 64), ("cnn", "infer", 1), ("cnn", "infer", 64), ("lenet", "train", 64),
         ("resnet18", "train", 32), ("unet", "train", 2)}


def conv(inputs, outputs, kernel, size, wanted=True):
    """Multiply-adds of a convolution with `size` x `size` outputs, and of its input's gradient."""
    macs = inputs * outputs * kernel**2 * size**2
    return macs, macs if wanted else 0


def layers(network):
    """[(multiply-adds forward, of the gradient of the input)] of one image; padding counts as work."""
    if network == "cnn":
        return [conv(1, 16, 3, 28, False), conv(16, 32, 3, 28), conv(25088, 64, 1, 1), conv(64, 10, 1, 1)]
    if network == "lenet":
        return [conv(1, 6, 5, 28, False), conv(6, 16, 5, 10), conv(400, 120, 1, 1), conv(120, 84, 1, 1), conv(84, 10, 1, 1)]
    if network == "resnet18":
        found, inputs = [conv(1, 64, 3, 28, False)], 64
        for outputs, size in ((64, 28), (128, 14), (256, 7), (512, 4)):
            if inputs != outputs:
                found.append(conv(inputs, outputs, 1, size))
            found += [conv(inputs, outputs, 3, size)] + 3 * [conv(outputs, outputs, 3, size)]
            inputs = outputs
        return found + [conv(512, 10, 1, 1)]
    found = [conv(1, 16, 3, 256, False), conv(16, 16, 3, 256), conv(16, 2, 1, 256)]
    for inputs, size in ((16, 128), (32, 64), (64, 32)):
        outputs = 2 * inputs
        found += [conv(inputs, outputs, 3, size), conv(outputs, outputs, 3, size), conv(outputs, inputs, 2, size),
                  conv(outputs, inputs, 3, 2 * size), conv(inputs, inputs, 3, 2 * size)]
    return found


def flops(network, mode):
    """Operations per image of direct convolutions and products, as the floor counts them."""
    forward = sum(f for f, _ in layers(network))
    return 2 * (forward if mode == "infer" else 2 * forward + sum(g for _, g in layers(network)))


def same_network(report, programs, torch):
    """Whether ebb's and PyTorch's networks compute the same loss from the same weights."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for network in TITLES:
            weights = os.path.join(folder, network)
            theirs = output(torch.command("networks.py", network, "check", weights), 1)
            ours = output([programs("networks"), network, "check", weights], 1)
            if not theirs or not ours:
                continue
            found[network] = {"ebb": ours, "PyTorch": theirs}
            same = ours["parameters"] == theirs["parameters"] and abs(ours["loss"] - theirs["loss"]) < 1e-4 * abs(theirs["loss"])
            if not same:
                report.say(f"**The networks called {network} differ**: {ours} here, {theirs} in PyTorch.")
    report.facts["same_networks"] = found
    if found:
        report.say("Same weights, same loss: " + "; ".join(
            f"{TITLES[n]}, {f['ebb']['parameters']:,} parameters: {f['ebb']['loss']:.6f} here, {f['PyTorch']['loss']:.6f} in PyTorch"
            for n, f in found.items()) + ".\n")


def best_setting(torch, row, threads, seconds, quick):
    """The fastest of PyTorch's settings in one run each, and all that were tried."""
    network, mode, batch = row
    tried = {}
    settings = torch.settings(mode, threads, quick)
    if len(settings) == 1:
        return *next(iter(settings.items())), tried
    for name, (environment, words) in settings.items():
        command = torch.command("networks.py", network, mode, batch, threads, seconds / 2, ",".join(words))
        tried[name] = output(command, threads, environment).get("images_per_s", 0)
    best = max(tried, key=tried.get)
    return best, settings[best], tried


def peers(row, threads, seconds, programs):
    """The programs that do the same work with other libraries: {name: command}."""
    network, mode, batch = row
    found = {}
    if network == "cnn":
        for how in ("direct", "winograd"):
            found[f"oneDNN {how}"] = [programs("onednn_cnn"), mode, batch, threads, seconds, how]
        found["LibTorch"] = [programs("libtorch_cnn"), mode, batch, threads, seconds]
    if network == "lenet" and mode == "train":
        found["dlib"] = [programs("dlib_lenet"), batch, seconds]
        found["tiny-dnn"] = [programs("tiny_dnn_lenet"), batch, threads, seconds]
    return {name: list(map(str, command)) for name, command in found.items() if os.path.exists(command[0])}


def section(report, programs, torch, arguments, limits):
    report.say("\n## Networks\n")
    if torch.there:
        libtorch.build(programs("libtorch_cnn"))
        same_network(report, programs, torch)
    how = ("at one setting that suits it, not the best of several" if arguments.quick
           else "at the best of its settings, found anew for each row")
    report.say(f"Images per second; plain gradient descent, cross entropy. The ratio is ebb's to PyTorch's {how}; *floor* is what "
               "direct convolutions and products would reach at the peak of multiply-adds (padding counted).\n")
    report.table("network", "work", "batch", "threads", "ebb", "PyTorch", "ratio", "goal", "other peers", "ebb, % of floor",
                 "PyTorch, % of floor", align="llrrrrrrlrr")
    report.facts["networks"] = []
    for network, mode, batch, *goals in ROWS:
        row = (network, mode, batch)
        if arguments.quick and row not in QUICK:
            continue
        for threads in arguments.threads:
            goal = goals[min(threads, 2) - 1]
            runs = {"ebb": lambda: output(list(map(str, [programs("networks"), *row, threads, arguments.seconds])), threads)}
            setting, tried = None, {}
            if torch.there:
                setting, (environment, words), tried = best_setting(torch, row, threads, arguments.seconds, arguments.quick)
                command = torch.command("networks.py", *row, threads, arguments.seconds, ",".join(words))
                runs["PyTorch"] = lambda: output(command, threads, environment)
            for name, peer in peers(row, threads, arguments.seconds, programs).items():
                settings = torch.tuned()[1] if name == "LibTorch" else None
                runs[name] = lambda peer=peer, settings=settings: output(peer, threads, settings)
            # A step of the large networks takes long enough by itself.
            repeats = min(arguments.repeats, 3) if network in ("resnet18", "unet") else arguments.repeats
            results = alternate(runs, repeats)
            rates = {name: [r["images_per_s"] for r in found] for name, found in results.items()}
            floor = limits[threads]["gflops"] * 1e9 / flops(network, mode)
            entry = {"network": network, "mode": mode, "batch": batch, "threads": threads, "setting": setting, "tried": tried,
                     "images_per_s": rates, "goal": goal, "floor": floor,
                     "peak_mib": {name: [r["peak_mib"] for r in found] for name, found in results.items()}}
            report.facts["networks"].append(entry)
            middle = {name: median(values) for name, values in rates.items()}
            shown = {name: f"{number(middle[name])} ± {spread(values):.0f} %" for name, values in rates.items()}
            ours, theirs = middle.get("ebb"), middle.get("PyTorch")
            ratio = f"{ours / theirs:.2f}" if ours and theirs else "-"
            if ours and theirs:
                entry["ratio"] = ours / theirs
            report.row(TITLES[network], mode, batch, threads, shown.get("ebb", "-"), shown.get("PyTorch", "-"), f"**{ratio}**",
                       f"{goal:.1f}" if goal else "", "; ".join(f"{n} {v}" for n, v in shown.items() if n not in ("ebb", "PyTorch")),
                       f"{100 * ours / floor:.0f}" if ours else "-", f"{100 * theirs / floor:.0f}" if theirs else "-")
    chosen = {}
    for entry in report.facts["networks"]:
        if entry["setting"]:
            where = f"{TITLES[entry['network']]} {entry['mode']} {entry['batch']}, {entry['threads']}"
            chosen.setdefault(entry["setting"], []).append(where)
    if chosen:
        report.say("\nPyTorch's settings (network, batch, threads):\n")
        for setting, rows in chosen.items():
            report.say(f"* {setting}: {'; '.join(rows)}")
    second_thread(report)
    memory(report)


def second_thread(report):
    """What the second thread is worth."""
    by = {(e["network"], e["mode"], e["batch"], e["threads"]): e["images_per_s"] for e in report.facts["networks"]}
    pairs = [(key, rates) for key, rates in by.items() if key[3] == 1 and (*key[:3], 2) in by]
    if not pairs:
        return
    report.say("\nWhat the second thread is worth:\n")
    report.table("network", "work", "batch", "ebb", "PyTorch", align="llrrr")
    for (network, mode, batch, _), one in pairs:
        two = by[network, mode, batch, 2]
        worth = [f"{median(two[n]) / median(one[n]):.2f}" if n in one and n in two else "-" for n in ("ebb", "PyTorch")]
        report.row(TITLES[network], mode, batch, *worth)


def memory(report):
    """The most memory that training took, by the systems' count."""
    report.say("\n## Peak memory\n")
    report.say("MiB of the whole process (VmHWM) after training steps, on the first number of threads.\n")
    report.table("network", "batch", "ebb", "PyTorch", "others", align="lrrrl")
    seen = set()
    for e in report.facts["networks"]:
        key = (e["network"], e["batch"])
        if e["mode"] != "train" or key in seen or e["batch"] not in (64, 32, 2):
            continue
        seen.add(key)
        mib = {name: median(values) for name, values in e["peak_mib"].items()}
        others = "; ".join(f"{name} {value:.0f}" for name, value in mib.items() if not re.match("ebb|PyTorch", name))
        report.row(TITLES[e["network"]], e["batch"], *(f"{mib[n]:.0f}" if n in mib else "-" for n in ("ebb", "PyTorch")), others)
