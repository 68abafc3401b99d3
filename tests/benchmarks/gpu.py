"""Tests of benchmarks/gpu: what it does when programs are missing, fail or disagree, with small scripts in the place of
ebb's programs and of PyTorch."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))

from harness import gpu  # noqa: E402


# Stand-ins for the programs. $1 $2 ... are theirs, except that PyTorch's has its script before them.
STEPS = r"""
if [ "$1" = device ]; then
  echo '{"section":"device","who":"'$who'","name":"H1","version":"2.99","runtime":"13.0","cudnn":91}'
  exit
fi
if [ "$2" = check ]; then
  [ "$who" = PyTorch ] && echo weights >"$3"
  grep -q weights "$3" || exit 3
  echo '{"section":"check","network":"'"$1"'","who":"'$who'","loss":'"$loss"',"parameters":5}'
  exit
fi
case $3 in captured) us=20 ;; graph) us=60 ;; *) us=100 ;; esac
echo '{"section":"networks","network":"'"$1"'","batch":'"$2"',"who":"'$who'","mode":"'"$3"'","precision":"'"$4"'",' \
  '"us_per_step":['$us','$us'],"peak_mib":1}'
"""
OURS = "#!/bin/sh\nwho=ebb loss=2.5\n" + STEPS
TORCH = "#!/bin/sh\nwho=PyTorch loss=2.5\nshift\n" + STEPS
KERNELS = r"""#!/bin/sh
echo '{"section":"operations","op":"copy","shape":"n","who":"ebb","precision":"fp32","us":[1],"gflops":null,"gb_per_s":4000}'
"""


class Command(unittest.TestCase):
    def setUp(self):
        self.build = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.build)
        self.script("benchmarks/bench_gpu_networks", OURS)
        self.script("benchmarks/bench_gpu_operations", KERNELS)

    def script(self, name, text):
        path = os.path.join(self.build, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path

    def measure(self, *words):
        done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "benchmarks/measure_gpu.py"), "--build", self.build,
                               "--quick", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        facts, path = {}, os.path.join(self.build, "benchmarks/gpu.json")
        if os.path.exists(path):
            with open(path) as f:
                facts = json.load(f)
        return done, facts

    def test_the_report(self):
        torch = self.script("torch", TORCH)
        published = os.path.join(self.build, "docs")
        os.mkdir(published)
        done, facts = self.measure("--torch", torch, "--publish", published)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(e["network"], e["precision"], e["to_graph"]) for e in facts["networks"]],
                         [(n, p, 3.0) for n in ("cnn", "resnet18") for p in gpu.PRECISIONS])
        self.assertTrue(all(f["same"] for f in facts["same_networks"]))
        self.assertEqual((facts["device"], facts["copy_gb_per_s"], facts["failures"]), ("H1", 4000, []))
        self.assertEqual([goal["reached"] for goal in facts["goals"].values()], [1, 1])
        for name in ("benchmarks/gpu.md", "docs/gpu_benchmarks.md"):
            with open(os.path.join(self.build, name)) as f:
                text = f.read()
            self.assertEqual(text.strip(), done.stdout.strip())
        self.assertIn("CUDA runtime 13.0", text)
        self.assertIn("PyTorch 2.99 (CUDA 13.0, cuDNN 91)", text)
        self.assertIn("cuDNN and cuBLAS were not found", text)

    def test_missing_peers_are_no_failure(self):
        done, facts = self.measure()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("PyTorch for CUDA was not to be had", done.stdout)
        self.assertEqual({tuple(e["images_per_s"]) for e in facts["networks"]}, {("ebb eager", "ebb captured")})

    def test_a_peer_that_fails_is_left_out_with_its_last_words(self):
        fails = '[ "$3" = graph ] && { echo some; echo no graph >&2; exit 1; }\n'
        torch = self.script("torch", TORCH.replace("case $3", fails + "case $3"))
        done, facts = self.measure("--torch", torch, "--sections", "networks")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("peers/gpu_networks.py cnn 64 graph fp32 0.5`: no graph", done.stdout)
        self.assertIsNone(facts["networks"][0]["to_graph"])
        self.assertAlmostEqual(facts["networks"][0]["to_best"], 5.0)

    def test_a_program_of_ours_that_fails_spoils_its_rows_alone_and_the_exit_code(self):
        fails = '[ "$3 $4" = "captured bf16" ] && { echo out of memory >&2; exit 1; }\n'
        self.script("benchmarks/bench_gpu_networks", OURS.replace("case $3", fails + "case $3"))
        done, facts = self.measure()
        self.assertEqual(done.returncode, 1)
        self.assertIn("A program of ebb's failed", done.stderr)
        self.assertIn("* `bench_gpu_networks cnn 64 captured bf16 0.5`: out of memory", done.stdout)
        self.assertEqual(["ebb captured" in e["images_per_s"] for e in facts["networks"]], [True, True, False] * 2)
        self.assertEqual(facts["copy_gb_per_s"], 4000)

    def test_a_program_that_prints_no_json_or_is_not_there_failed(self):
        self.script("benchmarks/bench_gpu_operations", "#!/bin/sh\necho '{\"section\":'\n")
        done, facts = self.measure("--sections", "operations")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a line of its output is no JSON", done.stdout)
        os.remove(os.path.join(self.build, "benchmarks/bench_gpu_operations"))
        done, facts = self.measure("--sections", "operations")
        self.assertEqual((done.returncode, facts["operations"]), (1, []))
        self.assertIn("* `bench_gpu_operations 0.2`: No such file", done.stdout)

    def test_nothing_is_timed_where_our_programs_cannot_run(self):
        self.script("benchmarks/bench_gpu_networks", "#!/bin/sh\necho no kernel image >&2\nexit 1\n")
        done, facts = self.measure()
        self.assertEqual((done.returncode, done.stdout, facts), (1, "", {}))
        self.assertIn("ebb's programs do not run on this GPU: no kernel image", done.stderr)

    def test_what_was_printed_before_a_failure_is_kept(self):
        self.script("benchmarks/bench_gpu_operations", KERNELS + "echo no memory left >&2\nexit 1\n")
        done, facts = self.measure("--sections", "operations", "--repeats", "2")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("* `bench_gpu_operations 0.2`: no memory left"), 1)
        self.assertEqual(facts["copy_gb_per_s"], 4000)

    def test_lines_that_lack_something_are_told(self):
        operation = {"section": "operations", "op": "relu", "shape": "s", "who": "ebb", "precision": "fp32"}
        for line, problem in (({"section": "x"}, "of the section x"), ({"section": "device"}, "lacks who, name"),
                              (dict(operation, us=[1, None]), "us is [1, None], and should be times"),
                              (dict(operation, us=[]), "us is []"), (operation, "lacks us"), (dict(operation, us=[3.0]), "")):
            self.assertIn(problem, gpu.flaw(line))
            self.assertEqual(not problem, not gpu.flaw(line))
        self.script("benchmarks/bench_gpu_operations", "#!/bin/sh\necho '{\"section\": \"x\"}'\n")
        done, _ = self.measure("--sections", "operations")
        self.assertEqual(done.returncode, 1)
        self.assertIn("* `bench_gpu_operations 0.2`: a line is of the section x", done.stdout)

    def test_other_losses_are_told(self):
        torch = self.script("torch", TORCH.replace("loss=2.5", "loss=2.51"))
        done, _ = self.measure("--torch", torch, "--sections", "networks")
        self.assertEqual(done.returncode, 1)
        self.assertIn("**The networks called cnn differ**", done.stdout)

    def test_the_fastest_setting_of_pytorch_is_measured(self):
        torch = self.script("torch", r"""#!/bin/sh
case " $* " in *" one_graph,channels_last "*) us=10 ;; *one_graph*) exit 1 ;; *) us=20 ;; esac
echo '{"section":"networks","network":"cnn","batch":64,"who":"PyTorch","mode":"compile","precision":"fp32",' \
  '"us_per_step":['$us'],"peak_mib":1}'
""")
        programs = gpu.Programs(os.path.join(self.build, "benchmarks"), torch)
        with contextlib.redirect_stderr(io.StringIO()):
            command, tried = gpu.best_setting(programs, ("cnn", 64, "compile", "fp32"), 1, quick=False)
        self.assertEqual(command[-1], "one_graph,channels_last")
        self.assertEqual(tried, {"plain": 20, "channels_last": 20, "one_graph channels_last": 10})
        self.assertEqual(len(programs.failures), 1)

    def test_wrong_arguments_are_told(self):
        for words, sentence in ((("nets",), "there is no section nets"), (("--sections", "nets"), "there is no section nets"), (("--publish", "/nowhere"), "no such folder")):
            done, _ = self.measure(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(sentence, done.stderr)

    def gpu(self, **environment):
        """benchmarks/gpu with nothing in its path but what it needs to say no."""
        tools = os.path.join(self.build, "tools")
        os.makedirs(tools, exist_ok=True)
        for name in ("bash", "dirname", "grep", "nproc", "sed"):
            if not os.path.exists(os.path.join(tools, name)):
                os.symlink(shutil.which(name), os.path.join(tools, name))
        return subprocess.run([os.path.join(ROOT, "benchmarks/gpu")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={"PATH": tools, "CUDA_HOME": "/nowhere", "EBB_BUILD_DIR": os.path.join(self.build, "new"), **environment})

    def refuses(self, sentence):
        done = self.gpu()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn(sentence, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.build, "new")))

    def test_without_a_gpu_or_nvcc_it_says_so_and_does_nothing(self):
        self.refuses("no NVIDIA GPU here")
        self.script("tools/nvidia-smi", "#!/bin/sh\necho 'No devices were found'\n")
        self.refuses("no NVIDIA GPU here")
        self.script("tools/nvidia-smi", "#!/bin/sh\necho 'GPU 0: H1 (UUID: GPU-1)'\n")
        self.refuses("no nvcc here")


if __name__ == "__main__":
    unittest.main()
