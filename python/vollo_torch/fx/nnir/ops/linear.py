"""Matrix products with one constant side.

| form              | run-time side | becomes                                                |
|-------------------|---------------|--------------------------------------------------------|
| `x W`, `W [K, N]` | `[.., K]`     | `linear` with the weight transposed to `[N, K]`        |
| `x w`, `w [K]`    | `[.., K]`     | `linear` with one row, the last axis dropped           |
| `W x`, `W [M, K]` | `[K]`         | `linear`                                               |
| `W x`, `W [M, K]` | `[.., K, N]`  | `conv1d` with one tap: contracts the last axis but one |
"""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from vollo_torch.fx.nnir.fold_norms import absorb_norm
from vollo_torch.fx.nnir.layer import Layer, Number, Value


def linear(layer: Layer, input: Value, weight: Any, bias: Any = None) -> Value:
    """`input weight^T + bias`."""
    matrix = layer.constant(weight, "a weight")
    if matrix.dim() != 2:
        layer.refuse(f"a weight of shape {tuple(matrix.shape)}", "a weight [out, in]")
    if bias is not None and not (isinstance(bias, Tensor) and bias.shape == matrix.shape[:1]):
        product = layer.linear(input, matrix, None, part="product")
        return layer.pointwise("add", product, bias)
    return layer.linear(input, *absorb_norm(layer, matrix, bias))


def linear_module(layer: Layer, module: torch.nn.Linear, input: Value) -> Value:
    """`nn.Linear`."""
    return linear(layer, input, module.weight, module.bias)


def matmul(layer: Layer, input: Value, other: Value) -> Value:
    """`input other`."""
    return _product(layer, input, other, "")


def _product(layer: Layer, a: Value, b: Value, part: str) -> Value:
    if isinstance(b, Tensor):
        matrix = _unbatched(layer, b, len(a.shape))
        if matrix.dim() == 1:
            row = layer.linear(a, matrix.unsqueeze(0), None, part="row")
            return layer.reshape(row, a.shape[:-1], part=part)
        return layer.linear(a, matrix.t(), None, part=part)
    if isinstance(a, Tensor):
        matrix = _unbatched(layer, a, len(b.shape))
        if matrix.dim() != 2:
            _shape_refused(layer, a)
        if len(b.shape) == 1:
            return layer.linear(b, matrix, None, part=part)
        if len(b.shape) > 3:
            layer.refuse(f"a constant on the left of {len(b.shape)} axes", "[K], [K, N] or [batch, K, N]")
        return layer.conv1d(b, matrix.unsqueeze(-1), None, part=part)
    layer.refuse("both operands computed at run time", "one constant operand")


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


def total(layer: Layer, input: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    """`sum` over the last axis: a product with ones."""
    return _over_last(layer, input, dim, keepdim, "")


def mean(layer: Layer, input: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    """`mean` over the last axis; 1 / n is a float32."""
    summed = _over_last(layer, input, dim, keepdim, "sum")
    return layer.pointwise("mul", summed, 1.0 / input.shape[-1])


def _over_last(layer: Layer, input: Value, dim: Any, keepdim: bool, part: str) -> Value:
    rank = len(input.shape)
    axes = [dim] if isinstance(dim, int) else list(range(rank)) if dim is None else list(dim)
    if [axis % rank for axis in axes] != [rank - 1]:
        layer.refuse(f"axes {tuple(axes)} of {rank}", "the last axis alone")
    ones = torch.ones(1, input.shape[-1])
    if keepdim:
        return layer.linear(input, ones, None, part=part)
    return layer.reshape(layer.linear(input, ones, None, part="row"), input.shape[:-1], part=part)


def addmm(layer: Layer, input: Value, mat1: Value, mat2: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    """`beta input + alpha mat1 mat2`; alpha is rounded into the weight once, beta into a constant."""
    if isinstance(mat2, Tensor):
        mat2 = mat2 * alpha
    elif isinstance(mat1, Tensor):
        mat1 = mat1 * alpha
    bias: Value
    if isinstance(input, Tensor):
        scaled = input * beta
        if isinstance(mat2, Tensor) and scaled.shape[-1:] == mat2.shape[-1:] and scaled.numel() == scaled.shape[-1]:
            return layer.linear(mat1, mat2.t(), scaled.reshape(-1))
        bias = scaled
    elif beta != 1:
        bias = layer.pointwise("mul", input, beta, part="beta")
    else:
        bias = input
    return layer.pointwise("add", _product(layer, mat1, mat2, "product"), bias)
