#!/usr/bin/env python3
"""The vendors' constraints and scripts, held against the elaborated design. Neither Quartus nor Vivado runs here.

tools/flow/constraints.py              every named configuration
tools/flow/constraints.py c1b4 ...     these
tools/flow/constraints.py --self-test  show that each check can fail

yosys elaborates `sl_ip_top` through slang, `sl_top` (one clock) a black box of it, and gives every path from a register of one clock to a
register of the other. tclsh runs sl_cdc.xdc, sl_cdc_quartus.sdc, sl_vivado.tcl and sl_quartus.tcl with the tools' commands as procedures
that record their arguments.

| check     | what                                                                                                         |
|-----------|--------------------------------------------------------------------------------------------------------------|
| patterns  | each finds a register, bits and hierarchy as the tool names them                                             |
| coverage  | each path between the clocks has a bound (a way into a reset synchroniser: is cut); Gray pointers have a skew |
| nothing   | a bound without an end touches no path within a clock, but a register's own                                  |
| else      |                                                                                                              |
| scripts   | only commands we know; files of the file list in its order; top; part needed, checked, used; constraints read |
"""

import argparse
import collections
import functools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import common
from common import BUILD, ROOT, FlowError

CONFIGS = ["c1b4", "c2b8", "c6b32", "c3b64", "amd_v80_c6b32", "silicom_artena_c8b32"]
CLOCKS = ["config_clock", "compute_clock"]
BITWISE = {"$and", "$or", "$xor", "$xnor", "$not", "$mux", "$pos"}

Path = collections.namedtuple("Path", "source sink pin")  # registers as instance/register[bit], pin of the sink


def register(cell):
    """Name of a register from yosys' name of its cell, hierarchy by slashes."""
    name = re.sub(r"\$flatten", "", cell)
    if name.startswith("$memory"):
        return re.sub(r"\$\d+$", "", name[len("$memory") :]).replace("\\", "")
    return name.replace("$driver$", "").replace("\\", "")


def elaborate(folder, log):
    """The netlist of sl_ip_top, flat, sl_top a black box."""
    out = log.with_suffix(".json")
    common.yosys(
        [
            common.read_slang("sl_ip_top", ["--keep-hierarchy", "--blackboxed-module sl_top"], file_list=folder / "sl_filelist.f"),
            "hierarchy -check -top sl_ip_top",
            "proc",
            "flatten -separator /",
            "memory -nomap",
            "memory_map",
            "opt_clean",
            f"write_json {out}",
        ],
        log,
    )
    return json.loads((ROOT / out).read_text())["modules"]["sl_ip_top"]


class Netlist:
    """Registers with their clocks, and what leads where."""

    def __init__(self, module):
        clock_of = {module["ports"][c]["bits"][0]: c for c in CLOCKS}
        self.bits = {}  # register bit -> (clock, name)
        self.sinks = []  # (clock, name, pin, bit)
        self.drivers = {}  # bit -> bits
        for name, cell in module["cells"].items():
            kind, at, way = cell["type"], cell["connections"], cell["port_directions"]
            if kind == "sl_top":
                for port, bits in at.items():
                    for i, bit in enumerate(bits):
                        if way[port] == "output":
                            self.bits[bit] = ("compute_clock", f"{name}/{port}[{i}]")
                        elif port != "compute_clock":
                            self.sinks.append(("compute_clock", f"{name}/{port}[{i}]", port, bit))
            elif "CLK" in at:
                clock = clock_of.get(at["CLK"][0])
                if clock is None:
                    raise FlowError(f"{name} is on no clock of the top level")
                q = at["Q"]
                names = [register(name) + (f"[{i}]" if len(q) > 1 else "") for i in range(len(q))]
                self.bits.update({bit: (clock, n) for bit, n in zip(q, names)})
                for port, bits in at.items():
                    if port not in ("CLK", "Q"):
                        each = names if len(bits) == len(q) else [names[0]]
                        self.sinks += [(clock, n, port, bit) for n, bit in zip(each, bits)]
                        if len(bits) != len(q):
                            self.sinks += [(clock, n, port, bits[0]) for n in names[1:]]
            else:
                outputs = [b for port, bits in at.items() if way[port] == "output" for b in bits]
                inputs = {port: bits for port, bits in at.items() if way[port] == "input"}
                for i, bit in enumerate(outputs):
                    if kind in BITWISE:
                        self.drivers[bit] = [bits[min(i, len(bits) - 1)] for bits in inputs.values()]
                    else:
                        self.drivers[bit] = [b for bits in inputs.values() for b in bits]
        self.names = {name for _, name in self.bits.values()}
        if len(self.names) != len(self.bits):
            raise FlowError("two registers have one name")
        self.loads = collections.defaultdict(list)  # the other way round
        for bit, inputs in self.drivers.items():
            for source in inputs:
                self.loads[source].append(bit)

    def trace(self, starts, clocks):
        """Paths from register bits to registers of some clocks."""
        marked, todo = set(starts), list(starts)
        while todo:
            fresh = [b for b in self.loads.get(todo.pop(), ()) if b not in marked]
            marked.update(fresh)
            todo += fresh
        cache, found = {}, set()
        for clock, name, pin, end in self.sinks:
            if clock not in clocks or end not in marked:
                continue
            if end not in cache:
                seen, todo, cache[end] = {end}, [end], set()
                while todo:
                    at = todo.pop()
                    if at in starts:
                        cache[end].add(self.bits[at][1])
                    fresh = [b for b in self.drivers.get(at, ()) if b in marked and b not in seen]
                    seen.update(fresh)
                    todo += fresh
            found |= {Path(source, name, pin) for source in cache[end]}
        return found

    @functools.cache
    def matches(self, text, rename, across):
        """Registers that a tool finds by a pattern."""
        fits = pattern(text, across).match
        return {name for name in self.names if fits(rename(name))}

    @functools.cached_property
    def paths(self):
        """Paths between the clocks, and those within one from registers that others cross from."""
        crossing, within = set(), set()
        for clock, other in (CLOCKS, CLOCKS[::-1]):
            mine = {bit for bit, (c, _) in self.bits.items() if c == clock}
            out = self.trace(mine, {other})
            sources = {p.source for p in out}
            crossing |= out
            within |= self.trace({b for b in mine if self.bits[b][1] in sources}, {clock})
        return crossing, {p for p in within if p.source != p.sink}


def tclsh(script, record, preset="", arguments=()):
    """Runs a script with recording commands; returns exit code, what was recorded, and stderr."""
    program = f"""
proc record {{name arguments}} {{
  puts stdout [join [linsert $arguments 0 $name] "\\x1f"]
}}
{record}
{preset}
set argv0 [lindex $argv 0]
set argv [lrange $argv 1 end]
set argc [llength $argv]
set quartus(args) $argv
set auto_noexec 1
source $argv0
"""
    with tempfile.NamedTemporaryFile("w", suffix=".tcl") as file:
        file.write(program)
        file.flush()
        done = subprocess.run(["tclsh", file.name, str(script), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    calls = [line.split("\x1f") for line in done.stdout.splitlines()]
    return done.returncode, calls, done.stderr


def recording(*names):
    return "\n".join(f"proc {n} {{args}} {{ record {n} $args }}" for n in names)


# A collection is the list of its patterns behind a mark: cells and registers are what a bound starts and ends at, pins what a cut does.
XDC_COMMANDS = recording("set_max_delay", "set_bus_skew", "set_false_path") + """
proc get_cells {patterns} { return "cells $patterns" }
proc get_pins {patterns} { return "pins $patterns" }
"""
SDC_COMMANDS = recording("set_max_delay", "set_min_delay", "set_data_delay", "set_max_skew", "set_false_path", "post_message") + """
proc get_registers {option patterns} {
  if {$option ne "-nowarn"} { error "get_registers $option" }
  return "cells $patterns"
}
proc get_pins {option patterns} {
  if {$option ne "-compatibility_mode"} { error "get_pins $option" }
  return "pins $patterns"
}
proc get_collection_size {collection} { return 1 }
"""


# Beside the ends.
OPTIONS = {
    "-datapath_only",
    *("-get_value_from_clock_period", "-value_multiplier"),
    *("-get_skew_value_from_clock_period", "-skew_value_multiplier"),
}


def xdc_name(name):
    """A register, or a pin of one, in Vivado."""
    path, _, last = name.rpartition("/")
    stem, bracket, index = last.partition("[")
    return f"{path}/{stem}_reg{bracket}{index}".lstrip("/")


def sdc_name(name):
    return "sl_ip_top_instance|" + name.replace("/", "|")


def pattern(text, across):
    """A pattern of the tool: brackets mean themselves, a star any text (in Vivado within a level of the hierarchy)."""
    return re.compile(re.escape(text).replace(r"\*", ".*" if across else "[^/]*") + r"\Z")


class Constraints:
    """What one constraint file says, against the netlist."""

    def __init__(self, file, commands, rename, across, reset_pin):
        self.file = file
        code, self.calls, error = tclsh(file, commands)
        if code != 0:
            raise FlowError(f"{file.name}: {error.strip().splitlines()[0]}")
        self.rename, self.across, self.reset_pin = rename, across, reset_pin

    def options(self, call):
        """Ends of a call: option -> (kind, patterns); and its other words."""
        ends, words, i = {}, [], 1
        while i < len(call):
            if call[i] in ("-from", "-to"):
                kind, *patterns = call[i + 1].split()
                ends[call[i]] = (kind, patterns)
                i += 1
            else:
                words.append(call[i])
            i += 1
        return ends, words

    def findings(self, netlist, crossing, within):
        bounds = collections.defaultdict(list)  # by command and source; a cut has no source
        for call in self.calls:
            ends, words = self.options(call)
            if call[0] == "post_message":
                yield f"{self.file.name}: {words}"
                continue
            yield from (f"{self.file.name}: {call[0]} {w}" for w in words if re.match(r"-[a-z]", w) and w not in OPTIONS)
            if not ends:
                yield f"{self.file.name}: {call[0]} without an end"
            sets = {}
            for option, (kind, patterns) in ends.items():
                found = set()
                for text in patterns:
                    if kind == "pins":
                        text, _, pin = text.rpartition("|" if self.across else "/")
                        if pin != self.reset_pin:
                            yield f"{self.file.name}: a pin {pin}"
                    hits = netlist.matches(text, self.rename, self.across)
                    if not hits:
                        yield f"{self.file.name}: {call[0]}: nothing is named {text}"
                    found |= hits
                sets[option] = (kind, found)
            for source in sets["-from"][1] if "-from" in sets else [None]:
                bounds[call[0], source].append((sets, words))

        def covered(path, command, needed=lambda words: True):
            for sets, words in bounds.get((command, path.source), []) + bounds.get((command, None), []):
                if needed(words) and ("-to" not in sets or path.sink in sets["-to"][1]):
                    if command != "set_false_path" or sets["-to"][0] == "pins":
                        yield sets

        vivado = not self.across
        for path in sorted(crossing):
            # An asynchronous reset: yosys loads a constant.
            if path.pin in ("ALOAD", "ARST"):
                if not any(covered(path, "set_false_path")):
                    yield f"{self.file.name}: no cut of {path.source} -> {path.sink}, a reset"
                continue
            commands = ["set_max_delay"] if vivado else ["set_max_delay", "set_min_delay", "set_data_delay"]
            for command in commands:
                if not any(covered(path, command, lambda words: not vivado or "-datapath_only" in words)):
                    yield f"{self.file.name}: no {command} for {path.source} -> {path.sink}"
            if "_gray_q[" in path.source:
                skew = "set_bus_skew" if vivado else "set_max_skew"
                if not any(covered(path, skew)):
                    yield f"{self.file.name}: no {skew} for {path.source} -> {path.sink}"
        for path in sorted(within):
            if any(covered(path, "set_max_delay")) or (path.pin in ("ALOAD", "ARST") and any(covered(path, "set_false_path"))):
                yield f"{self.file.name}: {path.source} -> {path.sink} is within a clock and loses its timing"


def constraint_findings(folder, netlist, only=""):
    directory = ROOT / folder
    for file, *how in [
        ("sl_cdc.xdc", XDC_COMMANDS, xdc_name, False, "CLR"),
        ("sl_cdc_quartus.sdc", SDC_COMMANDS, sdc_name, True, "clrn"),
    ]:
        if only in ("", file):
            yield from Constraints(directory / file, *how).findings(netlist, *netlist.paths)


VIVADO = recording(
    "read_verilog", "read_xdc", "synth_design", "opt_design", "place_design", "phys_opt_design", "route_design", "write_checkpoint",
    "report_utilization", "report_timing_summary", "report_bus_skew", "report_cdc", "report_methodology",
) + """
proc get_parts {option part} { if {$part eq "known-part"} { return $part } }
"""  # fmt: skip
QUARTUS = recording(
    "project_new", "set_global_assignment", "set_instance_assignment", "set_parameter", "export_assignments", "execute_flow", "project_close",
) + """
proc package {args} {}
proc get_part_info {option part} { if {$part ne "known-part"} { error "no part" }; return "{A family}" }
"""  # fmt: skip


def script_findings(folder):
    """What the two project scripts get wrong."""
    directory = ROOT / folder
    config = json.loads((directory / "config.json").read_text())["config"]["name"]
    files = [line for line in (directory / "sl_filelist.f").read_text().splitlines() if not line.startswith("+")]
    for script, commands, own in [("sl_vivado.tcl", VIVADO, "xcv80"), ("sl_quartus.tcl", QUARTUS, "AGF")]:
        path = directory / script
        default = re.search(r'^set sl_part "(.*)"$', path.read_text(), re.M)[1]
        if default and not default.startswith(own):
            yield f"{script}: part {default}"
        code, calls, error = tclsh(path, commands)
        wanted = f"no part {default}" if default else f"no part is known for `{config}`"
        if code == 0 or wanted not in error or calls:
            yield f"{script}: without a known part it should stop: {error.strip()}"
        for arguments, wanted in [(["-part", "other"], "no part other"), (["-family", "x"], "unknown option -family")]:
            code, calls, error = tclsh(path, commands, arguments=arguments)
            if code == 0 or wanted not in error or calls:
                yield f"{script}: {arguments} should stop it: {error.strip()}"
        code, calls, error = tclsh(path, commands, arguments=["-part", "known-part", "-init", "/images"])
        if code != 0:
            yield f"{script}: {error.strip().splitlines()[0]}"
            continue
        text = [" ".join(c) for c in calls]
        if script == "sl_vivado.tcl":
            read = [c[-1] for c in calls if c[0] == "read_verilog"]
            wrong = [c for c in calls if c[0] == "read_verilog" and (c[1] == "-sv") != c[-1].endswith(".sv")]
            order = [i for i, c in enumerate(calls) if c[0] in ("read_xdc", "synth_design", "route_design")]
            ordered = [" ".join(pathlib.Path(w).name for w in calls[i][:3]) for i in order]
            needed = ["read_xdc sl_clocks.xdc", "synth_design -top sl_ip_top", "read_xdc sl_cdc.xdc", "route_design"]
            synth = text[order[1]]
            if ordered != needed or "-part known-part" not in synth or 'InitDir="/images"' not in synth:
                yield f"{script}: {ordered}, {synth}"
        else:
            assigned = collections.defaultdict(list)
            for c in calls:
                if c[0] == "set_global_assignment":
                    assigned[c[2]].append(c[3])
            read = assigned["SYSTEMVERILOG_FILE"] + assigned["VERILOG_FILE"]
            wrong = [f for f in assigned["VERILOG_FILE"] if not f.endswith(".v")]
            wrong += [f for f in assigned["SYSTEMVERILOG_FILE"] if not f.endswith(".sv")]
            sdc = [pathlib.Path(f).name for f in assigned["SDC_FILE"]]
            kept = [assigned[k] for k in ("FAMILY", "DEVICE", "TOP_LEVEL_ENTITY")]
            if kept != [["A family"], ["known-part"], ["sl_ip_top"]] or sdc != ["sl_clocks.sdc", "sl_cdc_quartus.sdc"]:
                yield f"{script}: {kept}, {sdc}"
            if "set_parameter -name InitDir /images" not in text or "execute_flow -compile" not in text:
                yield f"{script}: images or flow"
            pins = {c[-1].partition("[")[0] for c in calls if c[0] == "set_instance_assignment"}
            top = (directory / "sl_ip_top.sv").read_text().split("\n);")[0]
            ports = set(re.findall(r"^    (?:input|output) logic (?:\[\d+:0\] )?(\w+)", top, re.M))
            if pins != ports - set(CLOCKS):
                yield f"{script}: virtual pins differ from the ports: {sorted(pins ^ (ports - set(CLOCKS)))}"
        names = [pathlib.Path(f).name for f in read]
        if [f for f in files if f.endswith(".sv")] + [f for f in files if f.endswith(".v")] != names or wrong:
            yield f"{script}: files differ from the file list: {wrong or sorted(set(files) ^ set(names))}"
        yield from (f"{script}: {f} does not exist" for f in read if not pathlib.Path(f).is_file())
    clocks = (directory / "sl_clocks.xdc").read_text()
    if clocks != (directory / "sl_clocks.sdc").read_text() or re.findall(r"get_ports \{(\w+)\}", clocks) != CLOCKS:
        yield "sl_clocks: not both clocks"


def self_test():
    folder = common.emit("c1b4", BUILD / "constraints/self-test")
    directory, log = ROOT / folder, BUILD / "constraints/self-test.log"
    files = {f: (directory / f).read_text() for f in ["sl_cdc.xdc", "sl_cdc_quartus.sdc", "sl_vivado.tcl", "sl_quartus.tcl"]}
    rtl = {f: (directory / f).read_text() for f in ["sl_cdc_handshake.sv", "sl_cdc_sync.sv", "sl_ip_top.sv", "sl_reset_sync.sv"]}

    def edited(name, text, check):
        (directory / name).write_text(text)
        try:
            return list(check())
        except FlowError as e:
            return [str(e)]
        finally:
            (directory / name).write_text({**files, **rtl}[name])

    good = Netlist(elaborate(folder, log))
    assert not list(constraint_findings(folder, good)), list(constraint_findings(folder, good))
    assert not list(script_findings(folder)), list(script_findings(folder))
    # Every line of the constraints matters.
    tried = 0
    for name in ["sl_cdc.xdc", "sl_cdc_quartus.sdc"]:
        for line in files[name].splitlines():
            if re.match(r"set_\w+ -|sl_(level|gray|data) ", line):
                found = edited(name, files[name].replace(line + "\n", "", 1), lambda: constraint_findings(folder, good, name))
                assert found, f"{name} is content without: {line}"
                tried += 1
    for name, old, new in [
        ("sl_cdc.xdc", "taken_q_reg", "took_q_reg"),
        ("sl_cdc.xdc", "-datapath_only ", ""),
        ("sl_cdc.xdc", " -to [get_cells {u_cross_idle", " -too [get_cells {u_cross_idle"),
        ("sl_cdc.xdc", "meta_q_reg[*]/CLR", "meta_q_reg[*]/D"),
        ("sl_cdc.xdc", "cdc_mem_reg[*]", "wr_ptr_q_reg[*]"),
        ("sl_cdc_quartus.sdc", "{*u_cross_busy|meta_q[0]}", "{*u_cross_busy|meta_q[2]}"),
        ("sl_cdc_quartus.sdc", "set_data_delay -from $sources -to", "set_data_delays -from $sources -to"),
        ("sl_cdc_quartus.sdc", "*core_idle_q}", "*core_idled_q}"),
    ]:
        assert old in files[name], old
        assert edited(name, files[name].replace(old, new), lambda: constraint_findings(folder, good, name)), f"{name} is content with {new}"
        tried += 1
    # Registers renamed, a crossing nobody knows, a crossing without its module.
    for name, old, new in [
        ("sl_cdc_handshake.sv", "cdc_data_q", "data_q"),
        ("sl_cdc_sync.sv", "meta_q", "sync_q"),
        ("sl_reset_sync.sv", "meta_q", "sync_q"),
        ("sl_ip_top.sv", "u_cross_busy", "u_cross_level"),
        ("sl_ip_top.sv", ".core_busy_i(core_busy_sync)", ".core_busy_i(core_busy_q)"),
        ("sl_ip_top.sv", ".rd_ready_i(core_open)", ".rd_ready_i(core_open && config_rst_n)"),
    ]:
        assert old in rtl[name], old
        found = edited(name, rtl[name].replace(old, new), lambda: constraint_findings(folder, Netlist(elaborate(folder, log))))
        assert found, f"the constraints are content with {new} in {name}"
        tried += 1
    for name, old, new in [
        ("sl_vivado.tcl", "  sl_fifo.sv\n", ""),
        ("sl_vivado.tcl", "route_design", "route_desing"),
        ("sl_vivado.tcl", "-top sl_ip_top", "-top sl_top"),
        ("sl_vivado.tcl", "sl_cdc.xdc", "sl_cdc.sdc"),
        ("sl_vivado.tcl", 'sl_part eq ""', 'sl_part eq "x"'),
        ("sl_quartus.tcl", "  sl_top.sv\n", "  sl_tops.sv\n"),
        ("sl_quartus.tcl", "TOP_LEVEL_ENTITY sl_ip_top", "TOP_LEVEL_ENTITY sl_top"),
        ("sl_quartus.tcl", "[catch {get_part_info", "[catch {set sl_family [list any]; list"),
        ("sl_quartus.tcl", "  irq\n", ""),
        ("sl_quartus.tcl", "sl_cdc_quartus.sdc", "sl_cdc.sdc"),
    ]:
        assert old in files[name], old
        assert edited(name, files[name].replace(old, new, 1), lambda: script_findings(folder)), f"{name} is content with {new}"
        tried += 1
    shutil.rmtree(directory)
    print(f"constraints.py: {tried} mistakes noticed")
    return 0


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if not shutil.which("tclsh"):
        raise FlowError("tclsh is missing; `make flow-tools` installs it (Debian package tcl)")
    if args.self_test:
        return self_test()
    ok = True
    for config in args.configs:
        folder = common.emit(config, BUILD / "constraints" / config)
        netlist = Netlist(elaborate(folder, BUILD / f"constraints/{config}.log"))
        findings = [*constraint_findings(folder, netlist), *script_findings(folder)]
        crossing, _ = netlist.paths
        for finding in findings[:20]:
            print(f"constraints {config}: {finding}")
        ends = len({(p.source, p.sink) for p in crossing})
        print(f"constraints {config}: {'clean' if not findings else 'FINDINGS'}, {ends} pairs of registers between the clocks", flush=True)
        ok = ok and not findings
    return 0 if ok else 1


if __name__ == "__main__":
    common.main(body)
