"""Values moved, not changed: reshaping, joining, cutting.

Results have the shape torch computed, so arguments that only say which are not looked at again. The data dimension's
rules are NNIR's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from vollo_torch.fx.nnir.layer import Layer, Runtime, Value


def reshaped(layer: Layer, input: Value) -> Value:
    """To the shape torch computed."""
    return layer.reshape(input, layer.result_shape)


def reshape(layer: Layer, input: Value, *args: Any, shape: Any = None) -> Value:
    """`reshape`."""
    return reshaped(layer, input)


def view(layer: Layer, input: Value, *size: Any, dtype: Any = None) -> Value:
    """As `reshape`; another element type is another meaning."""
    dtypes = [s for s in (*size, dtype) if isinstance(s, torch.dtype)]
    if dtypes:
        layer.refuse(f"dtype {dtypes[0]}", "a shape")
    return reshaped(layer, input)


def reshape_as(layer: Layer, input: Value, other: Any) -> Value:
    """To the shape of another tensor."""
    return reshaped(layer, input)


def flatten(layer: Layer, input: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """Several axes to one."""
    return reshaped(layer, input)


def unflatten(layer: Layer, input: Value, dim: int, sizes: Any) -> Value:
    """One axis to several."""
    return reshaped(layer, input)


def ravel(layer: Layer, input: Value) -> Value:
    """All axes to one."""
    return reshaped(layer, input)


def squeeze(layer: Layer, input: Value, dim: Any = None) -> Value:
    """Without axes of extent 1."""
    return reshaped(layer, input)


def unsqueeze(layer: Layer, input: Value, dim: int) -> Value:
    """With another axis of extent 1."""
    return reshaped(layer, input)


def reshaped_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.Flatten`, `nn.Unflatten`."""
    return reshaped(layer, input)


def expand(layer: Layer, input: Value, *args: Any, size: Any = None) -> Value:
    """To the shape torch computed."""
    return _expanded(layer, input, layer.result_shape, "")


def expand_as(layer: Layer, input: Value, other: Any) -> Value:
    """To the shape of another tensor."""
    return _expanded(layer, input, layer.result_shape, "")


def broadcast_tensors(layer: Layer, *tensors: Value) -> tuple[Value, ...]:
    """All to one shape."""
    shapes = [tuple(meta.shape) for meta in layer.node.meta["tensor_meta"]]
    return tuple(_expanded(layer, t, s, f"{i}") for i, (t, s) in enumerate(zip(tensors, shapes)))


def _expanded(layer: Layer, value: Value, shape: tuple[int, ...], part: str) -> Value:
    if isinstance(value, torch.Tensor):
        return value.expand(shape)
    return layer.expand(value, shape, part=part)


def repeat(layer: Layer, input: Value, *sizes: Any, repeats: Any = None) -> Value:
    """Copies along axes, new ones in front."""
    given = repeats if repeats is not None else sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    return _repeated(layer, input, list(given))


def tile(layer: Layer, input: Value, *dims: Any) -> Value:
    """As `repeat`; absent counts are 1."""
    counts = list(dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)
    return _repeated(layer, input, [1] * (len(input.shape) - len(counts)) + counts)


def _repeated(layer: Layer, input: Value, counts: list[int]) -> Value:
    x = layer.runtime(input)
    x = layer.reshape(x, [1] * (len(counts) - len(x.shape)) + list(x.shape), part="lifted")
    several = [axis for axis, count in enumerate(counts) if count > 1]
    for axis in several:
        part = "" if axis == several[-1] else f"axis{axis}"
        if x.shape[axis] == 1:
            x = layer.expand(x, [*x.shape[:axis], counts[axis], *x.shape[axis + 1 :]], part=part)
        else:
            x = layer.concat([x] * counts[axis], axis, part=part)
    return x


def flip(layer: Layer, input: Value, *dims: Any) -> Value:
    """Axes from the last index to the first."""
    return _chosen(layer, input, dims, lambda extent, _: range(extent - 1, -1, -1))


def roll(layer: Layer, input: Value, shifts: Any, dims: Any) -> Value:
    """Indices moved on, around the end."""
    several = [shifts] if isinstance(shifts, int) else list(shifts)
    return _chosen(layer, input, (dims,), lambda extent, i: [(k - several[i]) % extent for k in range(extent)])


def _chosen(layer: Layer, input: Value, dims: Sequence[Any], indices: Callable[[int, int], Sequence[int]]) -> Value:
    x = layer.runtime(input)
    axes = [dims[0]] if isinstance(dims[0], int) and len(dims) == 1 else list(dims)
    axes = list(axes[0]) if isinstance(axes[0], (tuple, list)) else axes
    for number, dim in enumerate(axes):
        axis = dim % len(x.shape)
        part = "" if number + 1 == len(axes) else f"axis{axis}"
        x = layer.index_select(x, axis, indices(x.shape[axis], number), part=part)
    return x


def permuted(layer: Layer, input: Value, order: Sequence[int]) -> Value:
    """Axes in another order."""
    rank = len(input.shape)
    return layer.transpose(input, [axis % rank for axis in order])


def permute(layer: Layer, input: Value, *args: Any, dims: Any = None) -> Value:
    """Axes as a list or one by one."""
    if dims is not None:
        args = tuple(dims)
    return permuted(layer, input, args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args)


def movedim(layer: Layer, input: Value, source: Any, destination: Any) -> Value:
    """Axes taken elsewhere, the others in order."""
    rank = len(input.shape)
    pairs = [(source, destination)] if isinstance(source, int) else zip(source, destination)
    places = {to % rank: axis % rank for axis, to in pairs}
    others = iter(axis for axis in range(rank) if axis not in places.values())
    return permuted(layer, input, [places[i] if i in places else next(others) for i in range(rank)])


def transpose(layer: Layer, input: Value, dim0: int, dim1: int) -> Value:
    """Two axes exchanged."""
    order = list(range(len(input.shape)))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permuted(layer, input, order)


def reverse_axes(layer: Layer, input: Value) -> Value:
    """`T`, `t`: the axes from the last to the first."""
    return permuted(layer, input, list(reversed(range(len(input.shape)))))


def swap_last(layer: Layer, input: Value) -> Value:
    """`mT`."""
    return transpose(layer, input, -2, -1)


def cat(layer: Layer, tensors: Sequence[Value], dim: int = 0) -> Value:
    """Operands agree but for one axis."""
    return joined(layer, tensors, dim)


def joined(layer: Layer, tensors: Sequence[Value], dim: int) -> Value:
    """Along an axis of the result."""
    if not isinstance(tensors, (tuple, list)):
        layer.refuse("one tensor cut into operands", "a list of tensors")
    rank = len(layer.result_shape)
    same = [t for t in tensors if math.prod(t.shape)]
    if any(len(t.shape) != rank for t in same):
        layer.refuse("a tensor without axes", "x.reshape(1)")
    return layer.concat(same, dim % rank)


def stack(layer: Layer, tensors: Sequence[Value], dim: int = 0) -> Value:
    """A new axis, operands along it."""
    axis = dim % len(layer.result_shape)
    return joined(layer, [_with_axis(layer, t, axis, i) for i, t in enumerate(_several(layer, tensors))], axis)


def _several(layer: Layer, tensors: Sequence[Value]) -> Sequence[Value]:
    if not isinstance(tensors, (tuple, list)):
        layer.refuse("one tensor cut into operands", "a list of tensors")
    return tensors


def _with_axis(layer: Layer, value: Value, axis: int, number: int) -> Value:
    shape = list(value.shape)
    shape.insert(axis, 1)
    return _at_shape(layer, value, shape, number)


def _at_shape(layer: Layer, value: Value, shape: Sequence[int], number: int) -> Value:
    if isinstance(value, torch.Tensor):
        return value.reshape(tuple(shape))
    return layer.reshape(value, shape, part=f"operand{number}")


def hstack(layer: Layer, tensors: Sequence[Value]) -> Value:
    """Along the second axis; along the only one if there is one."""
    return joined(layer, tensors, 0 if len(layer.result_shape) == 1 else 1)


def vstack(layer: Layer, tensors: Sequence[Value]) -> Value:
    """Along the first axis; vectors are rows."""
    rows = [
        _at_shape(layer, t, (1, *t.shape), i) if len(t.shape) == 1 else t
        for i, t in enumerate(_several(layer, tensors))
    ]
    return joined(layer, rows, 0)


def dstack(layer: Layer, tensors: Sequence[Value]) -> Value:
    """Along the third axis."""
    deep = []
    for i, t in enumerate(_several(layer, tensors)):
        shape = (1, *t.shape, 1) if len(t.shape) == 1 else (*t.shape, 1) if len(t.shape) == 2 else t.shape
        deep.append(t if tuple(shape) == tuple(t.shape) else _at_shape(layer, t, shape, i))
    return joined(layer, deep, 2)


def column_stack(layer: Layer, tensors: Sequence[Value]) -> Value:
    """Along the second axis; vectors are columns."""
    columns = [
        _at_shape(layer, t, (*t.shape, 1), i) if len(t.shape) == 1 else t
        for i, t in enumerate(_several(layer, tensors))
    ]
    return joined(layer, columns, 1)


def parts(layer: Layer, input: Value, dim: int, extents: Sequence[int], keep: bool = True) -> tuple[Value, ...]:
    """Consecutive parts of an axis."""
    x: Runtime = layer.runtime(input)
    axis, at = dim % len(x.shape), 0
    result: list[Value] = []
    for number, extent in enumerate(extents):
        if not extent:
            result.append(torch.zeros(*x.shape[:axis], 0, *x.shape[axis + 1 :]))
            continue
        part = layer.slice(x, axis, at, at + extent, part=f"{number}")
        if not keep:
            part = layer.reshape(part, (*x.shape[:axis], *x.shape[axis + 1 :]), part=f"{number}.flat")
        result.append(part)
        at += extent
    return tuple(result)


def _result_extents(layer: Layer, dim: int) -> list[int]:
    return [int(meta.shape[dim]) for meta in layer.node.meta["tensor_meta"]]


def split(
    layer: Layer, tensor: Value, split_size_or_sections: Any = None, dim: int = 0, split_size: Any = None
) -> tuple[Value, ...]:
    """Parts as torch cuts them."""
    return parts(layer, tensor, dim, _result_extents(layer, dim))


def chunk(layer: Layer, input: Value, chunks: int, dim: int = 0) -> tuple[Value, ...]:
    """Parts as torch cuts them."""
    return parts(layer, input, dim, _result_extents(layer, dim))


def unbind(layer: Layer, input: Value, dim: int = 0) -> tuple[Value, ...]:
    """Every index of an axis, without it."""
    return parts(layer, input, dim, [1] * input.shape[dim], keep=False)
