"""Layers of GraphBuilder against NumPy, by themselves: functions, reductions, moves, norms, products, states and scans."""

from __future__ import annotations

import numpy as np
import pytest
import vollo_compiler
from vollo_compiler._native import GraphBuilder

CONFIG = vollo_compiler.Config(num_cores=2, block_size=8)
RNG = np.random.default_rng(4)
X, Y = (RNG.uniform(0.25, 1, (3, 10)).astype(np.float32) for _ in range(2))
W = RNG.uniform(-1, 1, (2, 4, 10)).astype(np.float32)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def root(x):
    return np.sqrt((x * x).mean(-1, keepdims=True) + 0.5)


LAYERS = {
    "recip": (lambda g, x, y: g.unary("f", "recip", x), lambda x, y: 1 / x),
    "tanh": (lambda g, x, y: g.unary("f", "tanh", x), lambda x, y: np.tanh(x)),
    "log2": (lambda g, x, y: g.unary("f", "log2", x), lambda x, y: np.log2(x)),
    "div": (lambda g, x, y: g.pointwise("f", "div", x, y), lambda x, y: x / y),
    "select": (lambda g, x, y: g.select("f", g.pointwise("c", "lt", x, y), x, y), np.minimum),
    "reduce sum": (lambda g, x, y: g.reduce("f", "sum", x, [1], True), lambda x, y: x.sum(1, keepdims=True)),
    "reduce mean": (lambda g, x, y: g.reduce("f", "mean", x, [0], False), lambda x, y: x.mean(0)),
    "reduce max": (lambda g, x, y: g.reduce("f", "max", x, [1], False), lambda x, y: x.max(1)),
    "reduce min": (lambda g, x, y: g.reduce("f", "min", x, [0, 1], True), lambda x, y: x.min(keepdims=True)),
    "transpose": (lambda g, x, y: g.transpose("f", x, [1, 0]), lambda x, y: x.T),
    "index_select": (lambda g, x, y: g.index_select("f", x, 1, [9, 0, 0]), lambda x, y: x[:, [9, 0, 0]]),
    "expand": (lambda g, x, y: g.expand("f", x, [2, 3, 10]), lambda x, y: np.broadcast_to(x, (2, 3, 10))),
    "linear_sum": (
        lambda g, x, y: g.linear_sum("f", [x, y], list(W), np.ones(4, np.float32)),
        lambda x, y: x @ W[0].T + y @ W[1].T + 1,
    ),
    "softmax": (lambda g, x, y: g.softmax("f", x, 1), lambda x, y: softmax(x, 1)),
    "log_softmax": (lambda g, x, y: g.log_softmax("f", x, 0), lambda x, y: np.log(softmax(x, 0))),
    "layer_norm": (
        lambda g, x, y: g.layer_norm("f", x, 1, W[0, 0], W[0, 1], 0.5),
        lambda x, y: (x - x.mean(-1, keepdims=True)) / root(x - x.mean(-1, keepdims=True)) * W[0, 0] + W[0, 1],
    ),
    "rms_norm": (lambda g, x, y: g.rms_norm("f", x, 1, None, 0.5), lambda x, y: x / root(x)),
    "max_pool1d": (
        lambda g, x, y: g.max_pool1d("f", x, 1, 3, 2),
        lambda x, y: np.stack([x[:, i : i + 3].max(1) for i in range(0, 8, 2)], 1),
    ),
    "matmul": (lambda g, x, y: g.matmul("f", x, g.transpose("t", y, [1, 0])), lambda x, y: x @ y.T),
}


def run(build, *inputs, bit_accurate=True):
    g = GraphBuilder("net")
    g.output(build(g, *(g.input(f"x{i}", x.shape) for i, x in enumerate(inputs))))
    return g.finish().to_program(CONFIG).to_vm(bit_accurate=bit_accurate).run(list(inputs))


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    build, reference = LAYERS[name]
    # What nobody reads is no input.
    inputs = [X, Y] if name in ("div", "select", "linear_sum", "matmul") else [X]
    for bit_accurate, tolerance in ((False, 2e-6), (True, 1e-2)):
        found = run(lambda g, x, y=None: build(g, x, y), *inputs, bit_accurate=bit_accurate)
        np.testing.assert_allclose(found, reference(X, Y), atol=tolerance, rtol=tolerance)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(found, reference(X, Y) * 1.05 + 0.05, atol=1e-2, rtol=1e-2)


def decaying():
    """y = s, s = s / 2 + x; s starts from 1."""
    g = GraphBuilder("step")
    x, s = g.input("x", (10,)), g.state("s", np.ones(10, np.float32))
    half = g.constant("half", np.full((1,), 0.5, np.float32))
    g.update(s, g.pointwise("next", "add", g.pointwise("decayed", "mul", s, half), x))
    g.output(s)
    return g.finish()


def decayed(xs):
    s, out = np.ones(10, np.float32), []
    for x in xs:
        out.append(s)
        s = s / 2 + x
    return np.stack(out)


def test_a_state_is_carried_on_and_reset():
    vm = decaying().to_program(CONFIG, generate_state_reset=True).to_vm()
    for _ in range(2):
        found = np.stack([vm.run(x) for x in X])
        np.testing.assert_allclose(found, decayed(X), atol=1e-2)
        vm.reset()


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_runs_its_body_once_per_step(reverse):
    def build(g, x):
        [y] = g.scan("scan", decaying(), 0, [x], reverse=reverse)
        return y

    expected = decayed(X[::-1])[::-1] if reverse else decayed(X)
    np.testing.assert_allclose(run(build, X), expected, atol=1e-2)


def test_open_packing_can_be_decided_once():
    g = GraphBuilder("net")
    x = g.input("x", (3, 10))
    assert g.data_dim(x) is None
    g.pack(x, 0)
    assert g.data_dim(x) == 0
    g.pack(x, 0)
    with pytest.raises(ValueError, match="packed along axis 0"):
        g.pack(x, 1)
    with pytest.raises(ValueError, match="axis 2 does not exist"):
        g.pack(x, 2)


def test_what_is_for_streaming_only_says_so():
    g = GraphBuilder("net")
    g.output(g.unary("f", "tanh", g.input("x", (3, 10))))
    nnir = g.finish(stream_only=["layer 'f'"])
    with pytest.raises(ValueError, match="layer 'f' keep state from step to step"):
        nnir.to_program(CONFIG)
    nnir.streaming_transform(0)[0].to_program(CONFIG)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda g, x: g.unary("f", "sin", x), "no unary operation 'sin'; there are recip, rsqrt"),
        (lambda g, x: g.reduce("f", "prod", x, [0], True), "no reduction 'prod'; there are sum, mean, max, min"),
        (lambda g, x: g.reduce("f", "sum", x, [2], True), "the axes"),
        (lambda g, x: g.transpose("f", x, [0, 0]), "must name every axis"),
        (lambda g, x: g.linear_sum("f", [x, x], [W[0]]), "2 operands need as many weights, 1 given"),
        (lambda g, x: g.update(x, x), "only a state can be updated"),
        (lambda g, x: (g.output(g.pointwise("f", "add", g.state("s", X), x)), g.finish()), "'s'"),
        (lambda g, x: g.scan("f", decaying(), 1, [x]), "expects \\[10\\]"),
    ],
)
def test_refusals(call, says):
    g = GraphBuilder("net")
    with pytest.raises(ValueError, match=says):
        call(g, g.input("x", (3, 10)))
