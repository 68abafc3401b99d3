"""Runs ebb's programs and their PyTorch peers in alternation, so that both see the same machine, and
writes a table and the raw numbers. benchmarks/run builds the programs and calls this."""

import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

parser = argparse.ArgumentParser()
parser.add_argument("what", nargs="*", help="networks, operations, compile; all three when not given")
parser.add_argument("--build", required=True, help="the build folder")
parser.add_argument("--repeats", type=int, default=5, help="runs of each program (default 5)")
parser.add_argument("--seconds", type=float, default=2.0, help="length of a run of a network (default 2)")
parser.add_argument("--threads", default="1 2", help='numbers of threads (default "1 2")')
arguments = parser.parse_args()
unknown = set(arguments.what) - {"networks", "operations", "compile"}
if unknown:
    parser.error(f"there is no benchmark {' '.join(sorted(unknown))}")
chosen = arguments.what or ["networks", "operations", "compile"]
threads = [int(n) for n in arguments.threads.split()]
programs = os.path.join(arguments.build, "benchmarks")
report, lines = {}, []


def say(line=""):
    print(line, flush=True)
    lines.append(line)


def output(command, number_of_threads):
    """What a program prints, as JSON. OpenMP and PyTorch's libraries get the same threads."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(number_of_threads), MKL_NUM_THREADS=str(number_of_threads),
                       OPENBLAS_NUM_THREADS=str(number_of_threads))
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def spread(values):
    """Half the distance between the extremes, in percent of the median."""
    return 50 * (max(values) - min(values)) / statistics.median(values)


def has_torch():
    return subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0


def cpu():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


torch = has_torch()
say(f"# ebb's benchmarks, {time.strftime('%Y-%m-%d')}")
say()
say(f"{cpu()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start. "
    f"{'PyTorch' if torch else 'ebb alone (PyTorch is not installed)'}; medians of {arguments.repeats} runs in alternation, "
    "± half the distance between the extremes.")
report["machine"] = {"cpu": cpu(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}

if "networks" in chosen:
    say("\n## Networks: images per second (a ratio above 1: ebb is faster)\n")
    say("| network | work | batch | threads | ebb | PyTorch | ratio |\n|---|---|---:|---:|---:|---:|---:|")
    report["networks"] = []
    for network in ("cnn", "lenet"):
        for mode, batch in (("train", 64), ("infer", 64), ("infer", 1)):
            for n in threads:
                tail = [network, mode, str(batch), str(n), str(arguments.seconds)]
                ours, theirs = [], []
                for _ in range(arguments.repeats):
                    ours.append(output([os.path.join(programs, "bench_networks"), *tail], n)["images_per_s"])
                    if torch:
                        theirs.append(output([sys.executable, os.path.join(HERE, "peers/networks.py"), *tail], n)["images_per_s"])
                a = statistics.median(ours)
                b = statistics.median(theirs) if theirs else None
                report["networks"].append({"network": network, "mode": mode, "batch": batch, "threads": n, "ebb": ours, "torch": theirs})
                peer = f"{b:.0f} ± {spread(theirs):.0f} % | {a / b:.2f}" if theirs else "- | -"
                say(f"| {network} | {mode} | {batch} | {n} | {a:.0f} ± {spread(ours):.0f} % | {peer} |")

if "operations" in chosen:
    say("\n## Operations: milliseconds forward, and with the backward pass (a ratio above 1: ebb is faster)\n")
    report["operations"] = []
    seconds = str(min(arguments.seconds, 0.2))
    for n in threads:
        say(f"\n{n} thread{'s' if n > 1 else ''}:\n")
        say("| operation | ebb fwd | PyTorch fwd | ratio | ebb fwd+bwd | PyTorch fwd+bwd | ratio |\n|---|---:|---:|---:|---:|---:|---:|")
        ours, theirs = [], []
        for _ in range(arguments.repeats):
            ours.append(output([os.path.join(programs, "bench_operations"), str(n), seconds], n))
            if torch:
                theirs.append(output([sys.executable, os.path.join(HERE, "peers/operations.py"), str(n), seconds], n))
        for name in ours[0]:
            cells = []
            for part in ("forward", "both"):
                a = statistics.median(run[name][part] for run in ours)
                b = statistics.median(run[name][part] for run in theirs) if theirs else None
                cells.append(f"{a:.3f} | {b:.3f} | {b / a:.2f}" if theirs else f"{a:.3f} | - | -")
            say(f"| {name} | {' | '.join(cells)} |")
        report["operations"].append({"threads": n, "ebb": ours, "torch": theirs})

if "compile" in chosen:
    # The budget of docs/design.md: seconds of g++ -O2 -c; for one op, beyond Eigen's own.
    EBB_BUDGET, OP_BUDGET, EXAMPLE_BUDGET = 2.5, 1.0, 6.0
    compiler = os.environ.get("CXX", "g++")
    eigen = next((p for p in ("/usr/include/eigen3", "/usr/local/include/eigen3") if os.path.isdir(p)), None)
    flags = [compiler, "-std=c++20", "-O2", "-fopenmp", "-c", "-o", os.devnull, "-I", os.path.join(ROOT, "include"), "-x", "c++"]
    for folder in (eigen, "/usr/include/stb"):
        if folder and os.path.isdir(folder):
            flags += ["-isystem", folder]

    def seconds_of(source, text=None):
        """The median of up to three compilations. Each is the compiler's own processor time, so that
        other programs on the machine matter less."""
        times = []
        for _ in range(min(3, arguments.repeats)):
            before = os.times()
            done = subprocess.run([*flags, "-" if text else source], input=text, text=True, stderr=subprocess.PIPE,
                                  env=dict(os.environ, CCACHE_DISABLE="1"))
            if done.returncode != 0:
                return None
            after = os.times()
            times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return statistics.median(times)

    say("\n## Compile times: seconds of processor time of " + " ".join(os.path.basename(f) for f in flags[:4]) + "\n")
    say("| what | seconds | budget | |\n|---|---:|---:|---|")
    report["compile"] = []

    def row(what, seconds, budget):
        verdict = "" if budget is None else "does not compile" if seconds is None else "over" if seconds > budget else "ok"
        report["compile"].append({"what": what, "seconds": seconds, "budget": budget})
        say(f"| {what} | {'-' if seconds is None else f'{seconds:.2f}'} | {'' if budget is None else f'{budget:.1f}'} | {verdict} |")

    base = seconds_of(os.path.join(HERE, "compile/eigen_tensor.cpp"))
    row("Eigen's tensors alone", base, None)
    row("`#include <ebb/ebb.hpp>`", seconds_of(os.path.join(HERE, "compile/ebb.cpp")), EBB_BUDGET)
    with open(os.path.join(ROOT, "include/ebb/ops/ops.hpp")) as f:
        headers = [line.split("<")[1].split(">")[0] for line in f if line.startswith("#include <ebb/ops/")]
    for header in headers:
        both = seconds_of(None, f"#include <unsupported/Eigen/CXX11/Tensor>\n#include <{header}>\n")
        row(f"`{header}` over Eigen", both and max(0.0, both - base), OP_BUDGET)
    sources = sorted(glob.glob(os.path.join(ROOT, "examples/mnist*.cpp")) + glob.glob(os.path.join(ROOT, "examples/mnist/*.cpp")))
    for source in sources:
        row(os.path.relpath(source, ROOT), seconds_of(source), EXAMPLE_BUDGET)

os.makedirs(programs, exist_ok=True)
with open(os.path.join(programs, "report.md"), "w") as f:
    f.write("\n".join(lines) + "\n")
with open(os.path.join(programs, "report.json"), "w") as f:
    json.dump(report, f, indent=1)
print(f"\nwritten: {os.path.join(programs, 'report.md')} and report.json")
