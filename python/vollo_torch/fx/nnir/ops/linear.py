"""Matrix products.

| form              | run-time side | becomes                                                |
|-------------------|---------------|--------------------------------------------------------|
| `x W`, `W [K, N]` | `[.., K]`     | `linear` with the weight transposed to `[N, K]`        |
| `x w`, `w [K]`    | `[.., K]`     | `linear` with one row, the last axis dropped           |
| `W x`, `W [M, K]` | `[K]`         | `linear`                                               |
| `W x`, `W [M, K]` | `[.., K, N]`  | `linear` between two transpositions                    |
| any, packed along an axis that is not contracted | | a product, `reduce_sum` over k  |
| `x y`             | both          | `dynamic.py`                                           |
"""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from vollo_torch.fx.nnir.fold_norms import absorb_norm
from vollo_torch.fx.nnir.fp8 import refuse_fp8
from vollo_torch.fx.nnir.layer import Layer, Number, Runtime, Value
from vollo_torch.fx.nnir.ops import dynamic

_PACKED = "a product along the data dimension, or outside of the context"


def linear(layer: Layer, input: Value, weight: Any, bias: Any = None) -> Value:
    """`input weight^T + bias`."""
    if not isinstance(weight, Tensor):
        turned = layer.transpose(weight, [*range(len(weight.shape) - 2), *_last_two(weight)], part="transposed")
        return _plus(layer, _product(layer, input, turned, "" if bias is None else "product"), bias)
    if weight.dim() != 2:
        layer.refuse(f"a weight of shape {tuple(weight.shape)}", "a weight [out, in]")
    if bias is not None and not (isinstance(bias, Tensor) and bias.shape == weight.shape[:1]):
        return _plus(layer, _times(layer, layer.runtime(input), weight, None, "product"), bias)
    return _times(layer, layer.runtime(input), *absorb_norm(layer, weight, bias), "")


def linear_module(layer: Layer, module: torch.nn.Linear, input: Value) -> Value:
    """`nn.Linear`."""
    return linear(layer, input, module.weight, module.bias)


def matmul(layer: Layer, input: Value, other: Value) -> Value:
    """`input other`."""
    return _product(layer, input, other, "")


def bmm(layer: Layer, input: Value, mat2: Value) -> Value:
    """Batches of matrices."""
    return _product(layer, input, mat2, "")


def _last_two(value: Any) -> tuple[int, int]:
    rank = len(value.shape)
    return rank - 1, rank - 2


def _plus(layer: Layer, product: Value, bias: Any) -> Value:
    return product if bias is None else layer.pointwise("add", product, bias)


def _times(layer: Layer, x: Runtime, weight: Tensor, bias: Tensor | None, part: str) -> Runtime:
    """`x weight^T + bias` along the last axis, whichever axis x is packed along."""
    packed = layer.data_dim(x)
    if packed is None or packed == len(x.shape) - 1:
        return layer.linear(x, weight, bias, part=part)
    refuse_fp8(layer, f"a product along axis {len(x.shape) - 1} of {x.shape}, packed along axis {packed},", _PACKED)
    lifted = layer.reshape(x, (*x.shape, 1), part=f"{part}.lifted" if part else "lifted")
    product = layer.pointwise("mul", lifted, weight.t().contiguous(), part=f"{part}.terms" if part else "terms")
    if bias is None:
        return layer.reduce("sum", product, [len(x.shape) - 1], False, part=part)
    total = layer.reduce("sum", product, [len(x.shape) - 1], False, part=f"{part}.sum" if part else "sum")
    return layer.pointwise("add", total, bias, part=part)


def _product(layer: Layer, a: Value, b: Value, part: str) -> Value:
    if isinstance(b, Tensor):
        matrix = _unbatched(layer, b, len(a.shape))
        x = layer.runtime(a)
        if matrix.dim() == 1:
            row = _times(layer, x, matrix.unsqueeze(0), None, f"{part}.row" if part else "row")
            if len(x.shape) == 1:
                layer.refuse("a product of two vectors", "a product with a matrix [K, 1]")
            return layer.reshape(row, x.shape[:-1], part=part)
        return _times(layer, x, matrix.t(), None, part)
    if isinstance(a, Tensor):
        matrix = _unbatched(layer, a, len(b.shape))
        if matrix.dim() == 1:
            matrix = matrix.unsqueeze(0)
        x = layer.runtime(b)
        if len(x.shape) == 1:
            return layer.linear(x, matrix, None, part=part)
        packed, rank = layer.data_dim(x), len(x.shape)
        dotted = f"{part}." if part else ""
        if packed is not None and packed != rank - 2:
            # [M, K, 1] [.., 1, K, N], summed over K.
            refuse_fp8(layer, f"a product along axis {rank - 2} of {x.shape}, packed along axis {packed},", _PACKED)
            lifted = layer.reshape(x, (*x.shape[:-2], 1, *x.shape[-2:]), part=f"{dotted}lifted")
            terms = layer.pointwise("mul", matrix.unsqueeze(-1), lifted, part=f"{dotted}terms")
            result = layer.reduce("sum", terms, [rank - 1], False, part=part if a.dim() > 1 else f"{dotted}row")
        else:
            order = [*range(rank - 2), rank - 1, rank - 2]
            turned = layer.transpose(x, order, part=f"{dotted}turned")
            product = layer.linear(turned, matrix, None, part=f"{dotted}product")
            result = layer.transpose(product, order, part=part if a.dim() > 1 else f"{dotted}row")
        # The axis of the one row may be the packed one.
        return result if a.dim() > 1 else layer.reduce("sum", result, [rank - 2], False, part=part)
    refuse_fp8(layer, "a product of two run-time tensors", "constant weights, or the product outside of the context")
    return dynamic.matmul(layer, layer.runtime(a), layer.runtime(b), part)


def _unbatched(layer: Layer, tensor: Tensor, operand_rank: int) -> Tensor:
    """The vector or matrix of a constant whose leading extents are 1 and add no axis to the result."""
    leading = max(tensor.dim() - 2, 0)
    plain = all(extent == 1 for extent in tensor.shape[:leading])
    if tensor.dim() == 0 or not plain or (leading and tensor.dim() > operand_rank):
        _shape_refused(layer, tensor)
    return tensor.reshape(tensor.shape[leading:])


def _shape_refused(layer: Layer, tensor: Tensor) -> NoReturn:
    layer.refuse(
        f"a constant of shape {tuple(tensor.shape)}", "a constant matrix [K, N] on the right or [M, K] on the left"
    )


def addmm(layer: Layer, input: Value, mat1: Value, mat2: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    """`beta input + alpha mat1 mat2`; alpha is rounded into the weight once, beta into a constant."""
    if isinstance(mat2, Tensor):
        mat2 = mat2 * alpha
    elif isinstance(mat1, Tensor):
        mat1 = mat1 * alpha
    elif alpha != 1:
        mat1 = layer.pointwise("mul", mat1, alpha, part="alpha")
    bias: Value
    if isinstance(input, Tensor):
        scaled = input * beta
        if isinstance(mat2, Tensor) and scaled.shape[-1:] == mat2.shape[-1:] and scaled.numel() == scaled.shape[-1]:
            return _times(layer, layer.runtime(mat1), mat2.t(), scaled.reshape(-1), "")
        bias = scaled
    elif beta != 1:
        bias = layer.pointwise("mul", input, beta, part="beta")
    else:
        bias = input
    return layer.pointwise("add", _product(layer, mat1, mat2, "product"), bias)
