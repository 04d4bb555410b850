"""`docs/torch.md`, written from the table of operations and what is measured of it.

python -m vollo_torch.fx.nnir.page suite/cases/agreement > docs/torch.md, with the wheel of this tree
"""

from __future__ import annotations

import sys
from pathlib import Path

from vollo_torch.fx.nnir.figures import CONFIG, TRUTHS, agreement, covering, measure
from vollo_torch.fx.nnir.table import Module, Operation, modules, operations

_HEAD = """\
# PyTorch

```python
import vollo_compiler
import vollo_torch

# Traced, and the model's output for the example.
module, expected = vollo_torch.fx.prepare_shape(model.eval(), example_input)
# The graph, or one error that names everything there is to change.
nnir = vollo_torch.fx.nnir.to_nnir(module)
# Models over sequences: axis 2 is time, one step per inference.
nnir, output_axis = nnir.streaming_transform(2)
program = nnir.to_program(vollo_compiler.Config.bittware_ia420f_c6b32())
```

`python/examples` has whole programs. `vollo_torch.fx.save(model, input, path)` writes a traced model as `.tar.gz`,
`load(path)` gives it back with the shape of its input (and runs code from it: open archives you trust).
`vollo_torch.fx.is_vollo_tracing.get()` is true while `forward` is traced. Every layer keeps the path it has in the
model, e.g. `block.0.conv`; functions are named after the module that calls them, e.g. `block.0.relu`. Modules of
`vollo_torch.nn`: `PaddedConv1d` is a causal convolution, `LSTM` gives its output sequence only, `RecurrentStateLSTM` and
`LSTMCell` keep state, `Scan` runs a module of yours step by step, `RMSNorm` is for PyTorch before 2.4; `Ones` and `Zeros`
are constants.

## What a model may use

Float32 values, shapes known from the example inputs, PyTorch 1.13 or later. `vollo_torch.fx.nnir.ops` is this
table; everything else, other arguments included, is reported at once by `to_nnir`, with layer names. Operations that
read constants only, whatever they are, are computed then.

Every run-time tensor has one *data dimension*, the axis packed into blocks: the last axis of what a linear layer reads
and gives, the channels of a convolution, inferred over the whole graph; the last axis where nothing asks for one.
Operands of arithmetic agree in it, or one has extent 1 there. Transpositions move it, reshaping keeps the product of the
extents to its right. A product with a matrix works along any axis: along the data dimension it is a linear layer, along
another one multiplications and a sum. Products of two run-time tensors need one of them packed along the contracted axis.
A tensor without axes is one of shape `(1,)` at the inputs and outputs of the program. Tensors without values may come up
in between (what is joined to them stays as it is); inputs and outputs have at least one value.

Values are rounded to bf16 between operations, sums are wider. What is made of several operations rounds several times:
differences of nearly equal values (`expm1` and `tanhshrink` near 0, `var` of nearly equal values) keep their absolute
error.

While `forward` is traced, shapes are plain numbers: `x.shape`, `len(x)`, loops and conditions over them work. Values
are not: a condition on a value computed from an input is refused. So are random numbers, state changed in `forward`,
and, for now, `CorePartition` around a layer.

Inside `with vollo_torch.Fp8Weights():` the constant weights of linear, convolution and recurrent layers are rounded to E4M3 with
a power of two per row (ADR 0011) and take half the space, on configurations that store them (`Config.fp8_weights`; the V80 boards
do). Weights that are E4M3 numbers below 128 already, `w.to(torch.float8_e4m3fn).to(torch.float32)`, stay as they are. Other
layers do not change; products of two run-time tensors are refused there.

`with vollo_torch.Fp32Activations():` in `forward` keeps the values of what is traced inside in fp32: sums, differences,
products and extremes of two values, clamps, `relu`, comparisons, `where`, `exp`, `exp2`, `max_pool1d`, batch norm, `cat`,
indexing and every change of shape. They give what torch gives in float32 (`exp` and `exp2` to 2^-20), subnormal numbers are
zero. What is made of other operations too (`linear`, convolutions, reductions, division, the other functions, recurrent layers,
norms) computes these in bf16, operands rounded; one warning names the layers. The state of a `Scan` is fp32 if what it becomes
is, so a running sum needs the context around its addition only. A value read outside is rounded there as any operand is.
`to_nnir(module, NumberFormat.FP32, NumberFormat.FP32)` brings inputs and outputs (one format for all, or one per tensor) to and
from the streams without rounding; an output is then what its layer computed before rounding.

A model over a sequence compiles whole, all steps in one inference, or streamed (`NNIR.streaming_transform`), one step per
inference: convolutions look back and recurrent layers carry their state on. Streamed, nothing may reach other steps but
causal convolutions and recurrent layers from the first step on. Whole, a recurrent layer starts from its initial state in
every inference; `RecurrentStateLSTM`, whose state outlives the sequence, compiles streamed only. `LSTMCell` keeps its cell
state from inference to inference. Initial states are constants, or for whole sequences any values: then the steps are
written one by one.
"""

_AFTER = """\

## Errors

| raised by | when | exception | way out |
|---|---|---|---|
| `prepare_shape` | dropout, batch norm, `RReLU` or recurrent dropout in training mode | `ValueError` | `model.eval()` |
| `prepare_shape` | TorchScript, `torch.compile` | `ValueError` | the module they were made from |
| `prepare_shape` | a value computed from an input decides what `forward` does | `ValueError` | `maximum`, `minimum`, `clamp` |
| `prepare_shape` | random numbers drawn in `forward` | `ValueError` | an input |
| `prepare_shape` | a buffer or tensor attribute changed in `forward` | `ValueError` | `vollo_torch.nn` modules with state |
| `prepare_shape` | a parameter that is not part of the model | `ValueError` | `nn.ModuleList`, `nn.ParameterList` |
| `prepare_shape` | sizes that do not match | `ValueError` | names the layer and its operands |
| `prepare_shape` | no module, no tensor, wrong number of inputs | `TypeError` | |
| `to_nnir` | no module from `prepare_shape` | `ValueError` | `prepare_shape` first |
| `to_nnir` | operations not in the table, in-place operations, `out=`, types but float32, contexts but `Fp32Activations` | `ValueError`, one for all | its text, per form |
| `to_nnir` | weights or constants that are NaN or infinite | `ValueError` | names the layer and the element |
| `to_nnir` | data dimensions that do not go together | `ValueError` | names the layers |
| `to_nnir` | precisions that are no `NumberFormat` | `TypeError` | |
| `to_program`, `add_nnir` | a graph with a `RecurrentStateLSTM` that is not streamed | `ValueError` | `streaming_transform` first |
| `load` | no archive of this version, or a damaged one | `ValueError` | `save` again |
| `save`, `load` | a path that cannot be written or read | `OSError` | |
| `CorePartition` | cores outside of the enclosing partition | `ValueError` on entry | `override=True` |
"""


_COLUMNS = f"""Measured on an example 256 values wide (`vollo_torch.fx.nnir.examples`), for every row: *precision*, what its result can be
(`bf16, fp32`: fp32 inside `Fp32Activations`, no value in between rounded to bf16); *cycles* of one inference compiled for `{CONFIG}` and run by the VM, from the
first input beat to the last output beat, of one step for convolutions, recurrent layers and `Scan`; *RTL*, the cases of
`suite/cases/agreement` that hold the operations the example became in RTL to the VM, every bit and cycle, and the operations in
no case, if any. A row that becomes no operation at all has none to hold."""


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shown(class_name: str) -> str:
    return class_name.replace("vollo.", "vollo_torch.nn.")


def _covered(wanted: frozenset[str], by_operation: dict[str, list[str]], word: str) -> str:
    names, missing = covering(wanted, by_operation)
    return "; ".join(
        part
        for part in (word + _code(names) if names else "", f"{word}not {_code(missing)}" if missing else "")
        if part
    )


def _measured(row: Operation | Module, cases: Path) -> str:
    """The cells that are measured: precision, cycles, agreement in RTL."""
    figures = measure(row)
    held = [_covered(figures.operations, agreement(cases, False), "")]
    if figures.precision.endswith("fp32"):
        held.append(_covered(figures.operations - TRUTHS, agreement(cases, True), "fp32: "))
    return f"{figures.precision} | {figures.cycles} | {'; '.join(filter(None, held))}"


def page(cases: Path) -> str:
    """The page for people; `cases` is the folder of the agreement cases."""
    lines = [
        _HEAD,
        "## Functions and methods",
        "",
        _COLUMNS,
        "",
        "| operation | forms | arguments | restriction | NNIR | precision | cycles | RTL |",
        "|---|---|---|---|---|---|--:|---|",
    ]
    for row in sorted(operations(), key=lambda row: row.name.lower()):
        methods = [f".{m}" for m in row.methods if not m.startswith("__")]
        forms = [*row.functions, *methods, *([f".{row.attribute}"] if row.attribute else [])]
        arguments = _code([a for a in row.arguments if not a.startswith("_")])
        measured = _measured(row, cases)
        lines.append(f"| `{row.name}` | {_code(forms)} | {arguments} | {row.restriction} | {row.nnir} | {measured} |")
    lines += ["", "`F` is `torch.nn.functional`; `operator.add` and the like are `+` and so on.", ""]
    lines += [
        "## Modules",
        "",
        "| module | attributes | restriction | NNIR | precision | cycles | RTL |",
        "|---|---|---|---|---|--:|---|",
    ]
    for module in modules():
        classes = _code([_shown(c) for c in module.classes])
        measured = _measured(module, cases)
        lines.append(
            f"| {classes} | {_code(list(module.attributes))} | {module.restriction} | {module.nnir} | {measured} |"
        )
    return "\n".join(lines) + "\n" + _AFTER


if __name__ == "__main__":
    print(page(Path(sys.argv[1])), end="")
