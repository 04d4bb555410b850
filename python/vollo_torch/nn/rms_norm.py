"""Normalisation by the root of the mean square."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class RMSNorm(torch.nn.Module):
    """`weight * x / sqrt(mean(x^2) + eps)` over the last axis; for PyTorch before 2.4, which has none of its own.

    Shapes: `[.., normalized_shape]` to the same. `normalized_shape` has one axis; `eps` is a number.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-05,
        elementwise_affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if len(shape) != 1:
            raise ValueError(f"RMSNorm: normalized_shape {shape} has {len(shape)} axes, one is supported")
        self.normalized_shape = shape
        self.eps = float(eps)
        self.elementwise_affine = elementwise_affine
        weight = torch.nn.Parameter(torch.ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def forward(self, input: Tensor) -> Tensor:
        """Every vector along the last axis by itself."""
        if input.shape[-1:] != self.normalized_shape:
            raise ValueError(f"RMSNorm: expected a last axis of {self.normalized_shape[0]}, got {tuple(input.shape)}")
        scaled: Tensor = input * torch.rsqrt(input.square().mean(-1, keepdim=True) + self.eps)
        return scaled if self.weight is None else scaled * self.weight

    def extra_repr(self) -> str:
        """As torch prints its norms."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
