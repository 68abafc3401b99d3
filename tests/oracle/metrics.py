"""Clinical metrics of a small made-up test: scikit-learn's values, and DeLong's variance written out
from the definition (DeLong et al. 1988: every pair of a positive and a negative).

Prints the numbers that tests/metrics/*.cpp expect. Made with scikit-learn 1.9.1, scipy 1.17.1, numpy 1.26.4.
"""

import numpy as np
from scipy import ndimage, optimize, special, stats
from scipy.stats import norm
from sklearn import calibration, metrics

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
    return area, area - half, area + half, variance


def masks(shape):
    """Two overlapping ellipses (ellipsoids) with a hole and a speck: integers, as in C++."""
    at = np.indices(shape)
    wide = [s // 2 for s in shape]

    def ball(shift, radius):
        return sum((2 * (a - w + shift)) ** 2 * (1 + k) for k, (a, w) in enumerate(zip(at, wide))) <= radius * radius

    truth = ball(0, 15) & ~ball(0, 4)
    predicted = ball(1, 16)
    predicted[(1,) * len(shape)] = True
    return predicted, truth


def surface(mask):
    return mask & ~ndimage.binary_erosion(mask, ndimage.generate_binary_structure(mask.ndim, 1), border_value=0)


def distances(a, b, spacing):
    return ndimage.distance_transform_edt(~surface(b), spacing)[surface(a)]


def segmentation(shape, spacing):
    predicted, truth = masks(shape)
    tp = (predicted & truth).sum()
    print(shape, "dice", repr(2 * tp / (predicted.sum() + truth.sum())), "iou", repr(metrics.jaccard_score(truth.ravel(), predicted.ravel())))
    there, back = distances(predicted, truth, spacing), distances(truth, predicted, spacing)
    both = np.concatenate([there, back])
    print("  surface elements", len(there), len(back), "hausdorff", repr(max(there.max(), back.max())),
          "hd95", repr(max(np.percentile(there, 95), np.percentile(back, 95))), "average", repr(both.mean()),
          "within 1", repr((both <= 1).mean()))
    squares = ndimage.distance_transform_edt(~truth, spacing) ** 2
    print("  squared distances: sum", repr(squares.sum()), "largest", repr(squares.max()))


def calibrated(labels):
    i = np.arange(N)
    came = (i * 7 % 10 < 4).astype(int)
    p = (i * 37 % 61) / 60.0
    p = 0.7 * p + 0.3 * came
    frequency, mean = calibration.calibration_curve(came, p, n_bins=10)
    count = np.histogram(p, np.linspace(0, 1, 11))[0]
    count = count[count > 0]
    assert not np.isin(p, np.linspace(0, 1, 11)[1:-1]).any()
    print("calibration: ece", repr((count * abs(frequency - mean)).sum() / N), "filled bins", len(count),
          "brier", repr(metrics.brier_score_loss(came, p)))
    z = np.array([[((a * 13 + c * 29) % 17) / 4.0 + 2.5 * (labels[a] == c) for c in range(CLASSES)] for a in i])
    q = special.softmax(z, 1)
    print("brier of classes", repr(metrics.brier_score_loss(labels, q)))
    right = (q.argmax(1) == labels).astype(int)
    frequency, mean = calibration.calibration_curve(right, q.max(1), n_bins=15)
    count = np.histogram(q.max(1), np.linspace(0, 1, 16))[0]
    print("ece of claims, 15 bins", repr((count[count > 0] * abs(frequency - mean)).sum() / N))

    def nll(t):
        return metrics.log_loss(labels, special.softmax(z / t, 1))

    best = optimize.minimize_scalar(nll, (0.5, 2), tol=1e-10)
    print("temperature", best.x, "nll", repr(nll(1.0)), "->", repr(best.fun))
    x = 6 * p - 2 + (i % 5) / 2.0
    best = optimize.minimize_scalar(lambda t: metrics.log_loss(came, special.expit(x / t)), (0.5, 2), tol=1e-10)
    print("binary temperature", best.x, "nll", repr(best.fun))


def main():
    scores, flags = sample()
    print("auc", repr(metrics.roc_auc_score(flags, scores)))
    print("delong", delong(scores, flags))
    fpr, tpr, thresholds = metrics.roc_curve(flags, scores, drop_intermediate=False)
    ap = metrics.average_precision_score(flags, scores)
    precision, recall, _ = metrics.precision_recall_curve(flags, scores)
    print("average precision", repr(ap), "points", len(precision), "sums", repr(precision.sum()), repr(recall.sum()))
    print("roc points", len(fpr), "sums", repr(fpr.sum()), repr(tpr.sum()), repr(thresholds[1:].sum()))
    print("sensitivity at 0.8", repr(tpr[1 - fpr >= 0.8].max()),
          "specificity at 0.75", repr((1 - fpr)[tpr >= 0.75].max()))

    i = np.arange(N)
    labels = i * 7 % CLASSES
    predicted = np.where(i % 3 == 0, (labels + i % 2 + 1) % CLASSES, labels)
    for weights in (None, "linear", "quadratic"):
        print("kappa", weights, repr(metrics.cohen_kappa_score(labels, predicted, weights=weights)))
    report = metrics.classification_report(labels, predicted, output_dict=True)
    print("accuracy", metrics.accuracy_score(labels, predicted), "balanced", repr(metrics.balanced_accuracy_score(labels, predicted)),
          "class 2", report["2"], "macro f1", repr(report["macro avg"]["f1-score"]))
    for k, n in ((8, 10), (0, 7), (7, 7), (390, 624)):
        print("wilson", k, n, stats.binomtest(k, n).proportion_ci(0.95, "wilson"))
    p = np.array([[1 + (a * 13 + c * 29) % 17 + 9 * (labels[a] == c) for c in range(CLASSES)] for a in i], float)
    p /= p.sum(1, keepdims=True)
    print("macro auc", repr(metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro")))
    calibrated(labels)
    segmentation((24, 31), (0.5, 0.8))
    segmentation((19, 17, 23), (2.5, 0.7, 0.7))


if __name__ == "__main__":
    main()
