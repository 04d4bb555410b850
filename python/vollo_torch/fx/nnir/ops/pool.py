"""Pooling along the last axis: the largest or the mean of windows.

A window's values are what `index_select` takes, one operation per place in the window; nothing is padded.
"""

from __future__ import annotations

from typing import Any

from vollo_torch.fx.nnir.layer import Layer, Runtime, Value


def max_pool1d(
    layer: Layer,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Value:
    """The largest of every window."""
    _check(layer, padding, ceil_mode)
    if return_indices:
        layer.refuse("return_indices=True", "return_indices=False")
    places = _places(layer, input, kernel_size, stride, dilation)
    for tap, x in enumerate(places[1:], 1):
        part = "" if tap + 1 == len(places) else f"max{tap}"
        places[0] = layer.pointwise("max", places[0], x, part=part)
    return places[0]


def max_pool1d_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.MaxPool1d`."""
    return max_pool1d(
        layer,
        input,
        module.kernel_size,
        module.stride,
        module.padding,
        module.dilation,
        module.ceil_mode,
        module.return_indices,
    )


def avg_pool1d(
    layer: Layer,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Value:
    """The mean of every window."""
    _check(layer, padding, ceil_mode)
    places = _places(layer, input, kernel_size, stride, 1)
    if len(places) == 1:
        return places[0]
    stacked = [layer.reshape(x, (1, *x.shape), part=f"place{i}") for i, x in enumerate(places)]
    return layer.reduce("mean", layer.concat(stacked, 0, part="places"), [0], False)


def avg_pool1d_module(layer: Layer, module: Any, input: Value) -> Value:
    """`nn.AvgPool1d`."""
    return avg_pool1d(layer, input, module.kernel_size, module.stride, module.padding, module.ceil_mode)


def _check(layer: Layer, padding: Any, ceil_mode: bool) -> None:
    if _one(padding) != 0:
        layer.refuse(f"padding={_one(padding)}", "padding=0")
    if ceil_mode:
        layer.refuse("ceil_mode=True", "ceil_mode=False")


def _one(value: Any) -> int:
    return int(value[0] if isinstance(value, (tuple, list)) else value)


def _places(layer: Layer, input: Value, kernel_size: Any, stride: Any, dilation: Any) -> list[Runtime]:
    x = layer.runtime(input)
    kernel, apart = _one(kernel_size), _one(dilation)
    step = kernel if stride is None or stride == [] else _one(stride)
    axis, windows = len(x.shape) - 1, layer.result_shape[-1]
    return [
        layer.index_select(
            x, axis, [w * step + k * apart for w in range(windows)], part=f"place{k}" if kernel > 1 else ""
        )
        for k in range(kernel)
    ]
