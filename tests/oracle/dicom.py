"""What tests/data/read/dicom.cpp and dicom_values.cpp expect of colours, windows, tables and names:
python3 dicom.py DATA/dicom
(pydicom 3.0.2, numpy)."""
import sys

import numpy as np
import pydicom
from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName
from pydicom.pixels import apply_color_lut, apply_voi, apply_windowing, convert_color_space

folder = sys.argv[1]
palette = pydicom.dcmread(folder + "/examples_palette.dcm")
rgb = apply_color_lut(palette.pixel_array, palette)
print("palette: mean %.6f" % rgb.mean(), rgb[0, 0], rgb[100, 200])
mr = pydicom.dcmread(folder + "/MR_small.dcm")
window = (apply_windowing(mr.pixel_array, mr).astype(float) + 32768) / 65535  # from int16's range
print("window: mean %.6f" % window.mean(), "first %.6f" % window[0, 0], "last %.6f" % window[-1, -1])
ybr = np.array([[[76, 85, 255], [150, 44, 21], [29, 255, 107], [200, 10, 250]]], dtype="uint8")
print("YBR to RGB", convert_color_space(ybr, "YBR_FULL", "RGB").tolist())

image = Dataset()
image.BitsStored, image.PixelRepresentation = 8, 0
image.VOILUTSequence = [Dataset()]
image.VOILUTSequence[0].LUTDescriptor = [4, 1, 16]
image.VOILUTSequence[0].LUTData = [65535, 40000, 100, 0]
print("VOI LUT", apply_voi(np.array([0, 1, 2, 3, 4, 255], dtype="uint8"), image).tolist())
narrow = Dataset()
narrow.BitsStored, narrow.PixelRepresentation, narrow.PhotometricInterpretation = 16, 0, "MONOCHROME2"
narrow.RescaleSlope, narrow.RescaleIntercept = 1, 0
narrow.WindowCenter, narrow.WindowWidth, narrow.VOILUTFunction = 0.00002, 0.00004, "LINEAR_EXACT"
print("narrow window", apply_windowing(np.arange(4) * 0.00001525902189, narrow) / 65535)

for sets, raw in (
    (["", "ISO 2022 IR 87"], b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    (["ISO 2022 IR 13", "ISO 2022 IR 87"], b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"),
    (["", "ISO 2022 IR 149"], b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),
    (["ISO 2022 IR 6", "ISO 2022 IR 159"], b"x=\x1b$(D\x30\x21\x1b(B"),
    (["ISO_IR 144"], b"\xbb\xee\xda"),
    (["GB18030"], b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"),
):
    print(sets, PersonName(raw, encodings=convert_encodings(sets)).decode())
