"""Batch normalisation taken into the layer before it.

Contract. Only where nothing else reads that layer, both work on the same axis, and its weights are not to be FP8; then the result is the same but for
one rounding. Folded in float64, rounded to float32 once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

import vollo_torch.nn
from vollo_torch.fx.nnir.layer import Layer

_CONVOLUTIONS = (nn.Conv1d, vollo_torch.nn.PaddedConv1d)


def find_norms(module: fx.GraphModule) -> dict[fx.Node, fx.Node]:
    """Norms to the layers that take them in."""
    found = {}
    for node in module.graph.nodes:
        if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
            continue
        norm = module.get_submodule(node.target)
        producer = node.args[0]
        if type(norm) is not nn.BatchNorm1d or norm.training or norm.running_mean is None or norm.running_var is None:
            continue
        if not isinstance(producer, fx.Node) or producer.op != "call_module" or len(producer.users) != 1:
            continue
        if producer.meta.get("vollo_fp8_weights"):
            continue
        kind = type(module.get_submodule(str(producer.target)))
        rank = len(node.meta["tensor_meta"].shape)
        if (kind is nn.Linear and rank == 2) or (kind in _CONVOLUTIONS and rank == 3):
            found[node] = producer
    return found


def absorb_norm(layer: Layer, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias with the norm that follows, if there is one; their first axis is the channel."""
    norms = [norm for norm, producer in layer.graph.folded_norms.items() if producer is layer.node]
    for node in norms:
        owner = layer.node.graph.owning_module
        assert owner is not None  # to_nnir is given modules, not graphs
        norm: Any = owner.get_submodule(str(node.target))
        scale, shift = scale_and_shift(norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps, wide=True)
        weight = (weight.double() * scale.reshape(-1, *[1] * (weight.dim() - 1))).float()
        bias = (shift if bias is None else bias.double() * scale + shift).float()
    return weight, bias


def scale_and_shift(
    mean: Tensor | None,
    var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    wide: bool = False,
) -> tuple[Tensor, Tensor]:
    """What a norm multiplies by and adds, one value per channel."""
    assert mean is not None  # the caller's check
    assert var is not None
    scale = torch.rsqrt(var.detach().double() + eps)
    if weight is not None:
        scale = scale * weight.detach().double()
    shift = -mean.detach().double() * scale
    if bias is not None:
        shift = shift + bias.detach().double()
    return (scale, shift) if wide else (scale.float(), shift.float())
