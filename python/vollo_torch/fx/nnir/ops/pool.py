"""Pooling along the last axis: the largest or the mean of windows.

One `index_select` per place in the window; nothing is padded.
"""

from __future__ import annotations

from typing import Any

from vollo_torch.fx.nnir.layer import Layer, Value


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
    kernel = _one(kernel_size)
    return layer.max_pool1d(input, len(input.shape) - 1, kernel, _step(kernel, stride), _one(dilation))


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
    x, kernel = layer.runtime(input), _one(kernel_size)
    step, windows = _step(kernel, stride), layer.result_shape[-1]
    places = []
    for k in range(kernel):
        indices = [w * step + k for w in range(windows)]
        place = layer.index_select(x, len(x.shape) - 1, indices, part=f"place{k}")
        places.append(layer.expand(place, (1, *place.shape), part=f"place{k}.lifted"))
    return layer.reduce("mean", layer.concat(places, 0, part="places"), [0], False)


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


def _step(kernel: int, stride: Any) -> int:
    return kernel if stride is None or stride == [] else _one(stride)
