"""The operations a model may use: one row each, with the function that lowers it.

Contract. The table is the only list there is. A row names its torch forms as text, so that forms a torch version
lacks are just not there; an argument that the lowering function does not take, or an attribute of a module that its
row does not name and that is not at its default, is reported as unsupported. `page` is `docs/torch.md`; a test holds
one to the other.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

import vollo_torch.nn
from vollo_torch.fx.nnir.layer import Layer
from vollo_torch.fx.nnir.report import Stop

Lower = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """One row: forms that mean the same."""

    name: str
    restriction: str
    nnir: str
    lower: Lower
    functions: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    attribute: str = ""

    @property
    def arguments(self) -> list[str]:
        """Arguments it may have, without the operands that the name implies."""
        parameters = list(inspect.signature(self.lower).parameters.values())[1:]
        return [("*" if p.kind is p.VAR_POSITIONAL else "") + p.name for p in parameters]


@dataclass(frozen=True)
class Module:
    """One row: module classes that mean the same."""

    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    restriction: str
    nnir: str
    lower: Lower


_ROOTS = {"torch": torch, "operator": operator, "F": torch.nn.functional, "nn": torch.nn, "vollo": vollo_torch.nn}


def resolve(name: str) -> Any:
    """The object of a name such as `F.relu`; `None` where this torch has none."""
    root, *path = name.split(".")
    value: Any = _ROOTS[root]
    for part in path:
        value = getattr(value, part, None)
    return value


def operations() -> tuple[Operation, ...]:
    """Every row of functions and methods, by name."""
    from vollo_torch.fx.nnir.ops import OPERATIONS

    return OPERATIONS


def modules() -> tuple[Module, ...]:
    """Every row of modules, by name."""
    from vollo_torch.fx.nnir.ops import MODULES

    return MODULES


@cache
def _functions() -> list[tuple[Any, Operation]]:
    return [(f, row) for row in operations() for f in map(resolve, row.functions) if f is not None]


@cache
def _by_function() -> dict[Any, Operation]:
    return dict(_functions())


@cache
def _by_method() -> dict[str, Operation]:
    return {method: row for row in operations() for method in row.methods}


@cache
def _by_attribute() -> dict[str, Operation]:
    return {row.attribute: row for row in operations() if row.attribute}


@cache
def _by_class() -> dict[type, Module]:
    return {c: row for row in modules() for c in map(resolve, row.classes) if c is not None}


def find_function(target: Any) -> Operation | None:
    """The row of a function."""
    return _by_function().get(target)


def find_method(name: str) -> Operation | None:
    """The row of a method of tensors."""
    return _by_method().get(name)


def find_attribute(name: str) -> Operation | None:
    """The row of an attribute of tensors."""
    return _by_attribute().get(name)


def find_module(module: torch.nn.Module) -> Module | None:
    """The row of a module; subclasses mean something else."""
    return _by_class().get(type(module))


def call(layer: Layer, lower: Lower, args: tuple[Any, ...], kwargs: dict[str, Any], *fixed: Any) -> Any:
    """Calls a lowering function; arguments it does not take are reported."""
    signature = inspect.signature(lower)
    names = list(signature.parameters)[1 + len(fixed) :]
    strange = [(name, value) for name, value in kwargs.items() if name not in names and value is not None]
    for name, value in strange:
        if name == "out":
            layer.unsupported("out=", "y = op(x), the result as a value")
        else:
            layer.unsupported(f"{name}={value!r}", "without it")
    if strange:
        raise Stop
    try:
        bound = signature.bind(layer, *fixed, *args, **{k: v for k, v in kwargs.items() if k in names})
    except TypeError:
        layer.refuse(f"{len(args)} positional arguments", f"arguments {', '.join(names)}")
    return lower(*bound.args, **bound.kwargs)


def call_module(
    layer: Layer, row: Module, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Calls the lowering function of a module; attributes its row does not name must be at their defaults."""
    strange = False
    for name, parameter in inspect.signature(type(module).__init__).parameters.items():
        if name in ("self", "device", "dtype", *row.attributes) or not hasattr(module, name):
            continue
        value = getattr(module, name)
        if not (value is parameter.default or value == parameter.default):
            layer.unsupported(f"{name}={value!r}", f"{name}={parameter.default!r}")
            strange = True
    if strange:
        raise Stop
    return call(layer, row.lower, args, kwargs, module)
