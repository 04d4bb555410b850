"""An example of every row of the operation table, 256 values wide: what the page measures.

| field       | what                                                                     |
|-------------|--------------------------------------------------------------------------|
| `function`  | a function of the inputs, or a module                                    |
| `shapes`    | of the inputs                                                            |
| `streaming` | the axis of the steps, where one step per inference is what is measured  |

Contract. A row without an example here is called by its first form on one input of 256 values. Constants are the same in
every run. Streamed examples are streamed because that is how such layers are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import vollo_torch.nn as vnn
from vollo_torch.fx.nnir.table import Module, Operation, resolve

WIDTH = 256


@dataclass(frozen=True)
class Example:
    """What is measured."""

    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((WIDTH,),)
    streaming: int | None = None


class Call(nn.Module):
    """A function as a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        if isinstance(function, nn.Module):
            self.part = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


def _values(*shape: int) -> Tensor:
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float32) * 37 % 101 / 50 - 1).reshape(shape)


_WEIGHT, _TAPS, _VECTOR = _values(WIDTH, WIDTH) / 16, _values(WIDTH, WIDTH, 3) / 32, _values(WIDTH)
_ONE, _TWO = ((WIDTH,),), ((WIDTH,), (WIDTH,))
_ROW, _ROWS, _GRID = ((1, WIDTH),), ((4, WIDTH),), ((4, 64),)
_TWO_ROWS = ((1, WIDTH), (1, WIDTH))
_SEQUENCE, _STEPS = ((1, WIDTH, 8),), ((4, 1, WIDTH),)


def _causal(x: Tensor) -> Tensor:
    return F.conv1d(F.pad(x, (2, 0)), _TAPS)


_OPERATIONS: dict[str, Example] = {
    "add": Example(lambda a, b: a + b, _TWO),
    "addmm": Example(lambda a: torch.addmm(_VECTOR, a, _WEIGHT), _ROW),
    "amax": Example(lambda a: a.amax(-1, keepdim=True)),
    "amin": Example(lambda a: a.amin(-1, keepdim=True)),
    "avg_pool1d": Example(lambda a: F.avg_pool1d(a, 2), ((1, WIDTH, 4),)),
    "batch_norm": Example(lambda a: F.batch_norm(a, _VECTOR, _VECTOR.abs() + 1), _ROW),
    "bmm": Example(lambda a, b: torch.bmm(a, b), ((1, 4, 64), (1, 64, 4))),
    "broadcast_tensors": Example(lambda a, b: torch.broadcast_tensors(a, b), ((1, WIDTH), (2, 1))),
    "cat": Example(lambda a, b: torch.cat([a, b]), ((100,), (156,))),
    "chunk": Example(lambda a: a.chunk(2)),
    "clamp": Example(lambda a: a.clamp(-0.5, 0.5)),
    "clamp_max": Example(lambda a: a.clamp_max(0.5)),
    "clamp_min": Example(lambda a: a.clamp_min(-0.5)),
    "column_stack": Example(lambda a, b: torch.column_stack([a, b]), ((1, 100), (1, 156))),
    "conv1d": Example(_causal, _SEQUENCE, 2),
    "div": Example(lambda a, b: a / b, _TWO),
    "dropout": Example(lambda a: F.dropout(a, training=False)),
    "dstack": Example(lambda a, b: torch.dstack([a, b]), ((1, 4, 64), (1, 4, 64))),
    "eq": Example(lambda a, b: (a == b).float(), _TWO),
    "expand": Example(lambda a: a.expand(2, WIDTH), _ROW),
    "expand_as": Example(lambda a, b: a.expand_as(b) + b, ((1, WIDTH), (2, WIDTH))),
    "flatten": Example(lambda a: a.flatten(), ((2, 128),)),
    "flip": Example(lambda a: a.flip(0), _ROWS),
    "full_like": Example(lambda a: a + torch.full_like(a, 0.5)),
    "ge": Example(lambda a, b: (a >= b).float(), _TWO),
    "getitem": Example(lambda a: a[3:250]),
    "gt": Example(lambda a, b: (a > b).float(), _TWO),
    "hstack": Example(lambda a, b: torch.hstack([a, b]), ((100,), (156,))),
    "index_select": Example(lambda a: a.index_select(0, torch.tensor([2, 0])), _GRID),
    "layer_norm": Example(lambda a: F.layer_norm(a, (WIDTH,))),
    "le": Example(lambda a, b: (a <= b).float(), _TWO),
    "linear": Example(lambda a: F.linear(a, _WEIGHT, _VECTOR)),
    "log_softmax": Example(lambda a: a.log_softmax(-1)),
    "logical_and": Example(lambda a, b: ((a > 0) & (b > 0)).float(), _TWO),
    "logical_not": Example(lambda a: (~(a > 0)).float()),
    "logical_or": Example(lambda a, b: ((a > 0) | (b > 0)).float(), _TWO),
    "logical_xor": Example(lambda a, b: ((a > 0) ^ (b > 0)).float(), _TWO),
    "logsumexp": Example(lambda a: torch.logsumexp(a, -1, keepdim=True)),
    "lt": Example(lambda a, b: (a < b).float(), _TWO),
    "masked_fill": Example(lambda a: a.masked_fill(a < 0, 0.5)),
    "matmul": Example(lambda a: a @ _WEIGHT),
    "max": Example(lambda a, b: torch.max(a, b), _TWO),
    "max_pool1d": Example(lambda a: F.max_pool1d(a, 2), ((1, WIDTH, 4),)),
    "maximum": Example(lambda a, b: torch.maximum(a, b), _TWO),
    "mean": Example(lambda a: a.mean(-1, keepdim=True)),
    "min": Example(lambda a, b: torch.min(a, b), _TWO),
    "minimum": Example(lambda a, b: torch.minimum(a, b), _TWO),
    "movedim": Example(lambda a: a.movedim(0, 1), _GRID),
    "mT": Example(lambda a: a.mT, _GRID),
    "mul": Example(lambda a, b: a * b, _TWO),
    "narrow": Example(lambda a: a.narrow(0, 3, 247)),
    "ne": Example(lambda a, b: (a != b).float(), _TWO),
    "new_full": Example(lambda a: a + a.new_full((WIDTH,), 0.5)),
    "new_ones": Example(lambda a: a + a.new_ones((WIDTH,))),
    "new_zeros": Example(lambda a: a + a.new_zeros((WIDTH,))),
    "norm": Example(lambda a: a.norm(dim=-1, keepdim=True)),
    "normalize": Example(lambda a: F.normalize(a, dim=-1)),
    "ones_like": Example(lambda a: a + torch.ones_like(a)),
    "pad": Example(lambda a: F.pad(a, (0, 32)), ((224,),)),
    "permute": Example(lambda a: a.permute(1, 0), _GRID),
    "pow": Example(lambda a: a**3),
    "prelu": Example(lambda a: F.prelu(a, _VECTOR[:1])),
    "rdiv": Example(lambda a: 2 / a),
    "repeat": Example(lambda a: a.repeat(2), ((128,),)),
    "reshape": Example(lambda a: a.reshape(2, 128)),
    "reshape_as": Example(lambda a, b: a.reshape_as(b) + b, ((WIDTH,), (2, 128))),
    "rms_norm": Example(vnn.RMSNorm(WIDTH)),
    "roll": Example(lambda a: a.roll(1, 0), _ROWS),
    "rpow": Example(lambda a: 3.0**a),
    "rsub": Example(lambda a: 1 - a),
    "select": Example(lambda a: a.select(0, 1), _ROWS),
    "softmax": Example(lambda a: a.softmax(-1)),
    "softmin": Example(lambda a: F.softmin(a, -1)),
    "split": Example(lambda a: a.split(128)),
    "squeeze": Example(lambda a: a.squeeze(0), _ROW),
    "stack": Example(lambda a, b: torch.stack([a, b]), ((128,), (128,))),
    "std": Example(lambda a: a.std(-1, keepdim=True)),
    "sub": Example(lambda a, b: a - b, _TWO),
    "sum": Example(lambda a: a.sum(-1, keepdim=True)),
    "T": Example(lambda a: a.T, _GRID),
    "t": Example(lambda a: a.t(), _GRID),
    "threshold": Example(lambda a: F.threshold(a, 0.25, -1.0)),
    "tile": Example(lambda a: a.tile(2), ((128,),)),
    "to": Example(lambda a: a.to(torch.float32)),
    "transpose": Example(lambda a: a.transpose(0, 1), _GRID),
    "unbind": Example(lambda a: a.unbind(0), ((2, 128),)),
    "unflatten": Example(lambda a: a.unflatten(0, (2, 128))),
    "unsqueeze": Example(lambda a: a.unsqueeze(0)),
    "var": Example(lambda a: a.var(-1, keepdim=True)),
    "vector_norm": Example(lambda a: torch.linalg.vector_norm(a, dim=-1, keepdim=True)),
    "view": Example(lambda a: a.view(2, 128)),
    "vstack": Example(lambda a, b: torch.vstack([a, b]), ((128,), (128,))),
    "where": Example(lambda a, b: torch.where(a > b, a, b), _TWO),
    "where_method": Example(lambda a, b: a.where(a > b, b), _TWO),
    "zeros_like": Example(lambda a: a + torch.zeros_like(a)),
}


class _RunningSum(nn.Module):
    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return x + state, x + state


class _Scanned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scan = vnn.Scan(_RunningSum())

    def forward(self, x: Tensor) -> Any:
        return self.scan(x, torch.zeros(WIDTH))


class _Sequence(nn.Module):
    """The output sequence of a recurrent layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Any:
        return self.layer(x)[0]


class _Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(WIDTH, WIDTH)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        return self.cell(x, (h, c))


_MODULES: dict[str, Callable[[], Example]] = {
    "nn.AvgPool1d": lambda: Example(nn.AvgPool1d(2), ((1, WIDTH, 4),)),
    "nn.BatchNorm1d": lambda: Example(nn.BatchNorm1d(WIDTH), _ROW),
    "nn.ConstantPad1d": lambda: Example(nn.ConstantPad1d((0, 32), 0.0), ((1, 224),)),
    "nn.Conv1d": lambda: Example(
        nn.Sequential(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(WIDTH, WIDTH, 3)), _SEQUENCE, 2
    ),
    "nn.Flatten": lambda: Example(nn.Flatten(), ((1, 2, 128),)),
    "nn.GRU": lambda: Example(_Sequence(nn.GRU(WIDTH, WIDTH)), _STEPS, 0),
    "nn.GRUCell": lambda: Example(nn.GRUCell(WIDTH, WIDTH), _TWO_ROWS),
    "nn.LSTM": lambda: Example(_Sequence(nn.LSTM(WIDTH, WIDTH)), _STEPS, 0),
    "nn.LSTMCell": lambda: Example(_Cell(), (*_TWO_ROWS, (1, WIDTH))),
    "nn.LayerNorm": lambda: Example(nn.LayerNorm(WIDTH)),
    "nn.Linear": lambda: Example(nn.Linear(WIDTH, WIDTH)),
    "nn.LogSoftmax": lambda: Example(nn.LogSoftmax(-1)),
    "nn.MaxPool1d": lambda: Example(nn.MaxPool1d(2), ((1, WIDTH, 4),)),
    "nn.RMSNorm": lambda: Example(vnn.RMSNorm(WIDTH)),
    "nn.RNN": lambda: Example(_Sequence(nn.RNN(WIDTH, WIDTH)), _STEPS, 0),
    "nn.RNNCell": lambda: Example(nn.RNNCell(WIDTH, WIDTH), _TWO_ROWS),
    "nn.Softmax": lambda: Example(nn.Softmax(-1)),
    "nn.Softmin": lambda: Example(nn.Softmin(-1)),
    "nn.Threshold": lambda: Example(nn.Threshold(0.25, -1.0)),
    "nn.Unflatten": lambda: Example(nn.Unflatten(1, (2, 128)), _ROW),
    "vollo.LSTM": lambda: Example(vnn.LSTM(WIDTH, WIDTH), _STEPS, 0),
    "vollo.LSTMCell": lambda: Example(vnn.LSTMCell(WIDTH, WIDTH), _TWO),
    "vollo.PaddedConv1d": lambda: Example(vnn.PaddedConv1d(WIDTH, WIDTH, 3), _SEQUENCE, 2),
    "vollo.RecurrentStateLSTM": lambda: Example(vnn.RecurrentStateLSTM(WIDTH, WIDTH), _STEPS, 0),
    "vollo.Scan": lambda: Example(_Scanned(), ((4, WIDTH),), 0),
}


def example(row: Operation | Module) -> Example:
    """The example of a row."""
    if isinstance(row, Module):
        torch.manual_seed(0)
        name = row.classes[0]
        given = _MODULES.get(name)
        return given() if given else Example(resolve(name)())
    found = _OPERATIONS.get(row.name)
    if found:
        return found
    function = next((f for f in map(resolve, row.functions) if f is not None), None)
    if function is not None:
        return Example(function)
    if row.methods:
        return Example(lambda a: getattr(a, row.methods[0])())
    return Example(lambda a: getattr(a, row.attribute))
