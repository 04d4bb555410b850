"""Random small networks: torch against the machine, within what bf16 allows."""

from __future__ import annotations

import pytest

hypothesis = pytest.importorskip("hypothesis")

import vollo_torch.nn as vnn
from hypothesis import strategies as st
from torch import nn
from torch_support import check, torch

SETTINGS = hypothesis.settings(max_examples=40, deadline=None, derandomize=True, print_blob=True)
WIDTHS = st.integers(1, 20)


class Net(nn.Module):
    """Layers by word; every one takes and gives a matrix."""

    def __init__(self, words, width, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.words = words
        self.layers = nn.ModuleList()
        for word, amount in words:
            out = amount if word == "linear" else width
            layer = nn.Linear(width, out) if word in ("linear", "residual") else nn.Identity()
            self.layers.append(layer)
            width = {"join": 2 * width, "cut": max(1, width // 2)}.get(word, out)

    def forward(self, x):
        for (word, amount), layer in zip(self.words, self.layers):
            if word == "linear":
                x = layer(x)
            elif word == "residual":
                x = torch.relu(layer(x)) + x
            elif word == "relu":
                x = torch.relu(x)
            elif word == "clamp":
                x = x.clamp(-amount / 8, amount / 4)
            elif word == "scale":
                x = x * (amount / 16) - 0.25
            elif word == "join":
                x = torch.cat([x, -x], dim=-1)
            elif word == "cut":
                x = x[:, x.shape[1] - max(1, x.shape[1] // 2) :]
            elif word == "peak":
                x = torch.maximum(x, x * 0.25)
            elif word == "turn":
                x = x.reshape(1, *x.shape).squeeze(0)
        return x


WORDS = st.sampled_from(["linear", "residual", "relu", "clamp", "scale", "join", "cut", "peak", "turn"])


@SETTINGS
@hypothesis.given(
    st.lists(st.tuples(WORDS, WIDTHS), min_size=1, max_size=6), WIDTHS, st.integers(1, 3), st.integers(0, 99)
)
def test_dense_networks(words, width, rows, seed):
    hypothesis.assume(width * 2 ** sum(w == "join" for w, _ in words) <= 80)
    model = Net(words, width, seed)
    check(model, torch.rand(rows, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1)


CONVOLUTIONS = st.tuples(WIDTHS, st.integers(1, 4), st.integers(1, 3), st.booleans())


@SETTINGS
@hypothesis.given(st.lists(CONVOLUTIONS, min_size=1, max_size=3), WIDTHS, st.integers(1, 9), st.integers(0, 99))
def test_streaming_convolutions(convolutions, channels, steps, seed):
    torch.manual_seed(seed)
    layers, width = [], channels
    for out, taps, dilation, depthwise in convolutions:
        out = width if depthwise else out
        layers += [vnn.PaddedConv1d(width, out, taps, dilation, groups=width if depthwise else 1), nn.ReLU()]
        width = out
    x = torch.rand(1, channels, steps, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    check(nn.Sequential(*layers), x, streaming=2)
