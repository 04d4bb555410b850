"""PyTorch front end: from a `torch.nn.Module` to the graph `vollo_compiler` compiles.

    module, expected = vollo_torch.fx.prepare_shape(model.eval(), example_input)
    nnir = vollo_torch.fx.nnir.to_nnir(module)

`docs/torch.md` lists the operations a model may use.
"""

try:
    import torch as _torch  # noqa: F401 - for the message below
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "vollo_torch needs PyTorch 1.13 or later: pip install torch, or the python3-torch of your distribution",
        name="torch",
    ) from error

from vollo_compiler import __version__

from vollo_torch import fx, nn
from vollo_torch.contexts import CorePartition, Fp8Weights, Fp32Activations

__all__ = ["CorePartition", "Fp8Weights", "Fp32Activations", "__version__", "fx", "nn"]
