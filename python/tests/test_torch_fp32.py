"""`Fp32Activations` and fp32 inputs and outputs: the bit-accurate machine held to torch in float32."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import vollo_compiler
import vollo_torch
from torch import nn
from torch_support import CONFIG, Function, as_tuple
from vollo_compiler import NumberFormat
from vollo_torch import Fp32Activations

FP32 = NumberFormat.FP32


def run(model, *inputs, inputs_precisions=FP32, outputs_precisions=FP32):
    """Results of the bit-accurate machine and of torch, and the program."""
    module = model if isinstance(model, nn.Module) else Function(model)
    traced, expected = vollo_torch.fx.prepare_shape(module.eval(), *inputs)
    nnir = vollo_torch.fx.nnir.to_nnir(traced, inputs_precisions, outputs_precisions)
    program = nnir.to_program(CONFIG)
    found = program.to_vm().run([x.numpy() for x in inputs])
    return as_tuple(found), [x.detach().numpy() for x in as_tuple(expected)], program


def test_arithmetic_is_that_of_float32():
    def forward(x, y):
        with Fp32Activations():
            d = x - y
            return d, d * y, torch.maximum(d, y * 3), 2.5 - x, torch.clamp(x * y, -0.3, 0.7), torch.minimum(x, y) + 1

    x, y = torch.randn(3, 11), torch.randn(3, 11)
    found, expected, program = run(forward, x, y)
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)
    assert program.model_input_number_format(0, 1) == program.model_output_number_format(0, 2) == FP32
    # In bf16 this would not hold.
    narrow, _, program = run(forward, x, y, inputs_precisions=NumberFormat.BF16, outputs_precisions=NumberFormat.BF16)
    assert not np.array_equal(narrow[0], expected[0])
    assert program.model_output_number_format() == NumberFormat.BF16


def test_choices_and_moves_are_exact():
    def forward(x, y):
        with Fp32Activations():
            chosen = torch.where(x > y, x, -y)
            moved = torch.cat([x[..., 3:7], chosen, y.flip(-1)], -1)
            pooled = torch.nn.functional.max_pool1d(x, 2)
            return chosen, moved, pooled, x.transpose(0, 1).reshape(-1, 3), x[1].expand(4, 9), torch.relu(y)

    found, expected, _ = run(forward, torch.randn(3, 9), torch.randn(3, 9))
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


def test_functions_and_norms_are_close():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(5)
            self.norm.running_mean = torch.randn(5)
            self.norm.running_var = torch.rand(5) + 0.5

        def forward(self, x):
            with Fp32Activations():
                return self.norm(x), torch.exp(x), torch.exp2(x)

    found, expected, _ = run(Model(), torch.randn(4, 5))
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("inside", [True, False])
def test_a_running_sum_is_exact(inside):
    class Sum(nn.Module):
        def forward(self, x, state):
            if inside:
                with Fp32Activations():
                    new = state + x
            else:
                new = state + x
            return new, new

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scan = vollo_torch.nn.Scan(Sum())

        def forward(self, x):
            if inside:
                return self.scan(x, torch.zeros(6), 0, 0)
            with Fp32Activations():
                return self.scan(x, torch.zeros(6), 0, 0)

    x = torch.randn(40, 6)
    traced, expected = vollo_torch.fx.prepare_shape(Model().eval(), x)
    nnir = vollo_torch.fx.nnir.to_nnir(traced, FP32, FP32)
    whole = nnir.to_program(CONFIG).to_vm().run(x.numpy())
    np.testing.assert_array_equal(whole, expected.numpy())
    streamed, axis = nnir.streaming_transform(0)
    vm = streamed.to_program(CONFIG).to_vm()
    np.testing.assert_array_equal(vm.run_timesteps(x.numpy(), 0, axis), expected.numpy())


def test_what_stays_narrow_is_named_once():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 6)
            self.norm = nn.LayerNorm(6)

        def forward(self, x):
            with Fp32Activations():
                return torch.tanh(self.norm(self.fc(x))) + x

    with pytest.warns(
        UserWarning, match=r"computed in bf16: 'fc' \(Linear\), 'norm' \(LayerNorm\), 'tanh' \(tanh\)"
    ) as seen:
        found, expected, _ = run(Model(), torch.randn(2, 6))
    assert len(seen) == 1
    np.testing.assert_allclose(found[0], expected[0], atol=2e-2)


def test_recurrent_layers_inside_keep_their_states_in_bf16():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 6)

        def forward(self, x):
            with Fp32Activations():
                return self.lstm(x)[0] * 2

    with pytest.warns(UserWarning, match="'lstm' \\(LSTM\\)"):
        found, expected, _ = run(Model(), torch.randn(3, 4))
    np.testing.assert_allclose(found[0], expected[0], atol=3e-2)


def test_outputs_of_other_layers_leave_before_rounding():
    linear = nn.Linear(9, 5)
    x = torch.randn(2, 9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, expected, program = run(linear, x)
        rounded, _, _ = run(linear, x, outputs_precisions=[NumberFormat.BF16])
    assert program.model_output_number_format() == FP32
    np.testing.assert_allclose(found[0], expected[0], atol=2e-2)
    bits = np.asarray(found[0]).view(np.uint32)
    assert (bits & 0xFFFF).any()
    assert not (np.asarray(rounded[0]).view(np.uint32) & 0xFFFF).any()


def test_fp32_values_pass_through_unchanged():
    values = torch.tensor([1.0000001, -3.1415927, 1e-30, 3.4e38, 1 / 3, 0.0])
    found, expected, program = run(lambda x: x.reshape(2, 3), values)
    np.testing.assert_array_equal(found[0], expected[0])
    assert program.metrics() is not None
    for round in (True, False):
        np.testing.assert_array_equal(program.to_vm().run(values.numpy(), f32_round=round), expected[0])
    assert vollo_compiler.Program.load_bytes(program.save_bytes()).model_input_number_format() == FP32
