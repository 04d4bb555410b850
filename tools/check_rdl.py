#!/usr/bin/env python3
"""The SystemRDL description compiles, and says what the C header says: offset of every register, mask of every field.

tools/check_rdl.py              check docs/registers.rdl; exit 1 with one line per finding
tools/check_rdl.py --self-test  show that the check can fail
"""

import pathlib
import re
import sys

from systemrdl import RDLCompileError, RDLCompiler
from systemrdl.messages import MessagePrinter
from systemrdl.node import RegNode

ROOT = pathlib.Path(__file__).resolve().parent.parent
RDL = ROOT / "docs" / "registers.rdl"
HEADER = ROOT / "driver" / "capi" / "include" / "sluice_registers.h"


class Quiet(MessagePrinter):
    def emit_message(self, lines):
        pass


def findings(rdl, header):
    defines = {name: int(value, 0) for name, value in re.findall(r"#define SLUICE_(\w+) (\w+?)u\n", header)}
    compiler = RDLCompiler(message_printer=Quiet())
    try:
        path = ROOT / "build" / "registers.rdl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rdl)
        compiler.compile_file(str(path))
        top = compiler.elaborate().top
    except RDLCompileError as error:
        yield f"does not compile: {error}"
        return
    seen = 0
    for register in top.children(unroll=False):
        assert isinstance(register, RegNode)
        seen += 1
        name = register.inst_name.upper()
        if register.raw_address_offset != defines.get(name):
            yield f"{name} is at {register.raw_address_offset:#x}, the header says {defines.get(name)}"
        words = register.n_elements if register.is_array else 1
        if words != defines.get(f"{name}_WORDS", 1):
            yield f"{name} has {words} words, the header says otherwise"
        for field in register.fields():
            if field.inst_name == "value":
                continue
            mask = ((1 << field.width) - 1) << field.lsb
            define = f"{name}_{field.inst_name.removesuffix('_f').upper()}"
            if mask != defines.get(define):
                yield f"{define} has mask {mask:#x}, the header says {defines.get(define)}"
    if seen < 20:
        yield f"only {seen} registers"


def self_test(rdl, header):
    changes = [("@ 0x44", "@ 0x70"), ("[256] @", "[255] @"), (" busy[1:1]", " busy[9:9]"), ("regwidth = 32", "regwidth = 31")]
    if any(rdl.count(old) != 1 for old, _ in changes):
        return False
    return all(list(findings(rdl.replace(old, new), header)) for old, new in changes) and not list(findings(rdl, header))


def main():
    rdl, header = RDL.read_text(), HEADER.read_text()
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test(rdl, header) else 1
    found = list(findings(rdl, header))
    for line in found:
        print(f"{RDL.relative_to(ROOT)}: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
