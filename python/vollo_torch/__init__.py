"""PyTorch front end: from a `torch.nn.Module` to the graph `vollo_compiler` compiles.

    module, expected = vollo_torch.fx.prepare_shape(model.eval(), example_input)
    nnir = vollo_torch.fx.nnir.to_nnir(module)

`docs/torch.md` lists the operations a model may use.
"""

from vollo_torch import fx, nn
from vollo_torch.contexts import CorePartition, Fp8Weights, Fp32Activations

__all__ = ["CorePartition", "Fp8Weights", "Fp32Activations", "fx", "nn"]
