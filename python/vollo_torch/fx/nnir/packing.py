"""Operands of arithmetic that are packed along different axes.

| operand             | other, result        | becomes                                            |
|---------------------|----------------------|----------------------------------------------------|
| `[N]`, packed       | `[M, 1]`, along M    | `[1, N]`, packed along the axis of extent 1         |

Contract. Only an operand with extent 1 along the other's packed axis can be moved: each of its packed values becomes a
vector of its own, one operation each. Of two that could be, the one with fewer values moves. Others are left as they
are, and the compiler says what does not go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vollo_torch.fx.nnir.layer import Layer, Runtime


def agreeing(layer: Layer, a: Runtime, b: Runtime, part: str) -> tuple[Runtime, Runtime]:
    """The operands, one of them moved if that is needed and possible."""
    rank = max(len(a.shape), len(b.shape))
    shapes = [(1,) * (rank - len(x.shape)) + x.shape for x in (a, b)]
    packed = [_axis(layer, x, rank) for x in (a, b)]
    if packed[0] is None or packed[1] is None or packed[0] == packed[1]:
        return a, b
    movable = [i for i in (0, 1) if shapes[i][packed[1 - i] or 0] == 1]
    if not movable:
        return a, b
    which = min(movable, key=lambda i: shapes[i][packed[i] or 0])
    name = f"{part}.moved" if part else "moved"
    moved = _moved(layer, (a, b)[which], shapes[which], packed[which] or 0, packed[1 - which] or 0, name)
    return (moved, b) if which == 0 else (a, moved)


def _axis(layer: Layer, x: Runtime, rank: int) -> int | None:
    axis = layer.data_dim(x)
    return None if axis is None else axis + rank - len(x.shape)


def _moved(layer: Layer, x: Runtime, shape: tuple[int, ...], at: int, to: int, part: str) -> Runtime:
    lifted = layer.expand(x, shape, part=f"{part}.lifted")
    order = list(range(len(shape)))
    order[at], order[to] = to, at
    pieces: list[Runtime] = []
    for i in range(shape[at]):
        piece = layer.slice(lifted, at, i, i + 1, part=f"{part}.{i}")
        # Both axes have extent 1 now, so that trading them changes no shape, only where the value is packed.
        pieces.append(layer.transpose(piece, order, part=f"{part}.{i}.turned"))
    return layer.concat(pieces, at, part=part)
