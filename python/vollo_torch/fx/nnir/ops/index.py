"""Parts of tensors: `[]`, `narrow`, `select`, `index_select`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from vollo_torch.fx.nnir.layer import Layer, Overhang, Value

MAX_RUNS = 64
"""Runs of consecutive indices one selection may have."""

Cut = tuple[int, list[tuple[int, int]]]
"""An axis and the ranges kept of it, in order."""


def getitem(layer: Layer, input: Any, index: Any) -> Any:
    """An element of a tuple, or part of a tensor; one selection by a list of indices at most."""
    if isinstance(input, (tuple, list)):
        return input[index]
    items = list(index) if isinstance(index, tuple) else [index]
    given = sum(_axes_taken(item) for item in items)
    rank = len(input.shape)
    if Ellipsis not in [item for item in items if not isinstance(item, Tensor)]:
        items.append(Ellipsis)
    cuts: list[Cut] = []
    lists, axis, wrong = 0, 0, False
    for item in items:
        if item is None:
            continue
        if item is Ellipsis:
            axis += rank - given
            continue
        if isinstance(item, bool) or not isinstance(item, (int, slice, list, Tensor)):
            layer.refuse(f"an index of type {type(item).__name__}", "numbers, slices, ..., None and constant lists")
        extent = input.shape[axis]
        if isinstance(item, slice):
            start, stop, step = item.indices(extent)
            if step != 1:
                layer.unsupported(f"step {step}", "step 1")
                wrong = True
            cuts.append((axis, [(start, max(start, stop))]))
        elif isinstance(item, int):
            cuts.append((axis, [(item % extent, item % extent + 1)]))
        else:
            lists += 1
            cuts.append((axis, runs(layer, torch.as_tensor(item), extent)))
        axis += 1
    if lists > 1:
        layer.refuse("several lists of indices", "one")
    if wrong:
        layer.stop()
    return _cut(layer, input, cuts)


def _axes_taken(item: Any) -> int:
    return 0 if item is None or item is Ellipsis else 1


def runs(layer: Layer, index: Tensor, extent: int) -> list[tuple[int, int]]:
    """Constant indices as ranges."""
    if index.dim() > 1:
        layer.refuse(f"indices of shape {tuple(index.shape)}", "indices of one axis")
    if index.dtype == torch.bool:
        index = index.nonzero().flatten()
    values = [int(i) % extent for i in index.flatten().tolist()]
    breaks = [i for i, (a, b) in enumerate(pairwise(values), 1) if b != a + 1]
    if len(breaks) >= MAX_RUNS:
        layer.refuse(f"{len(breaks) + 1} runs of indices", f"at most {MAX_RUNS} runs of consecutive indices")
    edges = [0, *breaks, len(values)] if values else [0]
    return [(values[a], values[b - 1] + 1) for a, b in pairwise(edges)]


def _cut(layer: Layer, input: Value, cuts: list[Cut]) -> Value:
    """Slices, then the shape torch computed; what comes last carries the layer's name."""
    if isinstance(input, Overhang):
        last = len(input.shape) - 1
        wanted = [c for c in cuts if c[0] == last]
        if wanted == [(last, [(0, input.x.shape[-1])])]:
            # What is cut off is what padding on the right had added.
            input, cuts = input.x, [c for c in cuts if c[0] != last]
    x = layer.runtime(input)
    cuts = [(axis, ranges) for axis, ranges in cuts if ranges != [(0, x.shape[axis])]]
    extents = list(x.shape)
    for axis, ranges in cuts:
        extents[axis] = sum(end - start for start, end in ranges)
    reshapes = tuple(extents) != layer.result_shape
    if any(not ranges or any(start == end for start, end in ranges) for _, ranges in cuts):
        layer.refuse("an empty result", "at least one value")
    for number, (axis, ranges) in enumerate(cuts):
        name = "" if number + 1 == len(cuts) and not reshapes else f"axis{axis}"
        if len(ranges) == 1:
            x = layer.slice(x, axis, *ranges[0], part=name)
            continue
        pieces = [layer.slice(x, axis, *r, part=f"axis{axis}.{i}") for i, r in enumerate(ranges)]
        x = layer.concat(pieces, axis, part=name)
    return layer.reshape(x, layer.result_shape)


def narrow(layer: Layer, input: Value, dim: int, start: Any, length: int) -> Value:
    """`length` values of an axis."""
    axis = dim % len(input.shape)
    first = int(layer.constant(torch.as_tensor(start), "a start")) % input.shape[axis]
    return _cut(layer, input, [(axis, [(first, first + length)])])


def select(layer: Layer, input: Value, dim: int, index: int) -> Value:
    """One index of an axis, without it."""
    axis = dim % len(input.shape)
    at = index % input.shape[axis]
    return _cut(layer, input, [(axis, [(at, at + 1)])])


def index_select(layer: Layer, input: Value, dim: int, index: Any) -> Value:
    """Constant indices of an axis."""
    axis = dim % len(input.shape)
    indices = layer.constant(index, "an index")
    return _cut(layer, input, [(axis, runs(layer, indices, input.shape[axis]))])
