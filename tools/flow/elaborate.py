#!/usr/bin/env python3
"""Elaboration of emitted configurations by tools other than Verilator, and the packages beside them.

tools/flow/elaborate.py              slang and yosys on every named configuration, packages of one
tools/flow/elaborate.py c1b4 ...     these
tools/flow/elaborate.py --icarus     Icarus runs the self test of c1b4 on the Verilog that yosys writes (make smoke)
tools/flow/elaborate.py --self-test  show that each check can fail

| check   | what                                                                                                |
|---------|-----------------------------------------------------------------------------------------------------|
| slang   | full elaboration of `sl_example`, all else in it, with assertions; any warning is an error          |
| yosys   | read_slang, hierarchy; for blocks up to 8 lanes also processes, `check -assert`                      |
| FuseSoC | finds the core, sets up three targets, top level and files as emitted                               |
| IP-XACT | ipyxact reads both components; ports are those slang elaborates, each in one interface; buses, clocks |
| Tcl     | the Platform Designer components run in tclsh against recording commands (skipped without tclsh)    |

Bender has no package here; its manifest is checked as YAML against the file list. Icarus 11 does not read the sources themselves: it lacks
unpacked array parameters and local parameters in parameter lists, so it gets them through yosys.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import common
from common import BUILD, ROOT, FlowError

CONFIGS = ["c1b4", "c2b8", "c6b32", "c3b64"]
SMALL = {"c1b4", "c2b8"}
# Initial contents of memories are a second driver of what always_ff writes.
SLANG = "-Werror -Wconversion -Wno-sign-conversion -Wno-useless-cast -Wno-packed-array-conv --allow-dup-initial-drivers"


def slang(arguments):
    """Elaborates in a process of its own; returns what slang said when it was not content, else nothing."""
    program = (
        "import sys, pyslang\n"
        "d = pyslang.driver.Driver(); d.addStandardArgs()\n"
        "ok = d.parseCommandLine('slang ' + sys.argv[1]) and d.processOptions() and d.parseAllSources()\n"
        "sys.exit(0 if ok and d.runFullCompilation(True) else 1)\n"
    )
    done = subprocess.run(
        [common.tool("python"), "-c", program, f"{SLANG} {arguments}"], cwd=ROOT, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "failed"


def slang_ports(arguments, top):
    """Ports of the top as slang elaborates them: name -> (direction, bits)."""
    program = (
        "import sys, pyslang\n"
        "d = pyslang.driver.Driver(); d.addStandardArgs()\n"
        "d.parseCommandLine('slang ' + sys.argv[1]); d.processOptions(); d.parseAllSources()\n"
        "top = d.createCompilation().getRoot().topInstances[0]\n"
        "for p in top.body.portList: print(p.name, str(p.direction).split('.')[-1], p.type.bitWidth)\n"
    )
    done = subprocess.run([common.tool("python"), "-c", program, f"--top {top} {arguments}"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise FlowError(f"slang: {done.stderr}")
    rows = [line.split() for line in done.stdout.splitlines()]
    return {name: (direction.lower(), int(width)) for name, direction, width in rows}


def yosys(config, folder):
    checks = ["proc", "check -assert"] if config in SMALL else []
    keep = "" if config in SMALL else "--keep-hierarchy"
    return common.yosys(
        [
            f"{common.read_slang('sl_top', [], file_list=folder / 'sl_filelist.f')} {keep}",
            "hierarchy -check -top sl_top",
            *checks,
        ],
        folder.with_name(f"{config}.yosys.log"),
    )


def package_findings(folder):
    """What the packages beside the RTL of `folder` get wrong."""
    import yaml

    directory = ROOT / folder
    files = [line for line in (directory / "sl_filelist.f").read_text().splitlines() if not line.startswith("+")]

    bender = yaml.safe_load((directory / "Bender.yml").read_text())
    if bender["sources"][0]["files"] != files:
        yield "Bender.yml: files differ from the file list"

    for target, top, extra in [("lint", "sl_ip_top", []), ("core", "sl_top", []), ("example", "sl_example", ["sl_example.sv"])]:
        yield from fusesoc_findings(directory, target, top, files + extra)
    for top, buses in [("sl_ip_top", {"config", *STREAMS}), ("sl_top", STREAMS)]:
        ports = slang_ports(f"-F {folder / 'sl_filelist.f'}", top)
        truth = {n: (d.replace("put", ""), w) for n, (d, w) in ports.items()}
        yield from ipxact_findings(directory / f"{top}.ipxact.xml", files, truth, buses)
        if shutil.which("tclsh"):
            yield from designer_findings(directory / f"{top}_hw.tcl", top, files, truth, buses)
        else:
            print(f"tclsh is missing: {top}_hw.tcl not run (Debian package tcl)")


STREAMS = {"model_select", "input", "output"}


def fusesoc_findings(directory, target, top, files):
    name = re.search(r'^name: "(.*)"', (directory / "sluice.core").read_text(), re.M).group(1)
    with tempfile.TemporaryDirectory() as scratch:
        command = [common.tool("python"), common.tool("fusesoc"), "--cores-root", directory, "run", "--setup", "--target", target, "--work-root", scratch, name]
        done = subprocess.run(list(map(str, command)), cwd=scratch, capture_output=True, text=True)
        made = list(pathlib.Path(scratch).rglob("*.vc"))
        if done.returncode != 0 or not made:
            yield f"sluice.core, {target}: fusesoc: {(done.stdout + done.stderr).strip()[-400:]}"
            return
        # the names carry the folder of the core
        said = made[0].read_text()
        if [pathlib.Path(w).name for w in said.split() if w.endswith((".sv", ".v"))] != files:
            yield f"sluice.core, {target}: fusesoc's files differ from the file list"
        if not re.search(rf"^--top-module {top}$", said, re.M):
            yield f"sluice.core, {target}: fusesoc has another top than {top}"


def ipxact_findings(path, files, truth, buses):
    import xml.etree.ElementTree as xml

    from ipyxact.ipyxact import Component

    component = Component()
    component.load(str(path))
    found = {}
    for port in component.model.ports.port:
        vector = port.wire.vectors.vector[0] if port.wire.vectors else port.wire.vector
        found[port.name] = (port.wire.direction.replace("put", ""), int(vector.left) - int(vector.right) + 1)
    if found != truth:
        yield f"{path.name}: ports differ: {sorted(set(found.items()) ^ set(truth.items()))[:4]}"
    if [f.name for f in component.fileSets.fileSet[0].file if not f.name.endswith(".svh")] != files:
        yield f"{path.name}: files differ from the file list"

    ns = {"i": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}
    tree = xml.parse(path)
    if tree.findtext(".//i:moduleName", namespaces=ns) != path.name.split(".")[0]:
        yield f"{path.name}: another module"
    mapped, interfaces = [], {}
    for bus in tree.iterfind(".//i:busInterface", ns):
        interfaces[bus.findtext("i:name", namespaces=ns)] = bus.find("i:busType", ns).get("name")
        mapped += [e.text for e in bus.iterfind(".//i:physicalPort/i:name", ns)]
    clocks = {n for n in truth if n.endswith("_clock")}
    expected = {b: "AXI4-Lite" if b == "config" else "AXI4Stream" for b in buses}
    expected |= {c: "clock" for c in clocks} | {c.replace("_clock", "_reset"): "reset" for c in clocks}
    if interfaces != expected:
        yield f"{path.name}: interfaces {interfaces}"
    if len(mapped) != len(set(mapped)) or not set(mapped) <= set(truth):
        yield f"{path.name}: a port in two interfaces, or in none of the module"
    if any(port not in mapped for port in truth if re.match(r"(config|model_select|input|output)_", port)):
        yield f"{path.name}: a port of a bus is in no interface"
    values = [e.findtext("i:value", namespaces=ns) for e in tree.iterfind(".//i:busInterface//i:parameter", ns)]
    named = {name for value in values for name in value.split(":")}
    if named != buses | {c.replace("_clock", "_reset") for c in clocks} | {"ACTIVE_HIGH"}:
        yield f"{path.name}: clocks are associated with {sorted(named)}"


def designer_findings(path, top, files, truth, buses):
    record = """
proc package {args} {}
foreach c {set_module_property add_fileset set_fileset_property add_fileset_file add_parameter set_parameter_property add_interface
           set_interface_property add_interface_port} { proc $c {args} "puts \\[linsert \\$args 0 $c\\]" }
source [lindex $argv 0]
"""
    done = subprocess.run(["tclsh", "/dev/stdin", path], input=record, capture_output=True, text=True)
    if done.returncode != 0:
        yield f"{path.name}: {done.stderr.strip()}"
        return
    rows = re.findall(r"^add_interface_port \S+ (\S+) \S+ (Input|Output) (\d+)$", done.stdout, re.M)
    said = {n: (d.replace("put", "").lower(), int(w)) for n, d, w in rows}
    if said != truth or len(rows) != len(said):
        yield f"{path.name}: ports differ: {sorted(set(said.items()) ^ set(truth.items()))[:4]}"
    added = re.findall(r"^add_fileset_file (\S+) SYSTEM_VERILOG PATH", done.stdout, re.M)
    if added != files * 2 or set(re.findall(r" TOP_LEVEL (\S+)$", done.stdout, re.M)) != {top}:
        yield f"{path.name}: files or top"
    axi = set(re.findall(r"^add_interface (\S+) axi4", done.stdout, re.M))
    if axi != buses:
        yield f"{path.name}: interfaces {sorted(axi)}"
    interfaces = set(re.findall(r"^add_interface (\S+)", done.stdout, re.M))
    clocked = set(re.findall(r"^set_interface_property (\S+) associatedClock", done.stdout, re.M))
    if interfaces - clocked != {n for n in truth if n.endswith("_clock")}:
        yield f"{path.name}: without a clock: {sorted(interfaces - clocked)}"
    if top == "sl_ip_top" and done.stdout.count("sl_cdc_quartus.sdc") != 2:
        yield f"{path.name}: sl_cdc_quartus.sdc is not in the synthesis files"


# What yosys makes of the self test before Icarus runs it: its registers and expressions as they are.
AS_READ = ["hierarchy -top sl_selftest", "proc", "memory_collect", "opt_clean"]


def icarus():
    """A lap of the board's self test of c1b4 in Icarus: every output beat's bits and cycle against the VM; again with a wrong answer in the ROM."""
    if not shutil.which("iverilog"):
        raise FlowError("iverilog is missing; `make flow-tools` installs it")
    folder = BUILD / "icarus"
    print(common.cargo("sluice-verilator-tests", "board", "c1b4", folder, 50))
    bench = """`timescale 1ns/1ns
module bench;
  reg clk = 0, rst_n = 0;
  wire pass, fail;
  wire [31:0] laps;
  always #5 clk = !clk;
  sl_selftest dut (.clk_i(clk), .rst_ni(rst_n), .load_sck_i(1'b0), .load_cs_ni(1'b1), .load_mosi_i(1'b0),
                   .pass_o(pass), .fail_o(fail), .laps_o(laps));
  initial begin
    repeat (4) @(posedge clk);
    #1 rst_n = 1;
    wait (laps == 1);
    #1 $display("lap: pass %b fail %b", pass, fail);
    $finish;
  end
  initial #1000000 begin $display("no lap"); $finish; end
endmodule
"""
    (ROOT / folder / "bench.v").write_text(bench)
    netlist = folder / "right.v"
    sources = ["constraints/ecp5/sl_serial_load.sv", "constraints/ecp5/sl_selftest.sv"]
    seconds = common.yosys(
        [common.read_slang("sl_selftest", sources, file_list=folder / "board.f"), *AS_READ, "bwmuxmap", f"write_verilog -noattr {netlist}"],
        folder / "yosys.log",
    )
    good = (ROOT / netlist).read_text()
    # The answers are the initial contents of the ROM: the lowest digit of the last beat's.
    last = re.findall(r"u_expected\.mem\s*\[\d+\]\s*=\s*\d+'h[0-9a-f]+(?=;)", good)[-1]
    wrong = good.replace(last, last[:-1] + ("0" if last[-1] != "0" else "1"), 1)
    print(f"yosys: Verilog of the self test ({seconds:.0f} s)", flush=True)
    said = {}
    for answers, text in [("right", good), ("wrong", wrong)]:
        out = folder / f"{answers}.v"
        (ROOT / out).write_text(text)
        binary = ROOT / folder / f"{answers}.vvp"
        common.run(["iverilog", "-g2005-sv", "-s", "bench", "-o", str(binary), str(out), str(folder / "bench.v")], folder / "iverilog.log")
        said[answers] = subprocess.run(["vvp", "-n", str(binary)], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        print(f"icarus, {answers} answers: {said[answers]}", flush=True)
    ok = "pass 1 fail 0" in said["right"] and "pass 0 fail 1" in said["wrong"]
    return 0 if ok else 1


def self_test():
    folder = common.emit("c1b4", BUILD / "elaborate/self-test")
    top = ROOT / folder / "sl_top.sv"
    good = top.read_text()
    try:
        for what, text in {
            "unknown port": good.replace(".clk_i(compute_clock)", ".clock_i(compute_clock)", 1),
            "width": good.replace("assign lane_mask", "assign lane_mask[0] = 2'b11; assign lane_mask", 1),
        }.items():
            top.write_text(text)
            assert text != good, what
            assert slang(f"--top sl_top -F {folder / 'sl_filelist.f'}"), f"slang accepts: {what}"
        top.write_text(good)
        assert not list(package_findings(folder)), list(package_findings(folder))
        top.write_text(good.replace("output logic irq,", "output logic irq, output logic extra,"))
        found = list(package_findings(folder))
        assert any("sl_top.ipxact" in f for f in found), found
        top.write_text(good)
        files = ROOT / folder / "sl_filelist.f"
        lines = files.read_text()
        files.write_text(lines.replace("sl_fifo.sv\n", ""))
        found = " ".join(package_findings(folder))
        files.write_text(lines)
        assert all(p in found for p in ["Bender.yml", "lint", "core", "example", "sl_ip_top.ipxact", "sl_top.ipxact"]), found
        for name, old, new, expected in [
            ("sl_ip_top.ipxact.xml", "<ipxact:name>config_bresp", "<ipxact:name>config_bvalid", "two interfaces"),
            ("sl_ip_top.ipxact.xml", "model_select:input:output", "model_select:input", "associated"),
            ("sl_ip_top.ipxact.xml", 'name="AXI4-Lite" version', 'name="AXI4" version', "interfaces"),
            ("sl_ip_top_hw.tcl", "associatedClock config_clock", "associatedReset config_clock", "without a clock"),
            ("sl_ip_top_hw.tcl", "add_interface config axi4lite end", "add_interface configs axi4lite end", "interfaces"),
            ("sluice.core", "toplevel: sl_example", "toplevel: sl_top", "another top"),
        ]:
            text = (ROOT / folder / name).read_text()
            assert old in text, old
            (ROOT / folder / name).write_text(text.replace(old, new))
            found = " ".join(package_findings(folder))
            (ROOT / folder / name).write_text(text)
            assert expected in found, (name, new, found)
    finally:
        shutil.rmtree(ROOT / folder)
    print("elaborate.py: every check can fail")
    return 0


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS)
    parser.add_argument("--icarus", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.icarus:
        return icarus()
    if args.self_test:
        return self_test()
    ok = True
    for config in args.configs:
        folder = common.emit(config, BUILD / "elaborate" / config)
        said = slang(f"--top sl_example -F {folder / 'sl_filelist.f'} {folder / 'sl_example.sv'}")
        print(f"slang {config}: {'clean' if not said else said}", flush=True)
        seconds = yosys(config, folder)
        print(f"yosys {config}: clean ({seconds:.0f} s)", flush=True)
        ok = ok and not said
    findings = list(package_findings(BUILD / "elaborate" / args.configs[0]))
    for finding in findings:
        print(f"packages: {finding}")
    if not findings:
        print(f"packages {args.configs[0]}: FuseSoC, Bender, IP-XACT, Platform Designer clean")
    return 0 if ok and not findings else 1


if __name__ == "__main__":
    common.main(body)
