"""Operations that pass their operand on."""

from __future__ import annotations

from typing import Any

import torch

from vollo_torch.fx.nnir.layer import Layer, Truth, Value
from vollo_torch.fx.nnir.ops.elementwise import in_place


def _numbers(layer: Layer, value: Value) -> Value:
    """A condition that torch makes float32 is its numbers."""
    return value.x if isinstance(value, Truth) and layer.node.meta["tensor_meta"].dtype == torch.float32 else value


def same(layer: Layer, input: Value, memory_format: Any = None) -> Value:
    """The operand; the type of the result is checked for every operation."""
    return _numbers(layer, input)


def same_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Identity`."""
    return input


def converted(
    layer: Layer,
    input: Value,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    other: Any = None,
    non_blocking: Any = None,
    copy: Any = None,
    memory_format: Any = None,
) -> Value:
    """`to`: to float32, on any device."""
    return _numbers(layer, input)


def dropout(layer: Layer, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    """Nothing outside of training."""
    in_place(layer, inplace)
    if training and p > 0:
        layer.refuse("training=True", "training=False, e.g. training=self.training after model.eval()")
    return input


def dropout_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Dropout` and its relatives."""
    in_place(layer, module.inplace)
    if module.training and module.p > 0:
        layer.refuse("training mode", "model.eval()")
    return input
