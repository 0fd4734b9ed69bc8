"""What a widget stands at: what a reader of the notebook can move by hand."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_widget", "widget_told"]

# How a widget looks, and what the front end keeps for itself.
_LOOKS = ("layout", "style", "tooltip", "tabbable", "description_allow_html", "comm")


def is_widget(value: object) -> bool:
    """Return whether a value is a Jupyter widget; imports no library to find out."""
    library = sys.modules.get("ipywidgets")
    return library is not None and isinstance(value, library.Widget)


def widget_told(value: Any) -> dict[str, Any] | None:
    """Return by name what a widget or another object with traits stands at; else None."""
    if is_widget(value):
        names = [name for name in value.keys if not name.startswith("_") and name not in _LOOKS]
        names.sort(key=lambda name: name != "value")  # what a person is told first
        told = {name: getattr(value, name) for name in names}
        if hasattr(value, "kwargs"):  # of `interactive`: what its function was called with
            told["kwargs"] = dict(value.kwargs)
        return told
    library = sys.modules.get("traitlets")
    if library is not None and isinstance(value, library.HasTraits):
        own = type(value).__module__ in ("__main__", "transform")
        return dict(value.trait_values()) if own else None
    return None
