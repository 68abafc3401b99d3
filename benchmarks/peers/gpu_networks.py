"""The work of benchmarks/cuda/networks.cu in PyTorch 2: training steps of a batch that lies on the GPU (forward,
cross entropy, backward, SGD of rate 0.01 and momentum 0.9), one JSON object a line on stdout.

gpu_networks.py NETWORK BATCH MODE PRECISION SECONDS [SETTING,...] [--device cpu]
gpu_networks.py NETWORK check WEIGHTS [--device cpu]     writes random weights, and says the loss
gpu_networks.py device                                   PyTorch's version, and what it runs on

NETWORK    cnn, lenet, resnet18, or unet (base 32, depth 4, batch norm)
MODE       eager; compile: torch.compile(mode="max-autotune") of network, loss and their gradients, with fused SGD;
           graph: the whole step in one CUDA graph
PRECISION  fp32 (TF32 is off), tf32, bf16 (autocast; what it leaves in floats may use TF32)
SETTINGS   channels_last; foreach (SGD that is not fused); one_graph (of compile: inductor's kernels and SGD in one CUDA
           graph of the whole step, in place of inductor's own graphs of forward and backward)

--device cpu is for trying it out where there is no GPU."""

import argparse
import json
import math
import statistics
import sys
import time

import torch
import torch.nn.functional as F

import networks

NETWORKS = dict(networks.NETWORKS, unet=lambda: networks.UNet(base=32, depth=4, batch_norm=True))
SETTINGS = ("channels_last", "foreach", "one_graph")
ROUNDS = 10


def say(**line):
    print(json.dumps(line), flush=True)


def set_precision(precision):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    torch.backends.cudnn.benchmark = True  # tries cuDNN's algorithms at the first step


def sgd(net, fused):
    kind = {"fused": True} if fused else {"foreach": True}
    return torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, **kind)


def captured(step, clear):
    """The step as one CUDA graph, as PyTorch's notes on CUDA prescribe: some steps on a stream of its own first, then,
    without gradients, so that backward makes them anew in the graph's memory, the capture."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    clear()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss

    return replay


def training_step(net, images, labels, mode, precision, settings, device):
    """A function that trains on the batch once and returns the loss, left on the device."""
    optimizer = sgd(net, fused="foreach" not in settings)
    in_graph = mode == "graph" or "one_graph" in settings

    def loss_of(images, labels):
        # Inside a graph, copies of weights must not be kept from one capture to another.
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16", cache_enabled=not in_graph):
            return F.cross_entropy(net(images), labels)

    if mode == "compile":
        own_graphs = "-no-cudagraphs" if "one_graph" in settings else ""
        loss_of = torch.compile(loss_of, mode="max-autotune" + own_graphs, dynamic=False)

    def clear():
        optimizer.zero_grad(set_to_none=True)

    def step():
        if mode == "compile" and not in_graph:
            torch.compiler.cudagraph_mark_step_begin()
        clear()
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return captured(step, clear) if in_graph else step


def timed(step, seconds, wait):
    """Microseconds a step, of each round."""
    began, warm = time.perf_counter(), 0
    while warm < 5 or time.perf_counter() - began < seconds / 4:
        step()
        wait()
        warm += 1
    began = time.perf_counter()
    for _ in range(3):
        step()
    wait()
    each = (time.perf_counter() - began) / 3
    steps = max(1, round(seconds / ROUNDS / each))
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(steps):
            loss = step()
        wait()
        found.append(1e6 * (time.perf_counter() - began) / steps)
    if not math.isfinite(loss.item()):
        sys.exit(f"the loss became {loss.item()}: this is no training step")
    return found


def measure(a):
    set_precision(a.precision)
    net = NETWORKS[a.network]().to(a.device)
    images, labels = (x.to(a.device) for x in networks.work(a.network, a.batch))
    if "channels_last" in a.settings:
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    on_gpu = a.device == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    step = training_step(net, images, labels, a.mode, a.precision, a.settings, a.device)
    for _ in range(3):  # compiles, and lets cuDNN and inductor try what is fastest
        step()
    wait()
    if on_gpu:  # what those trials took is not the step's
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    us = timed(step, a.seconds, wait)
    peak = torch.cuda.max_memory_reserved() / 2**20 if on_gpu else networks.peak_memory()
    say(section="networks", network=a.network, batch=a.batch, who="PyTorch", mode=a.mode, precision=a.precision,
        us_per_step=[round(x, 2) for x in us], images_per_s=round(1e6 * a.batch / statistics.median(us), 1),
        peak_mib=round(peak, 1), setting=", ".join(a.settings) or "plain")


def check(a):
    set_precision("fp32")
    torch.manual_seed(1)
    net = NETWORKS[a.network]()
    networks.save(net, a.weights)
    net = net.to(a.device)
    images, labels = (x.to(a.device) for x in networks.work(a.network, 4))
    loss = F.cross_entropy(net(images), labels).item()
    say(section="check", network=a.network, who="PyTorch", loss=loss,
        parameters=sum(p.numel() for p in net.parameters()))


def describe():
    on_gpu = torch.cuda.is_available()
    say(section="device", who="PyTorch", name=torch.cuda.get_device_name() if on_gpu else "CPU",
        version=torch.__version__, runtime=torch.version.cuda,
        cudnn=torch.backends.cudnn.version() if on_gpu else None)


def arguments():
    """Of the three forms of the command line, the one whose second word says so."""
    parser = argparse.ArgumentParser(prog="gpu_networks.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=[*NETWORKS, "device"], metavar="NETWORK")
    words = [w for w in sys.argv[1:] if w not in ("-h", "--help")]
    if len(words) > 1 and words[1] == "check":
        parser.add_argument("mode", choices=["check"], metavar="check")
        parser.add_argument("weights", metavar="WEIGHTS")
    elif words[:1] != ["device"]:
        parser.add_argument("batch", type=int, metavar="BATCH")
        parser.add_argument("mode", choices=["eager", "compile", "graph"], metavar="MODE")
        parser.add_argument("precision", choices=["fp32", "tf32", "bf16"], metavar="PRECISION")
        parser.add_argument("seconds", type=float, metavar="SECONDS")
        parser.add_argument("settings", type=lambda s: s.split(","), nargs="?", default=[], metavar="SETTING,...")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    found = parser.parse_args()
    unknown = [s for s in getattr(found, "settings", []) if s not in SETTINGS]
    if unknown:
        parser.error(f"there is no setting {' '.join(unknown)}; there are {', '.join(SETTINGS)}")
    return found


def main():
    a = arguments()
    if a.network == "device":
        return describe()
    if a.device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU here; --device cpu tries the program out without one")
    if a.mode == "check":
        return check(a)
    if a.device == "cpu" and (a.mode == "graph" or "one_graph" in a.settings):
        sys.exit("a CUDA graph needs a GPU: on the CPU there are eager and compile")
    measure(a)


if __name__ == "__main__":
    main()
