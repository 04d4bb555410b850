"""The table is the only list there is: what is not in it raises, and the page says what it says."""

from __future__ import annotations

import inspect
import operator
from pathlib import Path

import pytest
import vollo_torch
from torch import fx, nn
from torch_support import refusal, torch
from vollo_torch.fx.nnir.figures import agreement, covering, measure
from vollo_torch.fx.nnir.page import page
from vollo_torch.fx.nnir.table import find_function, find_method, find_module, modules, operations, resolve

DOCS = Path(__file__).parents[2] / "docs"
CASES = DOCS.parent / "suite" / "cases" / "agreement"


@pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not part of a wheel")
def test_the_page_is_true():
    text = (DOCS / "torch.md").read_text()
    assert text == page(CASES), (
        "run: python -m vollo_torch.fx.nnir.page suite/cases/agreement > docs/torch.md (with the wheel of this tree)"
    )


@pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not part of a wheel")
def test_what_the_page_measures_can_differ():
    """Cycles, precision and agreement follow what a row becomes."""
    rows = {row.name: row for row in operations()}
    add, exp = measure(rows["add"]), measure(rows["exp"])
    assert (add.operations, exp.operations) == ({"add"}, {"exp"})
    assert add.cycles != exp.cycles
    found = {name: measure(rows[name]).precision for name in ("add", "tanh", "mish", "lt", "transpose")}
    assert found == {"add": "bf16, fp32", "tanh": "bf16", "mish": "bf16", "lt": "1 or 0", "transpose": "its operand's"}
    cases = agreement(CASES, False)
    names, missing = covering(frozenset({"add", "exp"}), cases)
    assert names and not missing
    assert covering(frozenset({"add"}), {"sub": ["case"]}) == ([], ["add"])


def test_rows_are_sorted_unique_and_resolve():
    rows = operations()
    forms = [*(f for r in rows for f in r.functions), *(f".{m}" for r in rows for m in r.methods)]
    assert len(forms) == len(set(forms))
    # Newer or older than this torch: listed, but then not there.
    absent = {f for f in forms if not f.startswith(".") and resolve(f) is None}
    newer = {"torch.concatenate", "torch.unflatten", "F.dropout1d", "F.rms_norm", "torch.rms_norm"}
    assert absent <= {*newer, "torch.row_stack"}
    assert {f for f in forms if f.startswith(".") and not hasattr(torch.Tensor, f[1:])} <= {".rsub", ".__rdiv__"}
    classes = [c for m in modules() for c in m.classes]
    assert len(classes) == len(set(classes))
    assert {c for c in classes if resolve(c) is None} <= {"nn.ZeroPad1d", "nn.Dropout1d", "nn.RMSNorm"}


def traced_with(root, kind, target, args, kwargs):
    """A traced module of one operation on an input, as if torch had run it."""
    graph = fx.Graph()
    x = graph.placeholder("x")
    graph.output(x)
    module = fx.GraphModule(root, graph)
    output = next(n for n in module.graph.nodes if n.op == "output")
    for name, part in root.named_children():
        module.add_module(name, part)
    # fx need not be able to write the operation as code.
    with module.graph.inserting_before(output):
        node = module.graph.create_node(kind, target, tuple(x if a == "x" else a for a in args), kwargs, name="op")
    output.args = (node,)
    for n in module.graph.nodes:
        n.meta["tensor_meta"] = fx.passes.shape_prop._extract_tensor_metadata(torch.zeros(2, 3))
        n.meta["vollo_layer"] = n.name
    return module


def node_with(kind, target, args, kwargs):
    return traced_with(nn.Module(), kind, target, args, kwargs)


def refused(module):
    with pytest.raises(ValueError) as caught:
        vollo_torch.fx.nnir.to_nnir(module)
    assert "not supported (docs/torch.md lists what is)" in str(caught.value), str(caught.value)
    return str(caught.value)


def torch_functions():
    """Everything torch lets tensor-likes override, with the arguments it documents."""
    ignored = torch.overrides.get_ignored_functions()
    for function, stand_in in torch.overrides.get_testing_overrides().items():
        if callable(function) and function not in ignored and hasattr(function, "__name__"):
            yield function, inspect.signature(stand_in)


FUNCTIONS = [(f, s) for f, s in torch_functions() if not torch.overrides.is_tensor_method_or_property(f)]
METHODS = sorted(
    {
        f.__name__
        for f, _ in torch_functions()
        if torch.overrides.is_tensor_method_or_property(f) and f.__name__ != "__get__"
    }
)


def test_there_is_something_to_try():
    assert len(FUNCTIONS) > 500 and len(METHODS) > 300


def test_functions_that_are_not_listed_raise():
    tried = 0
    for function, _ in FUNCTIONS:
        if find_function(function) is None:
            tried += 1
            assert function.__name__.strip("_") in refused(node_with("call_function", function, ("x",), {}))
    assert tried > 500


def test_methods_that_are_not_listed_raise():
    tried = 0
    for method in METHODS:
        if find_method(method) is None:
            tried += 1
            assert method.strip("_") in refused(node_with("call_method", method, ("x",), {}))
    assert tried > 200


def test_operators_that_are_not_listed_raise():
    for name in dir(operator):
        function = getattr(operator, name)
        if not name.startswith("_") and callable(function) and find_function(function) is None:
            assert name.strip("_") in refused(node_with("call_function", function, ("x", 2), {}))


def test_arguments_that_are_not_listed_raise():
    """Every argument torch documents for a listed function, but the ones its row has, is refused by name."""
    tried = []
    for function, signature in FUNCTIONS:
        row = find_function(function)
        if row is None:
            continue
        for name, parameter in signature.parameters.items():
            if name in row.arguments or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or name == "self":
                continue
            if parameter.default is parameter.empty:
                continue
            message = refused(node_with("call_function", function, ("x",), {name: "strange"}))
            assert f"with {name}={'' if name == 'out' else repr('strange')}" in message
            tried.append((function.__name__, name))
    assert ("add", "out") in tried and ("cat", "out") in tried and len(tried) > 15, tried


def test_made_up_arguments_raise():
    for row in operations():
        for name in row.functions:
            if resolve(name) is not None:
                message = refused(node_with("call_function", resolve(name), ("x",), {"flavour": 3}))
                word = resolve(name).__name__
                plain = word.strip("_") if word.startswith("__") else word
                assert f"{plain} with flavour=3: 1 x, layers 'op'" in message
        for name in row.methods:
            assert "with flavour=3" in refused(node_with("call_method", name, ("x",), {"flavour": 3}))


def torch_modules():
    """Module classes of torch.nn."""
    for name, value in sorted(vars(nn).items()):
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__.startswith("torch.nn"):
            yield name, value


def test_modules_that_are_not_listed_raise():
    listed = {resolve(c) for row in modules() for c in row.classes}
    tried = 0
    for _, cls in torch_modules():
        if cls in listed:
            continue
        root = nn.Module()
        root.part = cls.__new__(cls)
        nn.Module.__init__(root.part)
        traced = traced_with(root, "call_module", "part", ("x",), {})
        assert f"{cls.__name__}: 1 x" in refused(traced)
        tried += 1
    assert tried > 80


def test_every_attribute_of_listed_modules_is_listed():
    """What a constructor takes is in the row, or is refused when it is not at its default."""
    for row in modules():
        for cls in map(resolve, row.classes):
            if cls is None:
                continue
            parameters = list(inspect.signature(cls.__init__).parameters)[1:]
            unlisted = {
                p for p in parameters if p not in row.attributes and p not in ("device", "dtype", "args", "kwargs")
            }
            # Old spellings that leave no attribute behind.
            assert unlisted <= {"min_value", "max_value"}, (cls, unlisted)


def test_a_new_attribute_of_a_listed_module_is_refused(monkeypatch):
    original = nn.ReLU.__init__

    def init(self, inplace=False, slope=0.0):
        original(self, inplace)
        self.slope = slope

    monkeypatch.setattr(nn.ReLU, "__init__", init)
    x = torch.zeros(2, 3)
    assert "ReLU with slope=0.5: 1 x, layers '0'; nearest supported form: slope=0.0" in refusal(
        nn.Sequential(nn.ReLU(slope=0.5)), x
    )
    vollo_torch.fx.nnir.to_nnir(vollo_torch.fx.prepare_shape(nn.Sequential(nn.ReLU()), x)[0])


def test_subclasses_are_not_taken_for_their_base():
    class Doubled(nn.Linear):
        def forward(self, x):
            return super().forward(x) * 2

    Doubled.__module__ = "torch.nn.modules.linear"  # as if torch had it
    assert find_module(Doubled(2, 3)) is None
    assert "Doubled: 1 x" in refusal(nn.Sequential(Doubled(3, 3)), torch.zeros(2, 3))
