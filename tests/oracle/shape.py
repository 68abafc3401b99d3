"""Shapes of known masks: scikit-image's measures, which tests/shape/*.cpp expect.

Made with scikit-image 0.26.0, scipy 1.17.1, numpy 1.26.4.
"""

import numpy as np
from scipy import ndimage
from skimage import measure


def scene():
    """Integers, as in C++: an ellipse, a ring, a rectangle that a corner joins to a speck, a dot."""
    y, x = np.indices((64, 80))
    mask = 9 * (y - 18) ** 2 + 4 * (x - 24) ** 2 + 6 * (y - 18) * (x - 24) <= 900
    ring = (y - 44) ** 2 + (x - 58) ** 2
    mask |= (ring <= 225) & (ring > 64)
    mask |= (y >= 48) & (y < 56) & (x >= 5) & (x < 25)
    mask[56, 25] = True
    mask[2, 70] = True
    return mask


def volume():
    z, y, x = np.indices((15, 22, 24))
    mask = 9 * (z - 6) ** 2 + 4 * (y - 11) ** 2 + 2 * (x - 10) ** 2 + 3 * (y - 11) * (x - 10) <= 180
    mask[12:14, 18:21, 19:23] = True
    mask[14, 21, 23] = True
    return mask


def main():
    mask = scene()
    print("components", measure.label(mask, connectivity=1).max(), measure.label(mask, connectivity=2).max())
    labels = measure.label(mask, connectivity=2)
    print("checksum", int((labels.ravel() * (np.arange(labels.size) % 1009)).sum()))
    for spacing in ((1, 1), (0.5, 0.8)):
        for p in measure.regionprops(labels, spacing=spacing):
            print("{%.17g, %r, {%.17g, %.17g}, {%.17g, %.17g}, %.17g, %.17g, %.17g, {%d, %d}, {%d, %d}},  // %d" % (
                p.area, p.perimeter_crofton if spacing == (1, 1) else 0, *p.centroid, p.axis_major_length,
                p.axis_minor_length, p.eccentricity, p.orientation, p.equivalent_diameter_area, *p.bbox, p.label))
    mask = volume()
    print("volume", measure.label(mask, connectivity=1).max(), measure.label(mask, connectivity=3).max())
    labels = measure.label(mask, connectivity=3)
    for p in measure.regionprops(labels, spacing=(2.5, 0.7, 0.7)):
        print("{%.17g, {%.17g, %.17g, %.17g}, %.17g, %.17g, {%d, %d, %d}, {%d, %d, %d}}," % (
            p.area, *p.centroid, p.axis_major_length, p.axis_minor_length, *p.bbox))
    at = np.argwhere(labels == 1) * np.array([2.5, 0.7, 0.7])
    values, vectors = np.linalg.eigh(np.cov(at.T, bias=True))
    print("axes", (2 * np.sqrt(5 * values[::-1])).tolist(), "longest along", vectors[:, -1].tolist())


if __name__ == "__main__":
    main()
