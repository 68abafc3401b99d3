"""Times ebb's CUDA kernels and training steps beside PyTorch's, cuDNN's and cuBLAS's on this machine's GPU, in
alternation, and writes tables and the raw numbers. benchmarks/gpu builds the programs and calls this."""

import json
import os
import sys
import time

from harness import gpu, gpu_tables
from harness.arguments import read
from harness.report import Report, compiler, ebb_version, first_line, processor

arguments = read("benchmarks/gpu", gpu.SECTIONS, gpu.SECTIONS, repeats=(3, 1), seconds=(1.0, 0.5),
                 published="gpu_benchmarks.md and gpu_benchmarks.json")
sections = arguments.sections

folder = os.path.join(arguments.build, "benchmarks")
programs, report = gpu.Programs(folder, arguments.torch), Report()
lines, tried = programs.lines(programs.ours("networks", "device")), []
if not lines:
    sys.exit(f"benchmarks/gpu: ebb's programs do not run on this GPU: {programs.failures[0]['problem']}")
if programs.python:
    lines += programs.lines(programs.torch("device"))
if "networks" in sections:
    lines += gpu.checks(programs, arguments)
    found, tried = gpu.networks(programs, arguments)
    lines += found
if "operations" in sections:
    lines += gpu.operations(programs, arguments)


def of(section):
    return [line for line in lines if line["section"] == section]


def smi(question, of_what="gpu"):
    return first_line("nvidia-smi", f"--query-{of_what}={question}", "--format=csv,noheader")


def describe():
    """The head of the report: when, where, with what."""
    devices = {line["who"]: line for line in of("device")}
    ours, theirs = devices.get("ebb", {}), devices.get("PyTorch")
    peer = (f"{theirs['version']} (CUDA {theirs['runtime']}, cuDNN {theirs['cudnn']})" if theirs else "not to be had")
    versions = {"ebb": ebb_version(), "driver": smi("driver_version") or "?",
                "CUDA runtime": ours.get("runtime") or "?",
                "nvcc": first_line("bash", "-c", "nvcc --version | grep -o 'release [0-9.]*'").removeprefix("release ") or "?",
                "compiler": compiler(), "PyTorch": peer}
    if "cuDNN and cuBLAS" in devices:
        versions["cuDNN beside operations"] = devices["cuDNN and cuBLAS"].get("cudnn")
    name = ours.get("name") or smi("name") or (theirs or {}).get("name") or "a GPU that names itself nowhere"
    others = smi("pid", "compute-apps")
    report.facts |= {"date": time.strftime("%Y-%m-%d"), "command": arguments.command, "device": name,
                     "clocks": smi("clocks.max.sm,clocks.max.memory,power.limit"), "processor": processor(),
                     "versions": versions, "repeats": arguments.repeats, "seconds": arguments.seconds}
    report.say("# Benchmarks on a GPU\n")
    report.say(f"{report.facts['date']}; {name}"
               + (f" ({report.facts['clocks']} at most)" if report.facts["clocks"] else "") + f"; {processor()}. Made by\n")
    report.say(f"    {arguments.command}\n")
    report.say("Medians of runs in alternation, ± half the distance between the extremes. At *fp32* TF32 is off in all "
               "libraries; *tf32* and *bf16* sum in floats, and keep weights as floats. PyTorch's *bf16* is autocast, which also "
               "keeps activations in bf16, and may use TF32 for the rest.\n")
    report.say(", ".join(f"{key} {value}" for key, value in versions.items()) + ".")
    if not programs.python:
        report.say("\nPyTorch for CUDA was not to be had: ebb is shown without it.")
    if "operations" in sections and not programs.there("peers"):
        report.say("\ncuDNN and cuBLAS were not found when the programs were built: operations are shown without them.")
    if others:
        report.say("\n**Another process was using the GPU** at the end: figures may be too low.")


def tables():
    entries = []
    if "networks" in sections:
        same, steps = gpu_tables.same_networks(of("check")), gpu_tables.networks(of("networks"))
        report.facts |= {"same_networks": same, "networks": steps, "tried": tried}
        gpu_tables.say_networks(report, steps)
        gpu_tables.say_same(report, same)
        entries += steps
    if "operations" in sections:
        kernels, copy = gpu_tables.operations(of("operations"))
        report.facts |= {"operations": kernels, "copy_gb_per_s": copy}
        gpu_tables.say_operations(report, kernels, copy)
        entries += kernels
    gpu_tables.say_goals(report, entries)
    report.facts |= {"failures": programs.failures, "lines": lines, "took": round(time.time() - programs.began)}
    if programs.failures:
        report.say("\nPrograms that failed, and are left out:\n")
        for failure in programs.failures:
            report.say(f"* `{failure['program']}`: {failure['problem']}")
    report.say(f"\nAll of this took {report.facts['took'] / 60:.0f} minutes.")


def write(where, name):
    for suffix, text in (("md", "\n".join(report.lines)), ("json", json.dumps(report.facts, indent=1))):
        with open(os.path.join(where, f"{name}.{suffix}"), "w") as f:
            f.write(text + "\n")
    print(f"written: {os.path.join(where, name)}.md and .json", file=sys.stderr)


describe()
tables()
write(folder, "gpu")
if arguments.publish:
    write(arguments.publish, "gpu_benchmarks")
if any(failure["ours"] for failure in programs.failures):
    sys.exit("A program of ebb's failed: the tables are not whole.")
if not all(f["same"] for f in report.facts.get("same_networks", [])):
    sys.exit("The networks of ebb and PyTorch are not the same.")
