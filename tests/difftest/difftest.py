"""Random cases of ebb against PyTorch.

    difftest.py --driver build/tests/difftest/difftest_driver [--seed 1] [--count 25] [family...]

runs `count` cases of each family (families.py). What disagrees is told with its options and its
number: the same seed, family and number make the same case. Ends with status 1 where anything
disagrees, and with 77 where there is no PyTorch."""

import argparse
import os
import sys

try:
    import numpy as np
    import torch
except ImportError:
    other = os.environ.get("EBB_PYTHON")
    if other and not os.environ.get("EBB_DIFFTEST"):
        os.environ["EBB_DIFFTEST"] = "1"
        os.execv(other, [other, "-B", *sys.argv])
    print("skipped: random tests against PyTorch need a Python with torch and numpy; name one in EBB_PYTHON")
    sys.exit(77)

from families import FAMILIES
from protocol import Driver, check


def run(driver, family, seed, count):
    """How many cases ran, and how many disagree."""
    ran = wrong = 0
    for number in range(count):
        rng = np.random.default_rng([seed, number, *family.__name__.encode()])
        case = family(rng)
        said = check(driver, case, rng)
        ran += said is not None
        if said:
            wrong += 1
            if wrong <= 5:
                shapes = [x.shape for x in case.x]
                print(f"{family.__name__} {number} of seed {seed}, {case.options}, shapes {shapes}: {said}", flush=True)
    print(f"{family.__name__}: {ran} cases, {wrong} disagree", flush=True)
    return ran, wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("families", nargs="*", help="those to run; all of them without")
    arguments.add_argument("--driver", required=True, help="the program difftest_driver")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=25, help="cases of each family")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    driver = Driver(given.driver)
    totals = [run(driver, f, given.seed, given.count) for f in FAMILIES if not given.families or f.__name__ in given.families]
    ran, wrong = (sum(column) for column in zip(*totals))
    print(f"{ran} cases against PyTorch {torch.__version__}, {wrong} disagree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
