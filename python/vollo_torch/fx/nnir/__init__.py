"""Lowering of traced modules to NNIR; `docs/torch.md` is its table of operations."""

from vollo_torch.fx.nnir.convert import to_nnir

__all__ = ["to_nnir"]
