"""Recurrent layers: over whole sequences as scans, cells as what they are made of.

| value           | shape                                             |
|-----------------|---------------------------------------------------|
| `weight_ih`     | `[gates H, inputs]`, torch's order of gates       |
| `weight_hh`     | `[gates H, H]`, `[gates H, P]` with a projection  |
| `weight_hr`     | `[P, H]`, the projection of an LSTM               |
| initial states  | `[layers directions, N, H]`, or without N; P for the hidden state with a projection |

Contract. One sum of two products per gate, so that gate, function and product are one operation of the machine. A scan
starts from its initial state in every inference; streamed, in the first one only. With initial states computed at run time
the steps are written one by one, so whole sequences only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import vollo_torch.nn
from vollo_torch.fx.nnir.layer import Later, Layer, Runtime, Value

Step = Callable[[Layer, "Weights", Value, list[Value], str], list[Runtime]]
"""Writes one step: its operand and states to the new states, hidden first."""


@dataclass(frozen=True)
class Weights:
    """One direction of a layer, or a cell."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    w_hr: Tensor | None

    @staticmethod
    def of(module: Any, suffix: str) -> Weights:
        """Those whose names end so."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        found = [getattr(module, f"{name}{suffix}", None) for name in names]
        return Weights(*(None if w is None else w.detach() for w in found))  # type: ignore[arg-type]

    def rows(self, tensor: Tensor, gate: int) -> Tensor:
        """The part of a gate."""
        hidden = self.w_hh.shape[1] if self.w_hr is None else self.w_hr.shape[1]
        return tensor[gate * hidden : (gate + 1) * hidden]

    def bias(self, gate: int) -> Tensor | None:
        """Both biases."""
        if self.b_ih is None or self.b_hh is None:
            return None
        return self.rows(self.b_ih, gate) + self.rows(self.b_hh, gate)


def _gate(layer: Layer, w: Weights, gate: int, function: str, x: Value, h: Value, part: str) -> Runtime:
    weights = [w.rows(w.w_ih, gate), w.rows(w.w_hh, gate)]
    total = layer.linear_sum([x, h], weights, w.bias(gate), part=f"{part}.sum")
    return layer.unary(function, total, part=part)


def lstm_step(layer: Layer, w: Weights, x: Value, states: list[Value], part: str) -> list[Runtime]:
    """Gates are input, forget, cell and output."""
    h, c = states
    kept = layer.pointwise("mul", _gate(layer, w, 1, "sigmoid", x, h, f"{part}forget"), c, part=f"{part}kept")
    taken = _gate(layer, w, 0, "sigmoid", x, h, f"{part}input")
    new = layer.pointwise("mul", _gate(layer, w, 2, "tanh", x, h, f"{part}cell"), taken, part=f"{part}new")
    next_c = layer.pointwise("add", kept, new, part=f"{part}c")
    shown = layer.unary("tanh", next_c, part=f"{part}shown")
    gate = _gate(layer, w, 3, "sigmoid", x, h, f"{part}output")
    if w.w_hr is None:
        return [layer.pointwise("mul", gate, shown, part=f"{part}h"), next_c]
    whole = layer.pointwise("mul", gate, shown, part=f"{part}h.whole")
    return [layer.linear(whole, w.w_hr, None, part=f"{part}h"), next_c]


def gru_step(layer: Layer, w: Weights, x: Value, states: list[Value], part: str) -> list[Runtime]:
    """Gates are reset, update and new; reset works on `W h + b`."""
    [h] = states
    reset = _gate(layer, w, 0, "sigmoid", x, h, f"{part}reset")
    b_ih, b_hh = (None if b is None else w.rows(b, 2) for b in (w.b_ih, w.b_hh))
    past = layer.linear(h, w.rows(w.w_hh, 2), b_hh, part=f"{part}past")
    past = layer.pointwise("mul", past, reset, part=f"{part}past.reset")
    present = layer.linear(x, w.rows(w.w_ih, 2), b_ih, part=f"{part}present")
    new = layer.unary("tanh", layer.pointwise("add", present, past, part=f"{part}new.sum"), part=f"{part}new")
    update = _gate(layer, w, 1, "sigmoid", x, h, f"{part}update")
    change = layer.pointwise("sub", h, new, part=f"{part}change")
    change = layer.pointwise("mul", update, change, part=f"{part}change.update")
    return [layer.pointwise("add", change, new, part=f"{part}h")]


def rnn_step(function: str) -> Step:
    """The step of an RNN with `tanh` or `relu`."""

    def step(layer: Layer, w: Weights, x: Value, states: list[Value], part: str) -> list[Runtime]:
        if function == "tanh":
            return [_gate(layer, w, 0, "tanh", x, states[0], f"{part}h")]
        total = layer.linear_sum([x, states[0]], [w.w_ih, w.w_hh], w.bias(0), part=f"{part}sum")
        return [layer.clamp(total, 0, None, part=f"{part}h")]

    return step


# Whole sequences.


def lstm_module(layer: Layer, module: torch.nn.LSTM, input: Value, hx: Any = None) -> Any:
    """`nn.LSTM`: output, last hidden and cell states."""
    output, (h, c) = _stack(layer, module, input, lstm_step, [None, None] if hx is None else list(hx))
    return output, (h, c)


def gru_module(layer: Layer, module: torch.nn.GRU, input: Value, hx: Any = None) -> Any:
    """`nn.GRU`: output and last states."""
    output, [h] = _stack(layer, module, input, gru_step, [hx])
    return output, h


def rnn_module(layer: Layer, module: torch.nn.RNN, input: Value, hx: Any = None) -> Any:
    """`nn.RNN`: output and last states."""
    output, [h] = _stack(layer, module, input, rnn_step(module.nonlinearity), [hx])
    return output, h


def vollo_lstm(layer: Layer, module: vollo_torch.nn.LSTM, input: Value) -> Value:
    """`vollo_torch.nn.LSTM`: the output alone."""
    return _stack(layer, module.lstm, input, lstm_step, [None, None])[0]


def recurrent_state_lstm(layer: Layer, module: vollo_torch.nn.RecurrentStateLSTM, input: Value) -> Value:
    """`vollo_torch.nn.RecurrentStateLSTM`; its state outlives a sequence, so only streamed."""
    layer.graph.stream_only.append(f"layer '{layer.name}' (RecurrentStateLSTM)")
    rank = len(input.shape)
    states: list[Any] = []
    initial: list[Any] = [module.init_h, module.init_c]
    for state in initial:
        if state is not None and rank == 3:
            batch = input.shape[0 if module.lstm.batch_first else 1]
            state = state.unsqueeze(1) if state.dim() == 2 else state
            state = state.expand(-1, batch, -1)
        states.append(state)
    return _stack(layer, module.lstm, input, lstm_step, states)[0]


def _stack(layer: Layer, module: Any, input: Value, step: Step, initial: list[Any]) -> tuple[Runtime, list[Later]]:
    """All layers and directions; the output, and per state the last ones."""
    x = layer.runtime(input)
    if module.training and module.dropout and module.num_layers > 1:
        layer.refuse("training mode", "model.eval()")
    axis = 1 if module.batch_first and len(x.shape) == 3 else 0
    outer = [*x.shape[:axis], *x.shape[axis + 1 : -1]]
    widths = [getattr(module, "proj_size", 0) or module.hidden_size, module.hidden_size]
    shapes = [[*outer, width] for width in widths[: len(initial)]]
    if any(not isinstance(state, (Tensor, type(None))) for state in initial):
        return _unrolled(layer, module, x, axis, step, initial, shapes)
    known = [None if state is None else layer.constant(state, "an initial state") for state in initial]
    runs: list[tuple[list[Runtime], bool]] = []
    for number in range(module.num_layers):
        outputs = []
        for suffix, index, reverse in _directions(module, number):
            first = [torch.zeros(s) if k is None else k[index].reshape(s) for k, s in zip(known, shapes)]
            body = _body(layer, step, Weights.of(module, suffix), [*outer, x.shape[-1]], first)
            found = layer.scan(body, axis, [x], reverse, part=suffix[1:])
            runs.append((found, reverse))
            outputs.append(found[0])
        x = layer.concat(outputs, len(x.shape) - 1, part=f"l{number}")
    return x, [
        Later((len(runs), *shape), _last(layer, [(found[s], reverse) for found, reverse in runs], axis, f"last{s}"))
        for s, shape in enumerate(shapes)
    ]


def _directions(module: Any, number: int) -> list[tuple[str, int, bool]]:
    """Of a layer: end of its weights' names, place of its states, whether it begins with the last step."""
    if not module.bidirectional:
        return [(f"_l{number}", number, False)]
    return [(f"_l{number}", 2 * number, False), (f"_l{number}_reverse", 2 * number + 1, True)]


def _unrolled(
    layer: Layer, module: Any, x: Runtime, axis: int, step: Step, initial: list[Any], shapes: list[list[int]]
) -> tuple[Runtime, list[Later]]:
    """As `_stack`, step by step, because what a scan starts from is constant."""
    count = module.num_layers * (2 if module.bidirectional else 1)
    given = [torch.zeros(count, *shape) if s is None else s for s, shape in zip(initial, shapes)]
    ends: list[list[Value]] = []
    for number in range(module.num_layers):
        outputs = []
        for suffix, index, reverse in _directions(module, number):
            weights, part = Weights.of(module, suffix), suffix[1:]
            states = [
                _first(layer, s, index, shape, f"{part}.first{i}") for i, (s, shape) in enumerate(zip(given, shapes))
            ]
            steps: list[Value] = [x] * x.shape[axis]
            for at in reversed(range(len(steps))) if reverse else range(len(steps)):
                present = layer.slice(x, axis, at, at + 1, part=f"{part}.{at}.x")
                present = layer.reshape(present, [*shapes[0][:-1], x.shape[-1]], part=f"{part}.{at}.step")
                states = list(step(layer, weights, present, states, f"{part}.{at}."))
                whole = [*shapes[0][:axis], 1, *shapes[0][axis:]]
                steps[at] = layer.reshape(states[0], whole, part=f"{part}.{at}.whole")
            ends.append(states)
            outputs.append(layer.concat(steps, axis, part=part))
        x = layer.concat(outputs, len(x.shape) - 1, part=f"l{number}")

    def last(number: int) -> Callable[[], Runtime]:
        def write() -> Runtime:
            each = [
                layer.reshape(e[number], [1, *shapes[number]], part=f"last{number}.{i}") for i, e in enumerate(ends)
            ]
            return layer.concat(each, 0, part=f"last{number}")

        return write

    return x, [Later((count, *shape), last(number)) for number, shape in enumerate(shapes)]


def _first(layer: Layer, state: Any, index: int, shape: list[int], part: str) -> Value:
    """The initial state of one layer in one direction."""
    if isinstance(state, Tensor):
        return state[index].reshape(shape)
    return layer.reshape(layer.slice(state, 0, index, index + 1, part=f"{part}.slice"), shape, part=part)


def _body(layer: Layer, step: Step, weights: Weights, shape: list[int], first: list[Tensor]) -> Any:
    def write(body: Layer) -> None:
        builder = body.graph.builder
        x = Runtime(builder.input("x", shape), tuple(shape))
        states: list[Value] = [body.state(value, f"state{i}") for i, value in enumerate(first)]
        new = step(body, weights, x, states, "")
        for state, value in zip(states, new):
            body.update(state, value)
            builder.output(value.id)

    return layer.body("step", write)


def _last(layer: Layer, runs: list[tuple[Runtime, bool]], axis: int, part: str) -> Callable[[], Runtime]:
    """States after the last step, stacked: a slice of each sequence of states."""

    def write() -> Runtime:
        states = []
        for number, (sequence, reverse) in enumerate(runs):
            end = 1 if reverse else sequence.shape[axis]
            state = layer.slice(sequence, axis, end - 1, end, part=f"{part}.{number}")
            order = [axis, *(i for i in range(len(sequence.shape)) if i != axis)]
            states.append(layer.transpose(state, order, part=f"{part}.{number}.front"))
        return layer.concat(states, 0, part=part)

    return write


# Cells.


def lstm_cell_module(layer: Layer, module: torch.nn.LSTMCell, input: Value, hx: Any = None) -> Any:
    """`nn.LSTMCell`: new hidden and cell states."""
    states = list(_zeros(module, input, 2)) if hx is None else list(hx)
    h, c = lstm_step(layer, Weights.of(module, ""), input, states, "cell.")
    return h, c


def gru_cell_module(layer: Layer, module: torch.nn.GRUCell, input: Value, hx: Any = None) -> Value:
    """`nn.GRUCell`: the new state."""
    [state] = _zeros(module, input, 1) if hx is None else [hx]
    return gru_step(layer, Weights.of(module, ""), input, [state], "cell.")[0]


def rnn_cell_module(layer: Layer, module: torch.nn.RNNCell, input: Value, hx: Any = None) -> Value:
    """`nn.RNNCell`: the new state."""
    [state] = _zeros(module, input, 1) if hx is None else [hx]
    return rnn_step(module.nonlinearity)(layer, Weights.of(module, ""), input, [state], "cell.")[0]


def _zeros(module: Any, input: Value, count: int) -> list[Value]:
    return [torch.zeros(*input.shape[:-1], module.hidden_size) for _ in range(count)]


def vollo_lstm_cell(layer: Layer, module: vollo_torch.nn.LSTMCell, x: Value, hidden_state: Value) -> Value:
    """`vollo_torch.nn.LSTMCell`: the cell state stays in the model, from call to call and from inference to inference."""
    cells, path = layer.graph.cells, str(layer.node.target)
    if path not in cells:
        state = layer.state(torch.zeros(module.cell_state.shape), "cell_state")
        cells[path] = (state, state)
    state, cell = cells[path]
    h, cell = lstm_step(layer, Weights.of(module.cell, ""), x, [hidden_state, cell], "cell.")
    cells[path] = (state, cell)
    return h
