"""Single kernels, as shares of what the machine can do: convolutions, products, and what memory bounds."""

import os
import sys

from harness.programs import alternate, count_in_words, median, number, output

PASSES = {"forward": "forward", "grad_input": "data gradient", "grad_weight": "weight gradient"}


def limits(report, programs, arguments):
    """Measures the peak of multiply-adds and the bandwidths, for every number of threads."""
    found = {}
    for threads in arguments.threads:
        runs = [output([programs("limits"), str(threads), "1.5"], threads) for _ in range(1 if arguments.quick else 3)]
        runs = [run for run in runs if run]
        if not runs:
            sys.exit("bench_limits does not run")
        found[threads] = {what: max(run[what] for run in runs) for what in runs[0]}
    report.facts["limits"] = found
    report.say("\n## What the machine can do at most\n")
    report.table("threads", "multiply-adds, GFLOP/s", "reading, GB/s", "stream (y = 3 x), GB/s")
    for threads, most in found.items():
        report.row(threads, number(most["gflops"]), number(most["read_gb"]), number(most["stream_gb"]))
    return found


def medians(runs, path):
    """The median over runs of the number at a path of keys, or None."""
    values = []
    for run in runs:
        for key in path:
            run = run.get(key, {}) if isinstance(run, dict) else {}
        if isinstance(run, (int, float)):
            values.append(run)
    return median(values) if values else None


def convolutions(report, programs, torch, arguments, most):
    threads = arguments.threads[0]
    seconds = str(min(arguments.seconds, 0.1) / 2)
    ours = [programs("convolutions"), str(threads), seconds]
    runs = {"ebb": lambda: output(ours, threads), "ebb direct": lambda: output(ours, threads, {"EBB_CONV": "direct"})}
    if os.path.exists(programs("onednn_kernels")):
        runs["oneDNN"] = lambda: output([programs("onednn_kernels"), "convolutions", str(threads), seconds], threads)
    if os.path.exists(programs("convolutions_native")):
        runs["native"] = lambda: output([programs("convolutions_native"), str(threads), seconds], threads)
    peer = [torch.python, "benchmarks/peers/convolutions.py", str(threads), seconds]
    runs["PyTorch"] = lambda: output(peer, threads)
    results = alternate(runs, min(arguments.repeats, 3))
    report.facts["convolutions"] = {"threads": threads, "runs": results}
    report.say(f"\n## Convolution kernels, {threads} thread{'s' if threads > 1 else ''}\n")
    report.say("Percent of the peak of multiply-adds, counted as the direct algorithm's without padding, so that Winograd's may "
               "pass 100. ebb: images in and out as (batch, channels, height, width), as it chooses, and with Winograd's "
               "algorithm turned off. oneDNN: in the layouts it likes best / from and to plain images; - where it has no such "
               "kernel on this processor. PyTorch: as it chooses. *native*: ebb compiled with -march=native, over plain -O2.\n")
    report.table("convolution", "pass", "ebb", "ebb, direct", "oneDNN direct", "oneDNN Winograd", "PyTorch", "native",
                 align="llrrrrrr")
    points = []
    for shape, facts in results["ebb"][0].items():
        for key, name in PASSES.items():
            share = lambda time: f"{100 * facts['flops'] / time / (most[threads]['gflops'] * 1e9):.0f}" if time else "-"
            time = medians(results["ebb"], (shape, key))
            peers = []
            for how in ("direct", "winograd"):
                pair = [share(medians(results.get("oneDNN", []), (shape, key, how + end))) for end in ("", " plain")]
                peers.append("-" if pair == ["-", "-"] else "/".join(pair))
            native = medians(results.get("native", []), (shape, key))
            report.row(shape, name, f"**{share(time)}**", share(medians(results.get("ebb direct", []), (shape, key))), *peers,
                       share(medians(results.get("PyTorch", []), (shape, key))), f"{time / native:.2f}" if native else "-")
            points.append((f"{shape} {name}", facts["flops"] / facts["bytes"], facts["flops"] / time * 1e-9))
    return points


def inference(report, programs, arguments, most):
    """Weights packed at each call, as while training, beside weights packed once."""
    seconds = str(min(arguments.seconds, 0.2))
    runs = {t: lambda t=t: output([programs("inference"), str(t), seconds], t) for t in arguments.threads}
    results = alternate(runs, min(arguments.repeats, 5))
    report.facts["inference"] = results
    report.say("\n## Weights packed once\n")
    report.say("The convolutions of ResNet-18 on one image of 28x28 pixels, microseconds each: with weights packed at each call / "
               "once. The last row adds up the network's.\n")
    threads = list(results)
    report.table("layer", "in the network", *(f"{count_in_words(t, 'thread')}" for t in threads), "MiB packed", align="lr" + "r" * len(threads))
    totals = {t: [0, 0] for t in threads}
    for layer, facts in results[threads[0]][0].items() if threads else ():
        cells = []
        for t in threads:
            times = [medians(results[t], (layer, how)) for how in ("anew", "once")]
            cells.append(" / ".join(number(1e6 * time) for time in times))
            totals[t] = [total + facts["count"] * time for total, time in zip(totals[t], times)]
        report.row(layer, facts["count"] or "-", *cells, f"{facts['bytes'] / 2**20:.2f}")
    report.row("**all**", "", *(" / ".join(f"**{number(1e6 * total)}**" for total in totals[t]) for t in threads), "")


def products(report, programs, arguments, most):
    threads = arguments.threads[0]
    seconds = str(min(arguments.seconds, 0.1))
    commands = {"ebb": [programs("products")], "OpenBLAS": [programs("openblas_products")],
                "oneDNN": [programs("onednn_kernels"), "products"], "Eigen": [programs("eigen_products")],
                "native": [programs("products_native")]}
    runs = {name: lambda command=command: output([*command, str(threads), seconds], threads)
            for name, command in commands.items() if os.path.exists(command[0])}
    results = alternate(runs, min(arguments.repeats, 5))
    report.facts["products"] = {"threads": threads, "runs": results}
    report.say(f"\n## Matrix products, {threads} thread{'s' if threads > 1 else ''}\n")
    report.say("Percent of the peak of multiply-adds; for small batches, of the bandwidth of reading.\n")
    names = [name for name in ("ebb", "OpenBLAS", "oneDNN", "Eigen") if name in results]
    report.table("product", *names, "native", "of", align="l" + "r" * (len(names) + 1) + "l")
    points = []
    for shape, facts in results["ebb"][0].items():
        bound = facts["flops"] / facts["bytes"] < 4  # operations per byte: no machine reads that fast
        best = facts["bytes"] / most[threads]["read_gb"] * 1e-9 if bound else facts["flops"] / most[threads]["gflops"] * 1e-9
        times = {name: medians(found, (shape, "seconds")) for name, found in results.items()}
        cells = [f"{100 * best / times[name]:.0f}" if times[name] else "-" for name in names]
        native = f"{times['ebb'] / times['native']:.2f}" if times.get("native") else "-"
        report.row(shape, f"**{cells[0]}**", *cells[1:], native, "reading" if bound else "peak")
        points.append((shape, facts["flops"] / facts["bytes"], facts["flops"] / times["ebb"] * 1e-9))
    return points


def bandwidth(report, programs, arguments, most):
    report.say("\n## What memory bounds\n")
    report.say("Percent of the stream bandwidth on as many threads, counting the bytes that must be read and written at least; "
               "arrays of 48 MiB and more.\n")
    seconds = str(min(arguments.seconds, 0.2) / 2)
    runs = {f"{t}": lambda t=t: output([programs("bandwidth"), str(t), seconds], t) for t in arguments.threads}
    results = alternate(runs, min(arguments.repeats, 3))
    report.facts["bandwidth"] = results
    if not results:
        return
    names = list(results)
    report.table("operation", *(f"{n} thread{'s' if n != '1' else ''}" for n in names), align="l")
    for operation, facts in results[names[0]][0].items():
        shares = []
        for n in names:
            time = medians(results[n], (operation, "seconds"))
            shares.append(f"{100 * facts['bytes'] / time * 1e-9 / most[int(n)]['stream_gb']:.0f}" if time else "-")
        report.row(operation, *shares)


def tape(report, programs, arguments):
    """What recording and reversing an operation costs where the operation itself costs nothing."""
    runs = alternate({"ebb": lambda: output([programs("tape"), "0.1"], 1)}, min(arguments.repeats, 5)).get("ebb", [])
    report.facts["tape"] = runs
    if not runs:
        return
    report.say("\n## The tape\n")
    report.say("Recording and reversing one operation on scalars, its arithmetic and its value's buffer (64 bytes) included.\n")
    report.table("operation", "ns", "bytes", align="l")
    for name in ("sin", "x * x"):
        report.row(name, *(f"{medians(runs, (name, what)):.0f}" for what in ("ns", "bytes")))
    taped, kernels = (medians(runs, ("deep", what)) for what in ("us", "kernels us"))
    report.say(f"\nFifty dense layers of 32 features, 16 samples, forward and backward: {taped:.0f} us; the same kernels called by hand, "
               f"on buffers that are there, {kernels:.0f} us. The tape takes {100 * (taped - kernels) / taped:.0f} % of the step.")
