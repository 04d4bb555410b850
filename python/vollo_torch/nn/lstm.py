"""LSTM over a whole sequence."""

from __future__ import annotations

import torch
from torch import Tensor


class LSTM(torch.nn.Module):
    """`torch.nn.LSTM` that returns its output sequence only; the wrapped module is the attribute `lstm`.

    Shapes: `[T, N, input_size]` (`[N, T, input_size]` with `batch_first`, `[T, input_size]` without a batch) to the
    same with `hidden_size`, twice that if `bidirectional`. The initial state is zero.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(
            input_size,
            hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            bidirectional=bidirectional,
        )

    def forward(self, input: Tensor) -> Tensor:
        """The output of the last layer at every step."""
        output: Tensor = self.lstm(input)[0]
        return output
