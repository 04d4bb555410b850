"""Tracing: `prepare_shape`, archives of traced models, and the lowering in `vollo_torch.fx.nnir`."""

from vollo_torch.fx import nnir
from vollo_torch.fx.archive import load, save
from vollo_torch.fx.prepare import prepare_shape
from vollo_torch.fx.tracer import is_vollo_tracing

__all__ = ["is_vollo_tracing", "load", "nnir", "prepare_shape", "save"]
