"""Causal convolution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class PaddedConv1d(torch.nn.Conv1d):
    """`Conv1d` padded with zeros on the left, so that step t sees steps up to t and the length is kept.

    Shapes: `[N, in_channels, T]` or `[in_channels, T]` to the same with `out_channels`. Stride 1; `groups` is 1 or the
    number of channels in and out (depthwise).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        if groups != 1 and not groups == in_channels == out_channels:
            raise ValueError(
                f"PaddedConv1d: groups={groups} with {in_channels} channels in and {out_channels} out; "
                f"use groups=1, or groups={in_channels} with as many channels out (depthwise)"
            )
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation, groups=groups, bias=bias)

    @property
    def left_padding(self) -> int:
        """Zeros put before the first step."""
        return int(self.dilation[0]) * (int(self.kernel_size[0]) - 1)

    def forward(self, input: Tensor) -> Tensor:
        """`[N, in_channels, T]` to `[N, out_channels, T]`."""
        return super().forward(functional.pad(input, (self.left_padding, 0)))
