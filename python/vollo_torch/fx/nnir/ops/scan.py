"""`vollo_torch.nn.Scan`: its step, traced by itself, becomes the body of a scan.

| of the step     | in the body                                |
|-----------------|--------------------------------------------|
| `x`             | inputs, the sequences without their axis   |
| `state`         | states, first what the model gives         |
| `y`             | outputs                                    |
| `new_state`     | what the states become                     |

Errors. Initial states computed at run time are refused; what the step uses and cannot be lowered is in the model's
report.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from vollo_compiler import NumberFormat

import vollo_torch.nn
from vollo_torch.contexts import Fp8Weights, Fp32Activations
from vollo_torch.fx.nnir.layer import KINDS, Layer, Runtime, Value


class _Step(torch.nn.Module):
    """A step on tensors one by one, and its results one by one."""

    def __init__(self, step: torch.nn.Module, x_single: bool, inputs: int, state_single: bool) -> None:
        super().__init__()
        self.step = step
        self._shape = (x_single, inputs, state_single)

    def forward(self, *tensors: Tensor) -> tuple[Any, ...]:
        x_single, inputs, state_single = self._shape
        x, state = list(tensors[:inputs]), list(tensors[inputs:])
        y, new = self.step(x[0] if x_single else x, state[0] if state_single else state)
        return (*_flat(y), *_flat(new))


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list, torch.nn.ParameterList)) else [value]


def scan_module(
    layer: Layer, module: vollo_torch.nn.Scan, xs: Any, state: Any, input_axis: Any = 0, output_axis: Any = 0
) -> Any:
    """`vollo_torch.nn.Scan`."""
    sequences = [layer.runtime(x) for x in _flat(xs)]
    initial = [layer.constant(s, "an initial state").detach() for s in _flat(state)]
    single = not isinstance(layer.node.meta["tensor_meta"], (tuple, list)) or hasattr(
        layer.node.meta["tensor_meta"], "shape"
    )
    outputs = 1 if single else len(layer.node.meta["tensor_meta"])
    inputs_at = _axes(input_axis, [len(x.shape) for x in sequences])
    rank = len(layer.result_shape) if single else 0
    ranks = [rank] if single else [len(meta.shape) for meta in layer.node.meta["tensor_meta"]]
    outputs_at = _axes(output_axis, ranks)
    # One axis for all operands and results.
    axes = {*inputs_at, *outputs_at}
    axis = axes.pop() if len(axes) == 1 else 0
    operands = [_moved(layer, x, at, axis, f"x{i}") for i, (x, at) in enumerate(zip(sequences, inputs_at))]
    shapes = [(*x.shape[:axis], *x.shape[axis + 1 :]) for x in operands]
    step = _Step(module.step, isinstance(xs, KINDS), len(shapes), isinstance(state, Tensor))
    body, wide = _body(layer, step, operands, shapes, initial, outputs)
    found = layer.scan(body, axis, operands, part="steps", wide=wide)
    results = [_moved(layer, y, axis, at, f"y{i}") for i, (y, at) in enumerate(zip(found, outputs_at))]
    return results[0] if single else tuple(results)


def _axes(axis: int | Sequence[int], ranks: list[int]) -> list[int]:
    given = [axis] * len(ranks) if isinstance(axis, int) else list(axis)
    return [a % rank for a, rank in zip(given, ranks)]


def _moved(layer: Layer, x: Value, at: int, to: int, part: str) -> Runtime:
    order = [i for i in range(len(x.shape)) if i != at]
    order.insert(to, at)
    return layer.transpose(x, order, part=part)


def _body(
    layer: Layer,
    step: _Step,
    operands: list[Runtime],
    shapes: list[tuple[int, ...]],
    initial: list[Tensor],
    outputs: int,
) -> tuple[Any, bool]:
    """The graph of a step, and whether one of its outputs is in fp32."""
    # The conversion of the model is what called.
    from vollo_torch.fx.nnir.convert import Conversion
    from vollo_torch.fx.prepare import prepare_shape

    # What is asked for around the scan is asked for in its step.
    fp32 = Fp32Activations() if layer.wide else nullcontext()
    fp8 = Fp8Weights() if layer.node.meta.get("vollo_fp8_weights") else nullcontext()
    with fp32, fp8:
        traced, _ = prepare_shape(step.eval() if not step.training else step, *map(torch.zeros, shapes), *initial)

    formats: list[NumberFormat] = []

    def write(body: Layer) -> None:
        conversion = Conversion(traced, body.graph, [None] * len(shapes) + list(initial))
        conversion.input_formats = [layer.graph.builder.precision_of(x.id) for x in operands]
        written = conversion.run()
        if body.graph.report or body.graph.first_error:
            return
        for output in written[:outputs]:
            formats.append(body.graph.builder.precision_of(output.id))
            body.graph.builder.output(output.id)
        body.update_all(conversion.states, written[outputs:])

    return layer.body("step", write), NumberFormat.FP32 in formats
