"""Normalisation of vectors: softmax and the norms of layers.

| form          | becomes                                               |
|---------------|-------------------------------------------------------|
| `softmax`     | `e / sum(e)`, `e = exp(x - max(x))`                   |
| `log_softmax` | `d - log(sum(exp(d)))`, `d = x - max(x)`              |
| `layer_norm`  | `(r w) d + b`, `d = x - mean(x)`, `r = rsqrt(mean(d d) + eps)` |
| `rms_norm`    | `(r w) x`, `r = rsqrt(mean(x x) + eps)`               |

Each step is rounded to bf16; sums are wider.
"""

from __future__ import annotations

from typing import Any

from vollo_torch.fx.nnir.layer import Layer, Runtime, Value
from vollo_torch.fx.nnir.ops.reduce import centred


def softmax(layer: Layer, input: Value, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Value:
    """Along one axis."""
    x, axis = _axis(layer, input, dim)
    powers = layer.unary("exp", _shifted(layer, x, axis), part="exp")
    return layer.pointwise("div", powers, layer.reduce("sum", powers, [axis], True, part="sum"))


def log_softmax(layer: Layer, input: Value, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Value:
    """Along one axis."""
    x, axis = _axis(layer, input, dim)
    shifted = _shifted(layer, x, axis)
    total = layer.reduce("sum", layer.unary("exp", shifted, part="exp"), [axis], True, part="sum")
    return layer.pointwise("sub", shifted, layer.unary("log", total, part="log"))


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


def _shifted(layer: Layer, x: Runtime, axis: int) -> Runtime:
    largest = layer.reduce("max", x, [axis], True, part="max")
    return layer.pointwise("sub", x, largest, part="shifted")


def layer_norm(
    layer: Layer, input: Value, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Value:
    """Over the last axes."""
    x = layer.runtime(input)
    difference, variance = centred(layer, x, _last(x, normalized_shape), True, "var")
    return _scaled(layer, difference, variance, eps, weight, bias)


def layer_norm_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.LayerNorm`."""
    return layer_norm(layer, input, module.normalized_shape, module.weight, module.bias, module.eps)


def rms_norm(layer: Layer, input: Value, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Value:
    """Over the last axes."""
    x = layer.runtime(input)
    square = layer.pointwise("mul", x, x, part="square")
    mean = layer.reduce("mean", square, _last(x, normalized_shape), True, part="mean")
    # Without eps torch takes that of the type of the input, float32.
    return _scaled(layer, x, mean, 1.1920928955078125e-07 if eps is None else eps, weight, None)


def rms_norm_module(layer: Layer, module: Any, input: Value) -> Value:
    """`vollo_torch.nn.RMSNorm`, `nn.RMSNorm`."""
    return rms_norm(layer, input, module.normalized_shape, module.weight, module.eps)


def _last(x: Runtime, normalized_shape: Any) -> list[int]:
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    return list(range(len(x.shape) - count, len(x.shape)))


def _scaled(layer: Layer, x: Runtime, square: Runtime, eps: float, weight: Any, bias: Any) -> Runtime:
    """`(rsqrt(square + eps) weight) x + bias`: the root and the first product are one operation."""
    factor = layer.unary("rsqrt", layer.pointwise("add", square, float(eps), part="eps"), part="rsqrt")
    if weight is not None:
        factor = layer.pointwise("mul", factor, layer.constant(weight, "a weight"), part="weight")
    if bias is None:
        return layer.pointwise("mul", factor, x)
    product = layer.pointwise("mul", factor, x, part="scaled")
    return layer.pointwise("add", product, layer.constant(bias, "a bias"))
