"""Whole models of the kinds people deploy: torch against the machine."""

from __future__ import annotations

import math

import pytest
import vollo_torch
import vollo_torch.nn as vnn
from torch import nn
from torch.nn import functional as F
from torch_support import CONFIG, check, torch

G = torch.Generator().manual_seed(5)


def rand(*shape):
    return torch.rand(shape, generator=G) * 2 - 1


class GatedFeedForward(nn.Module):
    """SwiGLU with a norm before and the input added after."""

    def __init__(self, width, inner):
        super().__init__()
        self.norm = vnn.RMSNorm(width)
        self.gate, self.up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        y = self.norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class ConvBlock(nn.Module):
    """Causal convolution, norm over channels, residual."""

    def __init__(self, channels, taps):
        super().__init__()
        self.conv = vnn.PaddedConv1d(channels, channels, taps)
        self.norm = vnn.RMSNorm(channels)

    def forward(self, x):
        y = self.norm(self.conv(x).transpose(1, 2)).transpose(1, 2)
        return x + F.relu(y)


class Mixture(nn.Module):
    """A softmax gate over a few experts, all computed."""

    def __init__(self, width, experts):
        super().__init__()
        self.gate = nn.Linear(width, experts)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(width, width), nn.GELU()) for _ in range(experts)])

    def forward(self, x):
        weights = F.softmax(self.gate(x), -1)
        outputs = torch.stack([expert(x) for expert in self.experts], -2)
        return (weights.unsqueeze(-2) @ outputs).squeeze(-2)


class WeightedMixture(Mixture):
    """The same, weights taken apart."""

    def forward(self, x):
        weights = F.softmax(self.gate(x), -1)
        parts = [w * expert(x) for w, expert in zip(weights.split(1, -1), self.experts)]
        return sum(parts[1:], parts[0])


class Attention(nn.Module):
    """One layer of causal attention with several heads."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.out, self.norm = nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, x):
        y = self.norm(x)
        q, k, v = self.q(y), self.k(y), self.v(y)
        later = torch.ones(x.shape[0], x.shape[0]).triu(1).bool()
        parts = []
        for h in range(self.heads):
            own = slice(h * self.size, (h + 1) * self.size)
            scores = q[:, own] @ k[:, own].T / math.sqrt(self.size)
            parts.append(scores.masked_fill(later, -30.0).softmax(-1) @ v[:, own])
        return x + self.out(torch.cat(parts, -1))


class TokenMixer(nn.Module):
    """MLP mixer: across steps, then across features."""

    def __init__(self, steps, width):
        super().__init__()
        self.steps, self.features = nn.Linear(steps, steps), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        x = x + F.gelu(self.steps(self.norm(x).transpose(0, 1))).transpose(0, 1)
        return x + F.gelu(self.features(self.norm(x)))


class Selective(nn.Module):
    """A step of a selective state-space layer."""

    def __init__(self, width, states):
        super().__init__()
        self.delta, self.b, self.c = nn.Linear(width, width), nn.Linear(width, states), nn.Linear(width, states)
        self.log_a = nn.Parameter(torch.rand(width, states))
        self.d = nn.Parameter(torch.rand(width))

    def forward(self, x, h):
        delta = F.softplus(self.delta(x)).unsqueeze(-1)
        h = torch.exp(-delta * self.log_a.exp()) * h + delta * self.b(x) * x.unsqueeze(-1)
        return (h * self.c(x)).sum(-1) + self.d * x, h


class StateSpace(nn.Module):
    """Convolution, gate and selective scan, as in Mamba."""

    def __init__(self, width, states):
        super().__init__()
        self.norm, self.inner = vnn.RMSNorm(width), nn.Linear(width, 2 * width)
        self.conv = vnn.PaddedConv1d(width, width, 3, groups=width)
        self.scan, self.out = vnn.Scan(Selective(width, states)), nn.Linear(width, width)
        self.register_buffer("first", torch.zeros(width, states))

    def forward(self, x):
        y, gate = self.inner(self.norm(x)).chunk(2, -1)
        y = F.silu(self.conv(y.T).T)
        return x + self.out(self.scan(y, self.first) * F.silu(gate))


class Recurrent(nn.Module):
    """A stack of LSTM layers and a head."""

    def __init__(self, inputs, hidden, layers):
        super().__init__()
        self.lstm, self.head = vnn.LSTM(inputs, hidden, layers, batch_first=True), nn.Linear(hidden, 3)

    def forward(self, x):
        return self.head(self.lstm(x))


MODELS = {
    "gated feed-forward": (lambda: GatedFeedForward(12, 20), rand(2, 12), None),
    "gated feed-forward over steps": (lambda: GatedFeedForward(12, 20), rand(5, 12), 0),
    "convolutions": (lambda: nn.Sequential(ConvBlock(6, 3), ConvBlock(6, 2)), rand(1, 6, 5), None),
    "convolutions streamed": (lambda: nn.Sequential(ConvBlock(6, 3), ConvBlock(6, 2)), rand(1, 6, 9), 2),
    "mixture": (lambda: Mixture(9, 3), rand(2, 9), None),
    "mixture streamed": (lambda: WeightedMixture(9, 3), rand(4, 9), 0),
    "attention": (lambda: Attention(8, 2), rand(4, 8), None),
    "token mixer": (lambda: TokenMixer(5, 6), rand(5, 6), None),
    "state space": (lambda: StateSpace(6, 3), rand(4, 6), None),
    "state space streamed": (lambda: StateSpace(6, 3), rand(6, 6), 0),
    "recurrent": (lambda: Recurrent(5, 12, 3), rand(1, 4, 5), None),
    "recurrent streamed": (lambda: Recurrent(5, 12, 3), rand(1, 6, 5), 1),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    make, x, axis = MODELS[name]
    torch.manual_seed(8)
    check(make(), x, streaming=axis)


def test_a_streamed_state_is_kept_and_reset():
    torch.manual_seed(9)
    model, x = StateSpace(6, 3).eval(), rand(4, 6)
    traced, expected = vollo_torch.fx.prepare_shape(model, x)
    nnir, _ = vollo_torch.fx.nnir.to_nnir(traced).streaming_transform(0)
    vm = nnir.to_program(CONFIG, generate_state_reset=True).to_vm()
    for _ in range(2):
        found = torch.stack([torch.as_tensor(vm.run(step.numpy())) for step in x])
        torch.testing.assert_close(found, expected, atol=1e-2, rtol=1e-2)
        vm.reset()
    vm.run(x[0].numpy())
    later = torch.stack([torch.as_tensor(vm.run(step.numpy())) for step in x])
    assert not torch.allclose(later, expected, atol=1e-2, rtol=1e-2)
