"""Clinical metrics of a small made-up test: scikit-learn's values, and DeLong's variance written out
from the definition (DeLong et al. 1988: every pair of a positive and a negative).

Prints the numbers that tests/metrics/*.cpp expect. Made with scikit-learn 1.9.1.
"""

import numpy as np
from scipy.stats import norm
from sklearn import metrics

N, CLASSES = 60, 4


def sample():
    """Scores with ties, and flags: integers, so that C++ makes the same ones."""
    i = np.arange(N)
    flags = (i * 7 % 10 < 4).astype(int)
    scores = ((i * 37 + 11) % 23 + 6 * flags) / 29.0
    return scores, flags


def delong(scores, flags):
    x, y = scores[flags == 1], scores[flags == 0]
    psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    area = psi.mean()
    variance = psi.mean(1).var(ddof=1) / len(x) + psi.mean(0).var(ddof=1) / len(y)
    half = norm.ppf(0.975) * np.sqrt(variance)
    return area, area - half, area + half


def main():
    scores, flags = sample()
    print("auc", repr(metrics.roc_auc_score(flags, scores)))
    print("delong", delong(scores, flags))
    fpr, tpr, thresholds = metrics.roc_curve(flags, scores, drop_intermediate=False)
    print("roc points", len(fpr), "sums", repr(fpr.sum()), repr(tpr.sum()), repr(thresholds[1:].sum()))
    print("sensitivity at 0.8", repr(tpr[1 - fpr >= 0.8].max()))

    i = np.arange(N)
    labels = i * 7 % CLASSES
    predicted = np.where(i % 3 == 0, (labels + i % 2 + 1) % CLASSES, labels)
    for weights in (None, "linear", "quadratic"):
        print("kappa", weights, repr(metrics.cohen_kappa_score(labels, predicted, weights=weights)))
    p = np.array([[1 + (a * 13 + c * 29) % 17 + 9 * (labels[a] == c) for c in range(CLASSES)] for a in i], float)
    p /= p.sum(1, keepdims=True)
    print("macro auc", repr(metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro")))


if __name__ == "__main__":
    main()
