"""Equal instances as one module: an elaborated design in RTLIL, its copies folded, so that each is synthesised once and counted often.

slang names the module of every instance after its path. Instances whose paths differ in indices and core numbers only, and whose text is the
same, are copies of each other; parameters are part of the text, so modules of different sizes stay apart.
"""

import hashlib
import re


def blocks(text):
    """The modules of an RTLIL text: (name, lines with their attributes)."""
    pending, current, name = [], None, None
    for line in text.splitlines():
        if current is None:
            if line.startswith("module "):
                name, current, pending = line.split()[1], [*pending, line], []
            elif line.startswith("attribute "):
                pending.append(line)
            continue
        current.append(line)
        if line == "end":
            yield name, current
            current = None


def shape(lines, types):
    """Digest of a module's text as a set of lines: without automatic names and source positions, submodules by their folded type."""
    kept = []
    for line in lines:
        line = line.strip()
        if line.startswith(("attribute ", "module ")):
            continue
        kind = ""
        if line.startswith("cell "):
            _, kind, line = line.split()
            kind = f"cell {types.get(kind, kind)} "
        kept.append(kind + re.sub(r"\$\S+", "$", line))
    return hashlib.sha256("\n".join(sorted(kept)).encode()).hexdigest()


def fold(text):
    """RTLIL with copies folded, and for each module that stays the names of those it stands for."""
    modules = dict(blocks(text))
    uses = {n: {l.split()[1] for l in lines if l.lstrip().startswith("cell \\")} & modules.keys() for n, lines in modules.items()}
    types, by_shape, done = {}, {}, []

    def visit(name):
        if name in types:
            return
        for used in sorted(uses[name]):
            visit(used)
        key = (name.split("$")[0], shape(modules[name], types))
        types[name] = by_shape.setdefault(key, name)
        done.append(name)

    for name in modules:
        visit(name)
    copies = {}
    for name in done:
        copies.setdefault(types[name], []).append(name)
    out = []
    for name in done:
        if types[name] == name:
            for line in modules[name]:
                if line.lstrip().startswith("cell \\"):
                    indent = line[: len(line) - len(line.lstrip())]
                    _, kind, instance = line.split()
                    line = f"{indent}cell {types.get(kind, kind)} {instance}"
                out.append(line)
    return "\n".join(["autoidx 1000000", *out]) + "\n", copies
