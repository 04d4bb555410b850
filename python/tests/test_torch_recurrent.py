"""Recurrent networks and scans: streamed and whole, torch against the machine."""

from __future__ import annotations

import pytest
import vollo_torch
import vollo_torch.nn as vnn
from torch import nn
from torch.nn import functional as F
from torch_support import CONFIG, Function, as_tuple, check, lower, refusal, torch

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st

G = torch.Generator().manual_seed(3)


def rand(*shape):
    return torch.rand(shape, generator=G) * 2 - 1


class Output(nn.Module):
    """The output sequence of a recurrent module."""

    def __init__(self, inner, *states):
        super().__init__()
        self.inner = inner
        self.count = len(states)
        for i, state in enumerate(states):
            self.register_buffer(f"state{i}", state)

    def forward(self, x):
        if not self.count:
            return self.inner(x)[0]
        states = tuple(getattr(self, f"state{i}") for i in range(self.count))
        return self.inner(x, states if self.count > 1 else states[0])[0]


STACKS = {
    "LSTM": (Output(nn.LSTM(5, 6)), rand(4, 2, 5), 0),
    "LSTM of three layers": (Output(nn.LSTM(5, 9, 3)), rand(5, 1, 5), 0),
    "LSTM batch first": (Output(nn.LSTM(5, 6, batch_first=True)), rand(2, 4, 5), 1),
    "LSTM without a batch": (Output(nn.LSTM(5, 6, 2)), rand(4, 5), 0),
    "LSTM without bias": (Output(nn.LSTM(5, 6, bias=False)), rand(4, 1, 5), 0),
    "LSTM from a state": (Output(nn.LSTM(5, 6, 2), rand(2, 1, 6), rand(2, 1, 6)), rand(4, 1, 5), 0),
    "LSTM with a projection": (Output(nn.LSTM(5, 9, 2, proj_size=4), rand(2, 1, 4), rand(2, 1, 9)), rand(4, 1, 5), 0),
    "vollo LSTM": (vnn.LSTM(5, 6, 2, batch_first=True), rand(1, 4, 5), 1),
    "GRU": (Output(nn.GRU(5, 6, 2)), rand(4, 2, 5), 0),
    "GRU from a state": (Output(nn.GRU(5, 6, bias=False), rand(1, 2, 6)), rand(4, 2, 5), 0),
    "RNN": (Output(nn.RNN(5, 6)), rand(4, 2, 5), 0),
    "RNN with relu": (Output(nn.RNN(5, 6, nonlinearity="relu", batch_first=True)), rand(2, 4, 5), 1),
    "RecurrentStateLSTM": (vnn.RecurrentStateLSTM(5, 6, 2, init_state=(rand(2, 6), rand(2, 6))), rand(4, 2, 5), 0),
    "classifier": (nn.Sequential(vnn.LSTM(5, 6, batch_first=True), nn.Linear(6, 3), nn.Softmax(-1)), rand(1, 4, 5), 1),
}


@pytest.mark.parametrize("name", STACKS)
def test_streamed(name):
    model, x, axis = STACKS[name]
    check(fresh(model), x, streaming=axis)


@pytest.mark.parametrize("name", [name for name in STACKS if name != "RecurrentStateLSTM"])
def test_whole(name):
    model, x, _ = STACKS[name]
    check(fresh(model), x)


def fresh(model):
    """A model whose modules with state start again."""
    for module in model.modules():
        if hasattr(module, "reset"):
            module.reset()
    return model


WHOLE = {
    "bidirectional LSTM": (Output(nn.LSTM(5, 6, 2, bidirectional=True)), rand(4, 2, 5)),
    "bidirectional GRU": (Output(nn.GRU(5, 6, bidirectional=True, batch_first=True)), rand(2, 4, 5)),
    "bidirectional vollo LSTM": (vnn.LSTM(5, 6, bidirectional=True), rand(4, 5)),
    "last states": (Function(lambda x, m: (m(x)[0], *m(x)[1]), m=nn.LSTM(5, 6, 2)), rand(4, 2, 5)),
    "last states of both directions": (Function(lambda x, m: m(x)[1], m=nn.GRU(5, 6, bidirectional=True)), rand(4, 5)),
    "LSTM with a projection": (
        Function(lambda x, m: (m(x)[0], *m(x)[1]), m=nn.LSTM(5, 9, 2, proj_size=4, bidirectional=True)),
        rand(4, 2, 5),
    ),
    "LSTM from states computed at run time": (
        Function(lambda x, h, c, m: (m(x, (h, c))[0], *m(x, (h, c))[1]), m=nn.LSTM(5, 6, 2, bidirectional=True)),
        rand(3, 2, 5),
        rand(4, 2, 6),
        rand(4, 2, 6),
    ),
    "LSTM with a projection, from a state computed at run time": (
        Function(
            lambda x, h, m: m(x, (h, torch.full((1, 2, 9), 0.25)))[0], m=nn.LSTM(5, 9, proj_size=4, batch_first=True)
        ),
        rand(2, 3, 5),
        rand(1, 2, 4),
    ),
    "GRU from a state computed at run time": (
        Function(lambda x, h, m: m(x, h * 0.5), m=nn.GRU(5, 6, batch_first=True)),
        rand(2, 3, 5),
        rand(1, 2, 6),
    ),
    "RNN without a batch from a state computed at run time": (
        Function(lambda x, h, m: m(x, h), m=nn.RNN(5, 6)),
        rand(3, 5),
        rand(1, 6),
    ),
    "encoder and decoder": (
        Function(lambda x, e, d: d(x, e(x)[1])[0], e=nn.LSTM(5, 6), d=nn.LSTM(5, 6)),
        rand(3, 1, 5),
    ),
    "last step": (
        Function(lambda x, m, f: f(m(x)[:, -1]), m=vnn.LSTM(5, 6, batch_first=True), f=nn.Linear(6, 2)),
        rand(2, 4, 5),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_sequences(name):
    check(*WHOLE[name])


@hypothesis.settings(max_examples=12, deadline=None, derandomize=True, print_blob=True)
@hypothesis.given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_stacks_of_any_shape(inputs, hidden, layers, steps, batch_first):
    torch.manual_seed(inputs * 100 + hidden)
    axis = 1 if batch_first else 0
    x = torch.rand(1, steps, inputs).transpose(0, 1 - axis) * 2 - 1
    check(vnn.LSTM(inputs, hidden, layers, batch_first=batch_first), x.contiguous(), streaming=axis)


CELLS = {
    "LSTMCell": (Function(lambda x, h, c, m: m(x, (h, c)), m=nn.LSTMCell(5, 6)), rand(2, 5), rand(2, 6), rand(2, 6)),
    "LSTMCell from zero": (Function(lambda x, m: m(x), m=nn.LSTMCell(5, 6)), rand(2, 5)),
    "GRUCell": (Function(lambda x, h, m: m(x, h), m=nn.GRUCell(5, 6)), rand(2, 5), rand(2, 6)),
    "RNNCell": (Function(lambda x, h, m: m(x, h), m=nn.RNNCell(5, 6)), rand(5), rand(6)),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells(name):
    check(*CELLS[name])


def test_the_cell_state_stays_from_inference_to_inference():
    torch.manual_seed(1)
    model = vnn.LSTMCell(5, 6)
    nnir = lower(model, rand(5), rand(6))
    vm = nnir.to_program(CONFIG, generate_state_reset=True).to_vm()
    for round_ in range(2):
        model.reset()
        h = torch.zeros(6)
        for _ in range(4):
            x = rand(5)
            with torch.no_grad():
                expected = model(x, h)
            found = torch.as_tensor(vm.run([x.numpy(), h.numpy()]))
            torch.testing.assert_close(found, expected, atol=1e-2, rtol=1e-2)
            h = expected
        assert round_ or not torch.allclose(model.cell_state, torch.zeros(6))
        vm.reset()


def test_a_cell_used_twice_takes_two_steps():
    torch.manual_seed(2)
    cell = vnn.LSTMCell(5, 6)

    def twice(x, h, cell):
        return cell(x[1], cell(x[0], h))

    x, h = rand(2, 5), rand(6)
    model = Function(twice, cell=cell)
    vm = lower(model, x, h).to_program(CONFIG).to_vm()
    for _ in range(2):
        with torch.no_grad():
            expected = model(x, h)
        torch.testing.assert_close(torch.as_tensor(vm.run([x.numpy(), h.numpy()])), expected, atol=1e-2, rtol=1e-2)


class StateSpace(nn.Module):
    """A selective state-space layer: the decay depends on the input."""

    def __init__(self, width, states):
        super().__init__()
        self.decay, self.take, self.read = nn.Linear(width, width), nn.Linear(width, states), nn.Linear(width, states)
        self.a = nn.Parameter(-torch.rand(width, states) - 0.5)

    def forward(self, x, h):
        delta = F.softplus(self.decay(x))
        kept = torch.exp(delta.unsqueeze(-1) * self.a) * h
        h = kept + (delta * x).unsqueeze(-1) * self.take(x)
        return (h * self.read(x)).sum(-1), h


class Average(nn.Module):
    """Two inputs, two states, two outputs."""

    def forward(self, x, state):
        a, b = x
        mean, count = state
        mean = mean * 0.75 + a * b * 0.25
        return (mean, count + a), (mean, count * 0.5 + a)


class Scanned(nn.Module):
    def __init__(self, step, state, **axes):
        super().__init__()
        self.scan = vnn.Scan(step)
        self.several = not torch.is_tensor(state)
        self.axes = axes
        for i, s in enumerate(state if self.several else [state]):
            self.register_buffer(f"s{i}", s)

    def forward(self, *xs):
        states = [getattr(self, f"s{i}") for i in range(2 if self.several else 1)]
        return self.scan(xs[0] if len(xs) == 1 else list(xs), states if self.several else states[0], **self.axes)


SCANS = {
    "running sum": (Scanned(Function(lambda x, s: (x + s, x + s)), torch.zeros(5)), (rand(4, 5),), 0),
    "state space": (Scanned(StateSpace(6, 3), torch.zeros(6, 3)), (rand(4, 6),), 0),
    "several": (Scanned(Average(), [torch.zeros(5), rand(5)]), (rand(4, 5), rand(4, 5)), (0, 0)),
    "other axes": (
        Scanned(Function(lambda x, s: (x * s, s * 0.5 + x)), rand(2, 5), input_axis=1, output_axis=2),
        (rand(2, 4, 5),),
        1,
    ),
    "last axis": (
        Scanned(Function(lambda x, s: (x * s, s * 0.5 + x)), rand(2, 5), input_axis=-1, output_axis=-1),
        (rand(2, 5, 4),),
        2,
    ),
}


@pytest.mark.parametrize("name", SCANS)
def test_scans_streamed(name):
    torch.manual_seed(4)
    model, inputs, axes = SCANS[name]
    check(model, *inputs, streaming=axes)


@pytest.mark.parametrize("name", SCANS)
def test_scans_whole(name):
    model, inputs, _ = SCANS[name]
    check(model, *inputs)


def test_an_lstm_cell_in_a_scan():
    torch.manual_seed(5)
    cell = vnn.LSTMCell(5, 6)
    model = Scanned(Function(lambda x, h, cell: (cell(x, h),) * 2, cell=cell), torch.zeros(6))
    x = rand(4, 5)
    traced, expected = vollo_torch.fx.prepare_shape(model.eval(), x)
    nnir, axis = vollo_torch.fx.nnir.to_nnir(traced).streaming_transform(0)
    found = nnir.to_program(CONFIG).to_vm().run_timesteps(x.numpy(), 0, axis)
    torch.testing.assert_close(torch.as_tensor(found), expected, atol=1e-2, rtol=1e-2)


REFUSED = {
    "run-time state of a scan": (
        Function(lambda x, s, m: m(x, s), m=vnn.Scan(Function(lambda x, s: (x + s, s)))),
        (rand(4, 5), rand(5)),
        "Scan with an initial state computed at run time",
    ),
    "what a step uses": (
        Scanned(Function(lambda x, s: (torch.sin(x), s)), rand(5)),
        (rand(4, 5),),
        "sin: 1 x, layers 'step.sin'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    model, inputs, words = REFUSED[name]
    assert words in refusal(model, *inputs)


def test_streaming_a_network_that_reads_ahead_is_refused():
    with pytest.raises(ValueError, match="from the last step"):
        lower(vnn.LSTM(5, 6, bidirectional=True), rand(4, 5)).streaming_transform(0)


def test_an_initial_state_computed_at_run_time_is_for_whole_sequences():
    model = Function(lambda x, h, m: m(x, h)[0], m=nn.GRU(5, 6))
    with pytest.raises(ValueError, match="streaming axis 0 of layer .m.l0"):
        lower(model, rand(4, 2, 5), rand(4, 2, 6)[:1]).streaming_transform([0, 0])


def test_a_state_that_outlives_the_sequence_is_for_streaming():
    model = nn.Sequential(vnn.RecurrentStateLSTM(5, 6))
    nnir = lower(model, rand(4, 5))
    with pytest.raises(ValueError, match=r"layer '0' \(RecurrentStateLSTM\) keep state .* streaming_transform"):
        nnir.to_program(CONFIG)
    nnir.streaming_transform(0)[0].to_program(CONFIG)


def test_two_models_with_state_are_reset_apart():
    torch.manual_seed(6)
    import vollo_compiler

    x = rand(3, 5)
    nnir, _ = lower(vnn.LSTM(5, 6), x).streaming_transform(0)
    builder = vollo_compiler.ProgramBuilder(CONFIG)
    builder.add_nnir(nnir, name="a", generate_state_reset=True)
    builder.add_nnir(nnir, name="b", generate_state_reset=True)
    vm = builder.to_program().to_vm()
    first = [vm.run(step) for step in x.numpy()]
    other = vm.run(x.numpy()[0], 1)
    again = [vm.run(step) for step in x.numpy()]
    assert (first[0] != again[0]).any()
    vm.reset()
    assert all((vm.run(step) == known).all() for step, known in zip(x.numpy(), first))
    assert (vm.run(x.numpy()[0], 1) != other).any()
    assert as_tuple(first)
