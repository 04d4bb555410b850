"""Both front ends make the same of a model: traced by PyTorch, or written as ONNX and read."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import vollo_compiler
from torch import nn
from torch.nn import functional as F
from torch_support import CONFIG, lower, torch

if int(torch.__version__.split(".")[0]) > 1:
    pytest.importorskip("onnx", reason="PyTorch 2 writes ONNX with the package onnx")


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(12, 12), nn.Linear(12, 5)
        self.scale = nn.Parameter(torch.linspace(-1, 1, 12))

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)) * self.scale + x.clamp(-0.5, 0.5))


class Branches(nn.Module):
    def forward(self, x):
        a, b = x[:, :6], x[:, 6:]
        return torch.cat([torch.max(a, b), -a, (a - b) / 4], dim=1).reshape(1, 3, 18)


MODELS = {
    "mlp": (nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 7), nn.Hardtanh()), (2, 12), None),
    "residual": (Residual(), (2, 12), None),
    "branches": (Branches(), (3, 12), None),
    "normalised": (nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 4)), (2, 12), None),
    "convolutions": (nn.Sequential(nn.Conv1d(3, 8, 1), nn.ReLU(), nn.Conv1d(8, 2, 1)), (1, 3, 6), 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_front_ends_agree_bit_for_bit(name, tmp_path):
    torch.manual_seed(0)
    model, shape, streaming = MODELS[name]
    model.eval()
    x = torch.rand(shape) * 2 - 1
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(model, (x,), str(tmp_path / "m.onnx"), **options)
    results = []
    for nnir in (lower(model, x), vollo_compiler.NNIR.from_onnx(str(tmp_path / "m.onnx"), None)):
        if streaming is None:
            results.append(nnir.to_program(CONFIG).to_vm().run(x.numpy()))
        else:
            streamed, axis = nnir.streaming_transform(streaming)
            results.append(streamed.to_program(CONFIG).to_vm().run_timesteps(x.numpy(), streaming, axis))
    np.testing.assert_array_equal(*results)
    assert np.abs(results[0]).max() > 0.01
