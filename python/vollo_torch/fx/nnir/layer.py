"""One traced operation as the function that lowers it sees it: its operands, and NNIR to write it in.

| value      | is                                                                       |
|------------|--------------------------------------------------------------------------|
| `Runtime`  | a node of the NNIR graph, depends on an input; without axes it is a node of shape `[1]` |
| `Tensor`   | a constant                                                               |
| `Padded`   | a run-time value with constants around it, not written yet               |
| `Overhang` | a convolution's steps beyond the input's last; not written if they are cut |
| `Truth`    | a run-time condition, 1 or 0                                             |
| `Later`    | a result that is written when somebody reads it                          |
| `Absent`   | a result the machine cannot give; refused when somebody reads it         |
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
from vollo_compiler import NumberFormat

from vollo_torch.fx.nnir.fp8 import stores_fp8
from vollo_torch.fx.nnir.packing import agreeing
from vollo_torch.fx.nnir.report import Report, Stop


class Builder(Protocol):
    """The part of `vollo_compiler._native.GraphBuilder` used here."""

    def input(self, name: str, shape: Sequence[int]) -> int: ...
    def constant(self, name: str, array: Any) -> int: ...
    def linear(self, name: str, x: int, weight: Any, bias: Any = None) -> int: ...
    def linear_sum(self, name: str, xs: Sequence[int], weights: Sequence[Any], bias: Any = None) -> int: ...
    def unary(self, name: str, op: str, x: int) -> int: ...
    def reduce(self, name: str, op: str, x: int, axes: Sequence[int], keep: bool) -> int: ...
    def transpose(self, name: str, x: int, perm: Sequence[int]) -> int: ...
    def index_select(self, name: str, x: int, axis: int, indices: Sequence[int]) -> int: ...
    def expand(self, name: str, x: int, shape: Sequence[int]) -> int: ...
    def softmax(self, name: str, x: int, axis: int) -> int: ...
    def log_softmax(self, name: str, x: int, axis: int) -> int: ...
    def layer_norm(self, name: str, x: int, axes: int, weight: Any, bias: Any, eps: float) -> int: ...
    def rms_norm(self, name: str, x: int, axes: int, weight: Any, eps: float) -> int: ...
    def max_pool1d(self, name: str, x: int, axis: int, kernel: int, stride: int = 1, dilation: int = 1) -> int: ...
    def state(self, name: str, init: Any) -> int: ...
    def update(self, state: int, value: int) -> None: ...
    def scan(self, name: str, body: Any, axis: int, xs: Sequence[int], reverse: bool = False) -> list[int]: ...
    def data_dim(self, id: int) -> int | None: ...
    def precision(self, format: NumberFormat) -> None: ...
    def precision_of(self, id: int) -> NumberFormat: ...
    def set_precision(self, id: int, format: NumberFormat) -> bool: ...
    def clamp(self, name: str, x: int, min: float, max: float) -> int: ...
    def pointwise(self, name: str, op: str, a: int, b: int) -> int: ...
    def conv1d(self, name: str, x: int, weight: Any, bias: Any = None, dilation: int = 1, groups: int = 1) -> int: ...
    def concat(self, name: str, xs: Sequence[int], axis: int) -> int: ...
    def slice(self, name: str, x: int, axis: int, start: int, end: int) -> int: ...
    def reshape(self, name: str, x: int, shape: Sequence[int]) -> int: ...
    def shape(self, id: int) -> Sequence[int]: ...
    def pack(self, id: int, axis: int) -> None: ...
    def output(self, id: int) -> None: ...
    def fp8_weights(self, on: bool) -> None: ...


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
    """The causal part of a convolution padded on both sides; `extra` steps follow that `whole` writes, too."""

    x: Runtime
    extra: int
    whole: Callable[[], Runtime]

    @property
    def shape(self) -> tuple[int, ...]:
        """With the extra steps."""
        return (*self.x.shape[:-1], self.x.shape[-1] + self.extra)


@dataclass(frozen=True)
class Truth:
    """A condition computed at run time: 1 where it holds, else 0."""

    x: Runtime

    @property
    def shape(self) -> tuple[int, ...]:
        """As of any tensor."""
        return self.x.shape


@dataclass(frozen=True)
class Later:
    """What `write` gives, asked for at most once."""

    shape: tuple[int, ...]
    write: Callable[[], Runtime]


@dataclass(frozen=True)
class Absent:
    """A result of a layer that lowers but for this."""

    shape: tuple[int, ...]
    layer: Layer
    attribute: str
    nearest: str


_WIDE_METHODS = frozenset(["clamp", "concat", "expand", "index_select", "max_pool1d", "reshape", "slice", "transpose"])
_WIDE_OPERATIONS = {
    "pointwise": ("add", "sub", "mul", "max", "min", "keep", "drop"),
    "unary": ("exp", "exp2"),
}
"""What keeps fp32 inside `Fp32Activations`."""
_CONDITIONS = ("lt", "le", "gt", "ge", "eq", "ne")
"""1 or 0: exact in bf16."""
_NARROW_LAYERS = frozenset(
    ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell", "RecurrentStateLSTM", "LayerNorm", "layer_norm"]
    + ["RMSNorm", "rms_norm"]
)
"""Layers that stay bf16 as a whole, states included."""

Value: TypeAlias = Runtime | Tensor | Padded | Overhang | Truth | Later | Absent
KINDS = (Runtime, Padded, Overhang, Truth, Later, Absent)
"""Values that depend on an input."""
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
        self._later: dict[int, tuple[Value, Runtime]] = {}
        self.turned: dict[int, tuple[Runtime, tuple[int, ...]]] = {}
        """Transposed values: of what, and how."""
        self.narrow: dict[str, str] = {}
        """Layers that were asked for in fp32 and compute in bf16: their operations."""
        self.stream_only: list[str] = []
        """Layers that mean what they should only where an inference is a step."""
        self.cells: dict[str, tuple[Runtime, Runtime]] = {}
        """Modules with a state of their own: the state, and what it has become so far."""

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
            stand_in = Runtime(self.builder.input("unknown", shape), shape)
            return Truth(stand_in) if meta.dtype == torch.bool else stand_in
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
        if isinstance(value, Absent):
            raise value.layer.unsupported(value.attribute, value.nearest)
        if isinstance(value, Truth):
            return value.x
        if isinstance(value, (Later, Overhang)):
            # Keeps the value alive, so that its id stays its own.
            known = self.graph._later.get(id(value))
            known = known or (value, value.write() if isinstance(value, Later) else value.whole())
            self.graph._later[id(value)] = known
            return known[1]
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

    def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            return method(*args)
        except Exception as error:
            if self.graph.first_error is None:
                self.graph.first_error = error
            raise Stop from error

    @property
    def wide(self) -> bool:
        """Its values are kept in fp32 where the machine can."""
        return bool(self.node.meta.get("vollo_fp32_activations"))

    def _precision(self, method: str, args: tuple[Any, ...]) -> NumberFormat:
        """In which format the result of a builder's method is kept."""
        if not self.wide:
            return NumberFormat.BF16
        operation = args[0] if method in _WIDE_OPERATIONS else None
        if operation in _CONDITIONS:
            return NumberFormat.BF16
        known = method in _WIDE_METHODS or operation in _WIDE_OPERATIONS.get(method, ())
        if known and self.operation not in _NARROW_LAYERS:
            return NumberFormat.FP32
        # The layer of the model, where this is its step.
        self.graph.narrow[self.node.meta.get("vollo_layer", self.name)] = self.operation
        return NumberFormat.BF16

    def _emit(self, part: str, method: Callable[..., int], *args: Any) -> Runtime:
        # A state's format is known when what it becomes is.
        narrow = method.__name__ == "state"
        self.graph.builder.precision(NumberFormat.BF16 if narrow else self._precision(method.__name__, args))
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

    def linear_sum(
        self, xs: Sequence[Value], weights: Sequence[Tensor], bias: Tensor | None = None, part: str = ""
    ) -> Runtime:
        """The sum of products, each `weight` `[out, in]`."""
        bias_array = None if bias is None else array(bias)
        ids = [self.runtime(x).id for x in xs]
        return self._emit(part, self.graph.builder.linear_sum, ids, [array(w) for w in weights], bias_array)

    def unary(self, op: str, x: Value, part: str = "") -> Runtime:
        """`recip rsqrt sqrt exp exp2 log log2 tanh sigmoid silu gelu gelu_tanh softplus`."""
        return self._emit(part, self.graph.builder.unary, op, self.runtime(x).id)

    def reduce(self, op: str, x: Value, axes: Sequence[int], keep: bool, part: str = "") -> Runtime:
        """`sum mean max min`; no axes are the operand itself."""
        value = self.runtime(x)
        if not axes:
            return value
        if len(axes) == len(value.shape) and not keep:
            kept = self.reduce(op, value, axes, True, part=f"{part}.kept" if part else "kept")
            return self.reshape(kept, (), part=part)
        return self._emit(part, self.graph.builder.reduce, op, value.id, sorted(axes), keep)

    def transpose(self, x: Value, perm: Sequence[int], part: str = "") -> Runtime:
        """Axis i of the result is axis `perm[i]`; the same order is the operand itself."""
        value = self.runtime(x)
        if list(perm) == list(range(len(value.shape))):
            return value
        result = self._emit(part, self.graph.builder.transpose, value.id, list(perm))
        self.graph.turned[result.id] = (value, tuple(perm))
        return result

    def index_select(self, x: Value, axis: int, indices: Sequence[int], part: str = "") -> Runtime:
        """Chosen indices of an axis."""
        return self._emit(part, self.graph.builder.index_select, self.runtime(x).id, axis, list(indices))

    def expand(self, x: Value, shape: Sequence[int], part: str = "") -> Runtime:
        """Numpy's `broadcast_to`; the same shape is the operand itself."""
        value = self.runtime(x)
        if value.shape == tuple(shape):
            return value
        return self._emit(part, self.graph.builder.expand, value.id, list(shape))

    def softmax(self, x: Value, axis: int, part: str = "") -> Runtime:
        """`exp(x) / sum(exp(x))`."""
        return self._emit(part, self.graph.builder.softmax, self.runtime(x).id, axis)

    def log_softmax(self, x: Value, axis: int, part: str = "") -> Runtime:
        """`x - log(sum(exp(x)))`."""
        return self._emit(part, self.graph.builder.log_softmax, self.runtime(x).id, axis)

    def layer_norm(self, x: Value, axes: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Runtime:
        """Over the last `axes` axes, `weight` and `bias` of their shape."""
        arrays = [None if t is None else array(t) for t in (weight, bias)]
        return self._emit("", self.graph.builder.layer_norm, self.runtime(x).id, axes, *arrays, eps)

    def rms_norm(self, x: Value, axes: int, weight: Tensor | None, eps: float) -> Runtime:
        """Over the last `axes` axes, `weight` of their shape."""
        factor = None if weight is None else array(weight)
        return self._emit("", self.graph.builder.rms_norm, self.runtime(x).id, axes, factor, eps)

    def max_pool1d(self, x: Value, axis: int, kernel: int, stride: int, dilation: int) -> Runtime:
        """The largest value of every window."""
        return self._emit("", self.graph.builder.max_pool1d, self.runtime(x).id, axis, kernel, stride, dilation)

    def select(self, condition: Value, a: Value | Number, b: Value | Number, part: str = "") -> Runtime:
        """`a` where the condition is not 0, else `b`."""
        dotted = f"{part}." if part else ""
        chosen = self.pointwise("keep", a, condition, part=f"{dotted}yes")
        return self.pointwise("add", chosen, self.pointwise("drop", b, condition, part=f"{dotted}no"), part=part)

    def scan(
        self, body: Any, axis: int, xs: Sequence[Value], reverse: bool = False, part: str = "", wide: bool = False
    ) -> list[Runtime]:
        """A finished graph once per step; its outputs, stacked along the axis, in fp32 if they are `wide`."""
        name = f"{self.name}.{part}" if part else self.name
        operands = [self.runtime(x).id for x in xs]
        self.graph.builder.precision(NumberFormat.FP32 if wide else NumberFormat.BF16)
        ids: Any = self._call(self.graph.builder.scan, name, body, axis, operands, reverse)
        return [Runtime(id, tuple(self.graph.builder.shape(id))) for id in ids]

    def state(self, init: Tensor, part: str = "") -> Runtime:
        """A value carried from inference to inference, or from step to step of a scan."""
        return self._emit(part, self.graph.builder.state, array(init))

    def update(self, state: Value, value: Value) -> None:
        """What a state becomes."""
        self.update_all([self.runtime(state)], [self.runtime(value)])

    def update_all(self, states: Sequence[Runtime], values: Sequence[Runtime]) -> None:
        """What states become; one that becomes a value in fp32 is kept in fp32 itself."""
        builder = self.graph.builder
        pairs = [(state.id, value.id) for state, value in zip(states, values)]
        for _ in pairs:
            # A state may become another one.
            for state, value in pairs:
                if builder.precision_of(value) == NumberFormat.FP32:
                    builder.set_precision(state, NumberFormat.FP32)
        for state, value in pairs:
            self._call(builder.update, state, self.formatted(value, builder.precision_of(state), "next"))

    def formatted(self, id: int, format: NumberFormat, part: str) -> int:
        """A value in a format: rounded, or kept as it is where its own operation can do that."""
        builder = self.graph.builder
        if builder.precision_of(id) == format:
            return id
        if format == NumberFormat.FP32 and builder.set_precision(id, format):
            return id
        builder.precision(format)
        return int(self._call(builder.reshape, f"{self.name}.{part}", id, list(builder.shape(id))))

    def body(self, name: str, write: Callable[[Layer], None]) -> Any:
        """A finished graph of its own, for a scan; what goes wrong in it is the model's."""
        # Body and model are built by the same class.
        make: Any = type(self.graph.builder)
        inner = Graph(make(name))
        inner.report, inner.stream_only, inner.narrow = self.graph.report, self.graph.stream_only, self.graph.narrow
        layer = Layer(inner, self.node, self.operation)
        layer.name = name
        inner.builder.fp8_weights(stores_fp8(layer))
        try:
            write(layer)
            if inner.first_error is None and not inner.report:
                return layer._call(make.finish, inner.builder)
        finally:
            if self.graph.first_error is None:
                self.graph.first_error = inner.first_error
        raise Stop

    def data_dim(self, x: Runtime) -> int | None:
        """The axis a value is packed along, if that is decided."""
        return self.graph.builder.data_dim(x.id)

    def packed(self, x: Runtime, wanted: int | None = None) -> int:
        """The same, decided now if it is not: as wanted, else the last axis, before transpositions."""
        known = self.data_dim(x)
        if known is None:
            known = self._likely_data_dim(x) if wanted is None else wanted
            self._call(self.graph.builder.pack, x.id, known)
        return known

    def _likely_data_dim(self, x: Runtime) -> int:
        if x.id not in self.graph.turned:
            return len(x.shape) - 1
        value, perm = self.graph.turned[x.id]
        return perm.index(self._likely_data_dim(value))

    def clamp(self, x: Value, low: Number | None, high: Number | None, part: str = "") -> Runtime:
        """`min(max(x, low), high)`; absent bounds are open."""
        bounds = (-math.inf if low is None else float(low), math.inf if high is None else float(high))
        return self._emit(part, self.graph.builder.clamp, self.runtime(x).id, *bounds)

    def pointwise(self, op: str, a: Value | Number, b: Value | Number, part: str = "") -> Runtime:
        """`add sub mul max min div lt le gt ge eq ne keep drop`, broadcast as numpy does."""
        operands = [Runtime(x.id, x.shape or (1,)) for x in (self.runtime(a), self.runtime(b))]
        left, right = agreeing(self, operands[0], operands[1], part)
        return self._emit(part, self.graph.builder.pointwise, op, left.id, right.id)

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
        if not shape and len(value.shape) > 1 and self.data_dim(value) is None:
            # Any of its axes could be the one that is left; the last is what others are packed along.
            self._call(self.graph.builder.pack, value.id, len(value.shape) - 1)
        # A node has at least one axis.
        return Runtime(self._emit(part, self.graph.builder.reshape, value.id, list(shape) or [1]).id, tuple(shape))


def array(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A constant as the compiler takes it: float32, contiguous."""
    return np.ascontiguousarray(tensor.detach().to(device="cpu", dtype=torch.float32).numpy())
