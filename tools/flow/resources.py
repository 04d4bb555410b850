#!/usr/bin/env python3
"""What a configuration takes: cells per module and target, memory bits per store, multiplier blocks per core.

tools/flow/resources.py                            what the golden files hdl/resources/*.toml have, compared with them
tools/flow/resources.py c1b4 --targets ecp5,xcup   these
tools/flow/resources.py --bless                    write the golden files of c1b4, c2b8 and one core of 32 lanes
tools/flow/resources.py --bless --targets ""       products and memories only, without synthesis
tools/flow/resources.py c1b4 --flat        the method against a flat synthesis
tools/flow/resources.py --self-test        show that each check can fail

Method. The design is elaborated with its hierarchy; equal instances become one module (tools/flow/hierarchy.py), each is synthesised once, and its
cells count as often as there are instances. Nothing is optimised across modules, so figures are a little high: --flat measures how much.

Multiplier blocks: a block takes two products of up to 18 x 19 bits or one of up to 27 x 27, as on current Intel devices. Block RAMs: 20 kbit,
512 x 40, 1024 x 20 or 2048 x 10; memories with lane masks 32 bits wide. ALMs: six-input functions whole, smaller ones and carry cells two to an ALM.
Figures are yosys', before placement: for comparison of our own versions first.
"""

import argparse
import collections
import json
import pathlib
import re

import common
import hierarchy
from common import BUILD, ROOT, FlowError

HERE = pathlib.Path("hdl/resources")
# One core of the 32-lane products beside two small ones.
CONFIGS = ["c1b4", "c2b8", str(HERE / "c1b32.json")]
TARGETS = {
    "xcup": "synth_xilinx -family xcup -noiopad -noclkbuf",
    "ecp5": "synth_ecp5",
    "intel_alm": "synth_intel_alm -family cyclonev -noiopad -noclkbuf",
}
TOLERANCE = 0.05
# Published for one core of 32 lanes (43K ALMs, 1084 block RAMs, 624 multiplier blocks), and what we must and want to stay below.
INCUMBENT = {"multiplier_blocks": 624, "alms": 43000, "block_rams": 1084}
MULTIPLIERS_MUST, MULTIPLIERS_AIM = 624, 560
WEIGHT_BITS_LIMIT = 17.5
CLASSES = [
    ("dsp", r"^(DSP48.*|MULT.*|MISTRAL_MUL.*)$"),
    ("block_ram", r"^(RAMB.*|DP16KD|PDPW16KD|MISTRAL_M10K)$"),
    ("lut_ram", r"^(RAM\d.*|TRELLIS_DPR16X4|MISTRAL_MLAB)$"),
    ("ff", r"^(FD[RSCP]E.*|TRELLIS_FF|MISTRAL_FF)$"),
    ("carry", r"^(CARRY.*|CCU2C|MISTRAL_ALUT_ARITH)$"),
    ("lut", r"^(LUT\d.*|MISTRAL_ALUT\d)$"),
]


def kind(cell):
    return next((name for name, pattern in CLASSES if re.match(pattern, cell)), None)


def elaborate(config, folder):
    common.emit(config, folder / "rtl")
    raw, copied, folded, netlist = (folder / n for n in ["hierarchy.il", "copies.il", "folded.il", "coarse.json"])
    # folded as read: hundreds of copies would go through every pass otherwise
    seconds = common.yosys(
        [
            f"{common.read_slang('sl_top', [], file_list=folder / 'rtl/sl_filelist.f')} --keep-hierarchy",
            "hierarchy -top sl_top",
            f"write_rtlil {raw}",
        ],
        folder / "elaborate.log",
    )
    text, copies = hierarchy.fold((ROOT / raw).read_text())
    (ROOT / copied).write_text(text)
    seconds += common.yosys(
        [
            f"read_rtlil {copied}",
            "hierarchy -top sl_top",
            "proc",
            "opt_clean",
            f"write_rtlil {folded}",
            *["opt_expr", "opt_clean", "wreduce", "opt_clean", "memory_collect", f"write_json {netlist}"],
        ],
        folder / "coarse.log",
    )
    print(f"elaborated: {sum(map(len, copies.values()))} instances of {len(copies)} modules ({seconds:.0f} s)", flush=True)
    return folded, netlist, {name.lstrip("\\"): [n.lstrip("\\") for n in names] for name, names in copies.items()}


def number(text):
    return int(str(text), 2) if re.fullmatch("[01]{8,}", str(text)) else int(text)


def blocks_for(width, depth, masked):
    """Block RAMs for a memory: the cheapest shape."""
    shapes = [(512, 32)] if masked else [(512, 40), (1024, 20), (2048, 10)]
    return min(-(-width // w) * -(-depth // d) for d, w in shapes)


def stores(netlist, copies):
    """Memories by path, indices of equal ones left out: module, copies, width, depth; and products by width."""
    found, products = {}, collections.Counter()
    for name, module in json.loads((ROOT / netlist).read_text())["modules"].items():
        names = copies.get(name, [name])
        for cell in module["cells"].values():
            p = cell["parameters"]
            if cell["type"] in ("$mem", "$mem_v2"):
                for original in names:
                    # shift registers and small arrays outside the wrappers are no stores
                    if not original.startswith("sl_ram_"):
                        continue
                    base, _, path = original.partition("$")
                    path = re.sub(r"gen_\w+\[\d+\]\.|gen_(loaded|large|small)\.|u_core\d*\.|u_row\.|sl_top\.", "", path)
                    store = {"module": base, "copies": 0, "width": number(p["WIDTH"]), "depth": number(p["SIZE"])}
                    found.setdefault(path, store)["copies"] += 1
            if cell["type"] == "$mul":
                a, b = number(p["A_WIDTH"]), number(p["B_WIDTH"])
                products[f"{max(a, b)}x{min(a, b)}"] += len(names)
    return found, products


def multiplier_blocks(products):
    total = 0.0
    for size, count in products.items():
        a, b = map(int, size.split("x"))
        if b < 4:
            continue  # an adder or two
        if a <= 19 and b <= 18:
            total += count / 2
        elif a <= 27 and b <= 27:
            total += count
        else:
            total += count * -(-a // 27) * -(-b // 27)
    return total


def synthesise(target, folded, folder, copies):
    netlist = folder / f"{target}.json"
    # no flattening: modules are counted one by one
    flow = TARGETS[target]
    script = [f"read_rtlil {folded}", f"{flow} -top sl_top{' -noflatten' if target == 'ecp5' else ''}", f"write_json {netlist}"]
    seconds = common.yosys(script, folder / f"{target}.log")
    per_module, alms = {}, 0.0
    for name, module in json.loads((ROOT / netlist).read_text())["modules"].items():
        if name not in copies:
            continue
        times = len(copies[name])
        row = per_module.setdefault(name.split("$")[0], collections.Counter())
        for cell in module["cells"].values():
            if k := kind(cell["type"]):
                row[k] += times
            if target == "intel_alm" and k in ("lut", "carry"):
                alms += times * (1.0 if cell["type"] == "MISTRAL_ALUT6" else 0.5)
    total = sum(per_module.values(), collections.Counter())
    print(f"{target}: {dict(total)} ({seconds:.0f} s)", flush=True)
    return per_module, total, round(alms)


def flat(target, config, folder):
    netlist = folder / f"{target}.flat.json"
    common.yosys(
        [
            common.read_slang("sl_top", [], file_list=folder / "rtl/sl_filelist.f"),
            f"{TARGETS[target]} {'-flatten ' if target != 'ecp5' else ''}-top sl_top",
            f"write_json {netlist}",
        ],
        folder / f"{target}.flat.log",
    )
    count = collections.Counter()
    for cell, n in common.cells(netlist, "sl_top").items():
        if k := kind(cell):
            count[k] += n
    return count


def measure(config, targets, with_flat):
    name = pathlib.Path(config).stem
    folder = BUILD / "resources" / name
    folded, coarse, copies = elaborate(config, folder)
    hardware = json.loads((ROOT / folder / "rtl/config.json").read_text())["config"]
    cores, block = hardware["num_cores"], hardware["block_size"]
    memories, products = stores(coarse, copies)
    weights = block * block * cores * hardware["weight_store_depth"]
    weight_bits = sum(m["copies"] * m["width"] * m["depth"] for n, m in memories.items() if "u_weights" in n or "u_scales" in n)
    big = {n: m for n, m in memories.items() if m["module"] != "sl_ram_async"}
    block_rams = sum(m["copies"] * blocks_for(m["width"], m["depth"], m["module"] == "sl_ram_mask") for m in big.values())
    report = {
        "configuration": name,
        "cores": cores,
        "block_size": block,
        "weight_bits_per_weight": round(weight_bits / weights, 3),
        "multiplier_blocks_per_core": multiplier_blocks(products) / cores,
        "block_rams_per_core": round(block_rams / cores, 1),
        "products": dict(sorted(products.items())),
        "memory_bits": {n.replace(".", "_"): m["copies"] * m["width"] * m["depth"] for n, m in sorted(memories.items())},
        "cells": {},
    }
    for target in targets:
        per_module, total, alms = synthesise(target, folded, folder, copies)
        report["cells"][target] = {"total": dict(sorted(total.items())), **{m: dict(sorted(c.items())) for m, c in sorted(per_module.items()) if c}}
        if target == "intel_alm":
            report["alms_per_core"] = round(alms / cores)
        if with_flat:
            whole = flat(target, config, folder)
            for k in total:
                print(f"  {target} {k}: {total[k]} by modules, {whole[k]} flat ({100 * (total[k] / max(whole[k], 1) - 1):+.1f} %)", flush=True)
    return report


def limits(report):
    """What the design has to keep, whatever the golden file says."""
    if report["block_size"] == 32:
        if report["multiplier_blocks_per_core"] > MULTIPLIERS_MUST:
            yield f"{report['multiplier_blocks_per_core']} multiplier blocks per core, limit {MULTIPLIERS_MUST}"
        if report["weight_bits_per_weight"] > WEIGHT_BITS_LIMIT:
            yield f"{report['weight_bits_per_weight']} bits per weight, limit {WEIGHT_BITS_LIMIT}"


def show(report):
    print(
        f"{report['configuration']}: {report['weight_bits_per_weight']} bits per weight, {report['multiplier_blocks_per_core']:.0f} multiplier blocks,"
        f" {report['block_rams_per_core']:.0f} block RAMs, {report.get('alms_per_core', '?')} ALMs per core"
    )
    if report["block_size"] == 32:
        print(f"  incumbent, one core of 32 lanes: {INCUMBENT}; limit {MULTIPLIERS_MUST} multiplier blocks, aim {MULTIPLIERS_AIM}")


def self_test():
    assert blocks_for(544, 512, False) == 14 and blocks_for(20, 1024, False) == 1 and blocks_for(64, 512, True) == 2
    assert multiplier_blocks({"18x17": 4, "24x24": 2, "30x24": 1, "8x2": 9}) == 6.0
    fine = {"block_size": 32, "multiplier_blocks_per_core": 544.0, "weight_bits_per_weight": 17.5, "cells": {"lut": 1000}}
    assert not list(limits(fine))
    assert len(list(limits({**fine, "multiplier_blocks_per_core": 625.0, "weight_bits_per_weight": 17.6}))) == 2
    assert not list(common.compare(fine, {**fine, "cells": {"lut": 1040}}, TOLERANCE))
    assert len(list(common.compare(fine, {**fine, "cells": {"lut": 1060}}, TOLERANCE))) == 1
    # two rows that differ in a width stay two modules, two equal ones become one
    row = "module \\r$t.{i}\n  cell $add $x{i}\n    parameter \\A_WIDTH {w}\n  end\nend\n"
    top = "module \\t\n  cell \\r$t.a \\a\n  end\n  cell \\r$t.b \\b\n  end\nend\n"
    equal = hierarchy.fold(row.format(i="a", w=3) + row.format(i="b", w=3) + top)[1]
    other = hierarchy.fold(row.format(i="a", w=3) + row.format(i="b", w=4) + top)[1]
    assert sorted(map(len, equal.values())) == [1, 2] and sorted(map(len, other.values())) == [1, 1, 1]
    print("resources.py: every check can fail")
    return 0


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", help="presets or configuration files")
    parser.add_argument("--targets", help="separated by commas; empty: only products and memories")
    parser.add_argument("--flat", action="store_true", help="compare with a flat synthesis")
    parser.add_argument("--bless", action="store_true", help="write the golden file")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    asked = None if args.targets is None else [t for t in args.targets.split(",") if t]
    if unknown := set(asked or []) - TARGETS.keys():
        raise FlowError(f"unknown target {', '.join(sorted(unknown))}; known: {', '.join(TARGETS)}")
    recorded = {c: ROOT / HERE / f"{pathlib.Path(c).stem}.toml" for c in args.configs or CONFIGS}
    if not args.bless:
        missing = [c for c, path in recorded.items() if not path.exists()]
        if missing and (args.configs or missing == CONFIGS):
            raise FlowError(f"no golden file of {', '.join(missing)}; --bless writes it")
        for config in missing:
            print(f"{config}: no golden file, not compared")
            del recorded[config]
    wrong = []
    for config, path in recorded.items():
        golden = {} if args.bless else common.golden(path)
        targets = list(asked if asked is not None else TARGETS if args.bless else golden.get("cells", {}))
        report = measure(config, targets, args.flat)
        show(report)
        wrong += list(limits(report))
        if args.bless:
            path.parent.mkdir(exist_ok=True)
            header = [
                f"What {report['configuration']} takes, by yosys; cells of all cores together.",
                "Written by tools/flow/resources.py --bless; read the difference before committing it.",
            ]
            path.write_text(common.to_toml(report, header))
            continue
        if absent := [t for t in targets if t not in golden.get("cells", {})]:
            wrong.append(f"{report['configuration']}: the golden file has no cells of {', '.join(absent)}")
        golden["cells"] = {t: c for t, c in golden.get("cells", {}).items() if t in targets}
        if "intel_alm" not in targets:
            golden.pop("alms_per_core", None)
        wrong += [f"{report['configuration']}: {w}" for w in common.compare(golden, report, TOLERANCE)]
    for line in wrong:
        print(f"resources.py: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    common.main(body)
