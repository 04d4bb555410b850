"""Every form the front end supports computes what torch does, on both machines."""

from __future__ import annotations

import pytest
import vollo_torch.nn as vnn
from torch import nn
from torch.nn import functional as F
from torch_support import Function, check, lower, refusal, torch
from vollo_torch.fx.nnir.ops.elementwise import has_exact_reciprocal

G = torch.Generator().manual_seed(7)


def rand(*shape):
    return torch.rand(shape, generator=G) * 2 - 1


W, V, B = rand(6, 5), rand(5), rand(6)
VEC, MAT, CUBE = rand(5), rand(3, 5), rand(2, 3, 5)
POWERS = torch.tensor([1.0, -2.0, 0.5, 4.0, -0.25])

# name: (function, inputs); tensors among the defaults of a lambda are constants of the traced function.
FORMS = {
    # Arithmetic, in every spelling.
    "add": (lambda a, b: a + b, MAT, MAT + 1),
    "add scalar": (lambda a: 2 + a, MAT),
    "add constant": (lambda a: a + V, MAT),
    "add torch": (lambda a: torch.add(a, V, alpha=2), MAT),
    "add method": (lambda a, b: a.add(b, alpha=0.5), MAT, MAT),
    "add broadcast": (lambda a, b: a + b, CUBE, MAT),
    "add column": (lambda a: a + W[:3, :1], MAT),
    "add integer constant": (lambda a: a + torch.arange(5), MAT),
    "constant left": (lambda a: V + a, MAT),
    "sub": (lambda a, b: a - b, MAT, MAT * 2),
    "rsub": (lambda a: 1 - a, MAT),
    "rsub torch": (lambda a: torch.rsub(a, 3, alpha=2), MAT),
    "sub constant left": (lambda a: V - a, MAT),
    "mul": (lambda a, b: a * b, MAT, MAT + 1),
    "rmul": (lambda a: 3 * a, MAT),
    "mul method": (lambda a: a.mul(V), MAT),
    "neg": (lambda a: -a, MAT),
    "positive": (lambda a: +a, MAT),
    "neg torch": (lambda a: torch.neg(a).negative(), MAT),
    "div": (lambda a: a / 4, MAT),
    "div torch": (lambda a: torch.div(a, -0.5), MAT),
    "div constant": (lambda a: a / POWERS, MAT),
    "maximum": (lambda a, b: torch.maximum(a, b), MAT, -MAT),
    "minimum": (lambda a: a.minimum(V), MAT),
    "max": (lambda a, b: torch.max(a, b), MAT, -MAT),
    "min": (lambda a, b: a.min(b), MAT, -MAT),
    "square": (lambda a: a.square() + a**2, MAT),
    "cube": (lambda a: torch.pow(a, 3) + a**1, MAT),
    "abs": (lambda a: abs(a) + a.abs() + torch.abs(a), MAT),
    # Bounds.
    "relu": (lambda a: F.relu(a) + torch.relu(a) + a.relu(), MAT),
    "clamp": (lambda a: torch.clamp(a, -0.5, 0.25), MAT),
    "clamp low": (lambda a: a.clamp(min=0.1), MAT),
    "clamp high": (lambda a: a.clip(max=0.1), MAT),
    "clamp crossed": (lambda a: a.clamp(min=0.5, max=-0.5), MAT),
    "clamp scalar tensors": (lambda a: a.clamp(torch.tensor(-0.5), torch.tensor(0.5)), MAT),
    "clamp tensors": (lambda a: a.clamp(-V.abs(), V.abs()), MAT),
    "clamp_min": (lambda a: a.clamp_min(0.2) + torch.clamp_max(a, 0.2), MAT),
    "relu6": (lambda a: F.relu6(a * 10), MAT),
    "hardtanh": (lambda a: F.hardtanh(a, -0.25, 0.5), MAT),
    "threshold": (lambda a: F.threshold(a, 0.25, 0.25), MAT),
    "leaky_relu": (lambda a: F.leaky_relu(a, 0.25) + F.leaky_relu(a, 2.0), MAT),
    "prelu": (lambda a: F.prelu(a, V) + F.prelu(a, V[:1]), MAT),
    "threshold to a value": (lambda a: F.threshold(a, 0.25, -1.0), MAT),
    "clamp run-time": (lambda a, b: a.clamp(min=b, max=b + 0.5), MAT, MAT * 0.5),
    # Products with a constant side.
    "linear": (lambda a: F.linear(a, W, B), MAT),
    "linear vector": (lambda a: F.linear(a, W), VEC),
    "linear bias of rows": (lambda a: F.linear(a, W, B.expand(3, 6)), MAT),
    "linear batch": (lambda a: F.linear(a, W, B), CUBE),
    "matmul right": (lambda a: a @ W.t(), MAT),
    "matmul right vector": (lambda a: torch.matmul(a, V), MAT),
    "matmul left vector": (lambda a: W @ a, VEC),
    "mm": (lambda a: torch.mm(a, W.t()), MAT),
    "mv": (lambda a: torch.mv(W, a), VEC),
    "matmul method": (lambda a: a.matmul(W.t()), CUBE),
    "matmul batch of one": (lambda a: a @ W.t()[None], CUBE),
    "addmm": (lambda a: torch.addmm(B, a, W.t()), MAT),
    "addmm scaled": (lambda a: torch.addmm(B, a, W.t(), beta=0.5, alpha=2), MAT),
    "addmm run-time": (lambda a, b: torch.addmm(b, a, W.t(), beta=0.5, alpha=2), MAT, rand(3, 6)),
    "sum": (lambda a: a.sum(-1, keepdim=True) * 2, MAT),
    "sum of a batch": (lambda a: torch.sum(a, dim=(2,)), CUBE),
    "mean": (lambda a: a.mean(dim=-1, keepdim=True) + torch.mean(a, 1, True), MAT),
    "linear run-time bias": (lambda a, b: F.linear(a, W, b), VEC, B),
    # Joining.
    "cat": (lambda a, b: torch.cat([a, b]), MAT, MAT + 1),
    "cat last": (lambda a, b: torch.cat((a, b, a), dim=-1), MAT, rand(3, 4)),
    "concat constant": (lambda a: torch.concat([a, torch.ones(3, 2)], 1), MAT),
    "stack": (lambda a, b: torch.stack([a, b]), MAT, MAT + 1),
    "stack middle": (lambda a, b: torch.stack([a, b], dim=1), MAT, MAT + 1),
    "stack constant": (lambda a: torch.stack([a, torch.ones(3, 5)]), MAT),
    "hstack": (lambda a, b: torch.hstack([a, b]), MAT, MAT),
    "hstack vectors": (lambda a, b: torch.hstack([a, b]), VEC, VEC),
    "vstack": (lambda a, b: torch.vstack([a, b]), VEC, MAT),
    "row_stack": (lambda a, b: torch.row_stack([a, b]), VEC, VEC),
    "column_stack": (lambda a: torch.column_stack([a, MAT]), rand(3, 2)),
    "dstack": (lambda a, b: torch.dstack([a, b]), CUBE, CUBE),
    # Cutting.
    "slice": (lambda a: a[1:3], MAT),
    "slice both": (lambda a: a[:-1, 2:], MAT),
    "index": (lambda a: a[1], MAT),
    "index negative": (lambda a: a[-1, 1:], MAT),
    "ellipsis": (lambda a: a[..., 1:4], CUBE),
    "new axis": (lambda a: a[None, :, None], MAT),
    "index middle": (lambda a: a[:, 1], CUBE),
    "list index": (lambda a: a[[2, 0]], MAT),
    "tensor index": (lambda a: a[:, torch.tensor([0, 1, 4])], MAT),
    "mask index": (lambda a: a[torch.tensor([True, False, True])], MAT),
    "index_select": (lambda a: torch.index_select(a, 0, torch.tensor([2, 1, 1])), MAT),
    "narrow": (lambda a: a.narrow(1, 1, 3) + torch.narrow(a, -1, -4, 3), MAT),
    "select": (lambda a: a.select(0, 2), MAT),
    "chunk": (lambda a: a.chunk(2, dim=1), MAT),
    "split": (lambda a: torch.split(a, 2), MAT),
    "split sections": (lambda a: a.split([1, 4], dim=-1), MAT),
    "unbind": (lambda a: a.unbind(0), MAT),
    # Reshaping.
    "reshape": (lambda a: a.reshape(6, 5), CUBE),
    "view": (lambda a: a.view(-1, 5).view_as(MAT.repeat(2, 1)), CUBE),
    "flatten": (lambda a: torch.flatten(a, 0, 1), CUBE),
    "ravel": (lambda a: a.ravel(), MAT),
    "flatten all": (lambda a: a.flatten(), MAT),
    "squeeze": (lambda a: a[:, None].squeeze(1).unsqueeze(0).squeeze(), MAT),
    "unsqueeze": (lambda a: a.unsqueeze(-1), MAT),
    "unflatten": (lambda a: a.unflatten(0, (2, 2)), rand(4, 5)),
    "transpose of 1": (lambda a: a.unsqueeze(1).transpose(0, 1), MAT),
    "permute of 1": (lambda a: a.unsqueeze(1).permute(1, 0, 2) + a[None].swapaxes(0, 0), MAT),
    "T of 1": (lambda a: a[None].mT[..., 0], VEC),
    "expand": (lambda a: a.unsqueeze(0).expand(4, -1, -1), MAT),
    "expand_as": (lambda a, b: a.expand_as(b) + b, VEC, MAT),
    "broadcast_to": (lambda a: torch.broadcast_to(a, (3, 5)), VEC),
    "broadcast_tensors": (lambda a, b: torch.broadcast_tensors(a, b), VEC, MAT),
    "pad": (lambda a: F.pad(a, (1, 2), value=3.0), MAT),
    "pad two axes": (lambda a: F.pad(a, (1, 0, 0, 2)), MAT),
    # Passing on.
    "passing": (lambda a: a.contiguous().clone().detach().float().cpu().to(torch.float32).type_as(a).data + 1, MAT),
    "dropout": (lambda a: F.dropout(a, 0.5, training=False) + 1, MAT),
    "likes": (lambda a: a + torch.zeros_like(a) + torch.ones_like(a) + torch.full_like(a, 2) + a.new_ones(5), MAT),
    "new": (lambda a: a + a.new_zeros((3, 5)) + a.new_full((5,), 2.0), MAT),
    "constant folding": (lambda a: a * torch.exp(V).cumsum(0).softmax(0), MAT),
    "identity": (lambda a: a, MAT),
    "several": (lambda a, b: (a + b, b, a * b), MAT, MAT),
    "batch_norm": (lambda a: F.batch_norm(a, V, V.abs() + 1, V * 2, V - 1), MAT),
    "matmul of a parameter graph": (lambda a: a @ (W.t() * 2 + 1), MAT),
}

MODULES = {
    "Linear": (nn.Linear(5, 6), MAT),
    "Linear without bias": (nn.Linear(5, 6, bias=False), VEC),
    "activations": (nn.Sequential(nn.ReLU(), nn.ReLU6(), nn.Hardtanh(-1, 0.5), nn.Threshold(0.1, 0.1)), MAT),
    "LeakyReLU": (nn.LeakyReLU(0.125), MAT),
    "passing": (nn.Sequential(nn.Identity(), nn.Dropout(), nn.AlphaDropout(), nn.Linear(5, 5)), MAT),
    "Flatten": (nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (3, 5))), MAT),
    "pads": (nn.ConstantPad1d((1, 2), 0.5), MAT),
    "PaddedConv1d of one tap": (vnn.PaddedConv1d(3, 4, 1), CUBE, 2),
    "BatchNorm1d": (nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)), MAT),
    "BatchNorm1d alone": (nn.BatchNorm1d(5), MAT),
    "BatchNorm1d without parameters": (nn.BatchNorm1d(5, affine=False), MAT),
    "BatchNorm over time": (nn.Sequential(vnn.PaddedConv1d(3, 4, 3), nn.BatchNorm1d(4), nn.ReLU()), CUBE, 2),
    "PaddedConv1d": (
        nn.Sequential(vnn.PaddedConv1d(3, 4, 3, dilation=2), nn.ReLU(), vnn.PaddedConv1d(4, 2, 2)),
        CUBE,
        2,
    ),
    "PaddedConv1d depthwise": (vnn.PaddedConv1d(3, 3, 3, groups=3, bias=False), CUBE, 2),
    "PaddedConv1d without a batch": (vnn.PaddedConv1d(3, 4, 3), MAT, 1),
    "Conv1d of one tap": (nn.Conv1d(3, 4, 1), CUBE, 2),
    "Conv1d padded": (nn.Sequential(nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(3, 4, 3, dilation=2)), CUBE, 2),
}


if hasattr(nn, "ZeroPad1d"):
    MODULES["ZeroPad1d"] = (nn.Sequential(nn.ZeroPad1d((2, 0)), nn.Conv1d(3, 4, 3)), CUBE, 2)


@pytest.mark.parametrize("name", FORMS)
def test_functions(name):
    function, *inputs = FORMS[name]
    check(function, *inputs)


def moved_norms(model):
    """Statistics and parameters as training would leave them."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean = torch.linspace(-1, 1, module.num_features)
            module.running_var = torch.linspace(0.5, 2, module.num_features)
            if module.affine:
                module.weight.data = torch.linspace(2, -1, module.num_features)
                module.bias.data = torch.linspace(-0.5, 0.5, module.num_features)
    return model


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    model, x, *streaming = MODULES[name]
    check(moved_norms(model), x, streaming=streaming[0] if streaming else None)


def test_norms_leave_nothing_behind_one_reader():
    text = str(lower(moved_norms(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU())), MAT))
    assert "linear" in text and " mul " not in text and " add " not in text

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.norm = nn.Linear(5, 4), nn.BatchNorm1d(4)

        def forward(self, x):
            y = self.fc(x)
            return y + self.norm(y)

    model = moved_norms(Shared())
    assert " mul " in str(check(model, MAT))


def test_a_norm_over_another_axis_is_not_folded():
    check(moved_norms(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(3))), CUBE)


def test_these_checks_can_fail():
    calls = []

    def changes(x):
        calls.append(x)
        return x + len(calls)

    with pytest.raises(AssertionError):
        check(changes, MAT)
    # Right in float32, beyond 1e-2 in bf16: only the bit-accurate machine sees it.
    with pytest.raises(AssertionError):
        check(lambda x: ((x + 1000) * 2 - 2000).relu(), MAT)


def test_named_results_are_reported_once():
    assert refusal(lambda x: x.sort(-1).values, MAT).endswith("sort: 1 x, layers 'sort'")


def test_constants_as_modules():
    model = Function(lambda x, ones, zeros: x * ones() + zeros(), ones=vnn.Ones(5), zeros=vnn.Zeros(3, 5))
    check(model, MAT)


def test_functional_padding_makes_a_convolution_causal():
    conv = nn.Conv1d(3, 4, 3, dilation=2)
    check(Function(lambda x, conv: conv(F.pad(x, (4, 0))) + 1, conv=conv), CUBE, streaming=2)
    weight = rand(4, 3, 2)
    check(Function(lambda x: F.conv1d(F.pad(x, (1, 0)), weight)), CUBE, streaming=2)


def test_padding_cut_off_makes_a_convolution_causal():
    conv = nn.Conv1d(3, 4, 3, dilation=2, padding=4)
    check(Function(lambda x, conv: F.relu(conv(x)[:, :, :-4]), conv=conv), CUBE, streaming=2)
    check(Function(lambda x, conv: conv(x)[..., : x.shape[-1]], conv=conv), CUBE, streaming=2)


@pytest.mark.parametrize("cut", [slice(None, -3), slice(1, -3), slice(4, None)])
def test_any_other_cut_is_for_whole_sequences(cut):
    conv = nn.Conv1d(3, 4, 3, dilation=2, padding=4)
    nnir = check(Function(lambda x, conv: conv(x)[:, :, cut], conv=conv), rand(2, 3, 9))
    with pytest.raises(ValueError, match="'conv"):
        nnir.streaming_transform(2)


WHOLE = {
    "valid": nn.Conv1d(3, 4, 3),
    "both sides": nn.Conv1d(3, 4, 3, padding=1),
    "same": nn.Conv1d(3, 4, 4, padding="same", dilation=2),
    "more than the taps": nn.Conv1d(3, 4, 2, padding=3),
    "stride": nn.Conv1d(3, 4, 3, stride=2, padding=1),
    "one tap, stride": nn.Conv1d(3, 4, 1, stride=3),
    "overhang": nn.Conv1d(3, 4, 3, padding=2),
    "depthwise": nn.Conv1d(3, 3, 3, padding=1, groups=3),
    "causal": vnn.PaddedConv1d(3, 4, 3, dilation=2),
    "padded by hand": nn.Sequential(nn.ConstantPad1d((2, 1), 0.0), nn.Conv1d(3, 4, 3)),
    "padded by ones": nn.Sequential(nn.ConstantPad1d((2, 0), 1.0), nn.Conv1d(3, 4, 3)),
    "norm": nn.Sequential(nn.Conv1d(3, 4, 3, padding=2), nn.BatchNorm1d(4), nn.Conv1d(4, 2, 3, padding=1)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_convolutions_over_whole_sequences(name):
    check(moved_norms(WHOLE[name]), rand(2, 3, 9))


def test_reciprocals_are_exact_or_refused():
    for exponent in range(-127, 128):
        assert has_exact_reciprocal(2.0**exponent), exponent
        assert has_exact_reciprocal(-(2.0**exponent)), exponent
    largest, smallest = torch.finfo(torch.float32).max, torch.finfo(torch.float32).tiny
    for value in (0.0, -0.0, 3.0, 0.1, largest, smallest / 4, 2.0**-128, float("inf"), float("nan")):
        assert not has_exact_reciprocal(value), value


def test_random_constants_are_refused():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.odds = nn.Parameter(V.abs())

        def forward(self, x):
            return x * torch.bernoulli(self.odds)

    assert "bernoulli with random numbers: 1 x, layers 'bernoulli'" in refusal(Net(), MAT)


def test_products_from_the_left_stream():
    check(Function(lambda x: torch.ones(4, 3) @ x), MAT, streaming=1)
    check(Function(lambda x: W[:4, :3] @ x), CUBE, streaming=2)


def test_several_inputs_stream_along_their_own_axes():
    check(Function(lambda a, b: a + b), MAT, MAT * 2, streaming=(0, 0))


def test_a_dense_network_in_one_piece():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(rand(6))
            self.layers = nn.ModuleList([nn.Linear(5, 6), nn.Linear(6, 6), nn.Linear(12, 3)])

        def forward(self, x, y):
            x = F.relu(self.layers[0](x)) * self.scale.abs()
            a, b = self.layers[1](x).chunk(2, dim=-1)
            x = torch.cat([torch.maximum(a, b), x, a - b], dim=-1)
            return self.layers[2](x), x[..., :2] + y

    nnir = check(Net(), MAT, rand(3, 2))
    assert 'linear "layers.0"' in str(nnir)


REFUSED = {
    "in place": (lambda x: x.add_(1), "add_ with its operand changed in place"),
    "in place function": (lambda x: F.relu_(x * 1), "relu_ with its operand changed in place"),
    "in place operator": (lambda x: _plus_equals(x), "iadd with its operand changed in place"),
    "assignment": (lambda x: _assign(x), "setitem with its operand changed in place"),
    "out": (
        lambda x: torch.add(x, 1, out=torch.empty(3, 5)),
        "add with out=: 1 x, layers 'add'; nearest supported form: y = op(x)",
    ),
    "inplace argument": (lambda x: F.relu(x, inplace=True), "relu with inplace=True: 1 x"),
    "inplace module": (lambda x: nn.ReLU(inplace=True)(x), "relu with inplace=True"),
    "dropout": (lambda x: F.dropout(x, 0.5, True), "dropout with training=True"),
    "rounding": (lambda x: torch.div(x, 2, rounding_mode="floor"), "div with rounding_mode='floor'"),
    "two lists": (lambda x: x[[0, 1], [0, 1]], "getitem with several lists of indices"),
    "batched constant": (lambda x: x @ torch.ones(2, 5, 4), "matmul with a constant of shape (2, 5, 4)"),
    "half": (
        lambda x: x.half() + 1,
        "1 form is not supported (docs/torch.md lists what is):\n  half: 1 x, layers 'half'",
    ),
    "to half": (lambda x: x.to(torch.float16), "to with values of type float16"),
    "view of bits": (lambda x: x.view(torch.int32), "view with dtype torch.int32"),
    "reflect": (lambda x: F.pad(x[None], (1, 1), mode="reflect"), "pad with mode='reflect'"),
    "random": (lambda x: x + torch.rand_like(x), "rand_like"),
    "dictionary": (lambda x: {"y": x + 1}, "Output with a value of type dict"),
    "empty": (lambda x: x[:, 2:2], "Output with shape (3, 0)"),
}


def _plus_equals(x):
    x += 1
    return x


def _assign(x):
    x = x * 1
    x[0] = 0
    return x


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    function, expected = REFUSED[name]
    message = refusal(function, MAT.clone())
    assert expected in message
    assert "not supported (docs/torch.md lists what is)" in message


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv1d(3, 6, 1, groups=3), "Conv1d with groups=3 with a weight of shape (6, 1, 1)"),
        (nn.Conv1d(3, 4, 3, padding=2, padding_mode="circular"), "Conv1d with padding_mode='circular'"),
        (nn.MaxPool1d(2, padding=1), "MaxPool1d with padding=1"),
        (nn.ReLU(inplace=True), "ReLU with inplace=True: 1 x, layers '0'; nearest supported form: inplace=False"),
        (nn.BatchNorm1d(3, track_running_stats=False), "BatchNorm1d with statistics of the batch"),
    ],
)
def test_refused_modules(module, expected):
    assert expected in refusal(nn.Sequential(module), CUBE)


def test_everything_is_reported_at_once():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Hardshrink(), nn.Sequential(nn.Linear(5, 5), nn.Hardshrink())

        def forward(self, x):
            x = torch.erf(self.b(self.a(x))) ** 2.5
            return (x + torch.relu(x.cumsum(1)[[0, 1], [0, 1]]).sum()) ** 2.5

    assert refusal(Net(), MAT) == (
        "graph 'Net': 5 forms are not supported (docs/torch.md lists what is):\n"
        "  Hardshrink: 2 x, layers 'a', 'b.1'\n"
        "  erf: 1 x, layers 'erf'\n"
        "  pow with exponent 2.5: 2 x, layers 'pow_1', 'pow_2'; nearest supported form: "
        "exponent -2, -1, -0.5, 0.5, 1, 2, 3 or 4\n"
        "  cumsum: 1 x, layers 'cumsum'\n"
        "  getitem with several lists of indices: 1 x, layers 'getitem'; nearest supported form: one"
    )


def test_the_compilers_own_errors_name_the_layer():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Function(lambda x: x.T * x[:, :3])

        def forward(self, x):
            return self.inner(x)

    with pytest.raises(ValueError, match=r"layer '1.inner.mul' \(mul\): data dimension: 'x.inner.getitem'|1.inner"):
        lower(nn.Sequential(nn.Linear(5, 5), Net()), MAT)


def test_unused_inputs_are_named():
    with pytest.raises(ValueError, match="input 'inputs_1' feeds no output; remove it from the model's signature"):
        lower(lambda a, b: a + 1, MAT, MAT)
