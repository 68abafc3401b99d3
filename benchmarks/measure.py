"""Runs ebb's programs and their peers in alternation, so that all see the same machine, and writes tables,
pictures and the raw numbers. benchmarks/run builds the programs and calls this."""

import json
import os
import shutil
import sys
import time
import traceback

from harness import kernels, networks, other, plots
from harness.arguments import read
from harness.programs import Torch
from harness.report import Report, describe

SECTIONS = ("networks", "speedrun", "convolutions", "products", "inference", "bandwidth", "tape", "operations", "compile")

arguments = read("benchmarks/run", SECTIONS, [s for s in SECTIONS if s not in ("operations", "compile")], repeats=(5, 2),
                 seconds=(1.0, 0.3), published="benchmarks.md, benchmarks.json and benchmarks/*.svg, *.png", threads=True)

folder = os.path.join(arguments.build, "benchmarks")
report, torch, began = Report(), Torch(arguments.torch), time.time()


def programs(name):
    return os.path.abspath(os.path.join(folder, "bench_" + name))


def ready(what):
    print(f"[{time.time() - began:.0f} s] {what}", file=sys.stderr, flush=True)


describe(report, torch, arguments, arguments.command)
most = kernels.limits(report, programs, arguments)
pictures, points = {}, {}


def attempt(name, section):
    """A section that fails says so, and the others go on."""
    if name not in arguments.sections:
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
for name, section in (("convolutions", lambda: kernels.convolutions(report, programs, torch, arguments, most)),
                      ("products", lambda: kernels.products(report, programs, arguments, most))):
    found = attempt(name, section)
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
