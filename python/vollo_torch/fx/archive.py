"""Traced models as files.

| member          | holds                                                              |
|-----------------|--------------------------------------------------------------------|
| `manifest.json` | format version, input shape, what every node knows                 |
| `module.pt`     | the traced module, as `torch.save` writes it                       |

Contract. `load` gives back a module that computes the same values and can be given to `prepare_shape` again; what
contexts asked for is kept. Loading runs code from the file: open archives you trust.
Errors. `ValueError` for what is no such archive; `OSError` for paths that cannot be read or written.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from vollo_torch.fx.prepare import prepare_shape

_FORMAT = 1
_DAMAGE = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    pickle.PickleError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ImportError,
    RuntimeError,
)
_KEPT = ("vollo_layer", "vollo_random", "vollo_fp32_activations", "vollo_fp8_weights", "vollo_core_partition")


def save(module: torch.nn.Module, input: Tensor, archive: str | Path) -> None:
    """Traces `module` on one example input and writes it to a `.tar.gz`."""
    traced, _ = prepare_shape(module, input)
    manifest = {
        "format": _FORMAT,
        "torch": torch.__version__,
        "name": type(traced).__name__,
        "input_shape": list(input.shape),
        "input_dtype": str(input.dtype),
        "nodes": [{"op": n.op, **{k: n.meta.get(k) for k in _KEPT}} for n in _told_apart(traced)],
    }
    data = io.BytesIO()
    try:
        torch.save(traced, data)
    except (pickle.PickleError, AttributeError, TypeError) as error:
        raise ValueError(
            f"model '{type(traced).__name__}' cannot be written: {error}; "
            "define the classes of modules at the top level of a file"
        ) from error
    members = {"manifest.json": json.dumps(manifest, indent=1).encode(), "module.pt": data.getvalue()}
    # In memory first, so that a model that cannot be written leaves no broken file.
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with open(archive, "wb") as file:
        file.write(packed.getvalue())


def load(archive: str | Path) -> tuple[fx.GraphModule, torch.Size]:
    """The traced module of an archive and the shape of the input it was traced with."""
    path = os.fspath(archive)
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            manifest = json.loads(_member(tar, "manifest.json"))
            if manifest["format"] != _FORMAT:
                raise ValueError(f"format {manifest['format']}, this version reads {_FORMAT}; save the model again")
            shape = torch.Size(manifest["input_shape"])
            dtype = getattr(torch, str(manifest["input_dtype"]).rpartition(".")[2])
            module = torch.load(io.BytesIO(_member(tar, "module.pt")), map_location="cpu", weights_only=False)
            _restore(module, manifest["nodes"])
            module = fx.GraphModule(module, module.graph, class_name=str(manifest["name"]))
    except _DAMAGE as error:
        raise ValueError(f"'{path}' is no model archive: {error}; vollo_torch.fx.save writes them") from error
    prepared, _ = prepare_shape(module, torch.zeros(shape, dtype=dtype))
    return prepared, shape


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _told_apart(module: fx.GraphModule) -> list[fx.Node]:
    """The nodes that come back in the same order; reads of parameters may be repeated or merged."""
    return [node for node in module.graph.nodes if node.op != "get_attr"]


def _restore(module: Any, known: list[dict[str, Any]]) -> None:
    nodes = _told_apart(module) if isinstance(module, fx.GraphModule) else []
    if [n.op for n in nodes] != [k["op"] for k in known]:
        raise ValueError("the manifest does not describe the module")
    for node, meta in zip(nodes, known):
        cores = meta["vollo_core_partition"]
        node.meta.update({k: meta[k] for k in _KEPT}, vollo_core_partition=None if cores is None else tuple(cores))
