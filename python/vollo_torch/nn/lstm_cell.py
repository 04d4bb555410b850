"""One step of an LSTM, the cell state kept inside."""

from __future__ import annotations

import torch
from torch import Tensor


class LSTMCell(torch.nn.Module):
    """`torch.nn.LSTMCell` that keeps the cell state and gives and takes the hidden state only.

    Shapes: `[input_size]` and `[hidden_size]` to `[hidden_size]`; with `batch_size`, `[batch_size, ..]` each. The
    cell state starts at zero, every call updates it, `reset` zeroes it; it is not in the state dictionary.
    """

    def __init__(self, input_size: int, hidden_size: int, batch_size: int | None = None) -> None:
        super().__init__()
        self.cell = torch.nn.LSTMCell(input_size, hidden_size)
        self.batch_size = batch_size
        shape = (hidden_size,) if batch_size is None else (batch_size, hidden_size)
        self.register_buffer("cell_state", torch.zeros(shape), persistent=False)

    def reset(self) -> None:
        """Zeroes the cell state."""
        self.cell_state: Tensor = torch.zeros_like(self.cell_state)

    def forward(self, x: Tensor, hidden_state: Tensor) -> Tensor:
        """The next hidden state."""
        if hidden_state.shape != self.cell_state.shape:
            raise ValueError(
                f"LSTMCell: the hidden state has shape {tuple(hidden_state.shape)}, "
                f"expected {tuple(self.cell_state.shape)}; give batch_size to the constructor if steps come in batches"
            )
        batched = self.batch_size is not None

        def lift(t: Tensor) -> Tensor:
            return t if batched else t.unsqueeze(0)

        h, c = self.cell(lift(x), (lift(hidden_state), lift(self.cell_state)))
        self.cell_state = c if batched else c[0]
        result: Tensor = h if batched else h[0]
        return result
