"""Tracing with values: every operation is recorded and, at once, computed.

So shapes are plain numbers while `forward` runs: `x.shape[0]`, `len(x)`, loops and conditions over them just work, and
every node knows the shape of its result.

| `node.meta`              | holds                                                          |
|--------------------------|----------------------------------------------------------------|
| `tensor_meta`            | shape and type of the result, nested as the result is          |
| `vollo_layer`            | the path the user knows, e.g. `block.0.conv`; unique           |
| `vollo_random`           | whether computing it drew random numbers                       |
| `vollo_fp32_activations`, `vollo_fp8_weights`, `vollo_core_partition` | see `vollo_torch.contexts` |

Contract. Leaves are the modules of `torch.nn` and `vollo_torch.nn`, unless hooks or parametrizations change what they
compute. The model is not changed. Modules called by other threads meanwhile are left alone.
Errors. `ValueError` where a value computed from an input would decide what is traced, and where torch itself refuses,
with the layer.
"""

from __future__ import annotations

import inspect
import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, fx
from torch.nn.utils import parametrize

from vollo_torch.contexts import requests
from vollo_torch.fx.meta import INPLACE_OPERATORS, holds_tensor, is_in_place, map_values, tensor_meta

is_vollo_tracing: ContextVar[bool] = ContextVar("is_vollo_tracing", default=False)
"""True while `prepare_shape` runs a model's `forward`."""

_ABOUT_SHAPE = frozenset(
    [
        "size",
        "dim",
        "ndimension",
        "numel",
        "nelement",
        "stride",
        "storage_offset",
        "element_size",
        "is_contiguous",
        "is_floating_point",
        "is_complex",
        "is_signed",
        "get_device",
        "type",
        "is_tensor",
        "result_type",
        "is_conj",
        "is_neg",
        "is_inference",
    ]
)
"""Operations whose result is no tensor and depends on no value."""


class ValueProxy(fx.Proxy):
    """Stands for a node in `forward` and knows what it computed."""

    def __init__(self, node: fx.Node, tracer: ValueTracer, value: Any, runtime: bool) -> None:
        super().__init__(node, tracer)
        self.vollo_value = value
        self.vollo_runtime = runtime

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("vollo_", "__")):
            raise AttributeError(name)
        value = getattr(self.vollo_value, name)
        if holds_tensor(value):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        return fx.proxy.Attribute(self, name) if callable(value) else value

    def __len__(self) -> int:
        return len(self.vollo_value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.vollo_value)))  # type: ignore[index]

    def __abs__(self) -> Any:
        return self.tracer.create_proxy("call_function", operator.abs, (self,), {})

    def __bool__(self) -> bool:
        return bool(self._known("a condition"))

    def __int__(self) -> int:
        return int(self._known("a number"))

    def __float__(self) -> float:
        return float(self._known("a number"))

    def __index__(self) -> int:
        return operator.index(self._known("an index"))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, index, value), {})

    def _known(self, use: str) -> Any:
        if self.vollo_runtime:
            raise ValueError(
                f"layer '{self.node.meta['vollo_layer']}': its value, computed from an input, is used as {use} while "
                "tracing; the network must be the same for every input: use maximum, minimum or clamp, or decide "
                "outside of forward"
            )
        return self.vollo_value


def _in_place_method(name: str) -> Callable[[ValueProxy, Any], Any]:
    def method(self: ValueProxy, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", getattr(operator, name), (self, other), {})

    return method


for _name in INPLACE_OPERATORS:
    setattr(ValueProxy, f"__{_name}__", _in_place_method(_name))


class ValueTracer(fx.Tracer):
    """`fx.Tracer` that computes what it records."""

    def __init__(self, inputs: tuple[Tensor, ...]) -> None:
        super().__init__()
        self._inputs = inputs
        self._scope: list[str] = []
        self._layers: set[str] = set()
        self._values: dict[fx.Node, Any] = {}
        self._computing = False
        self._thread = threading.get_ident()
        self._random = torch.get_rng_state()

    def output(self) -> Any:
        """What the model returned, after `trace`."""
        [node] = [node for node in self.graph.nodes if node.op == "output"]

        def value(argument: fx.Node) -> Any:
            return self._values[argument] if argument in self._values else self._attribute(str(argument.target))

        return map_values(node.args[0], value, fx.Node)

    def drew_random_numbers(self) -> bool:
        """Whether random numbers were drawn since the last recorded operation."""
        return not torch.equal(self._random, torch.get_rng_state())

    # What fx asks a tracer.

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        """A placeholder per input; parameters of `forward` without one keep their defaults."""
        bound = inspect.signature(root_fn).bind(self.root, *self._inputs)
        starred = {p.name for p in inspect.signature(root_fn).parameters.values() if p.kind is p.VAR_POSITIONAL}
        proxies: list[Any] = []
        for name, value in list(bound.arguments.items())[1:]:
            several = value if name in starred else ()
            names = [f"{name}_{i}" for i in range(len(several))] if name in starred else [name]
            for target, tensor in zip(names, several or [value]):
                proxies.append(self._record("placeholder", target, (), {}, None, None, tensor, True, False))

        def forward(*values: Any) -> Any:
            return root_fn(self.root, *values)

        # fx would take the annotation, a text here, for a type to import.
        forward.__annotations__ = {}
        return forward, proxies

    def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
        """See the module."""
        if m._forward_hooks or m._forward_pre_hooks or parametrize.is_parametrized(m):
            return False
        return type(m).__module__.startswith("vollo_torch.nn") or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: torch.nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Records a leaf, runs anything else."""
        if self._bystander():
            return forward(*args, **kwargs)
        try:
            path = self.path_of_module(m)
        except NameError:
            # Made in forward or kept in a plain list: no leaf, its functions are recorded.
            path = ""
        if path and self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        self._scope.append(path or ".".join([*self._scope[-1:], type(m).__name__]))
        try:
            return forward(*args, **kwargs)
        finally:
            self._scope.pop()

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Parameters are recorded where `forward` reads them, not where a leaf does."""
        return attr_val if self._bystander() else super().getattr(attr, attr_val, parameter_proxy_cache)

    def create_arg(self, a: Any) -> Any:
        """As fx, with a way out for modules that are not registered."""
        try:
            return super().create_arg(a)
        except NameError as error:
            raise ValueError(
                f"layer '{'.'.join(self._scope[-1:]) or 'forward'}' uses a parameter that is not part of the model; "
                "keep modules and parameters in attributes, torch.nn.ModuleList or torch.nn.ParameterList"
            ) from error

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str | None = None,
        type_expr: Any | None = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        """Computes, then records; results without tensors are returned as they are."""
        if kind == "get_attr":
            return self._record(kind, target, args, kwargs, name, type_expr, self._attribute(target), False, False)
        runtime = any(_proxies(args)) or any(_proxies(kwargs))
        path = ".".join([*self._scope[-1:], str(name or getattr(target, "__name__", target))])
        drew_before = self.drew_random_numbers()
        value = self._compute(kind, target, args, kwargs, target if kind == "call_module" else path)
        random = self.drew_random_numbers() and not drew_before
        if not drew_before:
            self._random = torch.get_rng_state()
        if holds_tensor(value) or is_in_place(kind, target):
            return self._record(kind, target, args, kwargs, name, type_expr, value, runtime, random)
        if runtime and getattr(target, "__name__", target) not in _ABOUT_SHAPE and not _is_plain(kind, target, args):
            raise ValueError(
                f"layer '{path}': a value computed from an input leaves the traced network; "
                "the network must be the same for every input: keep it a tensor, or compute it outside of forward"
            )
        return value

    # How.

    def _bystander(self) -> bool:
        return self._computing or threading.get_ident() != self._thread

    def _record(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str | None,
        type_expr: Any,
        value: Any,
        runtime: bool,
        random: bool,
    ) -> ValueProxy:
        node = self.create_node(kind, target, self.create_arg(args), self.create_arg(kwargs), name, type_expr)
        path = (
            target if kind in ("call_module", "get_attr", "placeholder") else ".".join([*self._scope[-1:], node.name])
        )
        node.meta["vollo_layer"] = self._unique(path) if kind != "get_attr" else path
        node.meta["vollo_random"] = random
        node.meta["tensor_meta"] = tensor_meta(value)
        node.meta["type"] = type(value)
        self._values[node] = value
        return ValueProxy(node, self, value, runtime)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Notes what the contexts around ask for."""
        node: fx.Node = super().create_node(*args, **kwargs)
        asked = requests()
        node.meta["vollo_fp32_activations"] = asked.fp32_activations
        node.meta["vollo_fp8_weights"] = asked.fp8_weights
        node.meta["vollo_core_partition"] = asked.core_partition
        return node

    def _unique(self, path: str) -> str:
        name, n = path, 0
        while name in self._layers:
            n += 1
            name = f"{path}_{n}"
        self._layers.add(name)
        return name

    def _attribute(self, path: str) -> Any:
        value: Any = self.root
        with self._computes():
            for part in path.split("."):
                value = getattr(value, part)
        return value

    def _compute(self, kind: str, target: Any, args: Any, kwargs: Any, layer: str) -> Any:
        args, kwargs = (map_values(a, lambda proxy: proxy.vollo_value, ValueProxy) for a in (args, kwargs))
        with self._computes():
            try:
                if kind == "call_module":
                    return self.root.get_submodule(target)(*args, **kwargs)
                if kind == "call_method":
                    return getattr(args[0], target)(*args[1:], **kwargs)
                return target(*args, **kwargs)
            except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError) as error:
                shapes = [tuple(a.shape) for a in args if isinstance(a, Tensor)]
                raise ValueError(f"layer '{layer}': torch refuses operands of shape {shapes}: {error}") from error

    @contextmanager
    def _computes(self) -> Iterator[None]:
        before, self._computing = self._computing, True
        try:
            yield
        finally:
            self._computing = before


def _proxies(value: Any) -> Iterator[bool]:
    """Of every proxy in a structure, whether it depends on an input."""
    found: list[bool] = []
    map_values(value, lambda proxy: found.append(proxy.vollo_runtime), ValueProxy)
    return iter(found)


def _is_plain(kind: str, target: Any, args: tuple[Any, ...]) -> bool:
    """Parts of results that are no tensors, e.g. an absent element of a tuple."""
    return target in (getattr, operator.getitem)
