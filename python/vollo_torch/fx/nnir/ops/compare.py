"""Conditions: comparisons, what joins them, and what reads them.

A condition is a tensor of 1 and 0. In torch it has type bool, so operations that are not listed here refuse it;
arithmetic with a float32 tensor takes it as a number, as torch does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vollo_torch.fx.nnir.layer import Layer, Number, Truth, Value


def comparison(op: str) -> Callable[..., Value]:
    """The lowering of a comparison."""

    def lower(layer: Layer, input: Value | Number, other: Value | Number) -> Value:
        return Truth(layer.pointwise(op, input, other))

    lower.__doc__ = f"`{op}`: 1 or 0."
    return lower


def _condition(layer: Layer, value: Any) -> Value:
    """A condition: a run-time one, or a constant of type bool as numbers."""
    if isinstance(value, Truth):
        return value
    if isinstance(value, Tensor) and value.dtype == torch.bool:
        return value.float()
    if isinstance(value, bool):
        return torch.tensor(float(value))
    return layer.refuse("a condition that is no comparison", "a comparison such as x > 0, or a constant of type bool")


def logical_and(layer: Layer, input: Value, other: Value) -> Value:
    """Both."""
    return Truth(layer.pointwise("mul", _condition(layer, input), _condition(layer, other)))


def logical_or(layer: Layer, input: Value, other: Value) -> Value:
    """At least one."""
    return Truth(layer.pointwise("max", _condition(layer, input), _condition(layer, other)))


def logical_xor(layer: Layer, input: Value, other: Value) -> Value:
    """Exactly one."""
    return Truth(layer.pointwise("ne", _condition(layer, input), _condition(layer, other)))


def logical_not(layer: Layer, input: Value) -> Value:
    """Not."""
    return Truth(layer.pointwise("eq", _condition(layer, input), 0))


def where(layer: Layer, condition: Any, input: Any = None, other: Any = None) -> Value:
    """`input` where the condition holds, else `other`."""
    if input is None or other is None:
        layer.refuse("a condition alone, which gives indices", "where(condition, a, b)")
    return layer.select(_condition(layer, condition), input, other)


def where_method(layer: Layer, input: Any, condition: Any, other: Any) -> Value:
    """`x.where(condition, other)`."""
    return where(layer, condition, input, other)


def masked_fill(layer: Layer, input: Value, mask: Any, value: Any) -> Value:
    """`value` where the mask holds."""
    return layer.select(_condition(layer, mask), value, input)


def sign(layer: Layer, input: Value) -> Value:
    """-1, 0 or 1."""
    x = layer.runtime(input)
    above = layer.pointwise("gt", x, 0, part="above")
    return layer.pointwise("sub", above, layer.pointwise("lt", x, 0, part="below"))
