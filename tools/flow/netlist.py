#!/usr/bin/env python3
"""The netlist that goes to place and route, simulated: the self test of the board passes on it, and fails when an answer or a weight is wrong.

tools/flow/netlist.py c1b4               the netlist that is in build/bitstream/c1b4
tools/flow/netlist.py c1b4 --synthesise  make it first
tools/flow/netlist.py --self-test        show that each check can fail

The netlist of the pin-level top is written as flat SystemVerilog, a line per cell, for Verilator; block RAMs are instances of
constraints/ecp5/sim/sl_sim_dp16kd.sv. Whatever a cell's parameters ask for beyond what is written here is an error, not a guess.

| cell            | meaning                                                                                          |
|-----------------|--------------------------------------------------------------------------------------------------|
| LUT4            | truth table, A the lowest bit of the index                                                       |
| PFUMX, L6MUX21  | multiplexers                                                                                     |
| CCU2C           | two sum bits S = LUT4 ^ carry; the carry is carry in where LUT4 is 1, else the table's first four at A, B |
| TRELLIS_FF      | flip-flop with enable and set or reset, synchronous or not                                       |
| TRELLIS_DPR16X4 | 16 words of 4 bits, synchronous write, asynchronous read                                         |
| MULT18X18D      | product, no registers                                                                            |
| EHXPLLL         | the clock goes through; locked after 16 cycles                                                   |

Undefined bits (unwritten memory, data of ports that never write) are drawn at random.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess

import common
from common import BUILD, ROOT, FlowError

HERE = pathlib.Path("constraints/ecp5")
TOP = "ulx3s"
SOURCES = ["ehxplll.sv", "sl_serial_load.sv", "sl_selftest.sv", "ulx3s.sv"]
CLOCK = 50
SEED = 2026
LAPS = 2
RUNS = {"": "locked 1 pass 1 fail 0", "answer": "locked 1 pass 0 fail 1", "weight": "locked 1 pass 0 fail 1"}


def synthesise(config, folder, clock):
    """The self test of a configuration as cells of the ECP5; returns the netlist and the seconds it took."""
    print(common.cargo("sluice-verilator-tests", "board", config, folder, clock), flush=True)
    netlist = folder / "board.json"
    seconds = common.yosys(
        [
            common.read_slang(TOP, [HERE / s for s in SOURCES], file_list=folder / "board.f"),
            f"hierarchy -top {TOP}",
            f"synth_ecp5 -top {TOP} -json {netlist}",
        ],
        folder / "yosys.log",
    )
    return netlist, seconds


class Cell:
    """A cell of the netlist: its parameters, and its connections as SystemVerilog."""

    def __init__(self, name, cell, draw):
        self.name, self.kind, self.draw = name, cell["type"], draw
        self.parameters, self.connections = dict(cell["parameters"]), cell["connections"]

    def text(self, name, default, *allowed):
        value = str(self.parameters.pop(name, default)).strip()
        if allowed and value not in allowed:
            raise FlowError(f"{self.name}: {self.kind} with {name} = {value}, known: {', '.join(allowed)}")
        return value

    def bits(self, name, width):
        """A parameter of bits as a constant; undefined bits are drawn."""
        value = str(self.parameters.pop(name, "0")).rjust(width, "0")[-width:]
        value = "".join(b if b in "01" else self.draw() for b in value)
        return f"{width}'h{int(value, 2):x}"

    def number(self, name, default):
        return int(str(self.parameters.pop(name, format(default, "b"))), 2)

    def bit(self, port, index=0):
        wires = self.connections.get(port)
        if not wires:
            return "1'b0"
        return self.wire(wires[index])

    def wire(self, bit):
        return f"n{bit}" if isinstance(bit, int) else f"1'b{bit if bit in '01' else self.draw()}"

    def word(self, port, width, separate=True):
        """The bits of a port as one word; ports of block RAMs and multipliers are `width` ports of a bit."""
        bits = [self.bit(f"{port}{i}") if separate else self.bit(port, i) for i in reversed(range(width))]
        return "{" + ", ".join(bits) + "}"

    def lut(self, init, pins):
        return f"1'({init} >> {{{', '.join(self.bit(p) for p in reversed(pins))}}})"

    def driven(self, port, width):
        """What an output word of separate bits drives: pairs of a wire and its index."""
        return [(self.wire(w[0]), i) for i in range(width) if (w := self.connections.get(f"{port}{i}"))]

    def done(self):
        if self.parameters:
            raise FlowError(f"{self.name}: {self.kind} with parameters nobody reads: {self.parameters}")


def identifier(name):
    return f"\\{name} "


def systemverilog(module):
    """Lines of the flat netlist."""
    source = random.Random(SEED)
    draw = lambda: source.choice("01")
    wires, body, flops, starts = set(), [], {}, []
    for name, raw in module["cells"].items():
        for port, bits in raw["connections"].items():
            wires.update(b for b in bits if isinstance(b, int))
        cell = Cell(name, raw, draw)
        kind, b = cell.kind, cell.bit
        if kind == "LUT4":
            body.append(f"assign {b('Z')} = {cell.lut(cell.bits('INIT', 16), ['A', 'B', 'C', 'D'])};")
        elif kind == "PFUMX":
            body.append(f"assign {b('Z')} = {b('C0')} ? {b('ALUT')} : {b('BLUT')};")
        elif kind == "L6MUX21":
            body.append(f"assign {b('Z')} = {b('SD')} ? {b('D1')} : {b('D0')};")
        elif kind == "CCU2C":
            carry = b("CIN")
            for half in "01":
                init, inject = cell.bits(f"INIT{half}", 16), cell.text(f"INJECT1_{half}", "YES", "YES", "NO")
                pins = [f"{p}{half}" for p in "ABCD"]
                whole, start = cell.lut(init, pins), cell.lut(init, pins[:2])
                x, y = f"x{len(body)}", f"y{len(body)}"
                body += [f"wire {x} = {whole};", f"wire {y} = {x} ? {carry} : {start if inject == 'NO' else 0};"]
                if cell.connections.get(f"S{half}"):
                    body.append(f"assign {b(f'S{half}')} = {x} ^ {carry if inject == 'NO' else 0};")
                carry = y
            if cell.connections.get("COUT"):
                body.append(f"assign {b('COUT')} = {carry};")
        elif kind == "TRELLIS_FF":
            enable = {"1": "1'b1", "CE": b("CE")}[cell.text("CEMUX", "1", "1", "CE")]
            cell.text("CLKMUX", "CLK", "CLK")
            cell.text("LSRMUX", "LSR", "LSR")
            cell.text("GSR", "DISABLED", "DISABLED")
            cell.text("LSRMODE", "LSR", "LSR")
            mode = cell.text("SRMODE", "LSR_OVER_CE", "LSR_OVER_CE", "ASYNC")
            start = "1'b1" if cell.text("REGSET", "RESET", "RESET", "SET") == "SET" else "1'b0"
            starts.append(f"{b('Q')} = {start};")
            flops.setdefault((b("CLK"), mode, b("LSR"), enable), []).append((b("Q"), start, b("DI")))
        elif kind == "TRELLIS_DPR16X4":
            cell.text("WCKMUX", "WCK", "WCK")
            cell.text("WREMUX", "WRE", "WRE")
            memory = f"m{len(body)}"
            port = lambda p: cell.word(p, 4, separate=False)
            starts.append(f"{memory} = {cell.bits('INITVAL', 64)};")
            body.append(f"logic [63:0] {memory};")
            body.append(f"always_ff @(posedge {b('WCK')}) if ({b('WRE')}) {memory}[{{{port('WAD')}, 2'b0}}+:4] <= {port('DI')};")
            out = [cell.wire(w) for w in reversed(raw["connections"]["DO"])]
            body.append(f"assign {{{', '.join(out)}}} = {memory}[{{{port('RAD')}, 2'b0}}+:4];")
        elif kind == "MULT18X18D":
            if any(b(p) != "1'b0" for p in ["SOURCEA", "SOURCEB", "CLK0", "CLK1", "CLK2", "CLK3"]):
                raise FlowError(f"{name}: registers or shifted operands")
            product = f"p{len(body)}"
            operand = lambda p: f"36'($signed({{{b(f'SIGNED{p}')} & {b(f'{p}17')}, {cell.word(p, 18)}}}))"
            body.append(f"wire [35:0] {product} = {operand('A')} * {operand('B')};")
            body += [f"assign {w} = {product}[{i}];" for w, i in cell.driven("P", 36)]
        elif kind == "DP16KD":
            body += block_ram(cell)
        elif kind == "EHXPLLL":
            cell.parameters.clear()
            starts.append("locked = '0;")
            body.append(f"logic [3:0] locked; always_ff @(posedge {b('CLKI')}) if (!(&locked)) locked <= locked + 1'b1;")
            body += [f"assign {b('CLKOP')} = {b('CLKI')};", f"assign {b('LOCK')} = &locked;"]
        else:
            raise FlowError(f"{name}: cell {kind} has no meaning here")
        cell.done()
    ports, ends = [], []
    for name, port in module["ports"].items():
        width = len(port["bits"])
        ports.append(f"{port['direction']} logic {f'[{width - 1}:0] ' if width > 1 else ''}{name}")
        for i, wire in enumerate(port["bits"]):
            here = f"{name}[{i}]" if width > 1 else name
            there = f"n{wire}" if isinstance(wire, int) else f"1'b{wire}"
            ends.append(f"assign {there} = {here};" if port["direction"] == "input" else f"assign {here} = {there};")
            wires.update([wire] if isinstance(wire, int) else [])
    yield f"module {TOP} ({', '.join(ports)});"
    yield from (f"logic n{w};" for w in sorted(wires))
    yield from ends + body
    for (clock, mode, reset, enable), members in flops.items():
        resets, takes = " ".join(f"{q} <= {s};" for q, s, _ in members), " ".join(f"{q} <= {d};" for q, _, d in members)
        edges = f"posedge {clock}" + (f", posedge {reset}" if mode == "ASYNC" else "")
        test = f"if ({enable}) begin {takes} end"
        body = test if reset == "1'b0" else f"if ({reset}) begin {resets} end else {test}"
        yield f"always @({edges}) {body}"
    yield from ["initial begin", *starts, "end", "endmodule"]


def block_ram(cell):
    b = cell.bit
    for name, value in {"REGMODE": "NOREG", "CSDECODE": "0b000"}.items():
        for port in "AB":
            cell.text(f"{name}_{port}", value, value)
    for port in "AB":
        cell.text(f"CLK{port}MUX", f"CLK{port}", f"CLK{port}")
        tied = [f"RST{port}", *(f"CS{port}{i}" for i in range(3))]
        if any(b(t) != "1'b0" for t in tied):
            raise FlowError(f"{cell.name}: reset or chip select in use")
    for unused in ["RESETMODE", "ASYNC_RESET_RELEASE", "GSR", "WID", "INIT_DATA"]:
        cell.parameters.pop(unused, None)
    widths = {p: cell.number(f"DATA_WIDTH_{p}", 18) for p in "AB"}
    old = cell.text("WRITEMODE_A", "NORMAL", "NORMAL", "READBEFOREWRITE") == "READBEFOREWRITE"
    cell.parameters.pop("WRITEMODE_B", None)
    if b("WEB") != "1'b0":
        raise FlowError(f"{cell.name}: port B writes")
    # a row of INITVAL holds 16 words of 18 bits, 20 apart
    words = []
    for row in range(64):
        value = str(cell.parameters.pop(f"INITVAL_{row:02X}", "0")).rjust(320, "0")
        value = "".join(v if v in "01" else cell.draw() for v in value)
        words += [value[320 - 20 * i - 18 : 320 - 20 * i] for i in range(16)]
    init = int("".join(reversed(words)), 2)
    parameters = f"#(.WidthA({widths['A']}), .WidthB({widths['B']}), .OldWord({int(old)}), .Init(18432'h{init:x}))"
    pins = [f".write_i({b('WEA')})", f".data_i({{{cell.word('DIB', 18)}, {cell.word('DIA', 18)}}})"]
    for port in "AB":
        low = port.lower()
        out = f"{cell.name}.{low}"
        yield f"logic [17:0] {identifier(out)};"
        yield from (f"assign {wire} = {identifier(out)}[{i}];" for wire, i in cell.driven(f"DO{port}", 18))
        pins += [f".clk_{low}_i({b(f'CLK{port}')})", f".enable_{low}_i({b(f'CE{port}')})"]
        pins += [f".addr_{low}_i({cell.word(f'AD{port}', 14)})", f".data_{low}_o({identifier(out)})"]
    yield f"sl_sim_dp16kd {parameters} {identifier(cell.name)} ({', '.join(pins)});"


def verilator():
    package = next((ROOT / ".tools/venv/lib").glob("python*/site-packages/verilator"), None)
    if package is None:
        raise FlowError("the packaged Verilator is missing; `make setup` installs it")
    return package


def build(netlist, folder):
    """Compiles the netlist with its bench; returns the program and the seconds it took."""
    module = json.loads((ROOT / netlist).read_text())["modules"][TOP]
    (ROOT / folder).mkdir(parents=True, exist_ok=True)
    flat = folder / "netlist.sv"
    (ROOT / flat).write_text("\n".join(systemverilog(module)) + "\n")
    memories = [n for n, c in module["cells"].items() if c["type"] == "DP16KD"]
    named = {w: next((m for m in memories if w in m), None) for w in ["u_expected", "u_weights"]}
    if None in named.values():
        raise FlowError(f"no block RAM is called {' or '.join(w for w, m in named.items() if m is None)}")
    package = (ROOT / netlist).parent / "sl_board_pkg.sv"
    cycles = int(re.search(r"NumCycles = (\d+);", package.read_text()).group(1))
    root = verilator()
    os.environ["VERILATOR_ROOT"] = str(root)
    defines = [f"-DANSWERS={identifier(named['u_expected'])}", f"-DWEIGHTS={identifier(named['u_weights'])}", f"-DCYCLES={LAPS * (cycles + 64)}"]
    command = [str(root / "bin/verilator_bin"), "--cc", "--exe", "--main", "--timing", "-Wno-fatal", "-Wno-lint", "--output-split", "30000"]
    command += ["--top-module", "sl_sim_bench", "--Mdir", str(folder / "obj"), *defines]
    command += [str(HERE / "sim/sl_sim_bench.sv"), str(HERE / "sim/sl_sim_dp16kd.sv"), str(flat)]
    seconds = common.run(command, folder / "verilator.log")[1]
    # The packaged Verilator leaves these empty. Some thousand cycles run: time goes into compiling, so nothing is optimised.
    make = ["make", "-C", str(folder / "obj"), "-f", "Vsl_sim_bench.mk", "CXX=g++", "LINK=g++", "AR=ar", "PYTHON3=python3"]
    make += ["CFG_CXXFLAGS_PCH_I=-include", "CFG_CXXFLAGS_COROUTINES=-fcoroutines -std=gnu++20", "OPT_FAST=-O0", "OPT_SLOW=-O0", "OBJCACHE="]
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"]:
        os.environ.pop(name, None)
    seconds += common.run(make, folder / "make.log")[1]
    return folder / "obj/Vsl_sim_bench", seconds


def check(netlist, folder):
    """Findings of the runs: right answers pass, wrong ones fail."""
    program, seconds = build(netlist, folder)
    print(f"netlist: Verilator {seconds:.0f} s", flush=True)
    for what, wanted in RUNS.items():
        command = [str(ROOT / program), *([f"+{what}"] if what else [])]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        line = next((s for s in said.splitlines() if s.startswith("locked")), "no verdict")
        print(f"netlist, {f'{what} flipped' if what else 'as it is'}: {line}", flush=True)
        if line != wanted:
            yield f"netlist, {what or 'as it is'}: {line}, wanted: {wanted}"


def self_test():
    source = lambda: "0"
    cell = lambda kind, parameters, connections: {"cells": {"c": {"type": kind, "parameters": parameters, "connections": connections}}, "ports": {}}
    lut = " ".join(systemverilog(cell("LUT4", {"INIT": "1000"}, {"A": [2], "B": [3], "C": [4], "D": ["0"], "Z": [5]})))
    assert "assign n5 = 1'(16'h8 >> {1'b0, n4, n3, n2});" in lut, lut
    wrong = [
        cell("LUT5", {}, {"Z": [2]}),
        cell("LUT4", {"INIT": "1", "OTHER": "1"}, {"Z": [2]}),
        cell("TRELLIS_FF", {"CLKMUX": "INV"}, {"CLK": [2], "DI": [3], "Q": [4]}),
        cell("TRELLIS_FF", {"SRMODE": "CE_OVER_LSR"}, {"CLK": [2], "DI": [3], "Q": [4]}),
        cell("MULT18X18D", {"REG_OUTPUT_CLK": "CLK0"}, {"P0": [2]}),
        cell("DP16KD", {"REGMODE_A": "OUTREG"}, {}),
        cell("DP16KD", {}, {"RSTA": [2]}),
    ]
    for module in wrong:
        try:
            list(systemverilog(module))
        except FlowError:
            continue
        raise AssertionError(f"accepted: {module}")
    assert Cell("c", {"type": "x", "parameters": {"I": "x1"}, "connections": {}}, source).bits("I", 4) == "4'h1"
    print("netlist.py: every check can fail")
    return 0


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default="c1b4")
    parser.add_argument("--synthesise", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    folder = BUILD / "bitstream" / pathlib.Path(args.config).stem
    if args.synthesise:
        print(f"yosys {synthesise(args.config, folder, CLOCK)[1]:.0f} s", flush=True)
    elif not (ROOT / folder / "board.json").exists():
        raise FlowError(f"{folder}/board.json is missing; --synthesise writes it")
    wrong = list(check(folder / "board.json", folder / "netlist"))
    for line in wrong:
        print(f"netlist.py: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    common.main(body)
