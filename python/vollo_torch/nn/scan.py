"""A module applied step by step along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Tensors: TypeAlias = Tensor | Sequence[Tensor]
"""A tensor or several; `torch.nn.ParameterList` counts as several."""


def _is_one(value: object) -> bool:
    return isinstance(value, Tensor)


def _axes(name: str, axis: int | Sequence[int], count: int) -> list[int]:
    axes = [axis] * count if isinstance(axis, int) else list(axis)
    if len(axes) != count:
        raise ValueError(f"Scan: {len(axes)} values in {name} for {count} tensors")
    return axes


class Scan(torch.nn.Module):
    """`step(x, state) -> (y, new_state)` over every step of a sequence; `y` is stacked, the last state dropped.

    `x`, `state`, `y` and `new_state` are each a tensor or a sequence of tensors, as `step` wants them: a sequence for
    `xs` means several inputs per step, a tensor in gives a tensor out and a sequence out gives a tuple.
    """

    def __init__(self, step: torch.nn.Module) -> None:
        super().__init__()
        if not isinstance(step, torch.nn.Module):
            raise TypeError(f"Scan: step must be a torch.nn.Module, is {type(step).__name__}")
        self.step = step

    def forward(
        self,
        xs: Tensors,
        state: Tensors,
        input_axis: int | Sequence[int] = 0,
        output_axis: int | Sequence[int] = 0,
    ) -> Tensor | tuple[Tensor, ...]:
        """Each input is cut along its `input_axis`; each output is stacked along its `output_axis`."""
        inputs = [xs] if isinstance(xs, Tensor) else list(xs)
        if not inputs:
            raise ValueError("Scan: xs is empty")
        cut = _axes("input_axis", input_axis, len(inputs))
        lengths = [x.shape[axis] for x, axis in zip(inputs, cut)]
        if len(set(lengths)) != 1:
            raise ValueError(f"Scan: inputs of different lengths {lengths} along input_axis {cut}")
        if lengths[0] == 0:
            raise ValueError("Scan: a sequence of no steps")
        outputs: list[list[Tensor]] = []
        single = True
        for t in range(lengths[0]):
            x = [tensor.select(axis, t) for tensor, axis in zip(inputs, cut)]
            y, state = self.step(x[0] if _is_one(xs) else x, state)
            single = _is_one(y)
            outputs.append([y] if isinstance(y, Tensor) else list(y))
        columns = list(zip(*outputs))
        stacked = tuple(
            torch.stack(column, dim=axis)
            for column, axis in zip(columns, _axes("output_axis", output_axis, len(columns)))
        )
        return stacked[0] if single else stacked
