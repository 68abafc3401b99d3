"""Files of other libraries' tests, read here and there.

    other_libraries.py --reader build/tests/files/read_file NAME=FOLDER...

reads every image, DICOM, NIfTI and NumPy file below each folder (an unpacked package, which NAME
says) with read_file, compares the values with what Pillow, pydicom, nibabel and NumPy read, and prints
a table. Each file either agrees, is refused in a sentence, or is listed below the table: read
otherwise, or what those libraries refuse. Ends with status 1 where one crashes or is read wrongly.

Where pydicom has no decoder (pylibjpeg with pylibjpeg-libjpeg has those of JPEG and JPEG-LS), a file is
"read here alone".

What must agree: of images every byte, once Pillow's is upright, without transparency, as colours or
grey; of 16 bits Pillow's own values; of DICOM, NIfTI and NumPy files the stored values.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np

warnings.filterwarnings("ignore")
KINDS = {"b": "?", "i": "i", "u": "u", "f": "f"}
# Roundings of a decoder: two libraries for JPEG.
LOSSY = 2


def pillow(path):
    import PIL.Image, PIL.ImageFile, PIL.ImageOps

    with PIL.Image.open(path, formats=["PNG", "JPEG", "BMP"]) as image:
        image.load()
        image = PIL.ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            return np.asarray(image)[None].astype("u2")
        if image.mode in ("1", "L", "LA", "La"):
            grey = np.asarray(image.convert("L") if image.mode == "1" else image)
            return (grey[..., 0] if grey.ndim == 3 else grey)[None]
        if image.mode == "P":
            mode = image.palette.mode
            colours = np.frombuffer(image.palette.palette, "u1").reshape(-1, len(mode))[:, :3]
            colours = np.concatenate([colours, np.zeros((256, 3), "u1")])
            return colours[np.asarray(image)].transpose(2, 0, 1)
        if image.mode in ("RGBA", "RGBa"):
            return np.asarray(image)[..., :3].transpose(2, 0, 1)
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def dicom(path):
    import pydicom, pydicom.pixels

    try:  # of JPEG, by the library that most use
        return pydicom.pixels.pixel_array(path, raw=True, decoding_plugin="pillow")
    except Exception:
        return pydicom.pixels.pixel_array(path, raw=True)


def nifti(path):
    import nibabel

    image = nibabel.load(path)
    if not isinstance(image, (nibabel.Nifti1Image, nibabel.Nifti1Pair, nibabel.Nifti2Image, nibabel.Nifti2Pair)):
        raise ValueError("no NIfTI")
    return np.asanyarray(image.dataobj.get_unscaled()).T


def npy(path):
    return np.load(path, allow_pickle=False)


def npz(path):
    with np.load(path, allow_pickle=False) as file:
        return [file[name] for name in sorted(file.files)]


# Extension: the reader, and what the other library reads.
READERS = {"png": ("image", pillow), "jpg": ("image", pillow), "jpeg": ("image", pillow), "bmp": ("image", pillow),
           "dcm": ("dicom", dicom), "nii": ("nifti", nifti), "nii.gz": ("nifti", nifti), "hdr": ("nifti", nifti),
           "npy": ("npy", npy), "npz": ("npz", npz)}
TITLES = {"image": "PNG, JPEG, BMP", "dicom": "DICOM", "nifti": "NIfTI", "npy": "npy", "npz": "npz"}


def kind_of(path):
    name = path.name.lower()
    extension = next((e for e in sorted(READERS, key=len, reverse=True) if name.endswith("." + e)), None)
    if extension:
        return READERS[extension]
    with open(path, "rb") as file:  # DICOM files have no extension as often as one
        if file.read(132)[128:] == b"DICM":
            return READERS["dcm"]
    return None


def arrays(output, raw):
    """What read_file wrote."""
    found, at = {}, 0
    for line in output.splitlines():
        if line.startswith("#"):
            continue
        name, kind, width, *shape = line.rsplit(" ")
        shape = [int(e) for e in shape]
        kind = np.dtype(KINDS[kind] + (width if kind != "b" else ""))
        count = int(np.prod(shape)) if shape else 1
        found[name] = np.frombuffer(raw, kind, count, at).reshape(shape)
        at += count * kind.itemsize
    assert at == len(raw)
    return found


def agree(ours, theirs, kind):
    """'' where all values do, or in which way they do not."""
    if kind == "dicom":  # frames and samples may have no axes there
        ours, theirs = ours.squeeze(), theirs.squeeze()
    if kind == "image" and len(ours) == 1 and len(theirs) == 3 and (theirs == theirs[:1]).all():
        theirs = theirs[:1]  # a palette of greys
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, there {theirs.shape}"
    if ours.dtype.kind == "f" or theirs.dtype.kind == "f":
        same = np.array_equal(ours, theirs, equal_nan=True)
    else:
        same = np.array_equal(ours.astype("i8"), theirs.astype("i8"))
    if same:
        return ""
    apart = np.abs(ours.astype("f8") - theirs.astype("f8"))
    return f"{np.count_nonzero(apart)} of {apart.size} values differ, by {np.nanmax(apart):g} at most"


def look(reader, path, folder):
    """How one file is read: a word for the table, and a remark."""
    kind, other = kind_of(path)
    try:
        theirs, why = other(str(path)), ""
    except Exception as error:
        theirs, why = None, f"{type(error).__name__}: {error}".splitlines()[0][:90]
    wide = kind == "image" and theirs is not None and theirs.dtype == np.uint16
    out = folder / "out"
    out.write_bytes(b"")
    result = subprocess.run([reader, "wide" if wide else kind, str(path), str(out)], capture_output=True, timeout=120)
    said = result.stderr.decode(errors="replace").strip()
    if result.returncode == 1 and len(said) > 20:
        return kind, "refused", f"{said.split(': ', 2)[-1][:110]}" + ("" if theirs is None else " (there: read)")
    if result.returncode != 0:
        return kind, "WRONG", f"status {result.returncode}, {said[:200]}"
    ours = arrays(result.stdout.decode(errors="replace"), out.read_bytes())
    if theirs is None:
        return kind, "read here alone", why
    if kind == "npz":
        ours = [ours[name] for name in sorted(ours)]
        differences = [agree(a, b, kind) for a, b in zip(ours, theirs)] + ["" if len(ours) == len(theirs) else "members"]
        difference = next((d for d in differences if d), "")
    else:
        difference = agree(next(iter(ours.values())), theirs, kind)
    if not difference:
        return kind, "agrees", ""
    most = float(difference.rsplit(" ", 3)[1]) if "differ" in difference else None
    if most is not None and most <= LOSSY and (kind == "dicom" or path.suffix.lower() in (".jpg", ".jpeg")):
        return kind, "other roundings", difference
    return kind, "WRONG", difference


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--reader", required=True)
    parser.add_argument("--all", action="store_true", help="list every file that is refused, too")
    parser.add_argument("packages", nargs="+", metavar="NAME=FOLDER")
    given = parser.parse_args()
    words = ["agrees", "other roundings", "refused", "read here alone", "WRONG"]
    table, remarks = collections.defaultdict(collections.Counter), []
    with tempfile.TemporaryDirectory() as folder:
        for package in given.packages:
            name, root = package.split("=", 1)
            for path in sorted(p for p in pathlib.Path(root).rglob("*") if p.is_file() and kind_of(p)):
                kind, word, remark = look(given.reader, path, pathlib.Path(folder))
                table[name, TITLES[kind]][word] += 1
                if word != "agrees":
                    remarks.append((word, name, path.relative_to(root), remark))
    print("| files of | kind | " + " | ".join(words) + " |\n|---|---|" + "---|" * len(words))
    for (name, kind), counts in table.items():
        print(f"| {name} | {kind} | " + " | ".join(str(counts[word] or "") for word in words) + " |")
    print()
    for word, name, path, remark in sorted(remarks, key=lambda r: words.index(r[0])):
        if word != "refused" or given.all or "(there: read)" in remark:
            print(f"{word}: {name} {path}: {remark}")
    return 1 if any(counts["WRONG"] for counts in table.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
