"""The package: stubs, version, exceptions, import time, panics, overhead of a call."""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import vollo_compiler
from compiler_models import mlp, small
from vollo_compiler import _native

ROOT = Path(__file__).resolve().parents[2]


def test_version_is_in_one_place():
    cargo = (ROOT / "Cargo.toml").read_text()
    version = re.search(r'^version = "(.*)"', cargo, re.MULTILINE)
    assert version is not None and version[1] == vollo_compiler.__version__
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    "name, base",
    [
        ("AllocationError", ValueError),
        ("SaveError", OSError),
        ("LoadError", ValueError),
        ("RtlSimError", RuntimeError),
        ("InternalError", RuntimeError),
    ],
)
def test_bases_of_exceptions(name, base):
    exception = getattr(vollo_compiler, name)
    assert exception.__bases__ == (base,)
    assert exception.__module__ == "vollo_compiler" and exception.__doc__


def test_everything_exported_exists_and_is_documented():
    for name in vollo_compiler.__all__:
        assert hasattr(vollo_compiler, name)
    page = (ROOT / "docs" / "python.md").read_text()
    for name in set(vollo_compiler.__all__) - {"__version__"}:
        assert f"`{name}" in page, name
        thing = getattr(vollo_compiler, name)
        for member in vars(thing):
            if not member.startswith("_") and thing.__module__ == "vollo_compiler":
                assert member in page, f"{name}.{member}"


def test_panics_become_internal_errors(capfd):
    with pytest.raises(vollo_compiler.InternalError, match=r"please report it: panicked at .*errors\.rs.*\s.*a sample"):
        _native._panic("a sample")
    assert capfd.readouterr() == ("", "")
    assert mlp().to_program(small()).num_models() == 1


def test_stubs_are_true():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "vollo_compiler", "--ignore-disjoint-bases"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_import_is_quick():
    code = "import numpy, time; t = time.perf_counter(); import vollo_compiler; print(time.perf_counter() - t)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) < 0.3


def test_a_call_costs_little_beyond_the_vm():
    # Time per run of a program that does nearly nothing: an upper bound of the overhead.
    vm = vollo_compiler.Program.io_only_test(small(), 8, 8).to_vm()
    x = np.zeros(8, np.float32)
    times = []
    for _ in range(300):
        start = time.perf_counter()
        vm.run(x)
        times.append(time.perf_counter() - start)
    assert statistics.median(times) < 20e-6
