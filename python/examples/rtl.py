"""A network as hardware: its SystemVerilog and memory images written out, then run in Verilator against the VM.

python rtl.py [folder]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import vollo_compiler
import vollo_torch
from torch import nn


def main(arguments: list[str]) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    x = torch.randn(10)
    module, expected = vollo_torch.fx.prepare_shape(model, x)
    # One core, blocks of four: Verilator builds it in seconds.
    program = vollo_torch.fx.nnir.to_nnir(module).to_program(vollo_compiler.Config.preset("c1b4"), name="tiny")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments[0] if arguments else temporary)
        files = program.rtl(folder)
        modules = [file for file in files if str(file).endswith(".sv")]
        images = list(folder.glob("images/*"))
        print(f"{len(modules)} modules and {len(images)} memory images in {folder}")

    vm, rtl = program.to_vm(), program.to_rtl_sim()
    for _ in range(5):
        values = torch.randn(10).numpy()
        # Not close: equal, bit for bit.
        np.testing.assert_array_equal(rtl.run(values), vm.run(values))
    torch.testing.assert_close(torch.from_numpy(rtl.run(x.numpy())), expected, atol=1e-2, rtol=1e-2)
    vm.run(x.numpy())
    assert rtl.cycle_count() == vm.cycle_count()
    print(f"RTL and VM: equal values, {vm.cycle_count()} cycles for six inferences on both")


if __name__ == "__main__":
    main(sys.argv[1:])
