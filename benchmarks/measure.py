"""Runs ebb's programs and their peers in alternation, so that all see the same machine, and writes tables,
pictures and the raw numbers. benchmarks/run builds the programs and calls this."""

import argparse
import json
import os
import shlex
import shutil
import sys
import time
import traceback

from harness import kernels, networks, other, plots
from harness.programs import Torch
from harness.report import Report, describe

SECTIONS = ("networks", "speedrun", "convolutions", "products", "inference", "bandwidth", "tape", "operations", "compile")

parser = argparse.ArgumentParser(prog="benchmarks/run")
parser.add_argument("what", nargs="*", help=f"of {', '.join(SECTIONS)}; all when not given")
parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
parser.add_argument("--quick", action="store_true", help="fewer rows and runs: a few minutes, and coarse")
parser.add_argument("--repeats", type=int, help="runs of each program (5; quick: 2)")
parser.add_argument("--seconds", type=float, help="length of a run of a network (1; quick: 0.3)")
parser.add_argument("--threads", default="1 2", help='numbers of threads ("1 2")')
parser.add_argument("--publish", metavar="FOLDER", help="also writes benchmarks.md, benchmarks.json and benchmarks/*.svg, *.png there")
arguments = parser.parse_args()
unknown = set(arguments.what) - set(SECTIONS)
if unknown:
    parser.error(f"there is no benchmark {' '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
quick_sections = [s for s in SECTIONS if s not in ("operations", "compile")]
chosen = arguments.what or (quick_sections if arguments.quick else SECTIONS)
arguments.repeats = arguments.repeats or (2 if arguments.quick else 5)
arguments.seconds = arguments.seconds or (0.3 if arguments.quick else 1.0)
usable = len(os.sched_getaffinity(0))
arguments.threads = [n for n in map(int, arguments.threads.split()) if n <= usable] or [1]

folder = os.path.join(arguments.build, "benchmarks")
extra = [w for w in sys.argv[1:] if w not in ("--build", arguments.build)]
report, torch, began = Report(), Torch(), time.time()


def programs(name):
    return os.path.abspath(os.path.join(folder, "bench_" + name))


def ready(what):
    print(f"[{time.time() - began:.0f} s] {what}", file=sys.stderr, flush=True)


describe(report, torch, arguments, shlex.join(["benchmarks/run", *extra]))
most = kernels.limits(report, programs, arguments)
pictures, points = {}, {}


def attempt(name, section):
    """A section that fails says so, and the others go on."""
    if name not in chosen:
        return None
    result = None
    try:
        result = section()
    except Exception:  # of whatever kind: the report must be written
        traceback.print_exc()
        report.say(f"\n**The section {name} failed.**")
    ready(name)
    return result


def section_of_networks():
    networks.section(report, programs, torch, arguments, most)
    if plots.over_batch_size(folder, report.facts["networks"]):
        pictures["batch_size"] = "Images per second over batch size"


attempt("networks", section_of_networks)
attempt("speedrun", lambda: other.speedrun(report, programs, torch, arguments))
for name, section in (("convolutions", kernels.convolutions), ("products", kernels.products)):
    found = attempt(name, lambda: section(report, programs, arguments, most))
    if found:
        points[name] = found
attempt("inference", lambda: kernels.inference(report, programs, arguments, most))
attempt("bandwidth", lambda: kernels.bandwidth(report, programs, arguments, most))
attempt("tape", lambda: kernels.tape(report, programs, arguments))
if plots.roofline(folder, points, most[arguments.threads[0]], arguments.threads[0]):
    pictures["roofline"] = "Roofline"
attempt("operations", lambda: other.operations(report, programs, torch, arguments))
attempt("compile", lambda: other.compile_times(report, arguments))
report.facts["took"] = round(time.time() - began)
report.say(f"\nAll of this took {report.facts['took'] / 60:.0f} minutes.")


def write(where, name, pictures_in):
    """The report with its pictures behind the head, and the numbers."""
    text = "\n".join(report.lines) + "\n"
    images = "".join(f"\n![{title}]({pictures_in}{key}.svg)\n" for key, title in pictures.items())
    head, _, rest = text.partition("\n## What the machine can do at most")
    with open(os.path.join(where, name + ".md"), "w") as f:
        f.write(head + images + "\n## What the machine can do at most" + rest)
    with open(os.path.join(where, name + ".json"), "w") as f:
        json.dump(report.facts, f, indent=1)
        f.write("\n")
    print(f"written: {os.path.join(where, name)}.md and .json", file=sys.stderr)


write(folder, "report", "")
if arguments.publish:
    beside = os.path.join(arguments.publish, "benchmarks")
    os.makedirs(beside, exist_ok=True)
    for key in pictures:
        for suffix in ("svg", "png"):
            shutil.copy(os.path.join(folder, f"{key}.{suffix}"), beside)
    write(arguments.publish, "benchmarks", "benchmarks/")
