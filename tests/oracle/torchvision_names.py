"""What torchvision's networks call their state, and its shapes: names and extents of ResNet-18, 34, 50
and AlexNet, a line each, for tests/models/torchvision.cpp (made with torchvision 0.15.2)."""
import os

import torchvision

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "fixtures", "torchvision_names.txt"), "w") as f:
    for name in ("resnet18", "resnet34", "resnet50", "alexnet"):
        print(f"[{name}]", file=f)
        for path, value in getattr(torchvision.models, name)().state_dict().items():
            print(path, *value.shape, file=f)
