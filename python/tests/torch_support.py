"""What the tests of `vollo_torch` share: a model through the compiler and both machines, held against torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import vollo_compiler
import vollo_torch

CONFIG = vollo_compiler.Config(num_cores=2, block_size=8)


class Function(torch.nn.Module):
    """A function as a model; tensors given by name are buffers, modules are parts."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, torch.nn.Module):
                self.add_module(name, part)
            else:
                self.register_buffer(name, part)
        self._names = list(parts)

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs, *(getattr(self, name) for name in self._names))


def lower(model: Any, *inputs: Any) -> vollo_compiler.NNIR:
    """The graph of a model (or function)."""
    module = model if isinstance(model, torch.nn.Module) else Function(model)
    traced, _ = vollo_torch.fx.prepare_shape(module.eval(), *inputs)
    return vollo_torch.fx.nnir.to_nnir(traced)


def refusal(model: Any, *inputs: Any) -> str:
    """The message a model is refused with."""
    with pytest.raises(ValueError) as caught:
        lower(model, *inputs)
    return str(caught.value)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def check(model: Any, *inputs: Any, streaming: int | Sequence[int] | None = None) -> vollo_compiler.NNIR:
    """Compiles a model and holds both machines to torch: the float one closely, the bit-accurate one within 1e-2."""
    module = model if isinstance(model, torch.nn.Module) else Function(model)
    traced, output = vollo_torch.fx.prepare_shape(module.eval(), *inputs)
    with torch.no_grad():
        expected = as_tuple(module(*(x.clone() for x in inputs)))
    for a, b in zip(as_tuple(output), expected):
        torch.testing.assert_close(a, b)
    nnir = vollo_torch.fx.nnir.to_nnir(traced)
    axes: Any = None
    if streaming is not None:
        nnir, axes = nnir.streaming_transform(streaming)
    program = nnir.to_program(CONFIG)
    for bit_accurate, tolerance in ((False, 1e-5), (True, 1e-2)):
        vm = program.to_vm(bit_accurate=bit_accurate)
        # A program's tensors have axes.
        arrays = [x.reshape(x.shape or (1,)).numpy() for x in inputs]
        if streaming is None:
            results = vm.run(arrays)
        else:
            cut = [streaming] * len(arrays) if isinstance(streaming, int) else list(streaming)
            results = vm.run_timesteps(arrays, cut, axes)
        found = as_tuple(results)
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            torch.testing.assert_close(torch.as_tensor(a), b.reshape(b.shape or (1,)), atol=tolerance, rtol=tolerance)
    return nnir
