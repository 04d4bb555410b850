"""What is known of results of operations, and walks over nested ones."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.fx.passes.shape_prop import TensorMetadata, _extract_tensor_metadata

INPLACE_OPERATORS = (
    "iadd",
    "isub",
    "imul",
    "itruediv",
    "ifloordiv",
    "imod",
    "ipow",
    "imatmul",
    "iand",
    "ior",
    "ixor",
    "ilshift",
    "irshift",
)
"""Functions of `operator` that change their first operand."""

_INPLACE_FUNCTIONS = frozenset([operator.setitem, operator.delitem, *(getattr(operator, n) for n in INPLACE_OPERATORS)])


def is_in_place(kind: str, target: Any) -> bool:
    """Whether an operation changes its first operand."""
    if kind not in ("call_function", "call_method"):
        return False
    if kind == "call_function" and target in _INPLACE_FUNCTIONS:
        return True
    name = target if isinstance(target, str) else getattr(target, "__name__", "")
    if name in ("and_", "or_", "not_", "is_"):
        # Words of the language, with an underscore for that.
        return False
    dunder = name.startswith("__")
    return (
        name in ("__setitem__", "__delitem__")
        or name.strip("_") in INPLACE_OPERATORS
        or (name.endswith("_") and not dunder)
    )


def map_values(value: Any, change: Callable[[Any], Any], kind: type) -> Any:
    """The same structure of tuples, lists, dictionaries and slices, every instance of `kind` changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, tuple):
        parts = [map_values(v, change, kind) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, list):
        return [map_values(v, change, kind) for v in value]
    if isinstance(value, dict):
        return {k: map_values(v, change, kind) for k, v in value.items()}
    if isinstance(value, slice):
        return slice(*(map_values(v, change, kind) for v in (value.start, value.stop, value.step)))
    return value


def holds_tensor(value: Any) -> bool:
    """Whether a structure has a tensor in it."""
    if isinstance(value, (tuple, list)):
        return any(holds_tensor(v) for v in value)
    if isinstance(value, dict):
        return any(holds_tensor(v) for v in value.values())
    return isinstance(value, Tensor)


def tensor_meta(value: Any) -> Any:
    """`TensorMetadata` of every tensor in a structure."""
    return map_values(value, _extract_tensor_metadata, Tensor)


__all__ = ["INPLACE_OPERATORS", "TensorMetadata", "holds_tensor", "is_in_place", "map_values", "tensor_meta"]
