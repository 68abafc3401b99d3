"""What tests/data/dicom.cpp expects of colours, windows and tables: python3 dicom.py DATA/dicom
(pydicom 3.0.2, numpy)."""
import sys

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_windowing, convert_color_space

folder = sys.argv[1]
palette = pydicom.dcmread(folder + "/examples_palette.dcm")
rgb = apply_color_lut(palette.pixel_array, palette)
print("palette: mean %.6f" % rgb.mean(), rgb[0, 0], rgb[100, 200])
mr = pydicom.dcmread(folder + "/MR_small.dcm")
window = (apply_windowing(mr.pixel_array, mr).astype(float) + 32768) / 65535  # from int16's range
print("window: mean %.6f" % window.mean(), "first %.6f" % window[0, 0], "last %.6f" % window[-1, -1])
ybr = np.array([[[76, 85, 255], [150, 44, 21], [29, 255, 107], [200, 10, 250]]], dtype="uint8")
print("YBR to RGB", convert_color_space(ybr, "YBR_FULL", "RGB").tolist())
