"""The work of benchmarks/kernels/convolutions.cpp in PyTorch, with the same arguments:
convolutions.py THREADS SECONDS"""

import json
import os
import re
import statistics
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
SECONDS = float(sys.argv[2])
header = os.path.join(os.path.dirname(__file__), "..", "kernels", "shapes.hpp")
shapes = re.findall(r'\{"([^"]*)", ((?:\d+, ){8}\d+)\}', open(header).read())


def median(call):
    call()
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


results = {}
for name, numbers in shapes:
    batch, channels, height, width, out, kernel, stride, padding, groups = map(int, numbers.split(", "))
    x = torch.rand(batch, channels, height, width) * 2 - 1
    w = torch.rand(out, channels // groups, kernel, kernel) * 2 - 1
    b = torch.rand(out)
    dy = torch.rand_like(F.conv2d(x, w, b, stride, padding, 1, groups))

    def backward(of_input, of_weight):
        torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups,
                                            [of_input, of_weight, False])

    with torch.inference_mode():
        results[name] = {"forward": median(lambda: F.conv2d(x, w, b, stride, padding, 1, groups)),
                         "grad_input": median(lambda: backward(True, False)),
                         "grad_weight": median(lambda: backward(False, True))}
print(json.dumps(results))
