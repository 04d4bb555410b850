"""Normalisation of vectors: softmax and the norms of layers.

What they are made of is the compiler's; each step is rounded to bf16, sums are wider.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vollo_torch.fx.nnir.layer import Layer, Runtime, Value


def softmax(layer: Layer, input: Value, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Value:
    """Along one axis."""
    return layer.softmax(*_axis(layer, input, dim))


def log_softmax(layer: Layer, input: Value, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Value:
    """Along one axis."""
    return layer.log_softmax(*_axis(layer, input, dim))


def softmin(layer: Layer, input: Value, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Value:
    """`softmax(-x)`."""
    return softmax(layer, layer.pointwise("mul", input, -1, part="neg"), dim)


def softmax_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Softmax`."""
    return softmax(layer, input, module.dim)


def log_softmax_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.LogSoftmax`."""
    return log_softmax(layer, input, module.dim)


def softmin_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Softmin`."""
    return softmin(layer, input, module.dim)


def _axis(layer: Layer, input: Value, dim: Any) -> tuple[Runtime, int]:
    if dim is None:
        layer.refuse("dim=None", "the axis as a number")
    x = layer.runtime(input)
    return x, dim % len(x.shape)


def layer_norm(
    layer: Layer, input: Value, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Value:
    """Over the last axes."""
    return layer.layer_norm(input, _count(normalized_shape), _known(layer, weight), _known(layer, bias), eps)


def layer_norm_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.LayerNorm`."""
    return layer_norm(layer, input, module.normalized_shape, module.weight, module.bias, module.eps)


def rms_norm(layer: Layer, input: Value, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Value:
    """Over the last axes."""
    # Without eps torch takes that of the type of the input, float32.
    epsilon = torch.finfo(torch.float32).eps if eps is None else eps
    return layer.rms_norm(input, _count(normalized_shape), _known(layer, weight), epsilon)


def rms_norm_module(layer: Layer, module: Any, input: Value) -> Value:
    """`vollo_torch.nn.RMSNorm`, `nn.RMSNorm`."""
    return rms_norm(layer, input, module.normalized_shape, module.weight, module.eps)


def _count(normalized_shape: Any) -> int:
    return 1 if isinstance(normalized_shape, int) else len(normalized_shape)


def _known(layer: Layer, value: Any) -> Tensor | None:
    return None if value is None else layer.constant(value, "a weight")
