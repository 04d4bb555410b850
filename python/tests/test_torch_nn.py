"""The modules of `vollo_torch.nn` compute what torch does."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import vollo_torch.nn as vnn
from torch.nn import functional as F

close = torch.testing.assert_close


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(1)


@pytest.mark.parametrize(("kernel", "dilation", "groups"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (4, 3, 6)])
@pytest.mark.parametrize("bias", [True, False])
def test_padded_conv1d_is_causal_and_keeps_the_length(kernel, dilation, groups, bias):
    conv = vnn.PaddedConv1d(6, 6 if groups > 1 else 4, kernel, dilation, groups, bias)
    plain = torch.nn.Conv1d(6, conv.out_channels, kernel, dilation=dilation, groups=groups, bias=bias)
    plain.load_state_dict(conv.state_dict())
    x = torch.randn(2, 6, 20)
    y = conv(x)
    assert y.shape == (2, conv.out_channels, 20)
    close(y[..., -1], plain(x)[..., -1])
    close(y, plain(F.pad(x, (dilation * (kernel - 1), 0))))
    later = x.clone()
    later[..., 10:] = 0
    close(conv(later)[..., :10], y[..., :10])
    assert not torch.equal(conv(later)[..., 10:], y[..., 10:])
    close(conv(x[0]), y[0])


def test_padded_conv1d_refuses_other_groups():
    with pytest.raises(ValueError, match=r"groups=2 with 4 channels in and 8 out; use groups=1, or groups=4"):
        vnn.PaddedConv1d(4, 8, 3, groups=2)


@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True, "bias": False}]
)
def test_lstm_is_torchs_without_the_state(options):
    lstm = vnn.LSTM(5, 7, **options)
    plain = torch.nn.LSTM(5, 7, **options)
    plain.load_state_dict({k.removeprefix("lstm."): v for k, v in lstm.state_dict().items()})
    for shape in [(4, 2, 5), (4, 5)]:
        x = torch.randn(shape)
        close(lstm(x), plain(x)[0])


@pytest.mark.parametrize("batched", [True, False])
def test_lstm_cell_keeps_its_cell_state(batched):
    cell = vnn.LSTMCell(3, 4, batch_size=2 if batched else None)
    plain = torch.nn.LSTMCell(3, 4)
    plain.load_state_dict({k.removeprefix("cell."): v for k, v in cell.state_dict().items()})
    first = None
    for _ in range(2):
        h = torch.zeros(2, 4) if batched else torch.zeros(4)
        c = torch.zeros_like(h)
        for x in torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(3)):
            x = x if batched else x[0]
            expected, c = plain(x, (h, c)) if batched else (t[0] for t in plain(x[None], (h[None], c[None])))
            h = cell(x, h)
            close(h, expected)
        first = h if first is None else first
        cell.reset()
    close(h, first)
    with pytest.raises(ValueError, match="batch_size"):
        cell(torch.zeros(3, 3), torch.zeros(3, 4))


@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_state_lstm_continues_where_it_stopped(batch_first):
    lstm = vnn.RecurrentStateLSTM(3, 4, num_layers=2, batch_first=batch_first)
    x = torch.randn(2, 6, 3) if batch_first else torch.randn(6, 2, 3)
    whole, _ = lstm.lstm(x)
    axis = 1 if batch_first else 0
    pieces = [lstm(piece) for piece in x.split([1, 2, 3], dim=axis)]
    close(torch.cat(pieces, axis), whole)
    again = lstm(x)
    assert not torch.allclose(again, whole)
    lstm.reset()
    close(lstm(x), whole)
    with pytest.raises(ValueError, match=r"state h has shape \(2, 2, 4\), this input needs \(2, 3, 4\).*reset"):
        lstm(torch.randn(3, 6, 3) if batch_first else torch.randn(6, 3, 3))


@pytest.mark.parametrize("shape", [(1, 4), (1, 1, 4), (1, 2, 4)])
def test_recurrent_state_lstm_starts_from_the_given_state(shape):
    state = (torch.randn(shape), torch.randn(shape))
    lstm = vnn.RecurrentStateLSTM(3, 4, init_state=state)
    x = torch.randn(5, 2, 3)
    wide = tuple(s.reshape(1, -1, 4).expand(1, 2, 4).contiguous() for s in state)
    close(lstm(x), lstm.lstm(x, wide)[0])
    if len(shape) == 2:
        lstm.reset()
        close(lstm(x[:, 0]), lstm.lstm(x[:, 0], state)[0])


def test_recurrent_state_lstm_checks_the_given_state():
    with pytest.raises(ValueError, match=r"init_state c has shape \(2, 4\), expected \(1, 4\)"):
        vnn.RecurrentStateLSTM(3, 4, init_state=(torch.zeros(1, 4), torch.zeros(2, 4)))


class Sum(torch.nn.Module):
    def forward(self, x, state):
        return x + state, x + state


class Pair(torch.nn.Module):
    def forward(self, xs, states):
        a, b = xs
        s, t = states
        return (a + s, b * t), (a + s, b * t)


@pytest.mark.parametrize(("input_axis", "output_axis"), [(0, 0), (1, 0), (0, 1), (-1, -1)])
def test_scan_threads_the_state(input_axis, output_axis):
    x = torch.randn(3, 4, 5)
    state = torch.randn(*(n for i, n in enumerate(x.shape) if i != input_axis % 3))
    y = vnn.Scan(Sum())(x, state, input_axis, output_axis)
    expected = (x.cumsum(input_axis) + state.unsqueeze(input_axis)).movedim(input_axis, output_axis)
    close(y, expected)


def test_scan_takes_and_gives_several_tensors():
    a, b = torch.randn(4, 2), torch.randn(3, 4)
    states = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.ones(3))])
    result = vnn.Scan(Pair())([a, b], states, input_axis=[0, 1], output_axis=[0, 1])
    assert isinstance(result, tuple)
    close(result[0], a.cumsum(0))
    close(result[1], b.cumprod(1))


def test_scan_refuses_what_has_no_meaning():
    scan = vnn.Scan(Pair())
    with pytest.raises(ValueError, match=r"different lengths \[4, 3\]"):
        scan([torch.zeros(4, 2), torch.zeros(3, 2)], [torch.zeros(2)] * 2)
    with pytest.raises(ValueError, match="1 values in input_axis for 2 tensors"):
        scan([torch.zeros(4), torch.zeros(4)], [torch.zeros(())] * 2, input_axis=[0])
    with pytest.raises(ValueError, match="no steps"):
        vnn.Scan(Sum())(torch.zeros(0, 2), torch.zeros(2))
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module, is function"):
        vnn.Scan(lambda x, s: (x, s))


@pytest.mark.parametrize("affine", [True, False])
def test_rms_norm(affine):
    norm = vnn.RMSNorm(6, eps=1e-3, elementwise_affine=affine)
    if affine:
        torch.nn.init.normal_(norm.weight)
    x = torch.randn(2, 3, 6)
    expected = x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-3)
    close(norm(x), expected * norm.weight if affine else expected)
    if hasattr(torch.nn, "RMSNorm"):
        theirs = torch.nn.RMSNorm(6, eps=1e-3, elementwise_affine=affine)
        theirs.load_state_dict(norm.state_dict())
        close(norm(x), theirs(x))
    assert repr(norm) == f"RMSNorm((6,), eps=0.001, elementwise_affine={affine})"
    with pytest.raises(ValueError, match="last axis of 6"):
        norm(torch.zeros(5))
    with pytest.raises(ValueError, match="has 2 axes, one is supported"):
        vnn.RMSNorm((2, 3))


def test_constants():
    close(vnn.Ones(2, 3)(), torch.ones(2, 3))
    close(vnn.Zeros((2, 3))(), torch.zeros(2, 3))
    assert repr(vnn.Ones(2, 3)) == "Ones(2, 3)"
