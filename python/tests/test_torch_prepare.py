"""Tracing: shapes are numbers, the model stays as it is, bad models are refused with a way out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import vollo_torch
from torch import nn
from torch.nn import functional as F
from torch_support import Function, check, lower, torch
from vollo_torch.fx import is_vollo_tracing, prepare_shape

X = torch.linspace(-1, 1, 12).reshape(3, 4)


def layers(model, *inputs):
    traced, _ = prepare_shape(model, *inputs)
    return [n.meta["vollo_layer"] for n in traced.graph.nodes if n.op not in ("get_attr", "output")]


def test_every_node_knows_its_shape():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
    traced, output = prepare_shape(model, X)
    assert {n.name: tuple(n.meta["tensor_meta"].shape) for n in traced.graph.nodes if n.op != "output"} == {
        "input_1" if "input_1" in str(traced.graph) else "input": (3, 4),
        "_0": (3, 5),
        "_1": (3, 5),
    }
    torch.testing.assert_close(output, model(X).detach())
    torch.testing.assert_close(traced(X), model(X))
    assert not output.requires_grad


def test_layers_have_the_names_the_user_knows():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Linear(4, 4)

        def forward(self, x):
            return F.relu(self.conv(x)) + x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = nn.Sequential(Block(), Block())
            self.fc1 = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc1(self.fc1(self.block(x)) + 1)

    assert layers(Net(), X) == [
        "x",
        "block.0.conv",
        "block.0.relu",
        "block.0.add",
        "block.1.conv",
        "block.1.relu_1",
        "block.1.add_1",
        "fc1",
        "add_2",
        "fc1_1",
    ]


def test_shapes_are_numbers_while_forward_runs():
    def forward(x):
        if x.shape[0] > 2 and len(x) == 3 and x.dim() == x.ndim == 2 and x.dtype is torch.float32:
            x = x.view(x.size(0), -1, x.shape[1] // 2)
        for i in range(x.shape[1]):
            x = x + i * x.numel() / x.size()[0]
        return x

    check(forward, X)


def test_tuples_are_unpacked_and_star_arguments_traced():
    def forward(*xs):
        a, b = xs[0].chunk(2, dim=1)
        c, *rest = xs[1].unbind(0)
        return a + b, torch.stack([c, *rest])

    check(forward, X, X + 1)


def test_defaults_of_forward_stay_values():
    class Net(nn.Module):
        def forward(self, x, mask=None, scale=2.0):
            return x * scale if mask is None else x * mask

    check(Net(), X)
    check(Net(), X, X)


def test_a_prepared_module_may_be_prepared_again():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(3.0))

        def forward(self, x):
            with vollo_torch.Fp32Activations():
                return x * self.scale

    once, _ = prepare_shape(Net(), X)
    twice, output = prepare_shape(once, torch.cat([X, X]))
    assert output.shape == (6, 4)
    [node] = [n for n in twice.graph.nodes if n.name == "mul"]
    assert tuple(node.meta["tensor_meta"].shape) == (6, 4)
    assert node.meta["vollo_fp32_activations"]
    [node] = [n for n in once.graph.nodes if n.name == "mul"]
    assert tuple(node.meta["tensor_meta"].shape) == (3, 4)


def test_tracing_is_announced_and_only_to_this_thread():
    seen = []

    def forward(x):
        thread = threading.Thread(target=lambda: seen.append((is_vollo_tracing.get(), other(X).shape)))
        thread.start()
        thread.join()
        seen.append((is_vollo_tracing.get(), None))
        return x + 1

    other = nn.Linear(4, 2)
    prepare_shape(Function(forward), X)
    assert seen == [(False, torch.Size([3, 2])), (True, None)]
    assert is_vollo_tracing.get() is False


def test_threads_trace_at_the_same_time():
    models = [nn.Sequential(nn.Linear(4, n + 1), nn.ReLU()) for n in range(8)]
    expected = [str(lower(model, X)) for model in models]
    found = [""] * len(models)

    def work(n):
        for _ in range(5):
            with vollo_torch.CorePartition([n]):
                found[n] = str(lower_here(models[n])) if n % 2 else str(models[n](X).shape)

    def lower_here(model):
        with vollo_torch.CorePartition([0], override=True):
            traced, _ = prepare_shape(model, X)
        assert {n.meta["vollo_core_partition"] for n in traced.graph.nodes if n.op == "call_module"} == {(0,)}
        for node in traced.graph.nodes:
            node.meta["vollo_core_partition"] = None
        return vollo_torch.fx.nnir.to_nnir(traced)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(models))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [e if n % 2 else f"torch.Size([3, {n + 1}])" for n, e in enumerate(expected)]


def test_the_model_and_its_inputs_stay_as_they_were():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    constant = Function(lambda x: F.relu_(x) + torch.ones(4))
    before = set(vars(constant)), X.clone()
    prepare_shape(constant, X)
    assert (set(vars(constant)), X) == (before[0], X) and torch.equal(before[1], X)
    prepare_shape(model, X)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    lstm = vollo_torch.nn.RecurrentStateLSTM(4, 2)
    prepare_shape(lstm, X)
    assert lstm.state_h is None
    cell = vollo_torch.nn.LSTMCell(4, 2)
    cell(X[0], torch.zeros(2))
    state = cell.cell_state.clone()
    prepare_shape(cell, X[0], torch.zeros(2))
    assert torch.equal(cell.cell_state, state) and state.any()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="torch.jit.script is no more")
def test_scripted_functions_are_refused():
    scripted = torch.jit.script(_doubled)
    message = refused(ValueError, Function(lambda x: scripted(x)), X)
    assert "takes tensors only (TorchScript" in message


def _doubled(x):
    return x * 2


def test_state_in_lists_is_refused():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.seen = [torch.zeros(4)]

        def forward(self, x):
            self.seen.append(x + self.seen[-1])
            return self.seen[-1] * 2

    model = Net()
    assert "forward changes state of the model: 'seen'" in refused(ValueError, model, X)
    assert len(model.seen) == 1


def test_modules_made_in_forward_are_traced():
    assert layers(Function(lambda x: nn.ReLU()(x)), X) == ["inputs_0", "ReLU.relu"]


def test_hooks_and_parametrizations_are_traced():
    hooked = nn.Linear(4, 4)
    hooked.register_forward_hook(lambda module, inputs, output: output * 2)
    check(nn.Sequential(hooked), X)
    check(nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 4))), X)
    wrapped = nn.Linear(4, 4)

    class Half(nn.Module):
        def forward(self, weight):
            return weight / 2

    nn.utils.parametrize.register_parametrization(wrapped, "weight", Half())
    check(nn.Sequential(wrapped), X)


# Refusals: type, a word of the reason, a word of the way out.


def refused(exception, model, *inputs):
    with pytest.raises(exception) as caught:
        prepare_shape(model, *inputs)
    return str(caught.value)


def test_training_mode_is_refused_where_it_matters():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Dropout(0.0))
    before = model[1].running_mean.clone()
    message = refused(ValueError, model, X)
    assert "'1 (BatchNorm1d)', '2 (Dropout)'; call model.eval() before prepare_shape" in message
    assert torch.equal(model[1].running_mean, before)
    prepare_shape(model.eval(), X)
    prepare_shape(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.0)), X)


def test_torchscript_is_refused():
    scripted = torch.jit.script(nn.Linear(4, 4))
    assert "TorchScript" in refused(ValueError, scripted, X)
    message = refused(ValueError, nn.Sequential(nn.Linear(4, 4), torch.jit.trace(nn.Linear(4, 4), X)), X)
    assert "'1'; pass the module as it was before torch.jit.script" in message


def test_compiled_modules_are_refused():
    model = nn.Linear(4, 4)
    wrapped = nn.Module()
    wrapped._orig_mod = model
    assert "torch.compile" in refused(ValueError, wrapped, X)


def test_random_numbers_are_refused():
    assert "draws random numbers" in refused(ValueError, Function(lambda x: x + torch.rand(4)), X)


def test_changed_state_is_refused():
    def forward(x, count):
        count += 1
        return x + count

    model = Function(forward, count=torch.zeros(()))
    message = refused(ValueError, model, X)
    assert "forward changes state of the model: 'count'" in message and "RecurrentStateLSTM" in message


@pytest.mark.parametrize("registered", [True, False])
def test_assigned_state_is_refused(registered):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.h = None
            if registered:
                del self.h
                self.register_buffer("h", torch.zeros(4))

        def forward(self, x):
            self.h = x + 1
            return x * 2

    model = Net()
    before = model.h
    assert "forward changes state of the model" in refused(ValueError, model, X)
    assert model.h is before


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x[0, 0]),
        lambda x: x * x.max().item(),
        lambda x: x[int(x[0, 0])],
        lambda x: x * x.tolist()[0][0],
    ],
)
def test_values_that_decide_what_is_traced_are_refused(forward):
    assert "the network must be the same for every input" in refused(ValueError, Function(forward), X)


def test_parameters_outside_of_the_model_are_refused():
    hidden = [nn.Linear(4, 4)]
    assert "torch.nn.ModuleList" in refused(ValueError, Function(lambda x: hidden[0](x)), X)


def test_sizes_are_checked_with_the_layer():
    message = refused(ValueError, nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 5)), X)
    assert message.startswith("layer '1': torch refuses operands of shape [(3, 4)]")


def test_wrong_arguments():
    assert "got function" in refused(TypeError, lambda x: x, X)
    assert "input 0 of 'Linear' is ndarray" in refused(TypeError, nn.Linear(4, 4), X.numpy())
    assert "needs an example of every input" in refused(TypeError, nn.Linear(4, 4))
    assert "2 inputs for 'Linear'" in refused(TypeError, nn.Linear(4, 4), X, X)


def test_untraced_modules_are_not_lowered():
    to_nnir = vollo_torch.fx.nnir.to_nnir
    for module in (nn.Linear(4, 4), torch.fx.symbolic_trace(nn.Linear(4, 4))):
        with pytest.raises(ValueError, match=r"call module, _ = vollo_torch.fx.prepare_shape\(model, "):
            to_nnir(module)
    with pytest.raises(TypeError, match="got str"):
        to_nnir("model")


def test_there_is_one_version():
    import vollo_compiler

    assert vollo_torch.__version__ == vollo_compiler.__version__


def test_without_torch_the_import_says_so():
    code = "import sys; sys.modules['torch'] = None; import vollo_torch"
    path = str(Path(vollo_torch.__file__).parents[1])
    command = [sys.executable, "-c", code]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert "ModuleNotFoundError: vollo_torch needs PyTorch 1.13 or later: pip install torch" in result.stderr


def test_precisions_are_checked():
    from vollo_compiler import NumberFormat

    traced, _ = prepare_shape(nn.Linear(4, 4), X)
    to_nnir = vollo_torch.fx.nnir.to_nnir
    to_nnir(traced, NumberFormat.BF16, [NumberFormat.BF16])
    with pytest.raises(ValueError, match=r"outputs_precisions: 2 given, the model has 1 outputs"):
        to_nnir(traced, outputs_precisions=[NumberFormat.BF16] * 2)
    with pytest.raises(TypeError, match="'bf16' is no NumberFormat"):
        to_nnir(traced, inputs_precisions=["bf16"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value):
    model = nn.Sequential(nn.Linear(4, 4))
    with torch.no_grad():
        model[0].weight[1, 2] = value
    with pytest.raises(ValueError, match=r"layer '0': weight\[1, 2\] is .*; export the model with finite values"):
        lower(model, X)


def test_wrong_types_are_refused():
    for x, module in (
        (X.double(), nn.Linear(4, 4).double()),
        (X.to(torch.bfloat16), nn.Linear(4, 4).to(torch.bfloat16)),
    ):
        with pytest.raises(ValueError, match=r"Input with values of type .*nearest supported form: float32"):
            lower(module, x)
    with pytest.raises(ValueError, match="values of type float64"):
        lower(lambda x: x + torch.ones(4, dtype=torch.float64), X)
    with pytest.raises(ValueError, match=r"Input with values of type int64"):
        lower(nn.Embedding(4, 4), torch.tensor([1]))
