"""Tests of the front of benchmarks/run and benchmarks/gpu: what they read, and what they build, with a CMake that only
notes how it is called."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


class Front(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(os.path.join(ROOT, "benchmarks"), os.path.join(self.folder, "benchmarks"))
        self.script(".ci/install", "")
        self.script("tools/cmake", 'echo "$*" >>"$CALLS"\ncase "$*" in *"--target speedrun"*) exit 1 ;; esac\n')
        # A Python with any PyTorch, and whatever else is asked: it notes what is to be measured, and ends.
        self.script("tools/python3", 'case "$*" in *measure*--parse) exec "$REAL" "$@" ;; *measure*) echo "measure $*" ;; esac\n')

    def script(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def front(self, name, *words):
        calls = os.path.join(self.folder, "calls")
        tools = os.path.join(self.folder, "tools")
        environment = {"PATH": tools + os.pathsep + os.environ["PATH"], "CALLS": calls, "REAL": sys.executable,
                       "EBB_PYTHON": os.path.join(tools, "python3"), "EBB_JOBS": "1"}
        done = subprocess.run([os.path.join(self.folder, "benchmarks", name), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=environment)
        built = []
        if os.path.exists(calls):
            with open(calls) as f:
                built = f.read().splitlines()
            os.remove(calls)
        return done, built

    def test_a_wrong_option_is_told_before_anything_is_built(self):
        for words, sentence in ((("nets",), "there is no section nets"), (("--check",), "unrecognized arguments: --check"),
                                (("--publish", "/nowhere"), "no such folder"), (("--threads", "x"), "it takes numbers")):
            done, built = self.front("run", *words)
            self.assertEqual((done.returncode, built), (2, []))
            self.assertIn(sentence, done.stderr)

    def test_the_processor(self):
        done, built = self.front("run", "tape", "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("-DEBB_BUILD_EXAMPLES=ON -DEBB_BUILD_TESTS=OFF", built[0])
        self.assertEqual([call.split("--target ")[1] for call in built[1:]], ["benchmarks", "speedrun"])
        self.assertIn("speedrun could not be built, and is left out", done.stdout)
        self.assertRegex(done.stdout, r"measure benchmarks/measure.py tape --quick --build build "
                                      r"--command benchmarks/run tape --quick --torch .*/tools/python3")

    def test_a_gpu(self):
        self.script("tools/nvidia-smi", 'case "$1" in -L) echo "GPU 0: H1" ;; *) echo 9.0 ;; esac\n')
        self.script("tools/nvcc", "")
        done, built = self.front("gpu", "operations")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("-DEBB_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=90 -DEBB_BUILD_TESTS=OFF", built[0])
        self.assertEqual([call.split("--target ")[1] for call in built if "--target" in call],
                         ["bench_gpu_networks bench_gpu_operations", "bench_gpu_peers"])
        self.assertRegex(done.stdout, "measure benchmarks/measure_gpu.py operations --build build-gpu "
                                      "--command benchmarks/gpu operations --torch ")

    def test_help_says_how(self):
        for name in ("run", "gpu"):
            done, built = self.front(name, "--help")
            self.assertEqual((done.returncode, built), (0, []))
            self.assertTrue(done.stdout.startswith("Measures ebb beside its peers"))
            self.assertTrue(done.stdout.endswith("cannot be had are left out.\n"))


if __name__ == "__main__":
    unittest.main()
