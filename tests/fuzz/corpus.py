"""Small files for the fuzzers to begin with: python3 corpus.py FOLDER (needs numpy; Pillow for JPEG)."""
import gzip
import io
import json
import os
import struct
import sys
import zipfile
import zlib

import numpy as np

folder = sys.argv[1]
for part in ("npz", "nifti", "dicom", "image", "idx", "safetensors", "pytorch"):
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


def dicom(order, explicit, photometric, samples, bits, pixels, more=(), fragments=None):
    """A data set, whose numbers are in the order '<' or '>'."""

    def element(tag, vr, value):
        if isinstance(value, int):
            value = struct.pack(order + "H", value)
        value += b"\0" * (len(value) % 2)
        key = struct.pack(order + "2H", tag >> 16, tag & 0xFFFF)
        if not explicit:
            return key + struct.pack(order + "I", len(value)) + value
        if vr in (b"OB", b"OW", b"SQ"):
            return key + vr + b"\0\0" + struct.pack(order + "I", len(value)) + value
        return key + vr + struct.pack(order + "H", len(value)) + value

    item = struct.pack(order + "2HI", 0xFFFE, 0xE000, 0)
    elements = [(0x00080060, b"CS", b"CT"), (0x00081140, b"SQ", item), (0x00100010, b"PN", b"A^B"),
                (0x00200032, b"DS", b"1\\2\\3"), (0x00280002, b"US", samples),
                (0x00280004, b"CS", photometric), (0x00280006, b"US", 0), (0x00280010, b"US", 2),
                (0x00280011, b"US", 2), (0x00280100, b"US", bits), (0x00280103, b"US", 1),
                (0x00281050, b"DS", b"3"), (0x00281051, b"DS", b"9"), (0x00281053, b"DS", b"2"),
                *more]
    data = b"".join(element(*e) for e in elements)
    if fragments is None:
        return data + element(0x7FE00010, b"OW" if bits > 8 else b"OB", pixels)
    data += struct.pack("<2H2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + item
    for fragment in fragments:
        data += struct.pack("<2HI", 0xFFFE, 0xE000, len(fragment)) + fragment
    return data + struct.pack("<2HI", 0xFFFE, 0xE0DD, 0)


eight = struct.pack("<4h", 1, -2, 3, -4)
table = [(0x00281101 + c, b"US", struct.pack("<3H", 4, 0, 8)) for c in range(3)]
table += [(0x00281201 + c, b"OW", bytes(range(4))) for c in range(3)]
run = struct.pack("<3I", 2, 64, 69) + bytes(52) + b"\3\0\0\0\0" + b"\xfd\7"
plain = dicom("<", True, b"MONOCHROME2", 1, 16, eight)
squeezed = zlib.compressobj(wbits=-15)
for name, syntax, data in (
        ("explicit", "1.2.1", plain),
        ("implicit", "1.2", dicom("<", False, b"MONOCHROME1", 1, 16, eight)),
        ("big", "1.2.2", dicom(">", True, b"RGB", 3, 8, bytes(range(12)))),
        ("ybr", "1.2.1", dicom("<", True, b"YBR_FULL_422", 3, 8, bytes(range(8)))),
        ("palette", "1.2.1", dicom("<", True, b"PALETTE COLOR", 1, 8, bytes(range(4)), table)),
        ("deflated", "1.2.1.99", squeezed.compress(plain) + squeezed.flush()),
        ("runs", "1.2.5", dicom("<", True, b"MONOCHROME2", 1, 16, b"", (), [run]))):
    uid = b"1.2.840.10008." + syntax.encode()
    uid += b"\0" * (len(uid) % 2)
    meta = struct.pack("<2H2sH", 2, 16, b"UI", len(uid)) + uid
    with open(os.path.join(folder, "dicom", name), "wb") as f:
        f.write(bytes(128) + b"DICM" + meta + data)


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

fixture = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../oracle/fixtures/pytorch_files.txt")
for line in open(fixture):
    if line.startswith("file "):
        name, data = line.split()[1], zlib.decompress(bytes.fromhex(line.split()[2]))
        write("pytorch/" + name, data)
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                write("pytorch/" + name + ".pkl", archive.read(
                    next(n for n in archive.namelist() if n.endswith("/data.pkl"))))

try:
    from PIL import Image
except ImportError:
    print("no JPEG: Pillow is not there")
else:
    for mode, colour in (("L", 50), ("RGB", (10, 30, 50)), ("CMYK", (10, 30, 50, 70))):
        for progressive in (False, True):
            Image.new(mode, (5, 7), colour).save(
                os.path.join(folder, f"image/{mode}{int(progressive)}.jpg"), progressive=progressive, quality=50)
