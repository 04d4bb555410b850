"""What a `with` block inside `forward` asks of the layers traced in it.

| context           | asks for                                                     |
|-------------------|--------------------------------------------------------------|
| `Fp32Activations` | activations between these layers in float32                  |
| `Fp8Weights`      | weights of these layers stored as 8-bit floats               |
| `CorePartition`   | these layers on some of the cores only                       |

Contract. `prepare_shape` notes on every node what was asked when it was traced; what the compiler cannot honour is
reported by `to_nnir`, never dropped. Contexts nest, may be entered again, and belong to the thread (and task) that
entered them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from operator import index
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Requests:
    """Everything asked for at one point of `forward`."""

    fp32_activations: bool = False
    fp8_weights: bool = False
    core_partition: tuple[int, ...] | None = None


_stack: ContextVar[tuple[Requests, ...]] = ContextVar("vollo_requests", default=(Requests(),))


def requests() -> Requests:
    """What the enclosing contexts of this thread ask for."""
    return _stack.get()[-1]


class _Context:
    def _inside(self, outside: Requests) -> Requests:
        raise NotImplementedError

    def __enter__(self) -> Self:
        stack = _stack.get()
        _stack.set((*stack, self._inside(stack[-1])))
        return self

    def __exit__(self, *_: object) -> None:
        _stack.set(_stack.get()[:-1])


class Fp32Activations(_Context):
    """Layers traced inside keep their activations in float32."""

    def _inside(self, outside: Requests) -> Requests:
        return replace(outside, fp32_activations=True)


class Fp8Weights(_Context):
    """Weights of linear, convolution and recurrent layers traced inside are stored as 8-bit floats (E4M3)."""

    def _inside(self, outside: Requests) -> Requests:
        return replace(outside, fp8_weights=True)


class CorePartition(_Context):
    """Layers traced inside run on the given cores only.

    Nested partitions must be part of the enclosing one (`ValueError` on entry), or replace it with `override=True`.
    """

    def __init__(self, cores: Sequence[int], override: bool = False) -> None:
        self.cores = tuple(index(core) for core in cores)
        self.override = bool(override)
        if not self.cores or min(self.cores) < 0 or len(set(self.cores)) != len(self.cores):
            raise ValueError(f"CorePartition needs distinct core numbers from 0 on, at least one; given {list(cores)}")

    def _inside(self, outside: Requests) -> Requests:
        enclosing = outside.core_partition
        if enclosing is not None and not self.override:
            foreign = [core for core in self.cores if core not in enclosing]
            if foreign:
                raise ValueError(
                    f"CorePartition{list(self.cores)} inside CorePartition{list(enclosing)}: cores {foreign} are not "
                    "in the enclosing partition; use a subset, or override=True to replace it"
                )
        return replace(outside, core_partition=self.cores)
