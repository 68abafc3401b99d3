"""What lines of JSON of programs for a GPU say together: medians, ratios, goals, as entries and as tables."""

from harness.networks import TITLES
from harness.programs import median, number, spread

COLUMNS = {("ebb", "eager"): "ebb eager", ("ebb", "captured"): "ebb captured", ("PyTorch", "eager"): "PyTorch eager",
           ("PyTorch", "compile"): "PyTorch compile", ("PyTorch", "graph"): "PyTorch graph"}

# (network, batch, precision): of ebb's captured step, images per second, and times those of PyTorch's graph
NETWORK_GOALS = {("cnn", 64, "tf32"): {"images_per_s": 1_000_000, "to_graph": 2.0}}
# percent of cuDNN's speed (on layers of networks other than the tutorial's), of cuBLAS's, and of the bandwidth of a copy
CONVOLUTION_GOAL, PRODUCT_GOAL, MEMORY_GOAL = 90, 90, 85


def gathered(lines, *keys):
    """Lines that agree in `keys`, together, in the order in which they came."""
    groups = {}
    for line in lines:
        groups.setdefault(tuple(line[key] for key in keys), []).append(line)
    return groups


def judged(value, goal):
    return {"goal": goal, "value": value, "reached": None if value is None else value >= goal}


def mark(goal):
    return "-" if goal["reached"] is None else "yes" if goal["reached"] else "no"


def percent(part, whole):
    return 100 * part / whole if part and whole else None


def shown(value, unit=""):
    return "-" if value is None else number(value) + unit


# --- networks ----------------------------------------------------------------------------------------


def networks(lines):
    """An entry for each network, batch and precision: images per second of each way to run it, medians of runs that
    are medians of rounds; ebb's captured step over PyTorch's fastest way and over its graph; goals."""
    entries = []
    for (network, batch, precision), group in gathered(lines, "network", "batch", "precision").items():
        rates, spreads, peaks, settings = {}, {}, {}, {}
        for key, runs in gathered(group, "who", "mode").items():
            name = COLUMNS[key]
            us = [median(run["us_per_step"]) for run in runs]
            rates[name], spreads[name] = 1e6 * batch / median(us), spread(us) if len(us) > 1 else None
            peaks[name] = median([run["peak_mib"] for run in runs])
            if "setting" in runs[0]:
                settings[name] = runs[0]["setting"]
        ours = rates.get("ebb captured")
        theirs = max((rate for name, rate in rates.items() if name.startswith("PyTorch")), default=None)
        graph = rates.get("PyTorch graph")
        entry = {"network": network, "batch": batch, "precision": precision, "images_per_s": rates, "spread": spreads,
                 "peak_mib": peaks, "settings": settings, "to_best": ours / theirs if ours and theirs else None,
                 "to_graph": ours / graph if ours and graph else None, "goals": {}}
        for what, goal in NETWORK_GOALS.get((network, batch, precision), {}).items():
            entry["goals"][what] = judged(ours if what == "images_per_s" else entry[what], goal)
        entries.append(entry)
    return entries


def shown_rate(entry, name):
    """With how far runs were apart, where there were several."""
    if name not in entry["images_per_s"]:
        return "-"
    apart = entry["spread"][name]
    return number(entry["images_per_s"][name]) + (f" ± {apart:.0f} %" if apart is not None else "")


def say_networks(report, entries):
    report.say("\n## Training steps of networks\n")
    report.say("Images per second. A step is forward, cross entropy, backward and SGD with momentum, on a batch that lies on the "
               "GPU. *captured* and *graph* replay the whole step as one CUDA graph; *compile* is "
               "`torch.compile(mode=\"max-autotune\")`, with fused SGD. Ratios are of ebb's captured step to PyTorch's fastest "
               "way at the same precision, and to its graph.\n")
    report.table("network", "batch", "precision", *COLUMNS.values(), "to its best", "to its graph", "goal", "reached",
                 align="lrl" + "r" * 7 + "ll")
    for e in entries:
        rates = [shown_rate(e, name) for name in COLUMNS.values()]
        goals = [f"{number(goal['goal'])} images/s" if what == "images_per_s" else f"{goal['goal']:g} x its graph"
                 for what, goal in e["goals"].items()]
        report.row(TITLES[e["network"]], e["batch"], e["precision"], *rates,
                   *(f"**{e[key]:.2f}**" if e[key] else "-" for key in ("to_best", "to_graph")),
                   ", ".join(goals), ", ".join(map(mark, e["goals"].values())))
    say_settings(report, entries)
    say_memory(report, entries)


def say_settings(report, entries):
    chosen = {}
    for e in entries:
        for name, setting in e["settings"].items():
            way = f"{TITLES[e['network']]} {e['batch']}, {name.split()[1]} {e['precision']}"
            chosen.setdefault(setting, []).append(way)
    if chosen:
        report.say("\nPyTorch's settings, beside fused SGD and cuDNN's benchmark mode (*one_graph*: what inductor compiled, and "
                   "SGD, in one CUDA graph of the whole step, in place of inductor's own graphs):\n")
        for setting, rows in chosen.items():
            report.say(f"* {setting}: {'; '.join(rows)}")


def say_memory(report, entries):
    report.say("\nMiB that the steps held on the GPU at most, of each library's pool:\n")
    report.table("network", "batch", "precision", *COLUMNS.values(), align="lrl")
    for e in entries:
        report.row(TITLES[e["network"]], e["batch"], e["precision"],
                   *(f"{e['peak_mib'][name]:.0f}" if name in e["peak_mib"] else "-" for name in COLUMNS.values()))


def same_networks(lines):
    """Of each network that both libraries checked: counts, losses, and whether they agree."""
    found = []
    for (network,), group in gathered(lines, "network").items():
        by = {line["who"]: {key: line[key] for key in ("loss", "parameters")} for line in group}
        if {"ebb", "PyTorch"} <= by.keys():
            ours, theirs = by["ebb"], by["PyTorch"]
            same = ours["parameters"] == theirs["parameters"] and abs(ours["loss"] - theirs["loss"]) < 1e-4 * abs(theirs["loss"])
            found.append({"network": network, **by, "same": same})
    return found


def say_same(report, found):
    for f in found:
        if not f["same"]:
            report.say(f"\n**The networks called {f['network']} differ**: {f['ebb']} here, {f['PyTorch']} in PyTorch.")
    words = [f"{TITLES[f['network']]}, {f['ebb']['parameters']:,} parameters: {f['ebb']['loss']:.6f} here, "
             f"{f['PyTorch']['loss']:.6f} in PyTorch" for f in found if f["same"]]
    if words:
        report.say(f"\nSame weights, same loss (fp32): {'; '.join(words)}.")
    elif not found:
        report.say("\nThat the networks are the same was not checked: it takes both libraries.")


# --- operations --------------------------------------------------------------------------------------


def figures(runs):
    """Medians of the runs of one operation."""
    us = median([median(run["us"]) for run in runs])
    rate = {key: [run[key] for run in runs if run.get(key) is not None] for key in ("gflops", "gb_per_s")}
    return {"us": us, **{key: median(values) if values else None for key, values in rate.items()}}


def operations(lines):
    """(entries, copy): an entry for each operation, shape and precision, beside the fastest peer that has it, with the
    goal of its kind; and the bandwidth of a copy in GB/s, the yardstick of what memory bounds."""
    copies = [figures(runs)["gb_per_s"] for runs in gathered([x for x in lines if x["op"] == "copy"], "who", "shape").values()]
    copy = max((c for c in copies if c), default=None)
    entries = []
    for (op, shape, precision), group in gathered(lines, "op", "shape", "precision").items():
        by = {who: figures(runs) for (who,), runs in gathered(group, "who").items()}
        ours = by.pop("ebb", None)
        peer = min(by, key=lambda who: by[who]["us"]) if by else None
        layer = next((line["layer"] for line in group if line.get("layer")), "")
        layout = next((line["layout"] for line in group if line["who"] == peer and line.get("layout")), "")
        entry = {"op": op, "shape": shape, "layer": layer, "precision": precision, "ebb": ours, "who": peer,
                 "layout": layout, "peer": by.get(peer),
                 "of_peer": percent(by[peer]["us"], ours["us"]) if ours and peer else None,
                 "of_copy": percent(ours["gb_per_s"], copy) if ours and op != "copy" else None, "goals": {}}
        if ours and op.startswith("conv"):
            if not layer.startswith("CNN"):
                entry["goals"]["cuDNN"] = judged(entry["of_peer"], CONVOLUTION_GOAL)
        elif ours and ours["gflops"] and precision == "fp32":
            entry["goals"]["cuBLAS"] = judged(entry["of_peer"], PRODUCT_GOAL)
        elif ours and ours["gb_per_s"] and not ours["gflops"] and op != "copy":
            entry["goals"]["copy"] = judged(entry["of_copy"], MEMORY_GOAL)
        entries.append(entry)
    return entries, copy


def say_operations(report, entries, copy):
    report.say("\n## Operations\n")
    report.say("Microseconds. *of peer* is its time over ours, in percent, where cuDNN has the better of its two layouts; in bf16 the "
               "peers read and write bf16, ebb floats. *of copy* is the bytes that must be moved at least, over the time, in percent "
               "of the bandwidth of a copy on the GPU"
               + (f", which is {number(copy)} GB/s." if copy else ", which was not measured.") + "\n")
    report.table("operation", "shape", "layer", "precision", "ebb", "peer", "its", "of peer", "GFLOP/s", "GB/s", "of copy", "goal",
                 "reached", align="llllrlrrrrrll")
    for e in entries:
        ours, theirs = e["ebb"] or {}, e["peer"] or {}
        peer = " ".join(filter(None, (e["who"], e["layout"]))) or "-"
        report.row(e["op"], e["shape"], e["layer"], e["precision"], shown(ours.get("us")), peer, shown(theirs.get("us")),
                   shown(e["of_peer"], " %"), shown(ours.get("gflops")), shown(ours.get("gb_per_s")), shown(e["of_copy"], " %"),
                   ", ".join(f"{goal['goal']} % of {what}" for what, goal in e["goals"].items()),
                   ", ".join(map(mark, e["goals"].values())))


GOALS = {"images_per_s": "images per second", "to_graph": "over PyTorch's graph", "cuDNN": "convolutions", "cuBLAS": "products",
         "copy": "what memory bounds"}


def say_goals(report, entries):
    """How many goals of each kind were reached, of all entries together."""
    report.facts["goals"], words = {}, []
    for kind, name in GOALS.items():
        all_of_them = [entry["goals"][kind]["reached"] for entry in entries if kind in entry["goals"]]
        known = [reached for reached in all_of_them if reached is not None]
        if all_of_them:
            report.facts["goals"][kind] = {"reached": sum(known), "measured": len(known), "all": len(all_of_them)}
            open_ones = len(all_of_them) - len(known)
            words.append(f"{name} {sum(known)} of {len(known)}"
                         + (f" ({open_ones} more have no figure to be held against)" if open_ones else ""))
    if words:
        report.say(f"\nGoals reached: {'; '.join(words)}.")
