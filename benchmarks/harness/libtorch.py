"""Compiles benchmarks/peers/libtorch_cnn.cpp against the PyTorch of the Python that runs this: its
package brings the headers and libraries of LibTorch along."""

import os
import subprocess
import sys

from harness.programs import HERE, ROOT

SOURCE = os.path.join(HERE, "peers", "libtorch_cnn.cpp")


def build(program):
    """The path of the program; None where it cannot be built, and says why."""
    try:
        import torch
    except ImportError:
        return None
    home = os.path.dirname(torch.__file__)
    include, libraries = os.path.join(home, "include"), os.path.join(home, "lib")
    if not os.path.isdir(os.path.join(include, "torch", "csrc", "api", "include")):
        print("  LibTorch is left out: this PyTorch came without its headers", file=sys.stderr)
        return None
    newest = max(os.path.getmtime(f) for f in (SOURCE, torch.__file__))
    if os.path.exists(program) and os.path.getmtime(program) > newest:
        return program
    command = [os.environ.get("CXX", "g++"), "-std=c++17", "-O2", "-w", "-fopenmp",
               f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}", f"-I{ROOT}",
               "-isystem", include, "-isystem", os.path.join(include, "torch", "csrc", "api", "include"),
               SOURCE, "-o", program, f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-Wl,--no-as-needed",
               "-ltorch", "-ltorch_cpu", "-lc10"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print("  LibTorch is left out: " + "\n".join(done.stdout.splitlines()[:5]), file=sys.stderr)
        return None
    return program
