"""The report: lines of Markdown as they come, and the raw numbers."""

import os
import platform
import re
import subprocess
import sys
import time

from harness.programs import ROOT, count_in_words


class Report:
    def __init__(self):
        self.lines, self.facts = [], {}

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def table(self, *header, align=""):
        """Begins a table; `align` has an l or r for each column."""
        self.say("| " + " | ".join(header) + " |")
        self.say("|" + "|".join("---" if a == "l" else "---:" for a in align.ljust(len(header), "r")) + "|")

    def row(self, *cells):
        self.say("| " + " | ".join(str(cell) for cell in cells) + " |")


def first_line(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return ""


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            facts = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines() if ":" in line)
        facts = {key.strip(): value.strip() for key, value in facts.items()}
        name = facts.get("model name", platform.machine())
        flags = facts.get("flags", "").split()
        best = "AVX-512" if "avx512f" in flags else "AVX2 and FMA" if "avx2" in flags and "fma" in flags else "SSE2"
        return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}; {best})"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def package(name):
    return first_line("dpkg-query", "-W", "-f=${Version}", name)


def ebb_version():
    with open(os.path.join(ROOT, "include/ebb/core/config.hpp")) as f:
        version = ".".join(re.findall(r"#define EBB_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", f.read()))
    revision = first_line("git", "-C", ROOT, "rev-parse", "--short", "HEAD")
    return f"{version} ({revision})" if revision else version


def compiler():
    return first_line(os.environ.get("CXX", "g++"), "--version")


def describe(report, torch, arguments, command):
    """The head of the report: when, where, with what."""
    versions = {
        "ebb": ebb_version(),
        "compiler": compiler(),
        "PyTorch": torch.version or "not installed",
        "oneDNN": package("libdnnl-dev") or "not installed",
        "OpenBLAS": package("libopenblas-dev") or "not installed",
        "Eigen": package("libeigen3-dev") or "?",
        "dlib": package("libdlib-dev") or "not installed",
        "tiny-dnn": package("tiny-dnn") or "not installed",
        "jemalloc": package("libjemalloc2") or "not installed",
    }
    usable = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    report.facts |= {"date": time.strftime("%Y-%m-%d"), "command": command, "processor": processor(), "cores": usable,
                     "load": load, "versions": versions, "repeats": arguments.repeats, "seconds": arguments.seconds}
    report.say("# Benchmarks")
    report.say()
    report.say(f"{report.facts['date']}; {processor()}, {count_in_words(usable, 'core')}, load {load:.1f} at the start. Made by")
    report.say()
    report.say(f"    {command}")
    report.say()
    report.say("Medians of runs in alternation, ± half the distance between the extremes. "
               "[performance.md](performance.md) says how to read the tables.")
    report.say()
    report.say(", ".join(f"{name} {value}" for name, value in versions.items()) + ".")
    if load > 0.5:
        report.say()
        report.say(f"**The machine had a load of {load:.1f}** in the minute before: figures may be too low. Ratios, which compare "
                   "runs in alternation, suffer less.")
