#!/usr/bin/env python3
"""Fails where namespace `ebb` holds a name that nobody declared to be for programs, or has lost one:

    python3 tests/docs/names.py                  compares the headers with names.txt
    python3 tests/docs/names.py --of FOLDER      the headers of another folder

What programs call is an operation or a loss of reference.tsv with its function object and its options,
or stands in names.txt. All else belongs to a namespace inside of `ebb`: kernels and what they are made
of to `ebb::kernel`, a header's own matters to a `detail`. Those namespaces stand in names.txt too.
"""
import argparse
import pathlib
import re
import sys

import reference

DECLARED = pathlib.Path(__file__).with_name("names.txt")


def name_of(declaration):
    """The name that a declaration brings into its namespace, or None."""
    text = reference.without_template(declaration)
    if text is None:
        return None
    text = re.sub(r"\[\[.*?\]\] ?|^requires ?\(.*?\) (?=\w+ \w+\()"
                  r"|^requires .*?(?=\b(struct|class|auto|inline|constexpr|void|decltype)\b)", "", text)
    text = text.replace("decltype(auto)", "auto")
    if text.startswith("using namespace"):
        return None
    borrowed = re.match(r"using (?:\w+::)+(\w+)$", text)
    if borrowed:
        return borrowed[1]
    kind = re.match(r"(?:struct|class|enum class|enum|concept|using|union) (?:alignas\(\w+\) )?(\w+)(.?)", text)
    if kind:
        return None if kind[2] == "<" else kind[1]  # a specialisation declares no name
    value = None if text.endswith(")") else re.match(r"(?:(?:inline|constexpr|constinit|extern|const|thread_local|static) )+(?:[\w:<>,* ]+ )?(\w+)( =.*|\[.*|<.*)?$", text)
    if value:
        return None if (value[2] or "").startswith("<") else value[1]
    function = re.match(r"[^(]*?[ &*](\w+)\(", text)
    if function and function[1] not in ("decltype", "requires", "operator"):
        return function[1]
    return None


def names_in(include):
    """{name: header} of what stands in `ebb` itself, the namespaces directly inside of it, and the kernels
    that do not stand in `ebb::kernel`."""
    names, spaces, astray = {}, {}, []
    for header in sorted(include.rglob("*")):
        if header.suffix not in (".hpp", ".cuh"):
            continue
        text = header.read_text()
        where = header.relative_to(include)
        for space in re.findall(r"^namespace ebb::inline EBB_ABI::(\w+)", text, re.M):
            spaces.setdefault(space, where)
        for space, comment, declaration in reference.without_bodies(text, undocumented=True):
            if comment and comment[0].startswith("Kernel:") and not space.startswith("ebb::kernel"):
                astray.append((where, name_of(declaration)))
            if space.startswith("ebb::"):
                spaces.setdefault(space.split("::")[1], where)
            name = name_of(declaration) if space == "ebb" else None
            if name:
                names.setdefault(name, where)
    return names, spaces, astray


def words(name):
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--of", type=pathlib.Path, default=reference.ROOT / "include" / "ebb")
    names, spaces, astray = names_in(arguments.parse_args().of)
    listed = [line.split("#")[0].split() for line in DECLARED.read_text().splitlines()]
    namespaces = {word[len("namespace:"):] for line in listed for word in line if word.startswith("namespace:")}
    declared = {word for line in listed for word in line if not word.startswith("namespace:")}
    for name in reference.read_facts():
        declared |= {name, words(name), words(name) + "Options"}

    undeclared = {name: header for name, header in names.items() if name not in declared}
    for name, header in sorted(undeclared.items()):
        print(f"{header}: nobody declared ebb::{name} to be for programs. Put it in ebb::kernel or a detail, "
              "or in tests/docs/names.txt")
    for header, name in astray:
        print(f"{header}: the kernel {name} belongs to ebb::kernel, where its device's tag finds it")
    strange = sorted(set(spaces) - namespaces)
    for space in strange:
        print(f"{spaces[space]}: namespace ebb::{space} is not in tests/docs/names.txt")
    lost = sorted({word for line in listed for word in line if not word.startswith("namespace:")} - set(names))
    for name in lost:
        print(f"tests/docs/names.txt has {name}, which no header puts into namespace ebb")
    return 1 if undeclared or astray or strange or lost else 0


if __name__ == "__main__":
    sys.exit(main())
