"""Products of two run-time tensors, `[.., M, K]` and `[.., K, N]`.

| packed axes of both | becomes                                                              |
|---------------------|----------------------------------------------------------------------|
| K and K             | products `[.., M, N, K]`, summed over K; the result is packed along N |
| K and another       | per k: column k of the left spread over a row, times row k of the right; the sum of all |
| another and K       | the same, transposed                                                  |
| any, K = 1          | a product with broadcasting                                           |

Contract. Products are rounded to bf16, sums are not. What is not decided yet is packed along the contracted axis on the
left, along the last axis on the right (of what is transposed: before that).
Errors. Neither side packed along K is refused.
"""

from __future__ import annotations

import torch

from vollo_torch.fx.nnir.layer import Layer, Runtime


def matmul(layer: Layer, a: Runtime, b: Runtime, part: str) -> Runtime:
    """`a b`, as torch counts axes."""
    if len(a.shape) == 1 and len(b.shape) == 1:
        layer.refuse("a product of two vectors", "(a * b).sum(-1, keepdim=True)")
    left = a if len(a.shape) > 1 else layer.reshape(a, (1, *a.shape), part=_part(part, "row"))
    right = b if len(b.shape) > 1 else layer.reshape(b, (*b.shape, 1), part=_part(part, "column"))
    vector = left is not a or right is not b
    result = _matrices(layer, left, right, _part(part, "matrix") if vector else part)
    if left is not a:
        return layer.reshape(result, (*result.shape[:-2], result.shape[-1]), part=part)
    return layer.reshape(result, result.shape[:-1], part=part) if vector else result


def _part(part: str, name: str) -> str:
    return f"{part}.{name}" if part else name


def _matrices(layer: Layer, a: Runtime, b: Runtime, part: str) -> Runtime:
    if a.shape[-1] == 1:
        # Decided now, so that operands packed along different axes are moved.
        layer.packed(a)
        layer.packed(b)
        return layer.pointwise("mul", a, b, part=part)
    ranks = len(a.shape), len(b.shape)
    left = layer.packed(a, ranks[0] - 1)
    a_contracted = left == ranks[0] - 1
    right = layer.packed(b, None if a_contracted else ranks[1] - 2)
    b_contracted = right == ranks[1] - 2
    if a_contracted and b_contracted:
        return _both(layer, a, b, part)
    if a_contracted:
        return _one(layer, a, b, part)
    if b_contracted:
        turned = _one(layer, _turned(layer, b, part, "right"), _turned(layer, a, part, "left"), _part(part, "product"))
        return layer.transpose(turned, _order(turned), part=part)
    layer.refuse(
        f"operands packed along axes {left} of {a.shape} and {right} of {b.shape}",
        "one operand packed along the axis that is contracted: a transposed product, or the result of a Linear",
    )


def _order(x: Runtime) -> list[int]:
    rank = len(x.shape)
    return [*range(rank - 2), rank - 1, rank - 2]


def _turned(layer: Layer, x: Runtime, part: str, name: str) -> Runtime:
    return layer.transpose(x, _order(x), part=_part(part, name))


def _both(layer: Layer, a: Runtime, b: Runtime, part: str) -> Runtime:
    rows = layer.reshape(a, (*a.shape[:-1], 1, a.shape[-1]), part=_part(part, "rows"))
    turned = _turned(layer, b, part, "turned")
    columns = layer.reshape(turned, (*turned.shape[:-2], 1, *turned.shape[-2:]), part=_part(part, "columns"))
    terms = layer.pointwise("mul", rows, columns, part=_part(part, "terms"))
    return layer.reduce("sum", terms, [len(terms.shape) - 1], False, part=part)


def _one(layer: Layer, a: Runtime, b: Runtime, part: str) -> Runtime:
    """A product with a matrix that has ones in column k copies column k, so copying costs no more than reading."""
    inner, width = a.shape[-1], b.shape[-1]
    packed = layer.packed(b)
    if packed != len(b.shape) - 1:
        layer.refuse(f"an operand packed along axis {packed} of {b.shape}", "the last axis but one or the last")
    terms = []
    for k in range(inner):
        pick = torch.zeros(width, inner)
        pick[:, k] = 1
        column = layer.linear(a, pick, None, part=_part(part, f"column{k}"))
        row = layer.slice(b, len(b.shape) - 2, k, k + 1, part=_part(part, f"row{k}"))
        terms.append(layer.pointwise("mul", column, row, part=_part(part, f"term{k}")))
    stacked = [layer.expand(t, (1, *t.shape), part=_part(part, f"layer{k}")) for k, t in enumerate(terms)]
    return layer.reduce("sum", layer.concat(stacked, 0, part=_part(part, "terms")), [0], False, part=part)
