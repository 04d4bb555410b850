"""LSTM whose state outlives the call."""

from __future__ import annotations

import torch
from torch import Tensor


class RecurrentStateLSTM(torch.nn.Module):
    """`torch.nn.LSTM` whose final states are the initial states of the next call.

    Shapes of values: `[T, N, input_size]` (`[N, T, input_size]` with `batch_first`, `[T, input_size]` without a
    batch) to the same with `hidden_size`. `init_state` is `(h, c)`, each `[num_layers, N, hidden_size]`, or
    `[num_layers, hidden_size]` without a batch (or for every member of one); zero by default.

    The state is no parameter and not in the state dictionary; `reset` brings back the initial one.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        init_state: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(input_size, hidden_size, num_layers=num_layers, bias=bias, batch_first=batch_first)
        h, c = (None, None) if init_state is None else init_state
        for name, state in (("h", h), ("c", c)):
            self.register_buffer(f"init_{name}", None if state is None else self._checked(name, state).detach().clone())
            self.register_buffer(f"state_{name}", None, persistent=False)

    def _checked(self, name: str, state: Tensor) -> Tensor:
        layers, hidden = self.lstm.num_layers, self.lstm.hidden_size
        if state.dim() not in (2, 3) or state.shape[0] != layers or state.shape[-1] != hidden:
            raise ValueError(
                f"RecurrentStateLSTM: init_state {name} has shape {tuple(state.shape)}, "
                f"expected ({layers}, {hidden}) or ({layers}, batch, {hidden})"
            )
        return state

    def reset(self) -> None:
        """Brings back the initial state."""
        self.state_h: Tensor | None = None
        self.state_c: Tensor | None = None

    def _state(self, name: str, input: Tensor) -> Tensor:
        batched = input.dim() == 3
        batch = [input.shape[0 if self.lstm.batch_first else 1]] if batched else []
        wanted = [self.lstm.num_layers, *batch, self.lstm.hidden_size]
        state: Tensor | None = getattr(self, f"state_{name}")
        if state is None:
            state = getattr(self, f"init_{name}")
            if state is None:
                return input.new_zeros(wanted)
            if batched and state.dim() == 2:
                state = state.unsqueeze(1)
            if batched and state.shape[1] == 1:
                state = state.expand(wanted).contiguous()
        if list(state.shape) != wanted:
            raise ValueError(
                f"RecurrentStateLSTM: state {name} has shape {tuple(state.shape)}, this input needs {tuple(wanted)}; "
                "keep the batch size, or call reset() first"
            )
        return state

    def forward(self, input: Tensor) -> Tensor:
        """The output of the last layer at every step; keeps the final states."""
        state = (self._state("h", input), self._state("c", input))
        output, (self.state_h, self.state_c) = self.lstm(input, state)
        result: Tensor = output
        return result
