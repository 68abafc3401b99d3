"""Operations beside PyTorch's, times of compilation, and the race to 99 % on MNIST."""

import glob
import os
import statistics
import subprocess
import sys

from harness.programs import HERE, ROOT, alternate, median, output, spread


def operations(report, programs, torch, arguments):
    report.say("\n## Operations beside PyTorch's\n")
    report.say("Milliseconds forward, and with the backward pass (a ratio above 1: ebb is faster).\n")
    report.facts["operations"] = []
    seconds = str(min(arguments.seconds, 0.1) / 2)
    for n in arguments.threads:
        runs = {"ebb": lambda: output([programs("operations"), str(n), seconds], n)}
        if torch.there:
            environment, _ = next(iter(torch.settings("train", n, True).values()))
            runs["PyTorch"] = lambda: output(torch.command("operations.py", n, seconds), n, environment)
        results = alternate(runs, min(arguments.repeats, 3))
        report.facts["operations"].append({"threads": n, **results})
        report.say(f"\n{n} thread{'s' if n > 1 else ''}:\n")
        report.table("operation", "ebb fwd", "PyTorch fwd", "ratio", "ebb fwd+bwd", "PyTorch fwd+bwd", "ratio", align="l")
        for name in results["ebb"][0]:
            cells = []
            for part in ("forward", "both"):
                a = median([run[name][part] for run in results["ebb"]])
                theirs = [run[name][part] for run in results.get("PyTorch", [])]
                cells += [f"{a:.3f}", f"{median(theirs):.3f}", f"{median(theirs) / a:.2f}"] if theirs else [f"{a:.3f}", "-", "-"]
            report.row(name, *cells)


def speedrun(report, programs, torch, arguments):
    """From the start of the process to a trained and tested network, five seeds."""
    program = os.path.join(os.path.dirname(os.path.dirname(programs("limits"))), "examples", "speedrun")
    data = os.path.join(os.environ.get("EBB_DATA", os.path.join(ROOT, "..", "shared", "data")), "mnist")
    cache = os.path.expanduser("~/.cache/ebb/mnist")
    data = data if os.path.isdir(data) else cache
    if not os.path.exists(program) or not os.path.isdir(data):
        print("  speedrun: the program or MNIST is not there; examples/run fetches it", file=sys.stderr)
        return
    report.say("\n## Speedrun\n")
    report.say("`examples/speedrun`: seconds from the start of the process, with MNIST's files on disk, to a network trained "
               "and tested on the 10,000 test images; PyTorch with the very same network and recipe.\n")
    report.table("", "threads", "seconds", "accuracy, mean", "least", "most", "to train", align="lr")
    report.facts["speedrun"] = []
    threads = max(arguments.threads)
    environment, _ = next(iter(torch.settings("train", threads, True).values()))
    seeds = range(1, 3 if arguments.quick else 6)
    found = {"ebb": [], "PyTorch": []}
    for seed in seeds:
        words = ["--data", data, "--seed", str(seed), "--threads", str(threads), "--json"]
        found["ebb"].append(output([program, *words], threads))
        if torch.there and not (arguments.quick and seed > 1):
            found["PyTorch"].append(output(torch.command("speedrun.py", *words), threads, environment))
    for name, runs in found.items():
        runs = [run for run in runs if run]
        if not runs:
            continue
        report.facts["speedrun"].append({"name": name, "threads": threads, "runs": runs})
        times, right = [run["seconds"] for run in runs], [run["accuracy"] for run in runs]
        report.row(name, threads, f"{median(times):.2f} ± {spread(times):.0f} %", f"{statistics.mean(right):.2f} %",
                   f"{min(right):.2f}", f"{max(right):.2f}", f"{median([run['training'] for run in runs]):.2f}")


# The budget of docs/design.md: seconds of g++ -O2 -c; for one op, beyond Eigen's own.
EBB_BUDGET, OP_BUDGET, EXAMPLE_BUDGET = 2.5, 1.0, 6.0


def compile_times(report, arguments):
    compiler = os.environ.get("CXX", "g++")
    eigen = next((p for p in ("/usr/include/eigen3", "/usr/local/include/eigen3") if os.path.isdir(p)), None)
    flags = [compiler, "-std=c++20", "-O2", "-fopenmp", "-c", "-o", os.devnull, "-I", os.path.join(ROOT, "include"), "-x", "c++"]
    for folder in (eigen, "/usr/include/stb"):
        if folder and os.path.isdir(folder):
            flags += ["-isystem", folder]

    def seconds_of(source, text=None, times=1, options=()):
        """The median of some compilations. Each is the compiler's own processor time, so that other
        programs on the machine matter less."""
        taken = []
        for _ in range(times):
            before = os.times()
            done = subprocess.run([*flags, *options, "-" if text else source], input=text, text=True, stderr=subprocess.PIPE,
                                  env=dict(os.environ, CCACHE_DISABLE="1"))
            if done.returncode != 0:
                return None
            after = os.times()
            taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return statistics.median(taken)

    report.say("\n## Compile times\n")
    report.say("Seconds of processor time of `" + " ".join(os.path.basename(f) for f in flags[:5]) + "`.\n")
    report.table("what", "seconds", "budget", "", align="lrrl")
    report.facts["compile"] = []

    def row(what, seconds, budget):
        verdict = "" if budget is None else "does not compile" if seconds is None else "over" if seconds > budget else "ok"
        report.facts["compile"].append({"what": what, "seconds": seconds, "budget": budget})
        report.row(what, "-" if seconds is None else f"{seconds:.2f}", "" if budget is None else f"{budget:.1f}", verdict)

    base = seconds_of(os.path.join(HERE, "compile/eigen_tensor.cpp"), times=3)
    row("Eigen's tensors alone", base, None)
    row("`#include <ebb/ebb.hpp>`", seconds_of(os.path.join(HERE, "compile/ebb.cpp"), times=3), EBB_BUDGET)
    with open(os.path.join(ROOT, "include/ebb/ops/ops.hpp")) as f:
        headers = [line.split("<")[1].split(">")[0] for line in f if line.startswith("#include <ebb/ops/")]
    for header in headers:
        both = seconds_of(None, f"#include <unsupported/Eigen/CXX11/Tensor>\n#include <{header}>\n")
        row(f"`{header}` over Eigen", both and base and max(0.0, both - base), OP_BUDGET)
    for source in sorted(glob.glob(os.path.join(ROOT, "examples/mnist/*.cpp"))):
        row(os.path.relpath(source, ROOT), seconds_of(source), None)
        row("  the same with `ebb::kernels`", seconds_of(source, options=["-DEBB_COMPILED_KERNELS"]), EXAMPLE_BUDGET)
    row("`ebb/kernels.cpp`, once", seconds_of(os.path.join(ROOT, "include/ebb/kernels.cpp")), None)
