"""Small files for the fuzzers to begin with: python3 corpus.py FOLDER (needs numpy; Pillow for JPEG)."""
import gzip
import json
import os
import struct
import sys
import zlib

import numpy as np

folder = sys.argv[1]
for part in ("npz", "nifti", "image", "idx", "safetensors"):
    os.makedirs(os.path.join(folder, part), exist_ok=True)
values = np.arange(12).reshape(3, 4)
for kind in ("|b1", "<i2", ">f4", "<f2", ">u8"):
    np.save(os.path.join(folder, "npz", kind[1:] + ".npy"), np.asfortranarray(values.astype(kind)))
np.savez(os.path.join(folder, "npz", "stored.npz"), a=values, b=values.astype(">f8"))
np.savez_compressed(os.path.join(folder, "npz", "packed.npz"), a=values, b=values.astype("u1"))
for order in "<>":
    one = bytearray(352)
    struct.pack_into(order + "i", one, 0, 348)
    struct.pack_into(order + "8h", one, 40, 3, 2, 2, 1, 1, 1, 1, 1)
    struct.pack_into(order + "2h", one, 70, 4, 16)
    struct.pack_into(order + "11f", one, 76, 1, 1, 2, 3, 1, 1, 1, 1, 352, 2, 1)
    struct.pack_into(order + "2h", one, 252, 1, 0)
    one[344:348] = b"n+1\0"
    two = bytearray(544)
    struct.pack_into(order + "i", two, 0, 540)
    two[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "2h8q", two, 12, 4, 16, 3, 2, 2, 1, 1, 1, 1, 1)
    struct.pack_into(order + "q", two, 168, 544)
    for name, header in (("one", one), ("two", two)):
        with open(os.path.join(folder, "nifti", name + ("le" if order == "<" else "be")), "wb") as f:
            f.write(bytes(header) + struct.pack(order + "4h", 1, 2, 3, 4))


def write(name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def png(kind, bits, palette=b"", lines=5):
    """A PNG of 3 columns; its colour type as in the standard, 11.2.2."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    line = b"\1" + bytes(range((3 * channels * bits + 7) // 8))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 3, lines, bits, kind, 0, 0, 0))
            + (chunk(b"PLTE", palette) if palette else b"") + chunk(b"IDAT", zlib.compress(line * lines))
            + chunk(b"IEND", b""))


for kind, bits in ((0, 1), (0, 8), (0, 16), (2, 8), (2, 16), (3, 4), (3, 8), (4, 8), (6, 8), (6, 16)):
    write(f"image/{kind}_{bits}.png", png(kind, bits, bytes(range(48)) if kind == 3 else b""))
for bits, colours in ((8, 256), (24, 0)):
    pixels = bytes(range(4 * 3 * bits // 8))
    start = 54 + 4 * colours
    write(f"image/{bits}.bmp", b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
          + struct.pack("<IiiHHIIiiII", 40, 4, 3, 1, bits, 0, len(pixels), 1, 1, colours, 0)
          + bytes(range(256)) * (4 * colours // 256) + pixels)
idx = {"u": struct.pack(">4B3I", 0, 0, 8, 3, 2, 2, 2) + bytes(8),
       "f": struct.pack(">4BI3f", 0, 0, 13, 1, 3, 1, 2, 3)}
for name, data in idx.items():
    write("idx/" + name, data)
    write("idx/" + name + ".gz", gzip.compress(data, mtime=0))
header = json.dumps({"__metadata__": {"a": "b"},
                     "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                     "h": {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]},
                     "n": {"dtype": "I64", "shape": [], "data_offsets": [12, 20]}}).encode()
write("safetensors/three", struct.pack("<Q", len(header)) + header + bytes(20))

try:
    from PIL import Image
except ImportError:
    print("no JPEG: Pillow is not there")
else:
    for mode, colour in (("L", 50), ("RGB", (10, 30, 50)), ("CMYK", (10, 30, 50, 70))):
        for progressive in (False, True):
            Image.new(mode, (5, 7), colour).save(
                os.path.join(folder, f"image/{mode}{int(progressive)}.jpg"), progressive=progressive, quality=50)
