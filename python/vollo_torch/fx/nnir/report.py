"""Everything a model uses that cannot be lowered, in one error.

Contract. One entry per operation, attribute and way out, in order of first appearance, with every layer that needs it.
The wording is that of the ONNX front end.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class Stop(Exception):
    """A layer gives no value; its reason is in the report already, or the layer reads a value that does not exist."""


@dataclass
class _Entry:
    layers: list[str] = field(default_factory=list)


class Report:
    """Collects forms that are not supported."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], _Entry] = {}

    def add(self, operation: str, attribute: str, nearest: str, layer: str) -> None:
        """`attribute` is empty when no form of the operation is supported, `nearest` when nothing is near."""
        layers = self._entries.setdefault((operation, attribute, nearest), _Entry()).layers
        if layer not in layers:
            layers.append(layer)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def error(self, graph: str) -> ValueError:
        """The error that tells all of it."""
        count = len(self._entries)
        counted = f"{count} form{'' if count == 1 else 's'} {'is' if count == 1 else 'are'}"
        lines = [f"graph '{graph}': {counted} not supported (docs/torch.md lists what is):"]
        for (operation, attribute, nearest), entry in self._entries.items():
            form = f"{operation} with {attribute}" if attribute else operation
            layers = ", ".join(f"'{layer}'" for layer in entry.layers)
            way_out = f"; nearest supported form: {nearest}" if nearest else ""
            lines.append(f"  {form}: {len(entry.layers)} x, layers {layers}{way_out}")
        return ValueError("\n".join(lines))
