"""Tests of the tables of benchmarks/gpu: ratios, goals and comparisons of canned lines."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))

from harness import gpu_tables  # noqa: E402
from harness.report import Report  # noqa: E402


class Quiet(Report):
    def say(self, line=""):
        self.lines.append(line)

    @property
    def text(self):
        return "\n".join(self.lines)


def step(who, mode, *us, network="cnn", batch=64, precision="tf32", **more):
    return {"section": "networks", "network": network, "batch": batch, "who": who, "mode": mode, "precision": precision,
            "us_per_step": list(us), "peak_mib": 100.0, **more}


def operation(who, op, us, shape="s", precision="fp32", gflops=None, gb_per_s=None):
    return {"section": "operations", "op": op, "shape": shape, "who": who, "precision": precision, "us": [us],
            "gflops": gflops, "gb_per_s": gb_per_s}


class Networks(unittest.TestCase):
    # 64 images in 50 us: 1.28 million a second
    LINES = [step("ebb", "eager", 400), step("ebb", "captured", 40, 50, 900), step("PyTorch", "eager", 800),
             step("PyTorch", "compile", 100, setting="one_graph"), step("PyTorch", "graph", 200, setting="channels_last")]

    def test_figures_are_medians_of_runs_that_are_medians_of_rounds(self):
        again = [step("ebb", "captured", 60), step("ebb", "captured", 80, 80)]
        (entry,) = gpu_tables.networks([self.LINES[1], *again])
        self.assertAlmostEqual(entry["images_per_s"]["ebb captured"], 64e6 / 60)
        self.assertAlmostEqual(entry["spread"]["ebb captured"], 50 * 30 / 60)

    def test_ratios_are_to_the_fastest_way_and_to_the_graph(self):
        (entry,) = gpu_tables.networks(self.LINES)
        self.assertAlmostEqual(entry["to_best"], 2.0)
        self.assertAlmostEqual(entry["to_graph"], 4.0)

    def test_goals_are_those_of_the_row_alone(self):
        elsewhere = [dict(line, precision="fp32") for line in self.LINES] + [dict(line, batch=256) for line in self.LINES]
        first, *others = gpu_tables.networks(self.LINES + elsewhere)
        self.assertEqual({what: g["reached"] for what, g in first["goals"].items()}, {"images_per_s": True, "to_graph": True})
        self.assertEqual([e["goals"] for e in others], [{}, {}])

    def test_goals_are_missed_just_below_and_reached_at_the_value(self):
        for ours, graph, reached in ((64, 128, [True, True]), (64.01, 128, [False, False]), (32, 63.9, [True, False])):
            (entry,) = gpu_tables.networks([step("ebb", "captured", ours), step("PyTorch", "graph", graph)])
            self.assertEqual([goal["reached"] for goal in entry["goals"].values()], reached)

    def test_the_table(self):
        report = Quiet()
        gpu_tables.say_networks(report, gpu_tables.networks(self.LINES + [step("ebb", "captured", 52)]))
        row = next(line for line in report.lines if line.startswith("| tutorial's CNN"))
        self.assertEqual([cell.strip() for cell in row.strip("|").split("|")],
                         ["tutorial's CNN", "64", "tf32", "160,000", "1,254,902 ± 2 %", "80,000", "640,000",
                          "320,000", "**1.96**", "**3.92**", "1,000,000 images/s, 2 x its graph", "yes, yes"])
        self.assertIn("* channels_last: tutorial's CNN 64, graph tf32", report.text)
        widths = {line.count("|") for line in report.lines[: report.lines.index(row) + 1] if line.startswith("|")}
        self.assertEqual(len(widths), 1)

    def test_without_pytorch_there_are_no_ratios_and_its_goal_is_open(self):
        report, entries = Quiet(), gpu_tables.networks(self.LINES[:2])
        self.assertEqual((entries[0]["to_best"], entries[0]["to_graph"]), (None, None))
        gpu_tables.say_networks(report, entries)
        self.assertIn("| - | - | - | - | - | 1,000,000 images/s, 2 x its graph | yes, - |", report.text)
        gpu_tables.say_goals(report, entries)
        self.assertIn("Goals reached: images per second 1 of 1; over PyTorch's graph 0 of 0 (1 more have no figure", report.text)

    def test_losses_and_counts_must_agree(self):
        def check(who, loss, parameters):
            return {"section": "check", "network": "unet", "who": who, "loss": loss, "parameters": parameters}

        for loss, parameters, same in ((0.75, 7, True), (0.75006, 7, True), (0.7502, 7, False), (0.75, 8, False)):
            (found,) = gpu_tables.same_networks([check("PyTorch", 0.75, 7), check("ebb", loss, parameters)])
            self.assertEqual(found["same"], same)
            report = Quiet()
            gpu_tables.say_same(report, [found])
            self.assertEqual("differ" in report.text, not same)
        self.assertEqual(gpu_tables.same_networks([check("ebb", 0.75, 7)]), [])


class Operations(unittest.TestCase):
    LINES = [operation("ebb", "copy", 10, gb_per_s=4000), operation("ebb", "copy", 10, shape="small", gb_per_s=1000),
             operation("ebb", "conv3x3 forward", 100, gflops=5e4), dict(operation("cuDNN", "conv3x3 forward", 91, gflops=5.5e4), layout="NHWC"),
             operation("ebb", "matmul", 100, gflops=5e4), operation("cuBLAS", "matmul", 89, gflops=5.6e4),
             operation("ebb", "matmul", 100, precision="tf32", gflops=5e4), operation("cuBLAS", "matmul", 50, precision="tf32"),
             operation("ebb", "relu", 5, gb_per_s=3400), operation("ebb", "tanh", 5, gb_per_s=3399),
             operation("ebb", "conv1x1", 100, gflops=5e4), operation("cuDNN", "max_pool", 7, gb_per_s=3000)]

    def setUp(self):
        self.entries, self.copy = gpu_tables.operations(self.LINES)
        self.by = {(e["op"], e["shape"], e["precision"]): e for e in self.entries}

    def goal(self, op, precision="fp32"):
        return [(what, goal["reached"]) for what, goal in self.by[op, "s", precision]["goals"].items()]

    def test_the_fastest_copy_is_the_yardstick(self):
        self.assertEqual(self.copy, 4000)
        self.assertAlmostEqual(self.by["relu", "s", "fp32"]["of_copy"], 85)

    def test_each_kind_has_its_goal(self):
        self.assertEqual(self.goal("conv3x3 forward"), [("cuDNN", True)])
        self.assertEqual(self.goal("matmul"), [("cuBLAS", False)])
        self.assertEqual(self.goal("matmul", "tf32"), [])
        self.assertEqual(self.goal("relu"), [("copy", True)])
        self.assertEqual(self.goal("tanh"), [("copy", False)])
        self.assertEqual(self.goal("copy"), [])

    def test_the_goal_of_convolutions_is_for_larger_networks(self):
        for layer, goals in (("CNN conv2", 0), ("ResNet layer1", 1), ("U-Net head", 1)):
            (entry,), _ = gpu_tables.operations([dict(operation("ebb", "conv3x3", 9, gflops=1), layer=layer)])
            self.assertEqual((entry["layer"], len(entry["goals"])), (layer, goals))

    def test_the_fastest_peer_counts(self):
        entries, _ = gpu_tables.operations(self.LINES + [operation("cuBLAS", "conv1x1", 80), operation("cuDNN", "conv1x1", 95)])
        entry = next(e for e in entries if e["op"] == "conv1x1")
        self.assertEqual((entry["who"], entry["of_peer"]), ("cuBLAS", 80))

    def test_what_only_one_side_has_is_shown_and_not_judged(self):
        self.assertEqual(self.goal("conv1x1"), [("cuDNN", None)])
        self.assertEqual(self.goal("max_pool"), [])
        report = Quiet()
        gpu_tables.say_operations(report, self.entries, self.copy)
        self.assertIn("| conv3x3 forward | s |  | fp32 | 100 | cuDNN NHWC | 91 | 91 % | 50,000 | - | - | 90 % of cuDNN | yes |", report.text)
        self.assertIn("| conv1x1 | s |  | fp32 | 100 | - | - | - | 50,000 | - | - | 90 % of cuDNN | - |", report.text)
        self.assertIn("| max_pool | s |  | fp32 | - | cuDNN | 7 | - | - | - | - |  |  |", report.text)

    def test_goals_are_counted_by_kind(self):
        report = Quiet()
        gpu_tables.say_goals(report, self.entries)
        self.assertEqual({kind: list(counts.values()) for kind, counts in report.facts["goals"].items()},
                         {"cuDNN": [1, 1, 2], "cuBLAS": [0, 1, 1], "copy": [1, 2, 2]})

    def test_without_a_copy_nothing_is_judged_by_it(self):
        entries, copy = gpu_tables.operations([operation("ebb", "relu", 5, gb_per_s=3400)])
        self.assertIsNone(copy)
        self.assertIsNone(entries[0]["goals"]["copy"]["reached"])


if __name__ == "__main__":
    unittest.main()
