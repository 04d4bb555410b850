#!/usr/bin/env python3
"""Rules about the tree that no compiler checks: who may depend on whom, and indexes that list what exists.

tools/check_tree.py              check this checkout; exit 1 with one line per finding
tools/check_tree.py --self-test  show that each rule can fail
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Workspace crates each crate may use outside its tests. A new crate has to be entered here.
ALLOWED = {
    "sluice-isa": set(),
    "sluice-driver": {"sluice-isa"},
    "sluice-cfg": {"sluice-driver"},
    "sluice-compiler": {"sluice-isa"},
    "sluice-sim": {"sluice-isa"},
    "sluice-hdl": {"sluice-isa", "sluice-control"},
    "sluice-control": {"sluice-isa"},
    "verilator-sys": set(),
    "sluice-suite": {"sluice-isa", "sluice-compiler", "sluice-sim"},
    "sluice-verilator-tests": None,
    "sluice": None,
    "sluice-python": None,
}
# Crates that must not meet even in tests.
APART = [{"sluice-compiler", "sluice-sim"}, {"sluice-compiler", "sluice-hdl"}, {"sluice-sim", "sluice-hdl"}]
FREE = {name for name, allowed in ALLOWED.items() if allowed is None} | {"sluice-suite"}


def layer_findings(packages):
    """`packages`: name -> list of (dependency, is_dev)."""
    own = set(packages)
    for name, dependencies in sorted(packages.items()):
        if name not in ALLOWED:
            yield f"crate {name} is not in the layer table of tools/check_tree.py"
            continue
        for dependency, dev in dependencies:
            if dependency not in own:
                continue
            if not dev and ALLOWED[name] is not None and dependency not in ALLOWED[name]:
                yield f"crate {name} may not depend on {dependency}"
            if name not in FREE and {name, dependency} in APART:
                yield f"crates {name} and {dependency} never meet, not even in tests"


def index_findings(index, files):
    for file in sorted(files):
        if file not in index:
            yield f"docs/adr/README.md does not list {file}"


def read_packages():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return {p["name"]: [(d["name"], d["kind"] == "dev") for d in p["dependencies"]] for p in metadata["packages"]}


def self_test():
    must_fail = [
        list(layer_findings({"sluice-sim": [("sluice-compiler", False)], "sluice-compiler": []})),
        list(layer_findings({"sluice-sim": [("sluice-hdl", True)], "sluice-hdl": []})),
        list(layer_findings({"newcomer": []})),
        list(index_findings("nothing here", ["0001-x.md"])),
    ]
    must_pass = [
        list(layer_findings({"sluice-sim": [("sluice-isa", False), ("thiserror", False)], "sluice-isa": []})),
        list(layer_findings({"sluice": [("sluice-sim", False), ("sluice-hdl", False)], "sluice-sim": [], "sluice-hdl": []})),
        list(index_findings("| [0001](0001-x.md) |", ["0001-x.md"])),
    ]
    return all(must_fail) and not any(must_pass)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test() else 1
    adr = ROOT / "docs" / "adr"
    findings = list(layer_findings(read_packages()))
    findings += index_findings((adr / "README.md").read_text(), [p.name for p in adr.glob("[0-9]*.md")])
    for finding in findings:
        print(f"check_tree: {finding}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
