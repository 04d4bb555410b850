"""What `Fp8Weights` asks of a layer.

| layer inside                                     | its weights                                        |
|--------------------------------------------------|----------------------------------------------------|
| linear, convolution, recurrent, constant matrix product | rounded to E4M3, a power of two per row, stored as such |
| the same where the product becomes multiplications and a sum | refused: the weights would not be in the weight store |
| product of two run-time tensors                  | refused: nothing to store                          |
| any other                                        | none; the context changes nothing                  |

Contract. Biases stay float32. A norm behind such a layer is not folded into it: no fusion changes its weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vollo_torch.fx.nnir.layer import Layer

_OPERATIONS = frozenset(
    [
        "Linear",
        "linear",
        "matmul",
        "rmatmul",
        "mm",
        "mv",
        "bmm",
        "addmm",
        "Conv1d",
        "conv1d",
        "PaddedConv1d",
        "LSTM",
        "LSTMCell",
        "RecurrentStateLSTM",
        "GRU",
        "GRUCell",
        "RNN",
        "RNNCell",
    ]
)
"""Operations whose constant matrices are weights."""


def stores_fp8(layer: Layer) -> bool:
    """The layer has weights, and they are to be stored as FP8."""
    return layer.operation in _OPERATIONS and bool(layer.node.meta.get("vollo_fp8_weights"))


def refuse_fp8(layer: Layer, attribute: str, nearest: str) -> None:
    """Stops where weights that are to be FP8 are not constant, or not in the weight store."""
    if stores_fp8(layer):
        layer.refuse(f"{attribute} inside Fp8Weights", nearest)
