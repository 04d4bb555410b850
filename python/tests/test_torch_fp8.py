"""`Fp8Weights`: weights as stored, which layers it reaches, room, and what is refused."""

from __future__ import annotations

import pytest
import vollo_compiler
import vollo_torch
from torch_support import Function, as_tuple, lower, refusal, torch
from vollo_torch import Fp8Weights

CONFIG = vollo_compiler.Config.preset("c2b8f8")


def rounded(weight):
    """E4M3 with a power of two per row, from the definition."""

    def nearest(x):
        step = torch.exp2(torch.floor(torch.log2(x.abs().clamp(min=2.0**-6))) - 3)
        return torch.round(x / step) * step

    w = weight.detach().double()
    rows = w.reshape(w.shape[0], -1)
    largest = rows.abs().amax(1, keepdim=True)
    binade = torch.exp2(torch.floor(torch.log2(largest)))
    top = nearest(largest / binade) * binade
    scale = torch.exp2(6 - torch.floor(torch.log2(top)))
    return (nearest(rows * scale) / scale).reshape(w.shape).float()


def first(results):
    return torch.as_tensor(as_tuple(results)[0])


class Net(torch.nn.Module):
    """A layer of every kind, in the context."""

    def __init__(self):
        super().__init__()
        self.conv = vollo_torch.nn.PaddedConv1d(6, 12, 3)
        self.lstm = vollo_torch.nn.LSTM(12, 10)
        self.fc = torch.nn.Linear(10, 9)

    def forward(self, x):
        with Fp8Weights():
            y = torch.relu(self.conv(x))
            y = self.lstm(y.permute(2, 0, 1))
            return torch.tanh(self.fc(y))


def with_rounded_weights(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "weight" in name:
                parameter.copy_(rounded(parameter))
    return model


def test_weights_are_rounded_and_no_others():
    torch.manual_seed(1)
    model, x = Net().eval(), torch.randn(1, 6, 5)
    nnir = lower(model, x)
    program = nnir.to_program(CONFIG)
    expected = with_rounded_weights(model)(x).detach()
    for bit_accurate, tolerance in ((False, 1e-5), (True, 1e-2)):
        found = first(program.to_vm(bit_accurate=bit_accurate).run([x.numpy()]))
        torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)
    # The rounding is seen: unrounded weights are further away.
    torch.manual_seed(1)
    plain = Net().eval()(x).detach()
    assert (plain - expected).abs().max() > 1e-3


def test_e4m3_weights_stay_what_they_are():
    layer = torch.nn.Linear(24, 8, bias=False)
    with torch.no_grad():
        layer.weight.copy_(rounded(layer.weight * 0.02))
        before = layer.weight.clone()
        assert torch.equal(rounded(before), before)

    def forward(x, fc):
        with Fp8Weights():
            return fc(x)

    x = torch.randn(3, 24)
    program = lower(Function(forward, fc=layer), x).to_program(CONFIG)
    found = first(program.to_vm(bit_accurate=False).run([x.numpy()]))
    torch.testing.assert_close(found, layer(x).detach(), atol=1e-6, rtol=1e-6)
    if hasattr(torch, "float8_e4m3fn"):
        wide = torch.randn(8, 24)
        cast = wide.to(torch.float8_e4m3fn).float()
        assert torch.equal(rounded(cast), cast)
        normal = wide.abs() >= 2.0**-6
        assert torch.equal(rounded(wide)[normal], cast[normal])


def wide(fp8):
    layer = torch.nn.Linear(256, 128)

    def forward(x, fc):
        if not fp8:
            return fc(x)
        with Fp8Weights():
            return fc(x)

    return lower(Function(forward, fc=layer), torch.randn(256))


def test_fp8_weights_take_half_the_space():
    with pytest.raises(
        vollo_compiler.AllocationError, match="needs 512 weight blocks, the configuration has 256; 256 too many"
    ):
        wide(False).to_program(CONFIG)
    program = wide(True).to_program(CONFIG, allow_mixed_precision_fusion=False)
    assert program.metrics().weight_store_used == [128, 128]


def test_programs_of_several_models_mix_both():
    torch.manual_seed(3)
    x = torch.randn(40)
    models = [torch.nn.Linear(40, 40).eval() for _ in range(2)]

    def forward(x, fc):
        with Fp8Weights():
            return fc(x)

    builder = vollo_compiler.ProgramBuilder(CONFIG)
    builder.add_nnir(lower(Function(forward, fc=models[0]), x), "narrow")
    builder.add_nnir(lower(models[1], x), "wide")
    program = builder.to_program()
    assert sum(program.metrics().weight_store_used) <= 25 + 13 + 1
    expected = [with_rounded_weights(models[0])(x), models[1](x)]
    vm = program.to_vm()
    for index, want in enumerate(expected):
        found = first(vm.run([x.numpy()], model_index=index))
        torch.testing.assert_close(found, want.detach(), atol=1e-2, rtol=1e-2)


def test_norms_are_not_folded_into_fp8_layers():
    torch.manual_seed(4)
    fc, norm = torch.nn.Linear(8, 8, bias=False), torch.nn.BatchNorm1d(8)
    norm.running_var.uniform_(0.5, 3)
    norm.running_mean.normal_()

    def forward(x, fc, norm):
        with Fp8Weights():
            x = fc(x)
        return norm(x)

    x = torch.randn(2, 8)
    program = lower(Function(forward, fc=fc, norm=norm).eval(), x).to_program(CONFIG)
    found = first(program.to_vm(bit_accurate=False).run([x.numpy()]))
    with_rounded_weights(fc)
    torch.testing.assert_close(found, norm(fc(x)).detach(), atol=1e-5, rtol=1e-5)


def test_a_configuration_without_names_layer_and_way_out():
    with pytest.raises(
        ValueError, match="layer 'conv': configuration 'c2b8' has no FP8 weights; compile for one that has"
    ):
        lower(Net(), torch.randn(1, 6, 5)).to_program(vollo_compiler.Config.preset("c2b8"))
    assert vollo_compiler.Config.amd_v80_c6b32().fp8_weights
    assert vollo_compiler.Config(2, 8, fp8_weights=True).fp8_weights
    assert not vollo_compiler.Config(2, 8).fp8_weights


def test_products_of_run_time_tensors_are_refused():
    def forward(x, y):
        with Fp8Weights():
            return torch.matmul(x, y)

    message = refusal(forward, torch.randn(3, 4), torch.randn(4, 5))
    assert "matmul with a product of two run-time tensors inside Fp8Weights: 1 x" in message
    assert "nearest supported form: constant weights, or the product outside of the context" in message


def test_other_layers_do_not_change():
    def forward(x):
        with Fp8Weights():
            return torch.softmax(x, -1) + 0.3

    x = torch.randn(12)
    program = lower(forward, x).to_program(vollo_compiler.Config.preset("c2b8"))
    found = first(program.to_vm(bit_accurate=False).run([x.numpy()]))
    torch.testing.assert_close(found, torch.softmax(x, -1) + 0.3, atol=1e-5, rtol=1e-5)
