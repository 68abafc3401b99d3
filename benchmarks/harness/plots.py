"""Two pictures by gnuplot, each as SVG and PNG: images per second over batch size, and the roofline."""

import os
import subprocess

from harness.programs import median

COLOURS = {"ebb": "#0b6e99", "PyTorch": "#d9622b", "oneDNN direct": "#6b6b6b", "oneDNN winograd": "#a0a0a0"}


def draw(folder, name, script):
    """Both formats of a picture; whether gnuplot made them."""
    for suffix, terminal in (("svg", "svg size 760,480 dynamic enhanced font 'sans,13' background '#ffffff'"),
                             ("png", "pngcairo size 1140,720 enhanced font 'sans,15'")):
        path = os.path.join(folder, f"{name}.{suffix}")
        text = f"set terminal {terminal}\nset output '{path}'\n{script}"
        try:
            done = subprocess.run(["gnuplot"], input=text, text=True, stderr=subprocess.PIPE)
        except OSError:
            return False
        if done.returncode != 0:
            print(done.stderr)
            return False
    return True


def block(name, rows):
    return f"${name} << EOD\n" + "\n".join(" ".join(map(str, row)) for row in rows) + "\nEOD\n"


def over_batch_size(folder, entries):
    """Training of the tutorial's CNN; a line for each library and number of threads."""
    series = {}
    for e in entries:
        if e["network"] == "cnn" and e["mode"] == "train":
            for name, rates in e["images_per_s"].items():
                series.setdefault((name, e["threads"]), []).append((e["batch"], median(rates)))
    series = {key: sorted(points) for key, points in series.items()}
    if not any(len(points) > 1 for points in series.values()):
        return False
    batches = sorted({batch for points in series.values() for batch, _ in points})
    script = "".join(block(f"s{i}", points) for i, points in enumerate(series.values()))
    script += ("set logscale x 2\nset xlabel 'images per step'\nset ylabel 'images per second'\nset yrange [0:]\nset grid ytics lc rgb '#dddddd'\n"
               "set key left top Left reverse\nset border 3\nset tics nomirror\n"
               f"set xrange [{batches[0]}:{1.1 * batches[-1]}]\n"
               "set title \"Training the tutorial's CNN\"\n"
               f"set xtics ({', '.join(map(str, batches))})\n")
    lines = []
    for i, (name, threads) in enumerate(series):
        dash = 1 if threads == max(t for _, t in series) else 2
        title = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
        lines.append(f"$s{i} with linespoints lw 2 pt 7 dt {dash} lc rgb '{COLOURS.get(name, '#444444')}' title '{title}'")
    return draw(folder, "batch_size", script + "plot " + ", \\\n ".join(lines) + "\n")


def roofline(folder, points, most, threads):
    """Kernels under the roof of Williams, Waterman & Patterson, "Roofline: an insightful visual
    performance model for multicore architectures", CACM 52 (2009)."""
    if not points:
        return False
    peak, read = most["gflops"], most["read_gb"]
    kinds = {"convolutions": "#0b6e99", "products": "#d9622b"}
    script = "".join(block(kind, [(x, y) for _, x, y in found]) for kind, found in points.items())
    top = 4 * peak
    script += (f"set logscale xy\nset xrange [0.25:1000]\nset yrange [1:{top:.0f}]\nset xlabel 'operations per byte that must be moved'\n"
               "set ylabel 'GFLOP/s'\nset key left top Left reverse\nset grid lc rgb '#dddddd'\nset border 3\nset tics nomirror\n"
               f"set title 'Kernels under the roof of memory and multiply-adds ({threads} thread{'s' if threads > 1 else ''})'\n"
               f"peak = {peak}\nread = {read}\nroof(x) = x * read < peak ? x * read : peak\n")
    lines = ["roof(x) with lines lw 2 lc rgb '#444444' title sprintf('%.0f GFLOP/s, %.0f GB/s', peak, read)"]
    lines += [f"${kind} with points pt 7 ps 1.1 lc rgb '{colour}' title '{kind}'" for kind, colour in kinds.items() if kind in points]
    return draw(folder, "roofline", script + "set samples 500\nplot " + ", \\\n ".join(lines) + "\n")
