"""`prepare_shape`: a model and example inputs to a traced module that knows every shape.

Errors. `TypeError` for what is no module or no tensor, or not as many inputs as `forward` takes; `ValueError`, with a
way out, for models that cannot be traced: TorchScript, training mode where it matters, state changed in `forward`,
random numbers.
"""

from __future__ import annotations

import inspect
import threading
from typing import Any

import torch
from torch import Tensor, fx

from vollo_torch.fx.meta import tensor_meta
from vollo_torch.fx.tracer import ValueProxy, ValueTracer, is_vollo_tracing

# fx patches torch.nn.Module while it traces.
_lock = threading.RLock()


def prepare_shape(model: torch.nn.Module, *inputs: Tensor) -> tuple[fx.GraphModule, Any]:
    """Traces `model` on example inputs; returns the traced module and the model's output for them.

    The output is a tensor or a tuple of tensors, as `forward` returns it, without gradients. The model's state is as
    before.
    """
    _check_model(model)
    _check_inputs(model, inputs)
    own = tuple(x.detach().clone() for x in inputs)
    with _lock, torch.no_grad():
        token = is_vollo_tracing.set(True)
        try:
            if isinstance(model, fx.GraphModule) and is_prepared(model):
                return _propagate(model, own)
            return _trace(model, own)
        finally:
            is_vollo_tracing.reset(token)


def is_prepared(model: fx.GraphModule) -> bool:
    """Whether a module comes from `prepare_shape` (or `load`)."""
    return any("vollo_layer" in node.meta for node in model.graph.nodes)


def _trace(model: torch.nn.Module, inputs: tuple[Tensor, ...]) -> tuple[fx.GraphModule, Any]:
    name = type(model).__name__
    tracer = ValueTracer(inputs)
    if tracer.is_leaf_module(model, ""):
        model = _Alone(model)
    state = _State(model)
    try:
        graph = tracer.trace(model)
        output = tracer.output()
        # What unpickles a GraphModule must not need example inputs.
        graph._tracer_cls = None
        module = fx.GraphModule(model, graph, class_name=name)
    except (TypeError, RuntimeError) as error:
        if "cannot assign" in str(error):
            raise _state_error(name, str(error)) from error
        if ValueProxy.__name__ in str(error):
            raise ValueError(
                f"model '{name}': forward calls a function that takes tensors only (TorchScript, an extension): "
                f"{error}; call the Python function it was made from"
            ) from error
        raise
    finally:
        changed = state.restore()
    if tracer.drew_random_numbers():
        raise ValueError(
            f"model '{name}': forward draws random numbers, which would become constants; "
            "call model.eval() first, or pass them as an input"
        )
    if changed:
        raise _state_error(name, _quoted(changed))
    return module, output


def _state_error(name: str, what: str) -> ValueError:
    return ValueError(
        f"model '{name}': forward changes state of the model: {what}; state is kept by "
        "vollo_torch.nn.RecurrentStateLSTM, LSTMCell or Scan only: use those, or pass it in and out of forward"
    )


class _Alone(torch.nn.Module):
    """A model that is one layer, as a model with one layer."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.name = type(layer).__name__.lower()
        self.add_module(self.name, layer)

    def forward(self, *inputs: Any) -> Any:
        return getattr(self, self.name)(*inputs)


def _propagate(model: fx.GraphModule, inputs: tuple[Tensor, ...]) -> tuple[fx.GraphModule, Any]:
    """Shapes for a module that is traced already; the rest of what its nodes know stays."""
    module = fx.GraphModule(model, _copy(model.graph), class_name=type(model).__name__)

    class Shapes(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            try:
                value = super().run_node(n)
            except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError) as error:
                raise ValueError(f"layer '{n.meta.get('vollo_layer', n.name)}': torch refuses: {error}") from error
            n.meta["tensor_meta"] = tensor_meta(value)
            n.meta["type"] = type(value)
            return value

    state = _State(model)
    try:
        return module, Shapes(module).run(*inputs)
    finally:
        state.restore()


def _copy(graph: fx.Graph) -> fx.Graph:
    copy: fx.Graph = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    result = copy.graph_copy(graph, copied, return_output_node=True)
    assert isinstance(result, tuple)  # with return_output_node
    value, node = result
    output = copy.output(value)
    output.meta = dict(node.meta)
    return copy


class _State:
    """What a model holds, to see what `forward` changes and to put it back."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._known = [
            (path, module, dict(vars(module)), dict(module._buffers), _versions(module), _contents(module))
            for path, module in model.named_modules()
        ]

    def restore(self) -> list[str]:
        """Puts everything back; names the tensors that changed and are not ours."""
        changed = []
        for path, module, attributes, buffers, versions, contents in self._known:
            # Torch's modules assign what they compute from parameters, e.g. a normalised weight.
            ours = type(module).__module__.startswith(("vollo_torch.nn", "torch.nn"))
            names = [name for name, version in versions.items() if buffers[name]._version != version]
            for before, now in ((buffers, module._buffers), (attributes, vars(module))):
                for name in {**before, **now}:
                    if now.get(name) is not before.get(name) and not name.startswith("_tensor_constant"):
                        stateful = _is_state(now.get(name)) or _is_state(before.get(name))
                        names += [name] if stateful and not ours else []
                now.clear()
                now.update(before)
            for name, container, items in contents:
                if any(_is_state(item) for item in container if not any(item is known for known in items)):
                    names.append(name)
                    container[:] = items
            changed += [f"{path}.{name}".lstrip(".") for name in dict.fromkeys(names)]
        return changed


def _is_state(value: Any) -> bool:
    return isinstance(value, (Tensor, fx.Proxy))


def _contents(module: torch.nn.Module) -> list[tuple[str, list[Any], list[Any]]]:
    """Lists a module keeps, with what is in them."""
    return [(name, value, list(value)) for name, value in vars(module).items() if isinstance(value, list)]


def _versions(module: torch.nn.Module) -> dict[str, int]:
    return {name: tensor._version for name, tensor in module._buffers.items() if tensor is not None}


def _check_model(model: object) -> None:
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"prepare_shape needs a torch.nn.Module, got {type(model).__name__}; "
            "wrap a function in a module whose forward calls it"
        )
    scripted = [name for name, m in model.named_modules() if isinstance(m, torch.jit.ScriptModule)]
    if scripted:
        raise ValueError(
            f"TorchScript modules cannot be traced: {_quoted(name or type(model).__name__ for name in scripted)}; "
            "pass the module as it was before torch.jit.script or torch.jit.trace"
        )
    if hasattr(model, "_orig_mod"):
        raise ValueError("a module made by torch.compile cannot be traced; pass the module it was made from")
    training = [
        f"{name or 'model'} ({type(m).__name__})" for name, m in model.named_modules() if m.training and _needs_eval(m)
    ]
    if training:
        raise ValueError(
            f"model '{type(model).__name__}' is in training mode, where these layers compute something else: "
            f"{_quoted(training)}; call model.eval() before prepare_shape"
        )


def _needs_eval(module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, torch.nn.RNNBase):
        return module.dropout > 0
    return isinstance(module, (torch.nn.modules.batchnorm._BatchNorm, torch.nn.RReLU))


def _check_inputs(model: torch.nn.Module, inputs: tuple[object, ...]) -> None:
    name = type(model).__name__
    for position, value in enumerate(inputs):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"prepare_shape: input {position} of '{name}' is {type(value).__name__}, expected a torch.Tensor"
            )
    if not inputs:
        raise TypeError(f"prepare_shape: '{name}' needs an example of every input")
    try:
        inspect.signature(model.forward).bind(*inputs)
    except TypeError as error:
        raise TypeError(f"prepare_shape: {len(inputs)} inputs for '{name}': {error}") from error


def _quoted(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)
