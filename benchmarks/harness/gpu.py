"""The programs of benchmarks/gpu: runs ebb's and PyTorch's in alternation, and gathers the lines of JSON they print.
What the lines say together is worked out in gpu_tables.py."""

import json
import os
import subprocess
import sys
import tempfile
import time

from harness.programs import HERE, alternate, median

ROWS = [("cnn", 64), ("cnn", 256), ("cnn", 1024), ("lenet", 64), ("resnet18", 128), ("unet", 8)]
QUICK_ROWS = [("cnn", 64), ("resnet18", 128)]
PRECISIONS = ("fp32", "tf32", "bf16")
SECTIONS = ("networks", "operations")
OURS = ("bench_gpu_networks", "bench_gpu_operations")

# What a line of each section holds at least.
KEYS = {"networks": ("network", "batch", "who", "mode", "precision", "us_per_step", "peak_mib"),
        "operations": ("op", "shape", "who", "precision", "us"), "check": ("network", "who", "loss", "parameters"),
        "device": ("who", "name")}


def flaw(line):
    """What is wrong with a line that a program printed; nothing for most."""
    if line.get("section") not in KEYS:
        return f"a line is of the section {line.get('section')}, of which nothing is known"
    lacking = [key for key in KEYS[line["section"]] if key not in line]
    if lacking:
        return f"a line of the section {line['section']} lacks {', '.join(lacking)}"
    for key in ("us_per_step", "us"):
        if key in line and not (line[key] and all(isinstance(us, (int, float)) and us > 0 for us in line[key])):
            return f"{key} is {line[key]}, and should be times"
    return ""


def parsed(text):
    """Objects of the lines that are JSON as they should be, and what is wrong with the first that is not."""
    found, problems = [], []
    for words in text.splitlines():
        if not words.startswith("{"):
            continue  # a library's greeting
        try:
            line = json.loads(words)
            problem = flaw(line)
        except json.JSONDecodeError as error:
            problem = f"a line of its output is no JSON: {error}"
        if problem:
            problems.append(problem)
        else:
            found.append(line)
    if not found and not problems:
        problems.append("it printed nothing")
    return found, problems[0] if problems else ""


class Programs:
    """ebb's programs in a folder, and PyTorch's where there is a Python that has one."""

    def __init__(self, folder, python=None):
        self.folder, self.python = os.path.abspath(folder), python
        self.failures, self.began = [], time.time()
        # What torch.compile compiled and tried out in one process, the next ones need not.
        self.environment = {"TORCHINDUCTOR_CACHE_DIR": os.path.join(self.folder, "inductor"), "PYTHONDONTWRITEBYTECODE": "1"}

    def ours(self, name, *words):
        return [os.path.join(self.folder, "bench_gpu_" + name), *map(str, words)]

    def torch(self, *words):
        return [self.python, os.path.join(HERE, "peers", "gpu_networks.py"), *map(str, words)]

    def there(self, name):
        return os.path.exists(self.ours(name)[0])

    def progress(self, what):
        print(f"[{time.time() - self.began:.0f} s] {what}", file=sys.stderr, flush=True)

    def lines(self, command, timeout=1800):
        """The objects that a program prints, one a line. When it fails, those it printed before; `failures` says why."""
        found, problem = [], ""
        try:
            done = subprocess.run(command, env=dict(os.environ, **self.environment), timeout=timeout, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace")
            if done.returncode:
                problem = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            found, wrong = parsed(done.stdout)
            problem = problem or wrong
        except subprocess.TimeoutExpired:
            problem = f"not done after {timeout} seconds"
        except OSError as error:
            problem = error.strerror
        if problem:
            name = " ".join([os.path.basename(command[0]), *command[1:]]).replace(HERE + os.sep, "")
            failure = {"program": name, "problem": problem, "ours": os.path.basename(command[0]) in OURS}
            if failure not in self.failures:
                self.failures.append(failure)
            print(f"  {name}: {problem}", file=sys.stderr, flush=True)
        return found


def settings(mode, precision, quick):
    """What is tried of PyTorch's settings; when in a hurry, the layout that usually suits."""
    if quick:
        return [[] if precision == "fp32" else ["channels_last"]]
    kinds = [[], ["one_graph"]] if mode == "compile" else [[]]
    return [kind + layout for kind in kinds for layout in ([], ["channels_last"])]


def best_setting(programs, row, seconds, quick):
    """The command with the fastest of PyTorch's settings, and microseconds of all that were tried; None when all fail."""
    network, batch, mode, precision = row
    choices = settings(mode, precision, quick)
    commands = {" ".join(words) or "plain": programs.torch(*row, seconds, *([",".join(words)] if words else []))
                for words in choices}
    if len(commands) == 1:
        return *commands.values(), {}
    tried = {}
    for name, command in commands.items():
        for line in programs.lines(command):
            tried[name] = median(line["us_per_step"])
    return (commands[min(tried, key=tried.get)] if tried else None), tried


def networks(programs, arguments):
    """Lines of each network at each precision, and what was tried of PyTorch's settings."""
    found, tried = [], []
    for network, batch in QUICK_ROWS if arguments.quick else ROWS:
        for precision in PRECISIONS:
            runs = {}
            for mode in ("eager", "captured"):
                command = programs.ours("networks", network, batch, mode, precision, arguments.seconds)
                runs["ebb", mode] = lambda command=command: programs.lines(command)
            for mode in ("eager", "compile", "graph") if programs.python else ():
                if mode == "compile" and arguments.quick and network != "cnn":
                    continue  # inductor's trials take minutes
                row = (network, batch, mode, precision)
                command, us = best_setting(programs, row, arguments.seconds, arguments.quick)
                tried.append({"network": network, "batch": batch, "mode": mode, "precision": precision, "us_per_step": us})
                if command:
                    runs["PyTorch", mode] = lambda command=command: programs.lines(command)
            for results in alternate(runs, arguments.repeats).values():
                found += [line for lines in results for line in lines]
            programs.progress(f"{network}, batch {batch}, {precision}")
    return found, tried


def checks(programs, arguments):
    """Losses and parameter counts of both libraries, from weights that PyTorch writes."""
    found = []
    if not programs.python:
        return found
    with tempfile.TemporaryDirectory() as folder:
        for network in dict(QUICK_ROWS if arguments.quick else ROWS):
            weights = os.path.join(folder, network + ".safetensors")
            found += programs.lines(programs.torch(network, "check", weights))
            if os.path.exists(weights):
                found += programs.lines(programs.ours("networks", network, "check", weights))
    programs.progress("same weights, same loss")
    return found


def operations(programs, arguments):
    """Lines of all operations, and of cuDNN and cuBLAS where that program was built."""
    seconds = min(arguments.seconds, 0.2)
    runs = {name: lambda name=name: programs.lines(programs.ours(name, seconds))
            for name in ("operations", "peers") if name == "operations" or programs.there(name)}
    found = [line for results in alternate(runs, arguments.repeats).values() for lines in results for line in lines]
    programs.progress("operations")
    return found
