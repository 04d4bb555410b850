"""Random small networks: torch against the machine, within what bf16 allows."""

from __future__ import annotations

import pytest

hypothesis = pytest.importorskip("hypothesis")

import vollo_torch.nn as vnn
from hypothesis import strategies as st
from torch import nn
from torch_support import check, torch

SETTINGS = hypothesis.settings(max_examples=60, deadline=None, derandomize=True, print_blob=True)
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
            elif word == "bend":
                x = (torch.tanh, torch.sigmoid, nn.functional.gelu, nn.functional.silu)[amount % 4](x)
            elif word == "choose":
                x = torch.where(x > 0, x, x * 0.5 + 0.5 - 0.5)
            elif word == "centre":
                x = x - x.mean(-1, keepdim=True)
            elif word == "share":
                x = x.softmax(-1)
            elif word == "flip":
                x = x[:, torch.arange(x.shape[1] - 1, -1, -1)]
            elif word == "mix":
                rows = x.shape[0]
                x = x.T @ torch.linspace(-1, 1, rows * rows).reshape(rows, rows)
                x = x.transpose(0, 1)
            elif word == "attend":
                x = (x @ x.T / x.shape[1]).softmax(-1) @ x
        return x


WORDS = st.sampled_from(
    [
        *("linear", "residual", "relu", "clamp", "scale", "join", "cut", "peak", "turn"),
        *("bend", "choose", "centre", "share", "flip", "mix", "attend"),
    ]
)


@SETTINGS
@hypothesis.given(
    st.lists(st.tuples(WORDS, WIDTHS), min_size=1, max_size=6), WIDTHS, st.integers(1, 3), st.integers(0, 99)
)
def test_dense_networks(words, width, rows, seed):
    hypothesis.assume(width * 2 ** sum(w == "join" for w, _ in words) <= 80)
    # An input that is mixed over its rows is packed along them; then no product with itself contracts what is packed.
    hypothesis.assume(not {"mix", "attend"} <= {word for word, _ in words})
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


@SETTINGS
@hypothesis.given(
    st.lists(st.integers(1, 11), min_size=1, max_size=3), st.data(), st.sampled_from(["sum", "mean", "amax", "amin"])
)
def test_reductions_of_any_axes(shape, data, word):
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    keep = len(axes) == len(shape) or data.draw(st.booleans())
    x = torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape))) * 2 - 1
    check(lambda a: getattr(torch, word)(a * 0.5, tuple(axes), keepdim=keep), x)


@SETTINGS
@hypothesis.given(st.lists(st.integers(1, 10), min_size=1, max_size=4), st.data())
def test_moves_of_any_axes(shape, data):
    order = data.draw(st.permutations(range(len(shape))))
    axis = data.draw(st.integers(0, len(shape) - 1))
    indices = data.draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=6))
    x = torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape))) * 2 - 1
    check(lambda a: torch.index_select(a, axis, torch.tensor(indices)).permute(order) * 2, x)


@SETTINGS
@hypothesis.given(st.integers(1, 6), st.integers(1, 10), st.integers(1, 10), st.booleans(), st.booleans())
def test_products_of_any_shape(m, k, n, left, right):
    g = torch.Generator().manual_seed(m * 100 + k * 10 + n)
    a, b = (torch.rand(*s, generator=g) * 2 - 1 for s in ((m, k), (k, n)))
    w = torch.eye(max(m, k, n))

    def product(x, y):
        """Both sides packed along the axis that their linear layer gives."""
        x = (x.T @ w[:m, :m]).T if left else x @ w[:k, :k]
        y = (y.T @ w[:k, :k]).T if right or left else y @ w[:n, :n]
        return x @ y

    check(product, a, b)
