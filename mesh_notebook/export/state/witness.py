"""In a clean process: notes what names hold on the way through a function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mesh_notebook.export.state.replaced import LIBRARY, found_in
from mesh_notebook.export.state.settings import SETTINGS, reached, setting
from mesh_notebook.export.state.telling import told_of

__all__ = ["Witness"]


class Witness:
    """Told, between the statements of a function, what stands under its names.

    Parameters
    ----------
    asked : mapping
        By moment: the names to note then.
    outer : mapping
        The module's names, for those that the function does not bind itself.
    """

    def __init__(self, asked: Mapping[int | str, Sequence[str]], outer: Mapping[str, Any]) -> None:
        self._asked, self._outer = asked, outer
        self._noted: dict[str, Any] = {}

    def __call__(self, moment: int | str, names: Mapping[str, Any]) -> None:
        for name in self._asked[moment]:
            root = name.partition(".")[0]
            if name in SETTINGS:
                self._note(moment, name, told_of(setting(name)))
            elif name.startswith(LIBRARY):
                self._note(moment, name, found_in(name.removeprefix(LIBRARY)))
            elif root in names or root in self._outer:
                held = names[root] if root in names else self._outer[root]
                self._note(moment, name, told_of(reached(held, name)))

    def collect(self, frame: object) -> None:
        """Collect a frame, where it is lazy, for what that does to the names."""
        import polars as pl

        if isinstance(frame, pl.LazyFrame):
            frame.collect()

    def _note(self, moment: int | str, name: str, told: Any) -> None:
        self._noted[f"{moment} {name}"] = told

    def told(self) -> str:
        """Return what was noted, by moment and name, as JSON."""
        return json.dumps(self._noted)
