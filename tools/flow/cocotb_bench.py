#!/usr/bin/env python3
"""The cocotb bench of sl_ip_top: emitted RTL, cocotbext-axi masters and slaves, every output beat against the VM's.

tools/flow/cocotb_bench.py               emit, compile, build, run; then the runs that must fail
tools/flow/cocotb_bench.py --self-test   only the runs that must fail
tools/flow/cocotb_bench.py --waves       leave build/cocotb/c1b4/dump.vcd

RTL, program, load image, figures and expected outputs come from the command line `sluice` alone. The tests are in hdl/cocotb/.

| file in build/cocotb/CONFIG | by |
|-----------------------------|----|
| `rtl/`                      | `sluice rtl` |
| `both.sluice`, `both.json`  | `sluice compile --json` |
| `both.load`                 | `sluice load-image` |
| `NAME.in.npy`               | drawn here, a sequence per model |
| `NAME.out.npy`              | `sluice run --steps` |
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import common
from common import BUILD, ROOT, FlowError

BENCH = ROOT / "hdl/cocotb"
TOP = "sl_ip_top"
# Bits of the load stream.
LOAD_STREAM = 128
STEPS = 12
SEED = 2026

# Name, network, options of `sluice example`, streaming axis of `sluice compile`, shape and axis of a sequence of inputs. Both take two
# beats and give two, so that one in the place of the other is seen by values alone.
MODELS = [
    ("dense", "mlp", ["--inputs", "7", "--hidden", "8", "--outputs", "6"], "none", (STEPS, 7), 0),
    ("stream", "cnn", ["--inputs", "8", "--hidden", "8", "--outputs", "5"], "2", (1, 8, STEPS), 2),
]
# The first line is what a bench needs that looks at ports only: the runner makes every signal of the design public, which nearly doubles
# the C++ code. The second goes with sl_verilator.vlt.
VERILATOR_OPTIONS = [
    *["--no-public-flat-rw", "--public-depth", "1"],
    "-fno-table",
    *["--assert", "--x-initial", "unique"],
]
# What is spoilt in the expected outputs, and the test that has to fail for it.
FLAWS = {"expected": "interleaved_jobs"}


def sluice(*arguments, folder):
    """Runs the command line in `folder`; its output."""
    command = [str(binary()), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise FlowError(f"sluice {arguments[0]} failed: {done.stderr or done.stdout}")
    return done.stdout


def binary():
    """The command line; SLUICE names one that is built already."""
    if given := os.environ.get("SLUICE"):
        return pathlib.Path(given)
    if not binary.path:
        cargo = os.environ.get("CARGO", "cargo")
        command = [cargo, "build", "--quiet", "--release", "-p", "sluice", "--message-format", "json-render-diagnostics"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        built = [json.loads(line).get("executable") for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 or not any(built):
            raise FlowError(f"the command line does not build:\n{done.stderr}")
        binary.path = pathlib.Path(next(filter(None, reversed(built))))
    return binary.path


binary.path = None


def prepare(config, folder):
    """Everything the bench reads, through the command line."""
    import numpy

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sluice("rtl", "--config", config, "--load-stream", LOAD_STREAM, "-o", "rtl", folder=folder)
    compile_options = []
    for name, network, options, axis, _, _ in MODELS:
        sluice("example", network, "-o", f"{name}.nnir", *options, folder=folder)
        compile_options += [f"{name}.nnir", "--model-name", name, "--streaming-transform", axis]
    report = sluice("compile", *compile_options, "--state-reset", "--config", config, "-o", "both.sluice", "--json", folder=folder)
    (folder / "both.json").write_text(report)
    sluice("load-image", "both.sluice", "-o", "both.load", folder=folder)
    draw = numpy.random.default_rng(SEED)
    for name, _, _, _, shape, axis in MODELS:
        numpy.save(folder / f"{name}.in.npy", draw.uniform(-1, 1, shape).astype("float32"))
        files = ["--input", f"{name}.in.npy", "--output", f"{name}.out.npy"]
        sluice("run", "both.sluice", "--model", name, *files, "--steps", axis, folder=folder)


def verilator_environment():
    """Verilator of VERILATOR, else the packaged one, else the one on PATH; the packaged one does not know its own root or compiler."""
    packaged = sorted(ROOT.glob(".tools/venv/lib/*/site-packages/verilator/bin/verilator"))
    given = os.environ.get("VERILATOR")
    found = pathlib.Path(given or (packaged[0] if packaged else shutil.which("verilator") or ""))
    if not found.is_file():
        raise FlowError("no Verilator; `make setup` installs it")
    variables = ["OPT_FAST=-O1"]
    environment = {"PATH": f"{found.parent}:{os.environ['PATH']}"}
    if found in packaged:
        cache = "ccache" if shutil.which("ccache") else ""
        environment["VERILATOR_ROOT"] = str(found.parent.parent)
        variables += ["CXX=g++", "LINK=g++", "AR=ar", "PYTHON3=python3", "CFG_CXXFLAGS_PCH_I=-include", f"OBJCACHE={cache}"]
        environment["CCACHE_SLOPPINESS"] = "pch_defines,time_macros,include_file_mtime,include_file_ctime"
    environment["MAKEFLAGS"] = f"-- {' '.join(variables)}"
    return environment


def build(runner, folder, waves):
    """The Verilated top; returns the seconds it took."""
    from cocotb_tools.runner import VerilatorControlFile

    start = time.monotonic()
    for name, value in verilator_environment().items():
        os.environ[name] = value
    rtl = folder / "rtl"
    log = folder / "build.log"
    try:
        runner.build(
            sources=[VerilatorControlFile(rtl / "sl_verilator.vlt")],
            hdl_toplevel=TOP,
            build_dir=folder / "model",
            build_args=["-F", str(rtl / "sl_filelist.f"), *VERILATOR_OPTIONS],
            timescale=("1ns", "1ps"),
            waves=waves,
            log_file=log,
        )
    except (SystemExit, subprocess.CalledProcessError, RuntimeError) as error:
        lines = log.read_text().splitlines()[-12:] if log.exists() else []
        raise FlowError("\n".join([f"the model does not build ({error}), see {log}", *lines])) from error
    finally:
        # Meant for the make of the model alone.
        os.environ.pop("MAKEFLAGS", None)
    return time.monotonic() - start


def run(runner, folder, name, *, waves=False, **options):
    """One simulation; returns numbers of tests and of failed ones, and the seconds it took."""
    from cocotb_tools.runner import get_results

    start = time.monotonic()
    log = folder / f"{name}.log"
    environment = {"SLUICE_BENCH": str(folder), "COCOTB_LOG_LEVEL": "WARNING", **options.pop("environment", {})}
    environment["SLUICE_REGISTERS"] = str(ROOT / "driver/capi/include/sluice_registers.h")
    # cocotbext-axi uses names that cocotb is about to drop.
    environment["PYTHONWARNINGS"] = "ignore::DeprecationWarning"
    environment["PYTHONPATH"] = str(BENCH)
    sys.path.insert(0, str(BENCH))
    try:
        results = runner.test(
            test_module="test_sl_ip_top",
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=folder / "model",
            test_dir=folder,
            results_xml=f"{name}.xml",
            seed=SEED,
            extra_env=environment,
            test_args=["+verilator+rand+reset+2", f"+verilator+seed+{SEED}"],
            waves=waves,
            log_file=log,
            **options,
        )
        tests, failed = get_results(results)
    except (SystemExit, RuntimeError, subprocess.CalledProcessError) as error:
        raise FlowError("\n".join([f"the simulation ended by itself ({error}), see {log}", *log.read_text().splitlines()[-8:]])) from error
    return tests, failed, time.monotonic() - start


def body():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="c1b4")
    parser.add_argument("--self-test", action="store_true", help="only what must fail")
    parser.add_argument("--waves", action="store_true", help="with a waveform")
    arguments = parser.parse_args()
    try:
        from cocotb_tools.runner import get_runner
    except ImportError as error:
        raise FlowError(f"{error}; run it with .tools/venv/bin/python after `tools/setup.sh cocotb`") from error

    folder = ROOT / BUILD / "cocotb" / arguments.config
    start = time.monotonic()
    prepare(arguments.config, folder)
    print(f"cocotb {arguments.config}: RTL, program and expected outputs in {time.monotonic() - start:.0f} s", flush=True)
    runner = get_runner("verilator")
    print(f"  model built in {build(runner, folder, arguments.waves):.0f} s", flush=True)

    ok = True
    if not arguments.self_test:
        tests, failed, seconds = run(runner, folder, "bench", waves=arguments.waves)
        ok = tests > 0 and failed == 0
        print(f"  {tests} tests, {failed} failed, {seconds:.0f} s, log in {folder / 'bench.log'}", flush=True)
    for flaw, test in FLAWS.items():
        tests, failed, seconds = run(runner, folder, f"flaw-{flaw}", test_filter=test, environment={"SLUICE_BENCH_FLAW": flaw})
        caught = tests > 0 and failed == tests
        ok &= caught
        print(
            f"  flaw in {flaw}: {failed} of {tests} tests fail, {'as they must' if caught else 'NOT ALL OF THEM'}, {seconds:.0f} s",
            flush=True,
        )
    return 0 if ok else 1


if __name__ == "__main__":
    common.main(body)
