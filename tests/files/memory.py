"""What readers take of memory at their worst: no more than docs/concepts/data.md says.

    memory.py --reader build/tests/files/read_file

makes files whose headers claim far more than is there, and small ones that unpack to much, and
reads each of them under a limit of the address space (setrlimit, as `ulimit -v`): what the program
has without any file, and the bound of its reader. Each must be read, or refused in a sentence with
status 1. Needs no library. Ends with status 77 where the limit cannot be set.
"""

import argparse
import gzip
import io
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

KIB, MIB = 1 << 10, 1 << 20


def run(reader, kind, path, limit=None):
    def set_limit():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run([reader, kind, str(path)], capture_output=True, text=True, errors="replace",
                          preexec_fn=set_limit if limit else None)


def deflated(piece, times, wbits):
    """`piece`, `times` over, without ever holding all of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(piece) for _ in range(times)) + packer.flush()


def zeros(mib, wbits=-15):
    return deflated(bytes(MIB), mib, wbits)


# --- files ---

def idx(*extents):
    return struct.pack(f">BBBB{len(extents)}I", 0, 0, 8, len(extents), *extents)


def png(width, height, bits, colour, data):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bmp(width, height, bits, compression, data):
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54 + len(data), 0, 54 + (1024 if bits == 8 else 0), 40, width, height, 1,
                               bits, compression, 0, 0, 0, 0, 0) + (bytes(1024) if bits == 8 else b"") + data


def jpeg(width, height, frame=0xC0):
    def segment(marker, content):
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    tables = b"\xff\xd8" + segment(0xDB, b"\0" + bytes([1] * 64))
    codes = bytes([0, 1] + [0] * 14) + b"\0"  # one code of two bits: nothing, or the end of a block
    return (tables + segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
            + segment(0xC4, b"\0" + codes + b"\x10" + codes) + segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(64) + b"\xff\xd9")


def npy(shape, data=b""):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def archive(name, packed, size, checksum, method=8):
    name = name.encode()
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, method, 0, 0, checksum, len(packed), size, len(name), 0) + name
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, method, 0, 0, checksum, len(packed), size,
                        len(name), 0, 0, 0, 0, 0, 0) + name
    at = len(local) + len(packed)
    return local + packed + entry + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry), at, 0)


def nifti(shape, offset=352, datatype=2):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<hh", header, 70, datatype, 8)
    struct.pack_into("<f", header, 108, offset)
    header[344:348] = b"n+1\0"
    return bytes(header)


def dicom(rows, columns, frames, pixels, syntax="1.2.840.10008.1.2.1", bits=8):
    def element(group, number, vr, value):
        value = value.encode() if isinstance(value, str) else value
        value += (b"\0" if vr in ("UI", "OB") else b" ") * (len(value) % 2)
        long = vr in ("OB", "OW", "SQ", "UN")
        return struct.pack("<HH2s", group, number, vr.encode()) + struct.pack("<HI" if long else "<H", *([0] if long else []), len(value)) + value

    number = lambda value: struct.pack("<H", value)
    data = element(8, 0x60, "CS", "CT") + element(0x28, 2, "US", number(1)) + element(0x28, 4, "CS", "MONOCHROME2")
    data += element(0x28, 8, "IS", str(frames)) + element(0x28, 0x10, "US", number(rows)) + element(0x28, 0x11, "US", number(columns))
    data += element(0x28, 0x100, "US", number(bits)) + element(0x28, 0x101, "US", number(bits))
    data += element(0x28, 0x102, "US", number(bits - 1)) + element(0x28, 0x103, "US", number(0))
    if isinstance(pixels, list):  # fragments
        data += struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
        for fragment in [b""] + pixels:
            data += struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment)) + fragment
        data += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    else:
        data += element(0x7FE0, 0x10, "OW" if bits > 8 else "OB", pixels)
    meta = element(2, 0x10, "UI", syntax)
    return bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta, data


def safetensors(text, data=b""):
    return struct.pack("<Q", len(text)) + text + data


def pickled(count, shape, strides, first=b"\x80\x02"):
    """The pickle of {"w": a view of a storage of `count` floats}, as torch.save writes it."""
    def number(n):
        return b"\x8a\x08" + struct.pack("<q", n)

    def text(s):
        return b"X" + struct.pack("<I", len(s)) + s

    return (first + b"}" + text(b"w") + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text(b"storage") + b"ctorch\nFloatStorage\n"
            + text(b"0") + text(b"cpu") + number(count) + b"tQK\0(" + b"".join(map(number, shape)) + b"t("
            + b"".join(map(number, strides)) + b"t\x89ccollections\nOrderedDict\n)RtRs.")


def records(**contents):
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as whole:
            for name, content in contents.items():
                whole.writestr("a/data.pkl" if name == "pickle" else "a/data/0", content)
        return packed.getvalue()


def cases():
    """(name, reader, file, whether it is read, bound in bytes)"""
    # Tensors lie in blocks of a pool, up to an eighth larger, which begin on huge pages (2 MiB).
    def pooled(size):
        return size * 9 // 8 + 4 * MIB

    # IDX: the file unpacked, twice.
    yield "claims 1 GB", "idx", idx(1000, 1000, 1000) + bytes(1000), False, MIB
    yield "gzipped, claims 1 GB", "idx", gzip.compress(idx(1000, 1000, 1000) + bytes(1000)), False, MIB
    yield "a bomb that claims little", "idx", gzip.compress(idx(10, 10, 10)) + zeros(100, 31), False, MIB
    yield "a bomb that claims all", "idx", gzip.compress(idx(64, 1024, 1024)) + zeros(64, 31), True, 64 * MIB + pooled(64 * MIB)

    # Images: the file and the image.
    yield "claims 256 million pixels", "image", png(16000, 16000, 8, 0, zlib.compress(bytes(1000))), False, MIB
    yield "claims all there is", "image", png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, zlib.compress(bytes(1000))), False, MIB
    yield "unpacks beyond its image", "image", png(100, 100, 8, 0, zeros(100, 15)), None, 2 * MIB
    line = bytes(1 + 8000 // 8)
    yield "32 million pixels in 10 kB", "image", png(8000, 4000, 1, 0, deflated(line, 4000, 15)), True, pooled(8000 * 4000)
    yield "BMP, claims 192 million", "image", bmp(16000, 12000, 24, 0, bytes(999)), False, MIB
    yield "BMP of runs, claims 192 million", "image", bmp(16000, 12000, 8, 1, bytes(999)), False, MIB
    yield "JPEG, claims 192 million", "image", jpeg(16000, 12000), False, MIB
    yield "progressive JPEG, claims 192 million", "image", jpeg(16000, 12000, 0xC2), False, MIB
    yield "PNG of 16 bits, claims 192 million", "wide", png(16000, 12000, 16, 2, zlib.compress(bytes(1000))), False, MIB

    # NumPy: the array.
    yield "claims 1 TB", "npy", npy((1000000, 1000000), bytes(1000)), False, MIB
    yield "a header of 900 MB", "npy", b"\x93NUMPY\2\0" + struct.pack("<I", 900 * MIB) + bytes(100), False, MIB
    content = npy((1000000, 1000000), bytes(1000))
    yield "a member claims 1 TB", "npz", archive("x.npy", content, len(content), zlib.crc32(content), 0), False, MIB
    yield "a member claims 4 GB of 1 kB", "npz", archive("x.npy", bytes(1000), 0xF0000000, 0), False, MIB
    head = npy((64 * MIB,))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(head) + b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()
    checksum = zlib.crc32(head)
    for _ in range(64):
        checksum = zlib.crc32(bytes(MIB), checksum)
    yield "64 MiB in 64 kB", "npz", archive("x.npy", packed, len(head) + 64 * MIB, checksum), True, 65 * MIB
    yield "64 MiB in 64 kB, claims 3", "npz", archive("x.npy", packed, 3 * MIB, checksum), False, 4 * MIB
    yield "medmnist: a member claims 4 GB", "medmnist", archive("train_images.npy", bytes(1000), 0xF0000000, 0), False, MIB

    # Bytes are kept as bytes: the images of a split, and their member while it is read.
    size = 400 * 224 * 224
    members = []
    for split, count in ("train", 400), ("val", 4), ("test", 4):
        members += [(f"{split}_images.npy", npy((count, 224, 224), bytes(count * 224 * 224))),
                    (f"{split}_labels.npy", npy((count, 1), bytes(count)))]
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as whole:
            for name, content in members:
                whole.writestr(name, content)
        yield "medmnist: 408 images of 224 x 224", "medmnist", packed.getvalue(), True, size + pooled(size) - len(packed.getvalue())

    # NIfTI: the elements, twice while they arrive.
    yield "claims 4 GB", "nifti", nifti((2000, 2000, 1000)) + bytes(1000), False, 5 * MIB
    yield "gzipped, claims 4 GB", "nifti", gzip.compress(nifti((2000, 2000, 1000)) + bytes(1000)), False, 5 * MIB
    yield "claims 100 TB", "nifti", nifti((32767, 32767, 32767)) + bytes(1000), False, MIB
    yield "elements begin at 900 MB", "nifti", nifti((8, 8), 900e6) + bytes(1000), False, MIB
    yield "a bomb in place of extensions", "nifti", gzip.compress(nifti((8, 8), 900e6)) + zeros(300, 31), False, 3 * 64 * MIB
    yield "a bomb behind the elements", "nifti", gzip.compress(nifti((8, 8))) + zeros(100, 31), None, 3 * MIB
    yield "64 MB in 64 kB", "nifti", gzip.compress(nifti((1024, 1024, 64))) + zeros(64, 31), True, 2 * 64 * MIB

    # Safetensors: the header, eight times (four of a list of tensors, more of a long text).
    yield "a header of 1 TB", "safetensors", struct.pack("<Q", 1 << 40) + bytes(1000), False, MIB
    yield "a tensor of 1 TB", "safetensors", safetensors(b'{"a":{"dtype":"F32","shape":[250000000000],"data_offsets":[0,1000000000000]}}'), False, MIB
    many = ",".join(f'"t{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(50000))
    text = ("{" + many + "}").encode()
    yield "50,000 tensors of nothing", "safetensors", safetensors(text), True, 4 * len(text)
    yield "brackets in brackets", "safetensors", safetensors(b'{"a":' + b"[" * 4 * MIB), False, 4 * 4 * MIB
    yield "checkpoint: a tensor of 1 TB", "checkpoint", safetensors(
        b'{"__metadata__":{"format":"ebb checkpoint 1"},"model.weight":{"dtype":"F32","shape":[250000000000],"data_offsets":[0,1000000000000]}}'), False, MIB
    yield "checkpoint: metadata of 4 MiB", "checkpoint", safetensors(
        b'{"__metadata__":{"format":"ebb checkpoint 1","x":"' + b"x" * 4 * MIB + b'"}}'), False, 7 * 4 * MIB

    # PyTorch: the pickle and its values, 64 MiB and 350 MiB at most; of a view that is not in order its elements.
    yield "a pickle claims 4 GB", "pytorch", archive("a/data.pkl", bytes(1000), 0xF0000000, 0), False, MIB
    yield "a pickle of 600 MB", "pytorch", archive("a/data.pkl", zeros(600), 600 * MIB, 0), False, MIB
    yield "a pickle of empty lists", "pytorch", archive("a/data.pkl", deflated(b"]" * MIB, 8, -15), 8 * MIB,
                                                        zlib.crc32(b"]" * 8 * MIB)), False, 414 * MIB
    yield "a text of 4 GB", "pytorch", records(pickle=b"\x80\2X\xff\xff\xff\xff"), False, MIB
    yield "one element, 4 TB times", "pytorch", records(pickle=pickled(1, [1 << 40], [0]), storage=bytes(4)), False, MIB
    yield "a storage of 1 TB", "pytorch", records(pickle=pickled(1 << 38, [1 << 38], [1]), storage=bytes(4)), False, MIB
    yield "a view in steps", "pytorch", records(pickle=pickled(4 * MIB, [2 * MIB], [2]), storage=bytes(16 * MIB)), True, 16 * MIB + pooled(8 * MIB)
    old = (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}." + pickled(1 << 38, [1 << 38], [1])
           + b"\x80\x02]X\1\0\0\x000a.")
    yield "the old format, a storage of 1 TB", "pytorch", old + struct.pack("<Q", 1 << 38) + bytes(1000), False, 2 * MIB

    # DICOM: the file twice; of compressed frames, twice what they decode to, besides.
    explicit, deflate, rle, lossy, ls = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
                                         "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80")

    head_of_runs = struct.pack("<16I", 1, 64, *[0] * 14)

    def image(*of, **more):
        return b"".join(dicom(*of, **more))

    yield "claims 4 GB", "dicom", image(65535, 65535, 1, bytes(1000)), False, 2 * MIB
    yield "claims 2,000,000,000 frames", "dicom", image(512, 512, 2000000000, bytes(1000)), False, 2 * MIB
    meta, data = dicom(512, 512, 1, bytes(1000), syntax=deflate)
    yield "deflated, claims a little more", "dicom", meta + deflated(data, 1, -15), False, 2 * MIB
    yield "6000 x 6000 of 16 bits", "dicom", image(6000, 6000, 1, bytes(72000000), bits=16), True, 0
    yield "32 frames in runs", "dicom", image(1024, 1024, 32, [head_of_runs + bytes([129, 0] * 8192)] * 32, rle), True, 2 * 32 * MIB
    yield "a deflated bomb", "dicom", meta + zeros(600), False, 2 * MIB
    yield "RLE, claims 400 MB", "dicom", image(20000, 20000, 1, [head_of_runs + bytes([129, 0] * 100)], rle), False, 2 * MIB
    yield "RLE, 2,000 frames of 256 kB in one", "dicom", image(512, 512, 2000, [head_of_runs + bytes([129, 0] * 100)], rle), False, 2 * MIB
    yield "JPEG, claims 400 MB", "dicom", image(20000, 20000, 1, [jpeg(20000, 20000)], lossy), False, 2 * MIB
    yield "JPEG, 2,000 frames in one", "dicom", image(512, 512, 2000, [jpeg(512, 512)], lossy), False, 4 * MIB
    stream = (b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 8, 20000, 20000, 1) + b"\1\x11\0"
              + b"\xff\xda" + struct.pack(">HB", 8, 1) + b"\1\0\0\0\0" + bytes(100) + b"\xff\xd9")
    yield "JPEG-LS, claims 400 MB", "dicom", image(20000, 20000, 1, [stream], ls), False, 2 * MIB


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--reader", required=True)
    parser.add_argument("names", nargs="*", help="those cases alone that have one of these words in their names")
    given = parser.parse_args()
    base = run(given.reader, "nothing", "-")
    peak = re.search(r"VmPeak:\s+(\d+) kB", base.stdout)
    if not peak or not hasattr(resource, "RLIMIT_AS"):
        print("skipped: this system does not say or limit what a program has of address space")
        return 77
    faults = count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file")
        for name, kind, content, good, bound in cases():
            title = f"{kind}: {name}"
            if given.names and not any(word in title for word in given.names):
                continue
            path.write_bytes(content)
            # What zlib, the JPEG library and the C++ library take whatever a file says.
            limit = int(peak[1]) * KIB + bound + len(content) * (2 if kind == "dicom" else 1) + 2 * MIB
            result = run(given.reader, kind, path, limit)
            if result.returncode == 4:
                continue  # no such reader in this build
            count += 1
            sentence = result.stderr.strip()
            right = (result.returncode == 0 if good else
                     result.returncode == 1 and len(sentence) > 20 and "bad_alloc" not in sentence)
            if good is None:  # either
                right = right or result.returncode == 0
            if not right:
                faults += 1
            if not right or given.names:
                print(f"{'right' if right else 'WRONG'}: {title} ({len(content)} bytes, {bound} allowed): "
                      f"status {result.returncode}, {sentence[:300]}")
    print(f"{count} files, {faults} faults")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
