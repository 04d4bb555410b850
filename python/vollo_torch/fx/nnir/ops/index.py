"""Parts of tensors: `[]`, `narrow`, `select`, `index_select`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vollo_torch.fx.nnir.layer import Layer, Overhang, Value

Cut = tuple[int, Sequence[int]]
"""An axis and the indices kept of it, in order."""


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
    lists, axis = 0, 0
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
            cuts.append((axis, range(*item.indices(extent))))
        elif isinstance(item, int):
            cuts.append((axis, [item % extent]))
        else:
            lists += 1
            cuts.append((axis, indices_of(layer, torch.as_tensor(item), extent)))
        axis += 1
    if lists > 1:
        layer.refuse("several lists of indices", "one")
    return _cut(layer, input, cuts)


def _axes_taken(item: Any) -> int:
    return 0 if item is None or item is Ellipsis else 1


def indices_of(layer: Layer, index: Tensor, extent: int) -> list[int]:
    """Constant indices, from 0 on."""
    if index.dim() > 1:
        layer.refuse(f"indices of shape {tuple(index.shape)}", "indices of one axis")
    if index.dtype == torch.bool:
        index = index.nonzero().flatten()
    return [int(i) % extent for i in index.flatten().tolist()]


def _cut(layer: Layer, input: Value, cuts: list[Cut]) -> Value:
    """Slices, then the shape torch computed; what comes last carries the layer's name."""
    if isinstance(input, Overhang):
        last = len(input.shape) - 1
        wanted = [list(kept) for axis, kept in cuts if axis == last]
        if wanted == [list(range(input.x.shape[-1]))]:
            # What is cut off is what padding on the right had added.
            input, cuts = input.x, [c for c in cuts if c[0] != last]
    x = layer.runtime(input)
    cuts = [(axis, kept) for axis, kept in cuts if list(kept) != list(range(x.shape[axis]))]
    extents = list(x.shape)
    for axis, kept in cuts:
        extents[axis] = len(kept)
    reshapes = tuple(extents) != layer.result_shape
    for number, (axis, kept) in enumerate(cuts):
        name = "" if number + 1 == len(cuts) and not reshapes else f"axis{axis}"
        if list(kept) == list(range(kept[0], kept[0] + len(kept))):
            x = layer.slice(x, axis, kept[0], kept[0] + len(kept), part=name)
        else:
            x = layer.index_select(x, axis, kept, part=name)
    return layer.reshape(x, layer.result_shape)


def narrow(layer: Layer, input: Value, dim: int, start: Any, length: int) -> Value:
    """`length` values of an axis."""
    axis = dim % len(input.shape)
    first = int(layer.constant(torch.as_tensor(start), "a start")) % input.shape[axis]
    return _cut(layer, input, [(axis, range(first, first + length))])


def select(layer: Layer, input: Value, dim: int, index: int) -> Value:
    """One index of an axis, without it."""
    axis = dim % len(input.shape)
    at = index % input.shape[axis]
    return _cut(layer, input, [(axis, [at])])


def index_select(layer: Layer, input: Value, dim: int, index: Any) -> Value:
    """Constant indices of an axis."""
    axis = dim % len(input.shape)
    indices = layer.constant(index, "an index")
    return _cut(layer, input, [(axis, indices_of(layer, indices, input.shape[axis]))])
