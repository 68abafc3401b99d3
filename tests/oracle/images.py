"""Small image files of every kind that is read, and what Pillow 13 (libjpeg-turbo 3.2) makes of them:
fixtures/images.txt, for tests/data/read/image_file.cpp. Needs Pillow and NumPy.

A line is: name, channels, height, width, the file in hex, its pixels in hex (channels, height, width;
upright by ImageOps.exif_transpose; of 16 bits where the name says so)."""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HEIGHT, WIDTH = 5, 7
lines = []


def add(name, file):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    if image.mode.startswith("I"):
        pixels = np.array(image).astype(">u2")[None]
    elif image.mode in ("1", "L", "LA"):
        pixels = np.array(image.convert("L"))[None]
    else:
        pixels = np.array(image.convert("RGB")).transpose(2, 0, 1)
    lines.append(" ".join([name, *map(str, pixels.shape), file.hex(), pixels.tobytes().hex()]))


# --- PNG ------------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, bits):
    """A line of samples, the first in the highest bits."""
    if bits == 16:
        return samples.astype(">u2").tobytes()
    text = "".join(format(int(v), f"0{bits}b") for v in samples)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def filtered(rows, step):
    """PNG, 9.2: each line by another filter."""
    out, before = b"", bytes(len(rows[0])) if rows else b""
    for y, row in enumerate(rows):
        kind, line = y % 5, bytearray()
        for i, v in enumerate(row):
            a = row[i - step] if i >= step else 0
            b, c = before[i], before[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((v - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
        out += bytes([kind]) + line
        before = row
    return out


def png(kind, bits, interlaced=False, extra=(), pieces=1):
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    random = np.random.default_rng(10 * kind + bits)
    x = random.integers(0, 1 << bits, (HEIGHT, WIDTH, samples))
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x0, y0, dx, dy in passes:
        part = x[y0::dy, x0::dx]
        if part.size:
            data += filtered([packed(row.reshape(-1), bits) for row in part], max(1, samples * bits // 8))
    data = zlib.compress(data, 9)
    cut = [data[len(data) * i // pieces : len(data) * (i + 1) // pieces] for i in range(pieces)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*e) for e in extra)
            + b"".join(chunk(b"IDAT", piece) for piece in cut) + chunk(b"IEND", b""))


palette = bytes((37 * i + 101 * c) % 256 for i in range(256) for c in range(3))
for interlaced in (False, True):
    name = "_interlaced.png" if interlaced else ".png"
    for bits in (1, 2, 4, 8):
        add(f"grey{bits}{name}", png(0, bits, interlaced))
        add(f"palette{bits}{name}", png(3, bits, interlaced, [(b"PLTE", palette[: 3 << bits])]))
    for kind, what in ((2, "colour"), (4, "grey_alpha"), (6, "colour_alpha")):
        add(f"{what}8{name}", png(kind, 8, interlaced))
    add(f"grey16{name}", png(0, 16, interlaced))
for kind, what in ((2, "colour"), (4, "grey_alpha"), (6, "colour_alpha")):
    if kind != 4:  # which Pillow reads as a colour image
        add(f"{what}_of_16.png", png(kind, 16))
add("palette_transparent.png", png(3, 4, extra=[(b"PLTE", palette[:48]), (b"tRNS", bytes(range(0, 160, 10)))]))
add("palette_short.png", png(3, 4, extra=[(b"PLTE", palette[:12])]))  # most pixels name no colour
add("grey_transparent.png", png(0, 8, extra=[(b"tRNS", b"\0\7")]))
add("colour_transparent.png", png(2, 8, extra=[(b"tRNS", b"\0\1\0\2\0\3")]))
add("pieces.png", png(2, 8, pieces=9))
exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01%s\0\0\0\0\0\0"
add("turned.png", png(0, 8, extra=[(b"eXIf", exif % b"\0\6")]))
xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
add("turned_xmp.png", png(0, 8, extra=[(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)]))
profile = b"\nexif\n%8d\n" % (6 + len(exif)) + (b"Exif\0\0" + exif % b"\0\3").hex().encode() + b"\n"
for kind, text in ((b"tEXt", profile), (b"zTXt", b"\0" + zlib.compress(profile))):
    add(f"turned_{kind.decode()}.png", png(0, 8, extra=[(kind, b"Raw profile type exif\0" + text)]))

# --- BMP ------------------------------------------------------------------------------------------

def bmp(bits, rows, colours=b"", packing=0, from_top=False, masks=b"", header=40):
    offset = 14 + header + len(masks) + len(colours)
    if header == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, WIDTH, -HEIGHT if from_top else HEIGHT, 1, bits, packing,
                           len(rows), 0, 0, len(colours) // 4, 0) + (masks + bytes(header - 40) if header > 40 else b"")
        if header > 40:
            info, offset, masks = info[:header], 14 + header + len(colours), b""
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + info + masks + colours + rows


def padded(x, bits):
    out = b""
    for row in x:
        line = packed(row, bits) if bits <= 8 else b"".join(int(v).to_bytes(bits // 8, "little") for v in row)
        out += line + bytes(-len(line) % 4)
    return out


random = np.random.default_rng(7)
for bits in (1, 4, 8, 16, 24, 32):
    x = random.integers(0, 1 << bits, (HEIGHT, WIDTH))
    colours = b"".join(palette[3 * i : 3 * i + 3] + b"\0" for i in range(1 << bits)) if bits <= 8 else b""
    for from_top in (False, True):
        add(f"bits{bits}{'_from_top' if from_top else ''}.bmp", bmp(bits, padded(x, bits), colours, from_top=from_top))
    if bits <= 8:
        add(f"bits{bits}_old.bmp", bmp(bits, padded(x, bits), palette[: 3 << bits], header=12))
    if bits == 8:
        grey = b"".join(bytes([i, i, i, 0]) for i in range(256))
        add("grey8.bmp", bmp(8, padded(x, 8), grey))
    if bits == 16:
        for header in (40, 56, 108):
            add(f"bits16_565_{header}.bmp",
                bmp(16, padded(x, 16), packing=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F), header=header))
    if bits == 32:
        add("bits32_masks.bmp",
            bmp(32, padded(x, 32), packing=3, masks=struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000), header=124))
# Runs: of one colour, pixels as they are (odd many), a jump, lines that end early, the end.
eight = b"".join(palette[3 * i : 3 * i + 3] + b"\0" for i in range(16)) + bytes(960)
four = eight[:64]
runs8 = bytes([3, 9, 4, 2, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 2, 8, 0, 0, 2, 6, 0, 0, 0, 2, 2, 1, 3, 7, 0, 0, 7, 3, 0, 1])
runs4 = bytes([7, 0x9A, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 2, 0xBC, 0, 0, 2, 0xDE, 0, 0, 0, 2, 2, 1, 3, 0x71, 0, 0, 7, 0x33, 0, 1])
add("runs8.bmp", bmp(8, runs8, eight, packing=1))
add("runs4.bmp", bmp(4, runs4, four, packing=2))

# --- JPEG -----------------------------------------------------------------------------------------

def picture(channels, height=HEIGHT, width=WIDTH):
    y, x, c = np.meshgrid(range(height), range(width), range(channels), indexing="ij")
    return ((40 * c + 31 * y + 23 * x + 60 * (c == 1) * (x % 3)) % 256).astype(np.uint8)


def jpeg(mode, width=WIDTH, exif=None, **options):
    image = Image.fromarray(picture({"L": 1, "RGB": 3, "CMYK": 4}[mode], HEIGHT, width).squeeze(), mode)
    file = io.BytesIO()
    if exif is not None:
        options["exif"] = b"Exif\0\0" + exif
    image.save(file, "JPEG", quality=80, optimize=True, **options)
    return file.getvalue()


add("grey.jpg", jpeg("L"))
for subsampling, what in ((0, "444"), (1, "422"), (2, "420")):
    for width in (WIDTH, WIDTH + 1):
        add(f"colour{what}_{width}.jpg", jpeg("RGB", width, subsampling=subsampling))
    add(f"progressive{what}.jpg", jpeg("RGB", subsampling=subsampling, progressive=True))
add("rgb.jpg", jpeg("RGB", keep_rgb=True))
add("inks.jpg", jpeg("CMYK", subsampling=0))
add("inks_progressive.jpg", jpeg("CMYK", subsampling=0, progressive=True))
for orientation in range(1, 9):
    little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%s\0\0\0\0\0\0" % bytes([orientation, 0])
    add(f"turned{orientation}.jpg", jpeg("L", exif=little if orientation % 2 else exif % bytes([0, orientation])))
add("turned_nowhere.jpg", jpeg("L", exif=exif % b"\0\x09"))

path = pathlib.Path(__file__).parent / "fixtures" / "images.txt"
path.write_text("\n".join(lines) + "\n")
print(len(lines), "files,", path.stat().st_size, "bytes")
