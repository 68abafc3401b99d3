"""Running programs: pinned to cores, with a number of threads, in alternation, so that all of them see
the same machine; and what is said of their figures."""

import json
import os
import statistics
import subprocess
import sys
from ctypes import util

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)


def cores(threads):
    """The last of the cores this process may use: the first ones serve the system's interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    return set(allowed[-threads:])


def output(command, threads, environment=None, timeout=300):
    """What a program prints, as JSON; {} when it cannot be run, and says why."""
    variables = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                     OPENBLAS_NUM_THREADS=str(threads), **(environment or {}))
    pinned = cores(threads)
    try:
        done = subprocess.run(command, env=variables, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, preexec_fn=lambda: os.sched_setaffinity(0, pinned))
        if done.returncode == 0:
            return json.loads(done.stdout[max(0, done.stdout.find("{")):])  # what else it says comes before
        problem = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        problem = str(error)
    print(f"  {' '.join(map(os.path.basename, map(str, command)))}: {problem}", file=sys.stderr, flush=True)
    return {}


def alternate(programs, repeats):
    """Runs functions by name, in turns: {name: [result, ...]}. Every second round goes backwards, and
    one that yields nothing is not asked again."""
    results = {name: [] for name in programs}
    dead = set()
    for turn in range(repeats):
        names = list(programs) if turn % 2 == 0 else list(reversed(programs))
        for name in names:
            if name in dead:
                continue
            result = programs[name]()
            if result:
                results[name].append(result)
            else:
                dead.add(name)
    return {name: found for name, found in results.items() if found}


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance between the extremes, in percent of the median."""
    return 50 * (max(values) - min(values)) / statistics.median(values)


def number(value):
    """Three digits at least, and no decimals that say nothing."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def count_in_words(n, what):
    return f"{n} {what}" + ("" if n == 1 else "s")


class Torch:
    """PyTorch, where there is one, and the settings at which it may be at its best."""

    # https://pytorch.org/tutorials/recipes/recipes/tuning_guide.html recommends these.
    JEMALLOC = "oversize_threshold:1,background_thread:false,dirty_decay_ms:9000000000,muzzy_decay_ms:9000000000"

    def __init__(self, python=None):
        """`python` has a PyTorch; none: the one that runs this, if it has."""
        self.python = python or sys.executable
        probe = subprocess.run([self.python, "-c", "import torch; print(torch.__version__, torch.backends.mkldnn.is_available())"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.there = probe.returncode == 0
        self.version = probe.stdout.split()[0] if self.there else ""
        self.jemalloc = util.find_library("jemalloc")
        with open("/proc/cpuinfo") as f:
            self.amd = "AuthenticAMD" in f.read()

    def tuned(self):
        """The name and the environment of what suits it best on most machines."""
        plain = {"LD_PRELOAD": self.jemalloc, "MALLOC_CONF": self.JEMALLOC} if self.jemalloc else {}
        name = "jemalloc" if plain else "plain"
        if not self.amd:
            return name, plain
        # MKL up to 2020.0 takes its AVX2 path on processors that are not Intel's only when told so.
        return name + ", MKL AVX2", dict(plain, MKL_DEBUG_CPU_TYPE="5")

    def settings(self, mode, threads, quick):
        """{name: (environment, words)} of those to be tried."""
        fastest, fast = self.tuned()
        plain = {key: value for key, value in fast.items() if key != "MKL_DEBUG_CPU_TYPE"}
        name = fastest.split(",")[0]
        tries = {}
        if mode == "infer":
            tries[f"{fastest}, frozen"] = (fast, ["frozen"])
            tries[f"{fastest}, frozen, channels_last"] = (fast, ["frozen", "channels_last"])
        tries[fastest] = (fast, [])
        if quick:
            return dict(list(tries.items())[:1])
        tries[f"{fastest}, channels_last"] = (fast, ["channels_last"])
        tries[name] = (plain, [])
        if plain:
            tries["defaults"] = ({}, [])
        if threads > 1:
            tries[f"{fastest}, bound threads that wait actively"] = (
                dict(fast, OMP_WAIT_POLICY="active", OMP_PROC_BIND="true"), [])
        return tries

    def command(self, script, *words):
        return [self.python, os.path.join(HERE, "peers", script), *map(str, words)]
