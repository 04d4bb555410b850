"""Traced models written and read back."""

from __future__ import annotations

import tarfile

import pytest
import vollo_torch
from torch import nn
from torch_support import Function, lower, torch
from vollo_torch.fx import load, prepare_shape, save

X = torch.randn(2, 3, 6)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = vollo_torch.nn.PaddedConv1d(3, 4, 2)
        self.scale = nn.Parameter(torch.randn(4, 1))

    def forward(self, x):
        y = self.conv(x) * self.scale + torch.ones(4, 6)
        with vollo_torch.CorePartition([1, 2]):
            return torch.relu(y) * self.scale


def test_models_come_back(tmp_path):
    torch.manual_seed(0)
    model = Net()
    save(model, X, tmp_path / "net.tar.gz")
    loaded, shape = load(str(tmp_path / "net.tar.gz"))
    assert shape == X.shape and isinstance(shape, torch.Size)
    torch.testing.assert_close(loaded(X), model(X))
    again, output = prepare_shape(loaded, X)
    torch.testing.assert_close(output, model(X).detach())
    for traced in (loaded, again):
        layers = {n.meta["vollo_layer"]: n.meta for n in traced.graph.nodes if n.op not in ("output", "get_attr")}
        assert layers["relu"]["vollo_core_partition"] == (1, 2) and layers["conv"]["vollo_core_partition"] is None
        assert tuple(layers["conv"]["tensor_meta"].shape) == (2, 4, 6)
        with pytest.raises(ValueError, match=r"CorePartition\(\[1, 2\]\) around it"):
            vollo_torch.fx.nnir.to_nnir(traced)


def test_what_is_loaded_lowers_to_the_same_graph(tmp_path):
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    save(model, X, tmp_path / "m.tar.gz")
    assert str(vollo_torch.fx.nnir.to_nnir(load(tmp_path / "m.tar.gz")[0])) == str(lower(model, X))


def test_archives_hold_relative_paths_only(tmp_path):
    path = tmp_path / "m.tar.gz"
    save(nn.Sequential(nn.Linear(6, 4)), X, path)
    with tarfile.open(path) as tar:
        assert sorted(tar.getnames()) == ["manifest.json", "module.pt"]


def test_damaged_archives_are_refused(tmp_path):
    path = tmp_path / "m.tar.gz"
    save(nn.Sequential(nn.Linear(6, 4)), X, path)
    whole = path.read_bytes()
    for content in (b"", b"nothing of the kind", whole[: len(whole) // 2], whole[:200] + b"\0" * 50 + whole[250:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"m.tar.gz' is no model archive: .*vollo_torch.fx.save writes them"):
            load(path)
    with tarfile.open(path, "w:gz"):
        pass
    with pytest.raises(ValueError, match="is no model archive"):
        load(path)


def test_paths_are_checked(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.tar.gz")
    with pytest.raises(OSError):
        save(nn.Sequential(nn.Linear(6, 4)), X, tmp_path / "absent" / "m.tar.gz")


def test_a_model_that_cannot_be_traced_leaves_no_file(tmp_path):
    with pytest.raises(ValueError):
        save(Function(lambda x: x if x.sum() > 0 else -x), X, tmp_path / "m.tar.gz")
    assert not list(tmp_path.iterdir())


def test_models_that_cannot_be_pickled_are_refused(tmp_path):
    class Step(nn.Module):
        def forward(self, x, state):
            return x + state, x

    class Local(nn.Module):
        def __init__(self):
            super().__init__()
            self.scan = vollo_torch.nn.Scan(Step())

        def forward(self, x):
            return self.scan(x, torch.zeros(3, 6))

    with pytest.raises(ValueError, match=r"'Local' cannot be written: .*at the top level of a file"):
        save(Local(), X, tmp_path / "m.tar.gz")
    assert not list(tmp_path.iterdir())
