"""Element by element: arithmetic, bounds, activations that are made of them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from vollo_torch.fx.nnir.layer import Layer, Number, Runtime, Value


def add(layer: Layer, input: Value | Number, other: Value | Number, alpha: Number = 1) -> Value:
    """`input + alpha other`."""
    return layer.pointwise("add", input, _scaled(layer, other, alpha))


def sub(layer: Layer, input: Value | Number, other: Value | Number, alpha: Number = 1) -> Value:
    """`input - alpha other`."""
    return layer.pointwise("sub", input, _scaled(layer, other, alpha))


def rsub(layer: Layer, input: Value | Number, other: Value | Number, alpha: Number = 1) -> Value:
    """`other - alpha input`."""
    return sub(layer, other, input, alpha)


def _scaled(layer: Layer, value: Value | Number, alpha: Number) -> Value | Number:
    if isinstance(alpha, Tensor) or alpha != 1:
        return layer.pointwise("mul", value, alpha, part="alpha")
    return value


def mul(layer: Layer, input: Value | Number, other: Value | Number) -> Value:
    """`input other`."""
    return layer.pointwise("mul", input, other)


def neg(layer: Layer, input: Value) -> Value:
    """`-input`."""
    return layer.pointwise("mul", input, -1)


def maximum(layer: Layer, input: Value | Number, other: Value | Number) -> Value:
    """The larger."""
    return layer.pointwise("max", input, other)


def minimum(layer: Layer, input: Value | Number, other: Value | Number) -> Value:
    """The smaller."""
    return layer.pointwise("min", input, other)


def div(layer: Layer, input: Value | Number, other: Value | Number, rounding_mode: str | None = None) -> Value:
    """Constants whose reciprocals are exact become factors."""
    if rounding_mode is not None:
        layer.refuse(f"rounding_mode={rounding_mode!r}", "rounding_mode=None")
    if isinstance(other, (Tensor, int, float)):
        divisor = torch.as_tensor(other, dtype=torch.float32)
        values = divisor.flatten().tolist()
        if 0 in values:
            layer.refuse("a divisor of 0", "another divisor")
        if all(map(has_exact_reciprocal, values)):
            return layer.pointwise("mul", input, divisor.reciprocal())
    return layer.pointwise("div", input, other)


def rdiv(layer: Layer, input: Value, other: Value | Number) -> Value:
    """`other / input`."""
    return div(layer, other, input)


def has_exact_reciprocal(value: float) -> bool:
    """A power of two whose reciprocal is a finite float32 too."""
    if not math.isfinite(value) or value == 0:
        return False
    fraction, exponent = math.frexp(abs(value))
    return fraction == 0.5 and -126 <= exponent <= 128


def power(layer: Layer, input: Value | Number, exponent: Any) -> Value:
    """Constant powers that are products and roots; run-time powers of a constant."""
    base = float(input) if isinstance(input, (int, float)) or (isinstance(input, Tensor) and not input.dim()) else None
    if base is not None:
        if not 0 < base < math.inf:
            layer.refuse(f"base {base!r}", "a base above 0")
        scaled = exponent if base == 2 else layer.pointwise("mul", exponent, math.log2(base), part="log2")
        return layer.unary("exp2", scaled)
    roots = {0.5: "sqrt", -0.5: "rsqrt", -1: "recip"}
    if not isinstance(exponent, (int, float)) or exponent not in (1, 2, 3, 4, -2, *roots):
        layer.refuse(f"exponent {exponent!r}", "exponent -2, -1, -0.5, 0.5, 1, 2, 3 or 4")
    x = layer.runtime(input)
    if exponent == 1:
        return x
    if exponent in roots:
        return layer.unary(roots[exponent], x)
    squared = layer.pointwise("mul", x, x, part="" if exponent == 2 else "square")
    if exponent == 2:
        return squared
    if exponent == -2:
        return layer.unary("recip", squared)
    return layer.pointwise("mul", squared, x if exponent == 3 else squared)


def rpower(layer: Layer, input: Value, other: Any) -> Value:
    """`other ** input`."""
    return power(layer, other, input)


def square(layer: Layer, input: Value) -> Value:
    """`input input`."""
    return power(layer, input, 2)


def absolute(layer: Layer, input: Value) -> Value:
    """The larger of a value and its negative."""
    x = layer.runtime(input)
    return layer.pointwise("max", x, layer.pointwise("mul", x, -1, part="neg"))


def clamp(layer: Layer, input: Value, min: Any = None, max: Any = None) -> Value:
    """Torch, too, gives the upper bound if they cross."""
    low, high = _bound(min), _bound(max)
    if all(bound is None or isinstance(bound, (int, float)) for bound in (low, high)):
        return layer.clamp(input, low, high)
    x = layer.runtime(input)
    for op, bound, part in (("max", low, "" if high is None else "min"), ("min", high, "")):
        if bound is not None:
            x = layer.pointwise(op, x, bound, part=part)
    return x


def _bound(bound: Any) -> Any:
    return float(bound) if isinstance(bound, Tensor) and bound.numel() == 1 and bound.dim() == 0 else bound


def clamp_min(layer: Layer, input: Value, min: Any) -> Value:
    """Lower bound only."""
    return clamp(layer, input, min, None)


def clamp_max(layer: Layer, input: Value, max: Any) -> Value:
    """Upper bound only."""
    return clamp(layer, input, None, max)


def in_place(layer: Layer, inplace: bool) -> None:
    """Refuses what changes its operand."""
    if inplace:
        layer.refuse("inplace=True", "inplace=False")


def relu(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """At least 0."""
    in_place(layer, inplace)
    return layer.clamp(input, 0, None)


def relu6(layer: Layer, input: Value, inplace: bool = False) -> Value:
    """From 0 to 6."""
    in_place(layer, inplace)
    return layer.clamp(input, 0, 6)


def hardtanh(layer: Layer, input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Value:
    """Between two bounds."""
    in_place(layer, inplace)
    return layer.clamp(input, min_val, max_val)


def threshold(layer: Layer, input: Value, threshold: float, value: float, inplace: bool = False) -> Value:
    """`value` from the threshold down; a clamp where both are the same."""
    in_place(layer, inplace)
    if threshold == value:
        return layer.clamp(input, threshold, None)
    x = layer.runtime(input)
    return layer.select(layer.pointwise("gt", x, threshold, part="above"), x, value)


def leaky_relu(layer: Layer, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    """The larger of a value and its multiple; the smaller for slopes above 1."""
    in_place(layer, inplace)
    x = layer.runtime(input)
    if 0 <= negative_slope <= 1:
        return layer.pointwise("max", x, layer.pointwise("mul", x, float(negative_slope), part="slope"))
    return _two_slopes(layer, x, float(negative_slope))


def _two_slopes(layer: Layer, x: Runtime, slope: Any) -> Value:
    below = layer.pointwise("mul", layer.clamp(x, None, 0, part="below"), slope, part="slope")
    return layer.pointwise("add", layer.clamp(x, 0, None, part="above"), below)


def prelu(layer: Layer, input: Value, weight: Any) -> Value:
    """Below 0 times a constant per channel, the second axis."""
    slope = layer.constant(weight, "a weight")
    if slope.numel() > 1 and len(input.shape) > 1:
        slope = slope.reshape(-1, *[1] * (len(input.shape) - 2))
    return _two_slopes(layer, layer.runtime(input), slope)


def prelu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.PReLU`."""
    return prelu(layer, input, module.weight)


def zeros_like(layer: Layer, input: Value, dtype: Any = None, device: Any = None, layout: Any = None) -> Tensor:
    """A constant of the operand's shape."""
    return torch.zeros(layer.result_shape)


def ones_like(layer: Layer, input: Value, dtype: Any = None, device: Any = None, layout: Any = None) -> Tensor:
    """A constant of the operand's shape."""
    return torch.ones(layer.result_shape)


def full_like(
    layer: Layer, input: Value, fill_value: Any, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """A constant of the operand's shape."""
    return torch.full(layer.result_shape, float(layer.constant(torch.as_tensor(fill_value), "a value")))


def new_zeros(layer: Layer, input: Value, *size: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A constant."""
    return torch.zeros(layer.result_shape)


def new_ones(layer: Layer, input: Value, *size: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A constant."""
    return torch.ones(layer.result_shape)


def new_full(layer: Layer, input: Value, size: Any, fill_value: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A constant."""
    return full_like(layer, input, fill_value)


def relu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.ReLU`."""
    return relu(layer, input, module.inplace)


def relu6_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.ReLU6`."""
    return relu6(layer, input, module.inplace)


def hardtanh_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Hardtanh`."""
    return hardtanh(layer, input, module.min_val, module.max_val, module.inplace)


def threshold_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Threshold`."""
    return threshold(layer, input, module.threshold, module.value, module.inplace)


def leaky_relu_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.LeakyReLU`."""
    return leaky_relu(layer, input, module.negative_slope, module.inplace)
