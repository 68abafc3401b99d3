#!/usr/bin/env python3
"""Writes docs/reference.md, the page of everything public, from the headers:

    python3 tests/docs/reference.py          writes it
    python3 tests/docs/reference.py --check  fails where it is not what this would write, or where a
                                             public thing lacks what reference.tsv has to say of it

A public thing is what a header declares, with a documentation comment, in one of the namespaces
below. Its signature and its first sentence come from there. What no header says, PyTorch's name, GPUs
and second derivatives, stands in reference.tsv, one line for each operation, loss, layer, rule and
schedule.
"""
import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference.md"
FACTS = pathlib.Path(__file__).with_name("reference.tsv")

# Title, headers (a pattern below include/ebb), namespace, whether reference.tsv must know each.
SECTIONS = [
    ("Operations", r"ops/(?!loss/).*", "ebb", True),
    ("Losses", r"ops/loss/.*", "ebb", True),
    ("Layers and networks", r"nn/.*", "ebb::nn", True),
    ("Update rules and schedules", r"optim/.*", "ebb::optim", True),
    ("Tensors, tape and derivatives", r"(core|tensor|tape)/.*", "ebb", False),
    ("Data and its readers", r"data/.*", "ebb::data", False),
    ("Saving and loading", r"io/.*", "ebb::io", False),
    ("Metrics", r"metrics/.*", "ebb::metrics", False),
    ("Models", r"models/.*", "ebb::models", False),
    ("Explanations", r"explain/.*", "ebb::explain", False),
    ("Uncertainty", r"uncertainty/.*", "ebb::uncertainty", False),
    ("Shapes in masks", r"morphology/.*", "ebb::morphology", False),
    ("Training", r"train/.*", "ebb", False),
]
# Headers of kernels, and of what the library alone calls.
INTERNAL = re.compile(
    r"(cpu|reference|geometry|loop|engine|axes|kernel|rule|parameter_batch|factors|track|storage|view|elementwise"
    r"|pointwise|region|classes|lanes|slab|turn|stock|optional_operand|halving|rows|overlapping|plan|ways|tile|pack"
    r"|deferred|algorithm|type_tag|config|error|replay|on_device|printable|byte_source|life|arrivals|parts|draws|members|undrawn)\.hpp$|_(cpu|library)\.hpp$")
# Parts that other parts here are made of, and that no program names.
INTERNAL_NAMES = {"Activation", "Binary", "BinaryTerm", "Clamp", "DropoutMask", "Unbiased"}


def without_bodies(text, undocumented=False):
    """Yields (namespace, comment, declaration) of what stands at the level of a namespace and has a
    documentation comment, or of all that stands there."""
    lines = text.replace("::inline EBB_ABI", "").split("\n")
    spaces, comment, at = [], [], 0
    while at < len(lines):
        line = lines[at]
        opened = re.match(r"(?:inline )?namespace ([\w:]*) ?\{", line)
        if opened:
            spaces.append(opened[1])
        elif re.match(r"\}  // namespace", line):
            spaces.pop()
        elif line.startswith("///"):
            comment.append(line[3:].strip())
        elif (comment or undocumented) and line and not line.startswith(("#", "}", " ", "//", "EBB_")):
            # To the body, or the end of the declaration.
            declaration, depth = "", 0
            while True:
                for sign in lines[at]:
                    if depth == 0 and sign in "{;":
                        break
                    depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(sign, 0)
                    declaration += sign
                else:
                    at += 1
                    declaration += " "
                    continue
                break
            yield "::".join(spaces), comment, re.sub(r"\s+", " ", declaration).strip()
            comment = []
        elif not line.strip():
            comment = []
        at += 1


def first_sentence(comment):
    text = ""
    for line in comment:
        if not line or line.startswith("\\"):
            break
        text += " " + line
    text = text.strip()
    end = re.search(r"(?<=[^.A-Z])[.:](?= |$)", text)
    text = (text[:end.start()] if end else text).rstrip(",. ")
    return text + "." if text else ""


def without_template(text):
    """What follows the parameters of a template; None where they do not end."""
    while text.startswith("template <"):
        depth = 0
        for i, sign in enumerate(text):
            depth += {"<": 1, ">": -1}.get(sign, 0)
            if depth == 0 and sign == ">":
                text = text[i + 1:].strip()
                break
        else:
            return None
    return text


def name_and_signature(declaration):
    text = re.sub(r"^template <.*?> (?=struct|class|auto|inline|using|requires|constexpr|\[|[A-Z\w])", "", declaration)
    text = without_template(text)
    if text is None:
        return None
    text = re.sub(r"^requires .*?(?=\b(struct|class|auto|inline|constexpr|void)\b)", "", text)
    text = re.sub(r"\[\[.*?\]\] ?", "", text)
    kind = re.match(r"(struct|class|enum class|enum|concept|using) (\w+)", text)
    if kind:
        if kind[1] == "concept" or "<" in text.split(":")[0].split(kind[2])[1][:1]:
            return None  # a concept, or a specialisation
        return kind[2], f"{kind[1]} {kind[2]}"
    value = re.match(r"(?:inline )?constexpr (\w+) (\w+)$", text)
    if value:
        return value[2], value[2]
    function = re.match(r"(?:inline |constexpr |static |EBB_HD )*([\w:<>,& *]+?)[ &*](\w+)\((.*)\)", text)
    if not function or function[2].startswith("operator"):
        return None
    parameters = re.sub(r"\bconst ([\w:]+(?:<(?:[^<>()]|<[^<>]*>)*>)?)& ?", r"\1 ", function[3])
    return function[2], f"{function[2]}({re.sub(' +', ' ', parameters).strip()})"


def public_things(headers, space):
    """{name: (signatures, sentence, header)}, in the order of headers."""
    things = {}
    for header in headers:
        for where, comment, declaration in without_bodies(header.read_text()):
            if where != space or comment[0].startswith(("\\file", "Kernel:", "Lists the kernels")):
                continue
            found = name_and_signature(declaration)
            if not found or found[0].endswith(("Options", "Info", "_forward", "_backward", "_grad")):
                continue
            name, signature = found
            if name in INTERNAL_NAMES:
                continue
            if name in things:
                if signature not in things[name][0]:
                    things[name][0].append(signature)
            else:
                things[name] = ([signature], first_sentence(comment), header)
        # The object of a function: `inline constexpr Relu relu;`
        for kind, name in re.findall(r"^inline constexpr (\w+) (\w+);", header.read_text(), re.M):
            if kind in things and things[kind][2] == header:
                things[name] = ([f"{name}(x)"], things.pop(kind)[1], header)
        # And of one that is called by a function: Tanh of tanh.
        for name, kind in re.findall(r"^auto (\w+)\(const X& x\) \{\n  return (\w+)\{\}\(x\);", header.read_text(), re.M):
            if kind in things and things[kind][2] == header:
                things[name] = ([f"{name}(X x)"], things.pop(kind)[1], header)
    return things


def read_facts():
    with open(FACTS, newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def cell(text):
    return text.replace("|", "\\|")


def make_page():
    facts, missing, known = read_facts(), [], set()
    include = ROOT / "include" / "ebb"
    page = [
        "# Reference",
        "",
        "Everything public, one line each: the header has shapes, units and errors. This page is written by "
        "`tests/docs/reference.py` from the headers, and a test holds it to them.",
        "",
        "Operations and losses take plain tensors, variables and parameters alike (`X`), of float and double; "
        "*second* says whether `jvp`, `hvp` and dual numbers go through them too. *GPU* says whether there are kernels "
        "for `Cuda` ([more](cuda.md)). A function of one tensor is a layer as it is: `nn::Sequential(nn::Linear<>(2, 8), "
        "relu, ...)`; of those that C has as well, `tanh` and its kind, the object is `nn::tanh`.",
    ]
    for title, pattern, space, needs_facts in SECTIONS:
        headers = sorted(h for h in include.rglob("*.hpp")
                         if re.fullmatch(pattern, str(h.relative_to(include))) and not INTERNAL.search(h.name))
        things = public_things(headers, space)
        page += ["", f"## {title}", ""]
        page += (["| | PyTorch | GPU | second | |", "|---|---|---|---|---|"] if needs_facts else ["| | |", "|---|---|"])
        for name, (signatures, sentence, header) in things.items():
            link = f"../include/ebb/{header.relative_to(include)}"
            shown = "<br>".join(f"[`{cell(s)}`]({link})" if i == 0 else f"`{cell(s)}`" for i, s in enumerate(signatures))
            if not needs_facts:
                page.append(f"| {shown} | {cell(sentence)} |")
                continue
            if name not in facts:
                missing.append(f"{name} ({header.relative_to(ROOT)})")
                continue
            known.add(name)
            row = facts[name]
            page.append(f"| {shown} | {row['pytorch']} | {row['gpu']} | {row['second']} | {cell(sentence)} |")
    gone = sorted(set(facts) - known)
    return "\n".join(page) + "\n", missing, gone


def main():
    page, missing, gone = make_page()
    for name in missing:
        print(f"reference.tsv says nothing of {name}: add a line with PyTorch's name, GPU and second derivatives")
    for name in gone:
        print(f"reference.tsv speaks of {name}, which no header declares")
    if missing or gone:
        return 1
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text() != page:
            print("docs/reference.md is not what the headers say: run python3 tests/docs/reference.py")
            return 1
    else:
        PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
