"""Functions of one value: the machine's own, and those made of one or two of them.

| NNIR                | also gives                                                     |
|---------------------|----------------------------------------------------------------|
| `tanh`, `sigmoid`   | `tanhshrink`; `logsigmoid` is `softplus`                        |
| `exp`, `exp2`       | `expm1`, `elu`, `selu`, `celu`; powers of a constant base       |
| `log`, `log2`       | `log10`, `log1p`                                                |
| `recip`, `sqrt`, `rsqrt` | powers -1, -2, 0.5 and -0.5                                |
| `softplus`          | any `beta`; `mish`                                              |
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vollo_torch.fx.nnir.layer import Layer, Number, Runtime, Value
from vollo_torch.fx.nnir.ops.elementwise import in_place


def function(op: str) -> Callable[..., Value]:
    """The lowering of a torch function that is one NNIR operation."""

    def lower(layer: Layer, input: Value) -> Value:
        return layer.unary(op, input)

    lower.__doc__ = f"`{op}`."
    return lower


def module(op: str) -> Callable[..., Value]:
    """The lowering of a module without attributes."""

    def lower(layer: Layer, module: Any, input: Value) -> Value:
        return layer.unary(op, input)

    lower.__doc__ = f"`{op}`."
    return lower


def silu(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """`x sigmoid(x)`."""
    in_place(layer, inplace)
    return layer.unary("silu", input)


def silu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.SiLU`."""
    return silu(layer, input, module.inplace)


def gelu(layer: Layer, input: Value, approximate: str = "none") -> Value:
    """By the normal distribution, or its approximation by `tanh`."""
    forms = {"none": "gelu", "tanh": "gelu_tanh"}
    if approximate not in forms:
        layer.refuse(f"approximate={approximate!r}", "approximate='none' or 'tanh'")
    return layer.unary(forms[approximate], input)


def gelu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.GELU`."""
    return gelu(layer, input, module.approximate)


def softplus(layer: Layer, input: Value, beta: Number = 1, threshold: Number = 20) -> Value:
    """`log(1 + exp(beta x)) / beta`; beyond the threshold torch gives x, which is what this rounds to."""
    if beta * threshold < 8 or beta <= 0:
        layer.refuse(f"beta={beta!r}, threshold={threshold!r}", "beta=1, threshold=20")
    if beta == 1:
        return layer.unary("softplus", input)
    scaled = layer.pointwise("mul", input, float(beta), part="beta")
    return layer.pointwise("mul", layer.unary("softplus", scaled, part="softplus"), 1.0 / beta)


def softplus_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Softplus`."""
    return softplus(layer, input, module.beta, module.threshold)


def logsigmoid(layer: Layer, input: Value) -> Value:
    """`-softplus(-x)`."""
    negative = layer.pointwise("mul", input, -1, part="neg")
    return layer.pointwise("mul", layer.unary("softplus", negative, part="softplus"), -1)


def logsigmoid_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.LogSigmoid`."""
    return logsigmoid(layer, input)


def log10(layer: Layer, input: Value) -> Value:
    """`log2(x) log10(2)`."""
    return layer.pointwise("mul", layer.unary("log2", input, part="log2"), math.log10(2))


def log1p(layer: Layer, input: Value) -> Value:
    """`log(1 + x)`; the sum is rounded to bf16."""
    return layer.unary("log", layer.pointwise("add", input, 1, part="plus1"))


def expm1(layer: Layer, input: Value) -> Value:
    """`exp(x) - 1`."""
    return layer.pointwise("sub", layer.unary("exp", input, part="exp"), 1)


def tanhshrink(layer: Layer, input: Value) -> Value:
    """`x - tanh(x)`."""
    x = layer.runtime(input)
    return layer.pointwise("sub", x, layer.unary("tanh", x, part="tanh"))


def tanhshrink_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Tanhshrink`."""
    return tanhshrink(layer, input)


def softsign(layer: Layer, input: Value) -> Value:
    """`x / (1 + |x|)`."""
    x = layer.runtime(input)
    size = layer.pointwise("max", x, layer.pointwise("mul", x, -1, part="neg"), part="abs")
    return layer.pointwise("div", x, layer.pointwise("add", size, 1, part="plus1"))


def softsign_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Softsign`."""
    return softsign(layer, input)


def mish(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """`x tanh(softplus(x))`."""
    in_place(layer, inplace)
    x = layer.runtime(input)
    bent = layer.unary("tanh", layer.unary("softplus", x, part="softplus"), part="tanh")
    return layer.pointwise("mul", x, bent)


def mish_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Mish`."""
    return mish(layer, input, module.inplace)


def hardsigmoid(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """`clamp(x + 3, 0, 6) / 6`."""
    in_place(layer, inplace)
    return layer.pointwise("mul", _ramp(layer, layer.runtime(input)), 1 / 6)


def hardsigmoid_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Hardsigmoid`."""
    return hardsigmoid(layer, input, module.inplace)


def hardswish(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """`x clamp(x + 3, 0, 6) / 6`."""
    in_place(layer, inplace)
    x = layer.runtime(input)
    return layer.pointwise("mul", layer.pointwise("mul", x, 1 / 6, part="sixth"), _ramp(layer, x))


def hardswish_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Hardswish`."""
    return hardswish(layer, input, module.inplace)


def _ramp(layer: Layer, x: Runtime) -> Runtime:
    return layer.clamp(layer.pointwise("add", x, 3, part="plus3"), 0, 6, part="ramp")


def elu(layer: Layer, input: Value, alpha: Number = 1.0, inplace: bool = False) -> Value:
    """`x` from 0 on, `alpha (exp(x) - 1)` below."""
    in_place(layer, inplace)
    return _elu(layer, layer.runtime(input), alpha, 1.0, 1.0)


def elu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.ELU`."""
    return elu(layer, input, module.alpha, module.inplace)


def celu(layer: Layer, input: Value, alpha: Number = 1.0, inplace: bool = False) -> Value:
    """`x` from 0 on, `alpha (exp(x / alpha) - 1)` below."""
    in_place(layer, inplace)
    if alpha <= 0:
        layer.refuse(f"alpha={alpha!r}", "alpha above 0")
    return _elu(layer, layer.runtime(input), alpha, 1.0, 1.0 / alpha)


def celu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.CELU`."""
    return celu(layer, input, module.alpha, module.inplace)


def selu(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """`elu` with the constants that keep mean and variance."""
    in_place(layer, inplace)
    return _elu(layer, layer.runtime(input), 1.6732632423543772, 1.0507009873554805, 1.0)


def selu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.SELU`."""
    return selu(layer, input, module.inplace)


def _elu(layer: Layer, x: Runtime, alpha: Number, scale: Number, inner: Number) -> Runtime:
    """Both sides are 0 where the other counts, so their sum is the result."""
    above = layer.clamp(x, 0, None, part="above")
    below = layer.clamp(x, None, 0, part="below")
    if inner != 1:
        below = layer.pointwise("mul", below, inner, part="inner")
    below = layer.pointwise("sub", layer.unary("exp", below, part="exp"), 1, part="minus1")
    if alpha * scale != 1:
        below = layer.pointwise("mul", below, float(alpha * scale), part="alpha")
    if scale != 1:
        above = layer.pointwise("mul", above, scale, part="scale")
    return layer.pointwise("add", above, below)
