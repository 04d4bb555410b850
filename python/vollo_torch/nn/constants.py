"""Constants as modules, so that tracing sees one layer."""

from __future__ import annotations

import torch
from torch import Tensor


class _Filled(torch.nn.Module):
    value = 0.0

    def __init__(self, *size: int) -> None:
        super().__init__()
        self.size = torch.Size(size[0] if len(size) == 1 and not isinstance(size[0], int) else size)

    def forward(self) -> Tensor:
        """The tensor."""
        return torch.full(self.size, self.value)

    def extra_repr(self) -> str:
        """The shape."""
        return ", ".join(map(str, self.size))


class Ones(_Filled):
    """`torch.ones(*size)`; the size as numbers or as one sequence."""

    value = 1.0


class Zeros(_Filled):
    """`torch.zeros(*size)`; the size as numbers or as one sequence."""

    value = 0.0
