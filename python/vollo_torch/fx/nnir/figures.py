"""What the rows of the operation table are worth: measured on their examples, never written by hand.

| figure       | from                                                                                    |
|--------------|-----------------------------------------------------------------------------------------|
| `operations` | the graph of the example                                                                |
| `precision`  | the same example lowered inside `Fp32Activations`: whether all it computes is fp32 then |
| `cycles`     | compiled for `CONFIG` and run by the VM, one inference, first input to last output beat |
| `cases`      | the files of `suite/cases/agreement` that hold these operations in RTL to the VM        |

Errors. `RuntimeError` where the VM needs other cycles than the compiler promised; `FileNotFoundError` for a folder without cases.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from vollo_compiler import NNIR, Config

from vollo_torch.contexts import Fp32Activations
from vollo_torch.fx.nnir.convert import to_nnir
from vollo_torch.fx.nnir.examples import Call, Example, example
from vollo_torch.fx.nnir.table import Module, Operation
from vollo_torch.fx.prepare import prepare_shape

CONFIG = "ia_420f_c6b32"

# What changes no value; a result is what the operand is.
MOVES = frozenset({"slice", "concat", "reshape", "transpose", "index_select", "expand"})

# A condition is 1 or 0, in any format.
TRUTHS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})

_NODE = re.compile(r'^\s*%(\d+) = (\w+) "[^"]*" \(([^)]*)\).* : (\w+)\[', re.MULTILINE)

# Layers of a case that are an operation of the same name but for these.
_NAMES = {"conv": "conv1d", "index-select": "index_select"}


@dataclass(frozen=True)
class Figures:
    """What was measured of a row."""

    operations: frozenset[str]
    precision: str
    cycles: int


class _Wide(torch.nn.Module):
    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *inputs: torch.Tensor) -> object:
        with Fp32Activations():
            return self.inner(*inputs)


def _lowered(model: torch.nn.Module, found: Example) -> NNIR:
    inputs = [torch.linspace(-1, 1, torch.Size(shape).numel()).reshape(shape) for shape in found.shapes]
    traced, _ = prepare_shape(model.eval(), *inputs)
    nnir = to_nnir(traced)
    return nnir if found.streaming is None else nnir.streaming_transform(found.streaming)[0]


def operations(text: str) -> frozenset[str]:
    """The operations of a graph's text, those of the bodies of scans included."""
    return frozenset(op for _, op, _, _ in _NODE.findall(text)) - {"input", "constant", "scan"}


def precision(text: str) -> str:
    """What the values of a graph can be, from its text inside `Fp32Activations`."""
    if operations(text) <= MOVES:
        return "its operand's"
    truths: set[str] = set()
    fp32, last = True, ""
    for number, op, operands, found in _NODE.findall(text):
        read = re.findall(r"%(\d+)", operands)
        if op in TRUTHS or (op in ("mul", "max", *MOVES) and read and truths.issuperset(read)):
            truths.add(number)
        elif op not in MOVES and op not in ("input", "constant"):
            fp32 &= found == "fp32"
        last = number
    if last in truths:
        return "1 or 0"
    return "bf16, fp32" if fp32 else "bf16"


def measure(row: Operation | Module) -> Figures:
    """Lowers, compiles and runs the example of a row."""
    found = example(row)
    model = Call(found.function)
    nnir = _lowered(model, found)
    with warnings.catch_warnings():
        # That it keeps bf16 there is what is looked for.
        warnings.simplefilter("ignore")
        wide = _lowered(_Wide(model), found).to_text()
    program = nnir.to_program(Config.preset(CONFIG))
    vm = program.to_vm()
    inputs = [
        np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        for shape in (program.model_input_shape(0, i) for i in range(program.model_num_inputs()))
    ]
    vm.run(inputs)
    promised = program.cycle_count_per_inference()
    if vm.cycle_count() != promised:
        raise RuntimeError(f"{row}: {vm.cycle_count()} cycles, the compiler promised {promised}")
    return Figures(operations(nnir.to_text()), precision(wide), vm.cycle_count())


def agreement(folder: Path, fp32: bool) -> dict[str, list[str]]:
    """By operation, the names of the cases that hold it, with results in this format, in RTL to the VM."""
    import tomllib

    found: dict[str, list[str]] = {}
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise FileNotFoundError(f"no agreement cases in {folder}")
    for path in paths:
        case = tomllib.loads(path.read_text())
        for net in case["net"]:
            for layer in net.get("layer", []):
                if layer.get("fp32", False) != fp32 or layer.get("fp8", net.get("fp8", False)):
                    continue
                names = found.setdefault(_operation(layer), [])
                if case["name"] not in names:
                    names.append(case["name"])
    return found


def _operation(layer: dict[str, str]) -> str:
    op = layer["op"]
    if op == "reduce":
        return f"reduce_{layer['f']}"
    if op in ("arith", "unary"):
        return layer["f"].replace("-", "_")
    return _NAMES.get(op, op)


def covering(wanted: frozenset[str], by_operation: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """Few cases that hold all these operations, and the operations no case holds."""
    missing = sorted(op for op in wanted if op not in by_operation)
    left = wanted - set(missing)
    names: list[str] = []
    while left:
        count: dict[str, int] = {}
        for op in left:
            for name in by_operation[op]:
                count[name] = count.get(name, 0) + 1
        best = min(count, key=lambda name: (-count[name], name))
        names.append(best)
        left = frozenset(op for op in left if best not in by_operation[op])
    return sorted(names), missing
