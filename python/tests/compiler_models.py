"""Small networks for the tests of vollo_compiler, with seeded weights."""

import itertools

import numpy as np
import vollo_compiler
from vollo_compiler._native import GraphBuilder

INFINITY = float("inf")


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal, scaled by the number of terms an output sums."""
    return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:], initial=1.0))).astype(np.float32)


def mlp(sizes: tuple[int, ...] = (12, 16, 5), name: str = "mlp", seed: int = 1) -> vollo_compiler.NNIR:
    """Linear layers from size to size, ReLU between them."""
    rng = np.random.default_rng(seed)
    g = GraphBuilder(name)
    x = g.input("x", sizes[:1])
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        if i > 0:
            x = g.clamp(f"relu{i}", x, 0.0, INFINITY)
        x = g.linear(f"fc{i}", x, weights(rng, n_out, n_in), weights(rng, n_out))
    g.output(x)
    return g.finish()


def cnn(channels: int = 6, steps: int = 9, name: str = "cnn", seed: int = 2) -> vollo_compiler.NNIR:
    """Two causal convolutions over [1, channels, steps]; stream axis 2."""
    rng = np.random.default_rng(seed)
    g = GraphBuilder(name)
    x = g.input("x", (1, channels, steps))
    x = g.conv1d("conv0", x, weights(rng, 10, channels, 3), weights(rng, 10))
    x = g.clamp("relu0", x, 0.0, INFINITY)
    g.output(g.conv1d("conv1", x, weights(rng, 2, 10, 3), None, dilation=2))
    return g.finish()


def causal(x: np.ndarray, weight: np.ndarray, dilation: int) -> np.ndarray:
    """Causal convolution of [1, C, T] with [out, C, taps]."""
    taps, steps = weight.shape[2], x.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), ((taps - 1) * dilation, 0)))
    parts = [weight[:, :, j] @ padded[:, :, j * dilation : j * dilation + steps] for j in range(taps)]
    return np.sum(parts, axis=0)


def cnn_reference(x: np.ndarray, seed: int = 2) -> np.ndarray:
    """What `cnn` computes over a whole sequence."""
    rng = np.random.default_rng(seed)
    first, bias = weights(rng, 10, x.shape[1], 3), weights(rng, 10)
    hidden = np.maximum(causal(x, first, 1) + bias[:, None], 0)
    return causal(hidden, weights(rng, 2, 10, 3), 2)


def two_in_two_out(name: str = "pair") -> vollo_compiler.NNIR:
    """(a + b, a * b) of [2, 7] and [2, 7]."""
    g = GraphBuilder(name)
    a, b = g.input("a", (2, 7)), g.input("b", (2, 7))
    g.output(g.pointwise("sum", "add", a, b))
    g.output(g.pointwise("product", "mul", a, b))
    return g.finish()


def small() -> vollo_compiler.Config:
    """Two cores of block size 8: what the RTL of tests is built for."""
    return vollo_compiler.Config.preset("c2b8")


def bf16(x: np.ndarray) -> np.ndarray:
    """Rounds to bf16, to nearest even; finite values only."""
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
