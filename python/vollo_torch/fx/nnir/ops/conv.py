"""Convolution along time, padding, and normalisation over batches.

NNIR has causal convolution only. A `Conv1d` with several taps is one if zeros are padded on its left, by hand or because
what padding on both sides adds at the end is cut off again (`[..., :-padding]`); any other is cut out of a longer causal
one, which only works for whole sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import vollo_torch.nn
from vollo_torch.fx.nnir.fold_norms import absorb_norm, scale_and_shift
from vollo_torch.fx.nnir.layer import Layer, Number, Overhang, Padded, Runtime, Value


def padded_conv1d(layer: Layer, module: vollo_torch.nn.PaddedConv1d, input: Value) -> Value:
    """`vollo_torch.nn.PaddedConv1d`."""
    weight, bias = absorb_norm(layer, module.weight, module.bias)
    return layer.conv1d(input, weight, bias, int(module.dilation[0]), module.groups)


def conv1d_module(layer: Layer, module: torch.nn.Conv1d, input: Value) -> Value:
    """`nn.Conv1d`."""
    if module.padding_mode != "zeros":
        layer.refuse(f"padding_mode={module.padding_mode!r}", "padding_mode='zeros'")
    padding = module.padding if isinstance(module.padding, str) else int(module.padding[0])
    return conv1d(
        layer, input, module.weight, module.bias, module.stride[0], padding, module.dilation[0], module.groups
    )


def conv1d(
    layer: Layer,
    input: Value,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """Causal where padding says so; else the windows wanted of a causal one."""
    matrix = layer.constant(weight, "a weight")
    offset = None if bias is None else layer.constant(bias, "a bias")
    stride, padding, dilation = (v[0] if isinstance(v, (tuple, list)) else v for v in (stride, padding, dilation))
    out, per_group, taps = matrix.shape
    if groups != 1 and not (per_group == 1 and groups == out):
        layer.refuse(
            f"groups={groups} with a weight of shape {tuple(matrix.shape)}",
            "groups=1, or as many as channels in and out (depthwise)",
        )
    back = dilation * (taps - 1)
    if padding == "same":
        # Torch puts the odd zero on the right.
        left, right = back // 2, back - back // 2
    else:
        left, right = (0, 0) if padding == "valid" else (padding, padding)
    if isinstance(input, Padded) and input.value == 0:
        x, left, right = input.x, left + input.left, right + input.right
    else:
        x = layer.runtime(input)
    kernel = _Kernel(*absorb_norm(layer, matrix, offset), dilation, groups)
    if stride == 1 and left == back:
        if right == 0:
            return kernel.write(layer, x, "")
        causal = kernel.write(layer, x, "causal")
        return Overhang(causal, right, lambda: _windows(layer, x, kernel, left, right, 1))
    return _windows(layer, x, kernel, left, right, stride)


@dataclass(frozen=True)
class _Kernel:
    """What a convolution multiplies by."""

    weight: Tensor
    bias: Tensor | None
    dilation: int
    groups: int

    @property
    def back(self) -> int:
        """Steps from the first tap to the last."""
        return self.dilation * (self.weight.shape[2] - 1)

    def write(self, layer: Layer, x: Runtime, part: str) -> Runtime:
        """The causal convolution."""
        return layer.conv1d(x, self.weight, self.bias, self.dilation, self.groups, part=part)


def _windows(layer: Layer, x: Runtime, kernel: _Kernel, left: int, right: int, stride: int) -> Runtime:
    """A causal convolution that goes on for `right` steps and starts late; its own zeros are `back` of the left ones."""
    more = max(left - kernel.back, 0)
    sides = [torch.zeros(*x.shape[:-1], n) if n else None for n in (more, right)]
    last = len(x.shape) - 1
    padded = layer.concat([p for p in (sides[0], x, sides[1]) if p is not None], last, part="padded")
    first = kernel.back - (left - more)
    kept = range(first, padded.shape[-1], stride)
    if kept == range(padded.shape[-1]):
        return kernel.write(layer, padded, "")
    result = kernel.write(layer, padded, "causal")
    if stride == 1:
        return layer.slice(result, last, first, padded.shape[-1])
    return layer.index_select(result, last, kept)


def pad(layer: Layer, input: Value, pad: Any, mode: str = "constant", value: Number | None = None) -> Value:
    """Constants around; written out unless a convolution takes them in."""
    if mode != "constant":
        layer.refuse(f"mode={mode!r}", "mode='constant'")
    amounts = list(pad)
    if any(n < 0 for n in amounts):
        layer.refuse(f"pad={tuple(amounts)}", "amounts from 0 on; a slice cuts off")
    number = 0.0 if value is None else float(value)
    shape = list(input.shape)
    x: Value = input
    if any(amounts[2:]):
        for position in range(len(amounts) // 2):
            left, right = amounts[2 * position : 2 * position + 2]
            axis = len(shape) - 1 - position
            sides = [torch.full((*shape[:axis], n, *shape[axis + 1 :]), number) if n else None for n in (left, right)]
            parts = [p for p in (sides[0], x, sides[1]) if p is not None]
            shape[axis] += left + right
            x = layer.concat(parts, axis, part="" if shape == list(layer.result_shape) else f"axis{axis}")
        return x
    if not any(amounts):
        return x
    return Padded(layer.runtime(x), amounts[0], amounts[1], number)


def pad_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.ConstantPad1d`, `nn.ZeroPad1d`."""
    return pad(layer, input, module.padding, "constant", module.value)


def batch_norm(
    layer: Layer,
    input: Value,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Value:
    """`input scale + shift`, one pair per channel."""
    if training or running_mean is None or running_var is None:
        layer.refuse(
            "statistics of the batch", "model.eval() and statistics kept in training (track_running_stats=True)"
        )
    known = [None if p is None else layer.constant(p, "a parameter") for p in (running_mean, running_var, weight, bias)]
    scale, shift = scale_and_shift(known[0], known[1], known[2], known[3], eps)
    column = (-1, *[1] * (len(input.shape) - 2))
    scaled = layer.pointwise("mul", input, scale.reshape(column), part="scaled")
    return layer.pointwise("add", scaled, shift.reshape(column))


def batch_norm_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.BatchNorm1d`, `2d` and `3d`; nothing is left of one whose producer took it in."""
    if layer.node in layer.graph.folded_norms:
        return layer.runtime(input)
    batch_statistics = module.training or module.running_mean is None
    return batch_norm(
        layer,
        input,
        module.running_mean,
        module.running_var,
        module.weight,
        module.bias,
        batch_statistics,
        None,
        module.eps,
    )
