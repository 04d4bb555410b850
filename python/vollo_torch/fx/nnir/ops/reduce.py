"""Many values to one along axes: sums, means, extremes, and what is made of them.

| form                        | becomes                                     |
|-----------------------------|---------------------------------------------|
| `sum mean amax amin`        | a reduction                                 |
| `max min` of an axis        | the same; their indices are refused         |
| `var std`                   | the mean of squared differences             |
| `logsumexp`                 | `max + log(sum(exp(x - max)))`              |
| `norm`                      | `sum` of absolute values, root of `sum` of squares |

Over all axes the result is a tensor without axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from vollo_torch.fx.nnir.layer import Absent, Layer, Number, Runtime, Value
from vollo_torch.fx.nnir.ops.elementwise import maximum, minimum


def axes_of(input: Value, dim: Any) -> list[int]:
    """The axes of an argument `dim`: a number, several, or all."""
    rank = len(input.shape)
    if not rank:
        return []
    axes = [dim] if isinstance(dim, int) else list(range(rank)) if dim is None or len(dim) == 0 else list(dim)
    return sorted(axis % rank for axis in axes)


def reduction(op: str) -> Callable[..., Value]:
    """The lowering of `sum` or `mean`."""

    def lower(layer: Layer, input: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
        return layer.reduce(op, input, axes_of(input, dim), keepdim)

    lower.__doc__ = f"`{op}`."
    return lower


def amax(layer: Layer, input: Value, dim: Any = None, keepdim: bool = False) -> Value:
    """The largest."""
    return layer.reduce("max", input, axes_of(input, dim), keepdim)


def amin(layer: Layer, input: Value, dim: Any = None, keepdim: bool = False) -> Value:
    """The smallest."""
    return layer.reduce("min", input, axes_of(input, dim), keepdim)


def maximum_of(layer: Layer, input: Value, other: Any = None, keepdim: Any = False, dim: Any = None) -> Any:
    """`torch.max` of two tensors, or of an axis."""
    return _of_two_or_axis(layer, "max", maximum, input, other, keepdim, dim)


def minimum_of(layer: Layer, input: Value, other: Any = None, keepdim: Any = False, dim: Any = None) -> Any:
    """`torch.min` of two tensors, or of an axis."""
    return _of_two_or_axis(layer, "min", minimum, input, other, keepdim, dim)


def _of_two_or_axis(
    layer: Layer, op: str, of_two: Callable[..., Value], input: Value, other: Any, keepdim: bool, dim: Any
) -> Any:
    axis = other if isinstance(other, int) else dim
    if other is not None and axis is None:
        return of_two(layer, input, other)
    value = layer.reduce(op, input, axes_of(input, axis), keepdim)
    if axis is None:
        return value
    return value, Absent(value.shape, layer, "the indices of its results", "its values")


def variance(
    layer: Layer,
    input: Value,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    correction: Number | None = None,
) -> Value:
    """The mean of squared differences from the mean, over n - correction."""
    return _variance(layer, input, dim, unbiased, keepdim, correction, "")


def deviation(
    layer: Layer,
    input: Value,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    correction: Number | None = None,
) -> Value:
    """The root of the variance."""
    return layer.unary("sqrt", _variance(layer, input, dim, unbiased, keepdim, correction, "var"))


def _variance(
    layer: Layer, input: Value, dim: Any, unbiased: bool, keepdim: bool, correction: Number | None, part: str
) -> Runtime:
    if isinstance(dim, bool):
        # var(x, unbiased), all axes.
        dim, unbiased = None, dim
    x = layer.runtime(input)
    axes = axes_of(x, dim)
    count = math.prod(x.shape[axis] for axis in axes)
    divisor = count - (correction if correction is not None else int(unbiased))
    if divisor <= 0:
        layer.refuse(f"{count} values", "unbiased=False, or more values")
    _, squares = centred(layer, x, axes, keepdim, part if divisor == count else "squares")
    return squares if divisor == count else layer.pointwise("mul", squares, count / divisor, part=part)


def centred(layer: Layer, x: Runtime, axes: Sequence[int], keep: bool, part: str) -> tuple[Runtime, Runtime]:
    """Differences from the mean, and the mean of their squares."""
    mean = layer.reduce("mean", x, axes, True, part="mean")
    difference = layer.pointwise("sub", x, mean, part="centred")
    square = layer.pointwise("mul", difference, difference, part="square")
    return difference, layer.reduce("mean", square, axes, keep, part=part)


def logsumexp(layer: Layer, input: Value, dim: Any, keepdim: bool = False) -> Value:
    """`log(sum(exp(x)))`, with the largest taken out."""
    x = layer.runtime(input)
    axes = axes_of(x, dim)
    largest = layer.reduce("max", x, axes, True, part="max")
    powers = layer.unary("exp", layer.pointwise("sub", x, largest, part="shifted"), part="exp")
    total = layer.unary("log", layer.reduce("sum", powers, axes, True, part="sum"), part="log")
    result = layer.pointwise("add", total, largest, part="" if keepdim else "kept")
    return layer.reshape(result, layer.result_shape)


def norm(
    layer: Layer, input: Value, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Value:
    """The sum of absolute values, the root of the sum of squares, or the largest absolute value."""
    kinds = {"fro": 2, None: 2, 1: 1, 2: 2, math.inf: math.inf}
    if isinstance(p, (list, tuple)) or p not in kinds:
        layer.refuse(f"p={p!r}", "p=1, p=2 or p=inf")
    x = layer.runtime(input)
    axes = axes_of(x, dim)
    if kinds[p] == 2:
        square = layer.pointwise("mul", x, x, part="square")
        return layer.unary("sqrt", layer.reduce("sum", square, axes, keepdim, part="sum"))
    size = layer.pointwise("max", x, layer.pointwise("mul", x, -1, part="neg"), part="abs")
    return layer.reduce("sum" if kinds[p] == 1 else "max", size, axes, keepdim)


def vector_norm(
    layer: Layer, x: Value, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Value:
    """`torch.linalg.vector_norm`."""
    return norm(layer, x, ord, dim, keepdim)


def normalize(layer: Layer, input: Value, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Value:
    """Divided by the norm along one axis, at least `eps`."""
    x = layer.runtime(input)
    if p not in (1, 2):
        layer.refuse(f"p={p!r}", "p=1 or p=2")
    if p == 2:
        square = layer.pointwise("mul", x, x, part="square")
        size = layer.unary("sqrt", layer.reduce("sum", square, [dim % len(x.shape)], True, part="sum"), part="norm")
    else:
        positive = layer.pointwise("max", x, layer.pointwise("mul", x, -1, part="neg"), part="abs")
        size = layer.reduce("sum", positive, [dim % len(x.shape)], True, part="norm")
    return layer.pointwise("div", x, layer.clamp(size, eps, None, part="bound"))
