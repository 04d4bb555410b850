"""`to_nnir`: a traced module to NNIR, every unsupported form reported at once.

Contract. Layers keep the names the user knows. Operations on constants only are computed now. What contexts ask for
and the compiler cannot do yet is reported like an unsupported operation.
Errors. `TypeError` for what is no module or no `NumberFormat`; `ValueError` for everything about the model.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx
from vollo_compiler import NNIR, NumberFormat
from vollo_compiler._native import GraphBuilder

from vollo_torch.fx.meta import TensorMetadata, is_in_place, map_values
from vollo_torch.fx.nnir import table
from vollo_torch.fx.nnir.fold_norms import find_norms
from vollo_torch.fx.nnir.fp8 import stores_fp8
from vollo_torch.fx.nnir.layer import KINDS, Absent, Graph, Layer, Runtime, Truth
from vollo_torch.fx.nnir.report import Stop

_MAX_FOLDED = 1 << 26
"""Largest constant computed from others, in values; larger ones come from broadcasting by mistake."""

_STATEFUL = ("LSTMCell", "RecurrentStateLSTM")

_NEAREST = {
    "Conv2d": "nn.Conv1d or vollo_torch.nn.PaddedConv1d",
    "Conv3d": "nn.Conv1d or vollo_torch.nn.PaddedConv1d",
    "conv2d": "conv1d",
    "SyncBatchNorm": "nn.BatchNorm1d",
}
"""What is near operations that have no row."""

_NAMED_RESULTS = {"values": 0, "indices": 1}
"""Positions of results that torch gives names."""

Precisions = Any
"""A `NumberFormat`, or one per tensor."""


def to_nnir(
    module: fx.GraphModule,
    inputs_precisions: NumberFormat | Sequence[NumberFormat] = NumberFormat.BF16,
    outputs_precisions: NumberFormat | Sequence[NumberFormat] = NumberFormat.BF16,
) -> NNIR:
    """Lowers a module from `prepare_shape`; precisions are those of the model's inputs and outputs on the wire."""
    _check_module(module)
    name = type(module).__name__
    builder = GraphBuilder(name)
    conversion = Conversion(module, Graph(builder))
    inputs = sum(node.op == "placeholder" for node in module.graph.nodes)
    conversion.input_formats = _per_tensor("Input", inputs_precisions, inputs)
    outputs = conversion.run()
    formats = _per_tensor("Output", outputs_precisions, len(outputs))
    graph = conversion.graph
    if graph.report:
        raise graph.report.error(name)
    if graph.first_error is not None:
        raise graph.first_error
    [end] = [node for node in module.graph.nodes if node.op == "output"]
    for position, (output, format) in enumerate(zip(outputs, formats)):
        layer = Layer(graph, end, "Output")
        layer.name = f"output{position}"
        builder.output(layer.formatted(output.id, format, str(format).rpartition(".")[2].lower()))
    if graph.narrow:
        layers = ", ".join(f"'{name}' ({operation})" for name, operation in graph.narrow.items())
        warnings.warn(
            f"inside Fp32Activations, but computed in bf16: {layers}; docs/torch.md says which operations keep fp32",
            stacklevel=2,
        )
    return builder.finish(graph.stream_only)


def _check_module(module: object) -> None:
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"to_nnir needs the module that prepare_shape returns, got {type(module).__name__}")
    traced = isinstance(module, fx.GraphModule) and all(
        "tensor_meta" in node.meta for node in module.graph.nodes if node.op == "placeholder"
    )
    if not traced:
        raise ValueError(
            f"'{type(module).__name__}' is not traced with shapes; "
            "call module, _ = vollo_torch.fx.prepare_shape(model, *example_inputs) first and give to_nnir the result"
        )


def _per_tensor(side: str, precisions: Any, count: int) -> list[NumberFormat]:
    given = [precisions] * count if isinstance(precisions, NumberFormat) else list(precisions)
    for precision in given:
        if not isinstance(precision, NumberFormat):
            raise TypeError(f"{side.lower()}s_precisions: {precision!r} is no NumberFormat")
    if len(given) != count:
        raise ValueError(f"{side.lower()}s_precisions: {len(given)} given, the model has {count} {side.lower()}s")
    return given


class Conversion:
    """The walk over the traced nodes; inputs that are given an initial value become states."""

    def __init__(self, module: fx.GraphModule, graph: Graph, initial: Sequence[Tensor | None] = ()) -> None:
        self.module = module
        self.graph = graph
        self.values: dict[fx.Node, Any] = {}
        self.states: list[Runtime] = []
        self._initial = list(initial)
        self.input_formats: list[NumberFormat] = []

    def run(self) -> list[Runtime]:
        """Lowers every node; returns the outputs."""
        self.graph.folded_norms.update(find_norms(self.module))
        outputs: list[Runtime] = []
        for node in self.module.graph.nodes:
            if node.op == "output":
                outputs = self._outputs(node)
                continue
            layer = Layer(self.graph, node, self._operation(node))
            try:
                self.values[node] = self._node(layer)
            except Stop:
                self.values[node] = self.graph.unknown(node.meta.get("tensor_meta"))
        if not self.graph.report and self.graph.first_error is None:
            for state, value in self.graph.cells.values():
                self.graph.builder.update(state.id, value.id)
        return outputs

    def _operation(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return type(self.module.get_submodule(str(node.target))).__name__
        if node.op == "call_function":
            if node.target is getattr:
                return str(node.args[1])
            return _plain(str(getattr(node.target, "__name__", node.target)))
        if node.op == "placeholder":
            return "Input"
        return _plain(str(node.target))

    def _node(self, layer: Layer) -> Any:
        node = layer.node
        if node.op == "placeholder":
            return self._input(layer)
        if node.op == "get_attr":
            value: Any = self.module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value.detach() if isinstance(value, Tensor) else value
        if is_in_place(node.op, node.target):
            way_out = "y = torch.cat(..) or arithmetic on a new value" if "setitem" in layer.operation else "x = op(x)"
            layer.refuse("its operand changed in place", way_out)
        args, kwargs = (map_values(a, self.values.__getitem__, fx.Node) for a in (node.args, node.kwargs))
        if not _holds_runtime((args, kwargs)):
            return self._folded(layer, args, kwargs)
        metas = _metas(node)
        if metas and not any(math.prod(meta.shape) for meta in metas):
            # Nothing to compute; what reads it may join it to something.
            return map_values(node.meta["tensor_meta"], lambda meta: torch.zeros(meta.shape), TensorMetadata)
        self._check_requests(layer)
        self.graph.builder.fp8_weights(stores_fp8(layer))
        value = self._checked(layer, self._lowered(layer, args, kwargs))
        if all(_is_float32(n) or isinstance(self.values.get(n), Truth) for n in node.all_input_nodes):
            # Otherwise the layer that brought the type in is in the report.
            self._check_types(layer, value)
        return value

    def _input(self, layer: Layer) -> Any:
        meta = layer.node.meta["tensor_meta"]
        if not hasattr(meta, "shape"):
            layer.refuse("a value that is no tensor", "a float32 tensor")
        self._check_types(layer)
        shape = tuple(meta.shape)
        if not math.prod(shape):
            layer.refuse(f"shape {shape}", "at least one value")
        initial = self._initial.pop(0) if self._initial else None
        if initial is not None:
            self.states.append(layer.state(initial))
            return self.states[-1]
        # The step of a scan reads what the sequence is.
        self.graph.builder.precision(self.input_formats.pop(0) if self.input_formats else NumberFormat.BF16)
        return Runtime(self.graph.builder.input(layer.name, shape or (1,)), shape)

    def _lowered(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = layer.node
        if node.op == "call_module":
            module = self.module.get_submodule(str(node.target))
            row = table.find_module(module)
            if row is None:
                layer.refuse("", _NEAREST.get(layer.operation, ""))
            return table.call_module(layer, row, module, args, kwargs)
        if node.target is getattr:
            if isinstance(args[0], tuple):
                if args[1] not in _NAMED_RESULTS:
                    raise Stop
                return args[0][_NAMED_RESULTS[args[1]]]
            operation = table.find_attribute(args[1])
            args = args[:1]
        elif node.op == "call_function":
            operation = table.find_function(node.target)
        else:
            operation = table.find_method(str(node.target))
        if operation is None:
            layer.refuse("", _NEAREST.get(layer.operation, ""))
        return table.call(layer, operation.lower, args, kwargs)

    def _folded(self, layer: Layer, args: Any, kwargs: Any) -> Any:
        """Computes an operation that reads constants only."""
        node = layer.node
        if node.meta.get("vollo_random"):
            layer.refuse("random numbers", "a constant, or an input")
        if node.op == "call_module":
            module = self.module.get_submodule(str(node.target))
            if type(module).__name__ in _STATEFUL:
                layer.refuse()
            target: Any = module
        else:
            target = node.target if node.op == "call_function" else getattr(torch.Tensor, str(node.target))
        with torch.no_grad():
            value = target(*args, **kwargs)
        if isinstance(value, Tensor) and value.numel() > _MAX_FOLDED:
            layer.refuse(f"a constant result of shape {tuple(value.shape)}", f"constants of up to {_MAX_FOLDED} values")
        return value

    def _check_requests(self, layer: Layer) -> None:
        meta, wrong = layer.node.meta, False
        cores = meta.get("vollo_core_partition")
        forms = (
            (
                cores,
                f"CorePartition({list(cores or ())})",
                "ProgramBuilder.add_nnir(.., core_indices=[..]) for a whole model",
            ),
        )
        for asked, context, nearest in forms:
            if asked:
                layer.unsupported(f"{context} around it", nearest)
                wrong = True
        if wrong:
            raise Stop

    def _check_types(self, layer: Layer, value: Any = None) -> None:
        metas = _metas(layer.node)
        several = isinstance(value, tuple) and len(value) == len(metas)
        for meta, part in zip(metas, value if several else [value] * len(metas)):
            if isinstance(part, Absent) or (isinstance(part, Truth) and meta.dtype == torch.bool):
                continue
            if meta.dtype != torch.float32:
                name = str(meta.dtype).rpartition(".")[2]
                layer.refuse(f"values of type {name}", "float32, e.g. model.float() and x.float()")

    def _checked(self, layer: Layer, value: Any) -> Any:
        """Holds what was written to the shape torch computed; a node of shape `[1]` may stand for a tensor without axes."""
        meta = layer.node.meta["tensor_meta"]
        if hasattr(meta, "shape") and tuple(meta.shape) == ():
            if isinstance(value, Runtime) and value.shape == (1,):
                return Runtime(value.id, ())
            if isinstance(value, Truth) and value.x.shape == (1,):
                return Truth(Runtime(value.x.id, ()))
        pairs = zip(value, meta) if isinstance(value, tuple) and isinstance(meta, (tuple, list)) else [(value, meta)]
        for part, known in pairs:
            if hasattr(known, "shape") and hasattr(part, "shape") and tuple(part.shape) != tuple(known.shape):
                raise RuntimeError(
                    f"internal error, please report it: layer '{layer.name}' ({layer.operation}) "
                    f"was lowered to shape {tuple(part.shape)}, torch has {tuple(known.shape)}"
                )
        return value

    def _outputs(self, node: fx.Node) -> list[Runtime]:
        result = map_values(node.args[0], self.values.__getitem__, fx.Node)
        outputs = result if isinstance(result, (tuple, list)) else (result,)
        written = []
        for position, value in enumerate(outputs):
            layer = Layer(self.graph, node, "Output")
            layer.name = f"output {position}"
            try:
                if isinstance(value, Truth):
                    layer.refuse("a condition", "torch.where, or .float()")
                if not isinstance(value, (*KINDS, Tensor)):
                    layer.refuse(f"a value of type {type(value).__name__}", "a tensor, or a tuple of tensors")
                if not math.prod(value.shape):
                    layer.refuse(f"shape {tuple(value.shape)}", "at least one value")
                written.append(layer.runtime(value))
            except Stop:
                written.append(Runtime(-1, ()))
        return written


def _metas(node: fx.Node) -> list[TensorMetadata]:
    found: list[TensorMetadata] = []
    map_values(node.meta.get("tensor_meta"), found.append, TensorMetadata)
    return found


def _is_float32(node: fx.Node) -> bool:
    return node.op == "get_attr" or all(meta.dtype == torch.float32 for meta in _metas(node))


def _plain(name: str) -> str:
    return name.strip("_") if name.startswith("__") else name


def _holds_runtime(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_holds_runtime(v) for v in value)
    if isinstance(value, dict):
        return any(_holds_runtime(v) for v in value.values())
    if isinstance(value, slice):
        return any(_holds_runtime(v) for v in (value.start, value.stop, value.step))
    return isinstance(value, KINDS)
