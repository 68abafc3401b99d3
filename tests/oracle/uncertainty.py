"""Conformal sets, risk at coverage and binomial bounds of a small made-up test, which
tests/uncertainty/*.cpp expect. The threshold is the ceil((n + 1) coverage)-th smallest score, the
definition of Angelopoulos & Bates 2021, section 1. (The code in their figure 2 asks numpy.quantile
for it with method="higher", which counts from n - 1 and so yields the next larger score.)

Made with numpy 1.26.4, scipy 1.17.1.
"""

import numpy as np
from scipy import special, stats

N, CLASSES = 60, 5


def table(shift):
    i = np.arange(N) + shift
    labels = i * 7 % CLASSES
    z = np.array([[((a * 13 + c * 29) % 17) / 5.0 + 1.5 * (l == c) for c in range(CLASSES)] for a, l in zip(i, labels)])
    return special.softmax(z, 1), labels


def scores(p, adaptive):
    if not adaptive:
        return 1 - p
    order = np.argsort(-p, 1, kind="stable")
    return np.take_along_axis(np.take_along_axis(p, order, 1).cumsum(1), order.argsort(1), 1)


def conformal(adaptive, coverage):
    p, labels = table(0)
    s = scores(p, adaptive)[np.arange(N), labels]
    q = np.sort(s)[int(np.ceil((N + 1) * coverage)) - 1]
    p, labels = table(1000)
    sets = scores(p, adaptive) <= q
    held = sets[np.arange(N), labels]
    print("adaptive" if adaptive else "least ambiguous", coverage, "threshold", repr(q), "coverage", repr(held.mean()), "size", repr(sets.sum(1).mean()),
          "empty", repr((sets.sum(1) == 0).mean()), "single", repr((sets.sum(1) == 1).mean()), "class 2", repr(held[labels == 2].mean()), "first", sets[0].nonzero()[0])


def bound(k, n, error):
    return 1.0 if k == n else stats.beta.ppf(1 - error, k + 1, n - k)


def selective():
    i = np.arange(200)
    confidence = (i * 37 % 101) / 101.0
    right = ((i * 53 % 97) / 97.0 < 0.55 + 0.45 * confidence).astype(int)
    order = np.argsort(-confidence, kind="stable")
    wrong = (1 - right[order]).cumsum()
    last = np.append(confidence[order][1:] < confidence[order][:-1], True)
    answered = np.arange(1, 201)
    risk = (wrong / answered)[last]
    area = (np.diff(np.append(0, answered[last])) / 200 * risk).sum()
    print("risk points", last.sum(), "sum of risks", repr(risk.sum()), "area", repr(area))
    for most in (0.1, 0.2, 0.3):
        low, high, steps, best = 0, 200, int(np.ceil(np.log2(200))), None
        for _ in range(steps):
            middle = (low + high + 1) // 2
            if middle == low:
                break
            theta = confidence[order][middle - 1]
            n = (confidence >= theta).sum()
            b = bound(wrong[n - 1], n, 0.05 / steps)
            if b < most:
                low, best = middle, (theta, n / 200, wrong[n - 1] / n, b)
            else:
                high = middle - 1
        print("refer, risk", most, best)


if __name__ == "__main__":
    for adaptive in (False, True):
        for coverage in (0.8, 0.9):
            conformal(adaptive, coverage)
    for k, n, error in ((0, 30, 0.05), (3, 50, 0.01), (40, 200, 0.05 / 8), (7, 7, 0.05)):
        print("bound", k, n, error, repr(bound(k, n, error)))
    selective()
