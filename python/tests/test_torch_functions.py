"""Functions, choices, reductions, norms and moves: torch against the machine, form by form."""

from __future__ import annotations

import pytest
import vollo_torch.nn as vnn
from torch import nn
from torch.nn import functional as F
from torch_support import Function, check, refusal, torch
from vollo_torch.fx.nnir.layer import Layer

G = torch.Generator().manual_seed(11)


def rand(*shape):
    return torch.rand(shape, generator=G) * 2 - 1


MAT, CUBE, VEC = rand(3, 5), rand(2, 3, 10), rand(9)
POSITIVE = rand(3, 9).abs() + 0.25
WIDE = rand(3, 9) * 4
V = rand(5)

UNARY = {
    "tanh": (lambda a: torch.tanh(a) + a.tanh(), WIDE),
    "sigmoid": (lambda a: torch.sigmoid(a) + F.sigmoid(a) + a.sigmoid(), WIDE),
    "silu": (lambda a: F.silu(a), WIDE),
    "gelu": (lambda a: F.gelu(a), WIDE),
    "gelu tanh": (lambda a: F.gelu(a, approximate="tanh"), WIDE),
    "softplus": (lambda a: F.softplus(a), WIDE),
    "softplus beta": (lambda a: F.softplus(a, beta=2), WIDE),
    "exp": (lambda a: torch.exp(a) + a.exp(), MAT),
    "exp2": (lambda a: torch.exp2(a), MAT),
    "log": (lambda a: torch.log(a), POSITIVE),
    "log2": (lambda a: a.log2(), POSITIVE),
    "log10": (lambda a: torch.log10(a), POSITIVE),
    "log1p": (lambda a: torch.log1p(a), POSITIVE),
    "expm1": (lambda a: torch.expm1(a), WIDE),
    "sqrt": (lambda a: torch.sqrt(a), POSITIVE),
    "rsqrt": (lambda a: a.rsqrt(), POSITIVE),
    "reciprocal": (lambda a: torch.reciprocal(a), POSITIVE),
    "powers": (lambda a: a**0.5 + a**-0.5 + a.pow(-1), POSITIVE),
    "power 4": (lambda a: a**4 + torch.pow(a, -2), POSITIVE),
    "power of a number": (lambda a: 2**a + torch.pow(3.0, a), MAT),
    "logsigmoid": (lambda a: F.logsigmoid(a), WIDE),
    "tanhshrink": (lambda a: F.tanhshrink(a), WIDE),
    "softsign": (lambda a: F.softsign(a), WIDE),
    "mish": (lambda a: F.mish(a), WIDE),
    "hardsigmoid": (lambda a: F.hardsigmoid(a), WIDE),
    "hardswish": (lambda a: F.hardswish(a), WIDE),
    "elu": (lambda a: F.elu(a, 0.5), WIDE),
    "celu": (lambda a: F.celu(a, 2.0), WIDE),
    "selu": (lambda a: F.selu(a), WIDE),
    "sign": (lambda a: torch.sign(a) + a.clamp(0, 1).sign(), WIDE),
    "div": (lambda a, b: a / b, MAT, POSITIVE[:, :5]),
    "div constant": (lambda a: a / 3 + torch.div(a, V.abs() + 1), MAT),
    "div of a number": (lambda a: 2 / a + a.reciprocal(), POSITIVE),
    "div broadcast": (lambda a, b: a / b, MAT, POSITIVE[:, :1]),
}

CHOICES = {
    "where": (lambda a, b: torch.where(a > b, a, b * 2), MAT, -MAT),
    "where numbers": (lambda a: torch.where(a >= 0.25, a, torch.zeros(())), MAT),
    "where method": (lambda a: a.where(a < 0.1, -a), MAT),
    "where constant": (lambda a: torch.where(V > 0, a, -a), MAT),
    "comparisons": (lambda a, b: (a < b).float() + (a <= b).float() * 2 + (a > b).to(torch.float32), MAT, MAT.flip(0)),
    "comparison alone": (lambda a, b: ((a < b).float(), (a > b).to(torch.float32)), MAT, MAT.flip(0)),
    "equal": (lambda a: a * (a == a.clamp(min=0)) + (a != a.clamp(min=0)).float(), MAT),
    "logic": (lambda a: torch.where((a > -0.5) & (a < 0.5) | ~(a < 0.9), a, a * 4), MAT),
    "logical": (lambda a, b: torch.where(torch.logical_xor(a > 0, torch.logical_not(b > 0)), a, b), MAT, MAT.flip(1)),
    "masked_fill": (lambda a: a.masked_fill(a < 0, -2.0) + a.masked_fill(V > 0, 1.0), MAT),
}

REDUCTIONS = {
    "sum last": (lambda a: a.sum(-1, keepdim=True), CUBE),
    "sum first": (lambda a: torch.sum(a, 0), CUBE),
    "sum middle": (lambda a: a.sum(dim=1, keepdim=True), CUBE),
    "sum without keepdim": (lambda a: a.sum(-1), CUBE),
    "sum of two": (lambda a: a.sum((0, 2)), CUBE),
    "sum of all": (lambda a: a.sum((0, 1, 2), keepdim=True), CUBE),
    "mean": (lambda a: a.mean((1, 2)), CUBE),
    "amax": (lambda a: a.amax(-1), CUBE),
    "amin": (lambda a: torch.amin(a, (0, 1)), CUBE),
    "max of an axis": (lambda a: a.max(dim=1)[0] + torch.max(a, 1).values, CUBE),
    "min of an axis": (lambda a: a.min(-1, keepdim=True)[0], CUBE),
    "difference from the mean": (lambda a: a - a.mean(-1, keepdim=True), CUBE),
    "var": (lambda a: a.var(-1) + torch.var(a, dim=2, unbiased=False), CUBE),
    "std": (lambda a: torch.std(a, -1, keepdim=True), CUBE),
    "logsumexp": (lambda a: torch.logsumexp(a * 4, -1), CUBE),
    "norm": (lambda a: a.norm(dim=-1) + torch.norm(a, p=1, dim=2) + torch.linalg.vector_norm(a, dim=-1), CUBE),
    "normalize": (lambda a: F.normalize(a, dim=-1), CUBE),
}

NORMS = {
    "softmax": (lambda a: F.softmax(a * 3, -1), CUBE),
    "softmax off the data": (lambda a: torch.softmax(a * 3, 1), CUBE),
    "log_softmax": (lambda a: a.log_softmax(-1), CUBE),
    "softmin": (lambda a: F.softmin(a, -1), CUBE),
    "softmax vector": (lambda a: a.softmax(0), VEC),
    "layer_norm": (lambda a: F.layer_norm(a, (10,), torch.arange(10.0) / 10, torch.ones(10)), CUBE),
    "layer_norm two axes": (lambda a: F.layer_norm(a, (3, 10)), CUBE),
}

MOVES = {
    "transpose": (lambda a: a.transpose(0, 1), CUBE),
    "transpose last": (lambda a: torch.transpose(a, 1, 2), CUBE),
    "permute": (lambda a: a.permute(2, 0, 1) * 2, CUBE),
    "permute list": (lambda a: torch.permute(a, (1, 2, 0)), CUBE),
    "T": (lambda a: a.T + a.t(), MAT),
    "mT": (lambda a: a.mT, CUBE),
    "swapaxes": (lambda a: a.swapaxes(0, 2), CUBE),
    "movedim": (lambda a: (a.movedim(0, -1), torch.movedim(a, (0, 1), (2, 0))), CUBE),
    "steps": (lambda a: a[:, ::2], MAT),
    "many indices": (lambda a: a[:, [4, 0, 0, 2]], MAT),
    "index_select": (lambda a: a.index_select(1, torch.tensor([3, 1, 4])), MAT),
    "flip": (lambda a: torch.flip(a, (0, 1)), MAT),
    "roll": (lambda a: torch.roll(a, (1, 2), (0, 1)), MAT),
    "expand data": (lambda a: a.expand(3, 9), rand(3, 1)),
    "expand": (lambda a: a.expand(4, 3, 5), MAT),
    "repeat": (lambda a: a.repeat(2, 1, 3), MAT),
    "tile": (lambda a: torch.tile(a, (2,)), MAT),
    "stack last": (lambda a, b: torch.stack([a, b], -1), MAT, MAT + 1),
    "max_pool1d": (lambda a: F.max_pool1d(a, 3), CUBE),
    "max_pool1d strides": (lambda a: F.max_pool1d(a, 2, stride=3, dilation=2), CUBE),
    "avg_pool1d": (lambda a: F.avg_pool1d(a, 3, stride=2), CUBE),
}

FORMS = {**UNARY, **CHOICES, **REDUCTIONS, **NORMS, **MOVES}


@pytest.mark.parametrize("name", FORMS)
def test_functions(name):
    function, *inputs = FORMS[name]
    check(function, *inputs)


MODULES = {
    "Sigmoid": (nn.Sequential(nn.Linear(9, 7), nn.Sigmoid()), WIDE),
    "Tanh": (nn.Tanh(), WIDE),
    "SiLU": (nn.SiLU(), WIDE),
    "GELU": (nn.Sequential(nn.GELU(), nn.GELU(approximate="tanh")), WIDE),
    "Softplus": (nn.Sequential(nn.Softplus(), nn.Softplus(0.5)), WIDE),
    "LogSigmoid": (nn.LogSigmoid(), WIDE),
    "shrinks": (nn.Sequential(nn.Tanhshrink(), nn.Softsign(), nn.Mish()), WIDE),
    "hard": (nn.Sequential(nn.Hardsigmoid(), nn.Hardswish()), WIDE),
    "ELU": (nn.Sequential(nn.ELU(), nn.CELU(0.5), nn.SELU()), WIDE),
    "Softmax": (nn.Softmax(-1), WIDE),
    "LogSoftmax": (nn.Sequential(nn.LogSoftmax(-1), nn.Softmin(-1)), WIDE),
    "LayerNorm": (nn.Sequential(nn.Linear(9, 20), nn.LayerNorm(20)), WIDE),
    "LayerNorm without parameters": (nn.LayerNorm(9, elementwise_affine=False), WIDE),
    "RMSNorm": (nn.Sequential(nn.Linear(9, 20), vnn.RMSNorm(20), vnn.RMSNorm(20, elementwise_affine=False)), WIDE),
    "MaxPool1d": (nn.MaxPool1d(2, stride=1), CUBE),
    "AvgPool1d": (nn.AvgPool1d(4), CUBE),
}
if hasattr(nn, "RMSNorm"):
    MODULES["RMSNorm of torch"] = (nn.RMSNorm(9), WIDE)


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    check(*MODULES[name])


STREAMED = {
    "unary": (lambda a: F.gelu(a).exp(), rand(2, 3, 6), 2),
    "softmax of channels": (lambda a: F.softmax(a, 1), rand(2, 9, 4), 2),
    "transpose": (lambda a: a.transpose(1, 2), rand(2, 3, 6), 2),
    "norm": (nn.Sequential(nn.Linear(6, 9), nn.LayerNorm(9)), rand(4, 6), 0),
    "where": (lambda a: torch.where(a > 0, a, 0 * a), rand(4, 6), 0),
    "expand": (lambda a: a.unsqueeze(1).expand(4, 3, 6), rand(4, 6), 0),
}


@pytest.mark.parametrize("name", STREAMED)
def test_streamed(name):
    model, x, axis = STREAMED[name]
    check(model, x, streaming=axis)


LEFT, RIGHT, CORNER = rand(4, 3), rand(5, 6), rand(5, 3)
PRODUCTS = {
    "constant left": (lambda a: LEFT @ a, MAT),
    "constant left off the data": (lambda a: LEFT @ F.relu(a @ RIGHT), MAT),
    "constant left of a batch": (lambda a: LEFT @ a, CUBE),
    "constant left vector": (lambda a: LEFT[0] @ a, MAT),
    "constant right off the data": (lambda a: F.relu(a @ RIGHT).T @ LEFT.T, MAT),
    "linear off the data": (lambda a: F.linear(F.relu(a @ RIGHT).T, LEFT, LEFT[:, 0]), MAT),
    "scores": (lambda a: F.relu(a @ RIGHT) @ F.gelu(a @ RIGHT).T, MAT),
    "matrices": (lambda a, b: a @ b, MAT, rand(5, 6)),
    "matrix and vector": (lambda a, b: a @ b, MAT, rand(5)),
    "vector and matrix": (lambda a, b: torch.matmul(a, b), rand(3), MAT),
    "bmm": (lambda a, b: torch.bmm(a, b), CUBE, rand(2, 10, 3)),
    "batches broadcast": (lambda a, b: a @ b, CUBE, rand(10, 4)),
    "left packed elsewhere": (lambda a, b: F.relu(a @ RIGHT).T @ F.relu(b @ CORNER).T, MAT, rand(4, 5)),
    "run-time weight": (lambda a, b: F.linear(a, b), MAT, rand(4, 5)),
    "with itself": (lambda a: (a @ a.T) @ a, MAT),
    "with itself, transposed": (lambda a: a.T @ a, MAT),
    "outer": (lambda a, b: (a @ RIGHT).unsqueeze(-1) @ (b @ CORNER).unsqueeze(0), rand(5), rand(5)),
    "outer product": (lambda a, b: (a @ RIGHT)[:, :, None] * F.relu(b @ RIGHT), MAT, rand(5)),
    "outer of rows": (lambda a: (a @ RIGHT)[:, None, :] * (a @ RIGHT)[..., None], MAT),
    "addmm": (lambda a, b, c: torch.addmm(c, a, b, beta=0.5, alpha=2), MAT, rand(5, 4), rand(3, 4)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    function, *inputs = PRODUCTS[name]
    check(function, *inputs)


def test_a_product_along_no_packed_axis_is_refused():
    message = refusal(lambda a: F.relu(a @ RIGHT).T @ F.relu(a @ RIGHT.clone()), MAT)
    assert "matmul with operands packed along axes 0 of (6, 3) and 1 of (3, 6): 1 x" in message


SCALARS = {
    "mean": (lambda a: a + a.mean(), MAT),
    "sum of a vector": (lambda a: a.sum(), V),
    "all axes": (lambda a: (a.sum(), a.amax(), a.max(), a.min(), a.norm(), a.var(unbiased=False)), MAT),
    "element": (lambda a: a[1] * a[1, 2] + a[0, 0], MAT),
    "arithmetic": (lambda a: torch.tanh(a.sum() * 0.1) * 2 - a.mean().exp(), MAT),
    "choice": (lambda a: torch.where(a.sum() > 0, a.mean(), a), MAT),
    "stacked": (lambda a: torch.stack([a[0], a.sum(), a.mean().abs()]), V),
    "squeezed": (lambda a: (F.linear(a, ROW).squeeze() + 1).unsqueeze(0), V),
    "reshaped": (lambda a: a.sum().reshape(1, 1).expand(2, 3) + a.mean().view(1), V),
    "input": (lambda a, s: a * s + s, V, torch.tensor(0.75)),
    "channels": (lambda a, c: c(a) - a.mean(), CUBE, nn.Conv1d(3, 4, 1)),
}
ROW = rand(1, 5)


@pytest.mark.parametrize("name", SCALARS)
def test_tensors_without_axes(name):
    function, *inputs = SCALARS[name]
    if isinstance(inputs[-1], nn.Module):
        module = inputs.pop()
        check(Function(function, c=module), *inputs)
    else:
        check(function, *inputs)


EMPTY = {
    "joined": (lambda a: torch.cat([a[:, 2:2], a, torch.zeros(3, 0)], 1), MAT),
    "of one axis": (lambda a: torch.cat([torch.zeros(0), a]), V),
    "growing": (lambda a: torch.cat([torch.cat([a[:0], a[1:2]]), a[3:]]), V),
    "sum": (lambda a: a + a[:, :0].sum(1, keepdim=True), MAT),
    "linear": (lambda a: a + F.linear(a[..., :0], torch.zeros(5, 0), torch.ones(5)), MAT),
    "parts": (lambda a: torch.cat([*torch.split(a, [2, 0, 3], -1)][::-1], -1), MAT),
    "repeated": (lambda a: torch.cat([a.repeat(0, 1), a]), MAT),
}


@pytest.mark.parametrize("name", EMPTY)
def test_tensors_without_values(name):
    check(*EMPTY[name])


def test_a_program_has_values_at_its_ends():
    assert "Output with shape (3, 0)" in refusal(lambda a: (a + 1, a[:, :0] * 2), MAT)
    assert "Input with shape (0, 5)" in refusal(lambda a, b: torch.cat([a, b]), torch.zeros(0, 5), MAT)


REFUSED = {
    "indices": (lambda a: a + a.max(1)[1].unsqueeze(1), MAT, "max with the indices of its results"),
    "condition that is a number": (lambda a: torch.where(a.bool(), a, a), MAT, "bool: 1 x"),
    "condition as output": (lambda a: a > 0, MAT, "Output with a condition"),
    "arithmetic of conditions": (lambda a: ((a > 0) + (a < 1)).float(), MAT, "add with values of type bool"),
    "where of indices": (lambda a: torch.where(a > 0)[0], MAT, "where with a condition alone"),
    "pooling with padding": (lambda a: F.max_pool1d(a, 3, padding=1), CUBE, "max_pool1d with padding=1"),
    "softplus": (lambda a: F.softplus(a, 1, 2), MAT, "softplus with beta=1, threshold=2"),
    "power": (lambda a: a**2.5, MAT, "pow with exponent 2.5"),
    "base": (lambda a: torch.pow(-2.0, a), MAT, "pow with base -2.0"),
    "division by 0": (lambda a: a / 0, MAT, "truediv with a divisor of 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    function, x, words = REFUSED[name]
    assert words in refusal(function, x)


@pytest.mark.parametrize("wrong", ["sigmoid", "gelu"])
def test_a_wrong_function_is_seen(monkeypatch, wrong):
    right = Layer.unary
    monkeypatch.setattr(Layer, "unary", lambda self, op, x, part="": right(self, wrong, x, part))
    with pytest.raises(AssertionError, match="Mismatched elements"):
        check(lambda a: torch.tanh(a), WIDE)
