"""An ONNX file compiled and run; without a file on the command line, one that PyTorch writes (2.x: with package onnx).

python onnx_model.py [model.onnx]
"""

import inspect
import sys
import tempfile
from pathlib import Path

import numpy as np
import vollo_compiler


def export(path: Path) -> None:
    """Writes a small network as ONNX."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 8), nn.Hardtanh()).eval()
    # Newer versions have a second exporter, with requirements of its own.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(model, (torch.zeros(1, 32),), str(path), **options)


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(arguments[0]) if arguments else Path(folder, "model.onnx")
        if not arguments:
            export(path)
        nnir = vollo_compiler.NNIR.from_onnx(str(path), None)

    program = nnir.to_program(vollo_compiler.Config.amd_v80_c6b32(), name=path.stem)
    generator = np.random.default_rng(0)
    shapes = [program.model_input_shape(0, i) for i in range(program.model_num_inputs())]
    inputs = [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]

    found = program.to_vm().run(inputs)
    # The same network in float32, to see what bf16 costs.
    exact = program.to_vm(bit_accurate=False).run(inputs)
    outputs = zip(found, exact) if isinstance(found, tuple) else [(found, exact)]
    for a, b in outputs:
        np.testing.assert_allclose(a, b, atol=1e-2, rtol=1e-2)
        print(f"output {a.shape}: largest difference to float32 {np.abs(a - b).max():.1e}")
    print(f"{path.name}: {program.cycle_count_per_inference()} cycles per inference")


if __name__ == "__main__":
    main(sys.argv[1:])
