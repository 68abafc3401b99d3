"""Small files for the fuzzers to begin with: python3 corpus.py FOLDER (needs numpy)."""
import os
import struct
import sys

import numpy as np

folder = sys.argv[1]
for part in ("npz", "nifti"):
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
