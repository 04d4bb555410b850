"""One traced operation as the function that lowers it sees it: its operands, and NNIR to write it in.

| value      | is                                                                       |
|------------|--------------------------------------------------------------------------|
| `Runtime`  | a node of the NNIR graph, depends on an input                            |
| `Tensor`   | a constant                                                               |
| `Padded`   | a run-time value with constants around it, not written yet               |
| `Overhang` | a convolution's steps beyond the input's last; gone once they are cut    |
| anything else | itself; tuples and lists of the above for results of several tensors  |

Contract. What an operation writes last carries its layer's name, parts before it `<layer>.<part>`. After an operation
that failed lowering goes on with a value of the right shape, so that one run finds everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor, fx

from vollo_torch.fx.nnir.report import Report, Stop


class Builder(Protocol):
    """The part of `vollo_compiler._native.GraphBuilder` used here."""

    def input(self, name: str, shape: Sequence[int]) -> int: ...
    def constant(self, name: str, array: Any) -> int: ...
    def linear(self, name: str, x: int, weight: Any, bias: Any = None) -> int: ...
    def clamp(self, name: str, x: int, min: float, max: float) -> int: ...
    def pointwise(self, name: str, op: str, a: int, b: int) -> int: ...
    def conv1d(self, name: str, x: int, weight: Any, bias: Any = None, dilation: int = 1, groups: int = 1) -> int: ...
    def concat(self, name: str, xs: Sequence[int], axis: int) -> int: ...
    def slice(self, name: str, x: int, axis: int, start: int, end: int) -> int: ...
    def reshape(self, name: str, x: int, shape: Sequence[int]) -> int: ...
    def shape(self, id: int) -> Sequence[int]: ...


@dataclass(frozen=True)
class Runtime:
    """A node of the graph."""

    id: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Padded:
    """`x` with `left` and `right` times `value` around its last axis."""

    x: Runtime
    left: int
    right: int
    value: float

    @property
    def shape(self) -> tuple[int, ...]:
        """With the padding."""
        return (*self.x.shape[:-1], self.left + self.x.shape[-1] + self.right)


@dataclass(frozen=True)
class Overhang:
    """The causal part of a convolution padded on both sides; `extra` steps follow that no causal network can give."""

    x: Runtime
    extra: int
    layer: Layer
    attribute: str
    nearest: str

    @property
    def shape(self) -> tuple[int, ...]:
        """With the extra steps."""
        return (*self.x.shape[:-1], self.x.shape[-1] + self.extra)


Value: TypeAlias = Runtime | Tensor | Padded | Overhang
Number: TypeAlias = int | float


class Graph:
    """What all layers of one model share."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.report = Report()
        self.first_error: Exception | None = None
        self.folded_norms: dict[fx.Node, fx.Node] = {}
        self._constants: dict[int, tuple[Tensor, int]] = {}
        self._padding: dict[int, Runtime] = {}

    def constant(self, name: str, value: Tensor) -> int:
        """The node of a constant, one per tensor."""
        known = self._constants.get(id(value))
        if known is None:
            # Keeps the tensor alive, so that its id stays its own.
            known = (value, self.builder.constant(name, array(value)))
            self._constants[id(value)] = known
        return known[1]

    def unknown(self, meta: Any) -> Any:
        """In place of the result of a layer that failed."""
        if hasattr(meta, "shape"):
            shape = tuple(meta.shape)
            return Runtime(self.builder.input("unknown", shape), shape)
        if isinstance(meta, (tuple, list)):
            return tuple(self.unknown(part) for part in meta)
        return meta


class Layer:
    """One operation."""

    def __init__(self, graph: Graph, node: fx.Node, operation: str) -> None:
        self.graph = graph
        self.node = node
        self.operation = operation
        self.name: str = node.meta.get("vollo_layer", node.name)

    @property
    def result_shape(self) -> tuple[int, ...]:
        """Shape of the result, as torch computed it."""
        return tuple(self.node.meta["tensor_meta"].shape)

    def unsupported(self, attribute: str = "", nearest: str = "") -> Stop:
        """Records a form; raise what this returns, or go on looking for more."""
        self.graph.report.add(self.operation, attribute, nearest, self.name)
        return Stop()

    def refuse(self, attribute: str = "", nearest: str = "") -> NoReturn:
        """Records a form and stops."""
        raise self.unsupported(attribute, nearest)

    def stop(self) -> NoReturn:
        """Stops after forms were recorded."""
        raise Stop

    # Operands.

    def runtime(self, value: Any) -> Runtime:
        """An operand as a node of the graph."""
        if isinstance(value, Runtime):
            return value
        if isinstance(value, Padded):
            return self._written(value)
        if isinstance(value, Overhang):
            raise value.layer.unsupported(value.attribute, value.nearest)
        if isinstance(value, Tensor):
            return Runtime(self._call(self.graph.constant, f"{self.name}.constant", value), tuple(value.shape))
        if isinstance(value, (bool, int, float)):
            return self.runtime(torch.tensor(float(value)))
        self.refuse(f"an operand of type {type(value).__name__}", "a float32 tensor or a number")

    def constant(self, value: Any, what: str) -> Tensor:
        """An operand that must be known now."""
        if not isinstance(value, Tensor):
            self.refuse(f"{what} computed at run time", "a constant")
        return value

    def _written(self, value: Padded) -> Runtime:
        known = self.graph._padding.get(id(value))
        if known is None:
            sides = [
                torch.full((*value.x.shape[:-1], n), value.value) if n else None for n in (value.left, value.right)
            ]
            parts = [p for p in (sides[0], value.x, sides[1]) if p is not None]
            known = self.concat(parts, len(value.shape) - 1, part="padded")
            self.graph._padding[id(value)] = known
        return known

    # NNIR.

    def _call(self, method: Callable[..., int], *args: Any) -> int:
        try:
            return method(*args)
        except Exception as error:
            if self.graph.first_error is None:
                self.graph.first_error = error
            raise Stop from error

    def _emit(self, part: str, method: Callable[..., int], *args: Any) -> Runtime:
        id = self._call(method, f"{self.name}.{part}" if part else self.name, *args)
        return Runtime(id, tuple(self.graph.builder.shape(id)))

    def linear(self, x: Value, weight: Tensor, bias: Tensor | None = None, part: str = "") -> Runtime:
        """`x W^T + b`, `weight` `[out, in]`."""
        bias_array = None if bias is None else array(bias)
        return self._emit(part, self.graph.builder.linear, self.runtime(x).id, array(weight), bias_array)

    def conv1d(
        self, x: Value, weight: Tensor, bias: Tensor | None = None, dilation: int = 1, groups: int = 1, part: str = ""
    ) -> Runtime:
        """Causal, `weight` `[out, in / groups, taps]`."""
        bias_array = None if bias is None else array(bias)
        return self._emit(
            part, self.graph.builder.conv1d, self.runtime(x).id, array(weight), bias_array, dilation, groups
        )

    def clamp(self, x: Value, low: Number | None, high: Number | None, part: str = "") -> Runtime:
        """`min(max(x, low), high)`; absent bounds are open."""
        bounds = (-math.inf if low is None else float(low), math.inf if high is None else float(high))
        return self._emit(part, self.graph.builder.clamp, self.runtime(x).id, *bounds)

    def pointwise(self, op: str, a: Value | Number, b: Value | Number, part: str = "") -> Runtime:
        """`add sub mul max min`, broadcast as numpy does."""
        return self._emit(part, self.graph.builder.pointwise, op, self.runtime(a).id, self.runtime(b).id)

    def concat(self, xs: Sequence[Value], axis: int, part: str = "") -> Runtime:
        """One operand is itself."""
        if len(xs) == 1:
            return self.runtime(xs[0])
        return self._emit(part, self.graph.builder.concat, [self.runtime(x).id for x in xs], axis)

    def slice(self, x: Value, axis: int, start: int, end: int, part: str = "") -> Runtime:
        """`start..end` of an axis; all of it is the operand itself."""
        value = self.runtime(x)
        if (start, end) == (0, value.shape[axis]):
            return value
        return self._emit(part, self.graph.builder.slice, value.id, axis, start, end)

    def reshape(self, x: Value, shape: Sequence[int], part: str = "") -> Runtime:
        """The same shape is the operand itself."""
        value = self.runtime(x)
        if value.shape == tuple(shape):
            return value
        return self._emit(part, self.graph.builder.reshape, value.id, list(shape))


def array(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A constant as the compiler takes it: float32, contiguous."""
    return np.ascontiguousarray(tensor.detach().to(device="cpu", dtype=torch.float32).numpy())
