"""What the wheel does with its declared dependencies only: no torch, no test tools, no checkout. Run by tools/test_wheel.sh."""

import importlib.util
from pathlib import Path

import numpy as np
import vollo_compiler
from vollo_compiler._native import GraphBuilder

assert importlib.util.find_spec("torch") is None, "the environment is not clean"
assert "clean-venv" in vollo_compiler.__file__, vollo_compiler.__file__
package = Path(vollo_compiler.__file__).parent
assert (package / "py.typed").is_file() and (package / "_native.pyi").is_file()
assert importlib.util.find_spec("vollo_torch") is not None

g = GraphBuilder("halve")
g.output(g.linear("fc", g.input("x", (4,)), np.eye(4, dtype=np.float32) / 2))
program = g.finish().to_program(vollo_compiler.Config.ia_420f_c6b32())
x = np.array([1, -2, 3, -4], np.float32)
assert np.array_equal(program.to_vm().run(x), x / 2)
print(f"vollo_compiler {vollo_compiler.__version__} works alone with NumPy {np.__version__}")
