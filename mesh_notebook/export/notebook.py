"""The bundle's notebook: as it is on disk, or as it ran; outputs stripped."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.record import ExecutedCell

__all__ = ["beside", "lacking", "of_file", "of_record", "told_of"]

_KEPT_METADATA = ("kernelspec", "language_info")


def of_file(path: Path) -> str:
    """Return a notebook file without outputs, counts and other traces of a run."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ExportRefused(
            f"the notebook {path.name} cannot be read: {error}.",
            next_step="save the notebook, then export again",
            cell=None,
            name=path.name,
        ) from None
    for cell in raw.get("cells", ()):
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell["metadata"] = {k: v for k, v in cell.get("metadata", {}).items() if k == "tags"}
    kept = {k: v for k, v in raw.get("metadata", {}).items() if k in _KEPT_METADATA}
    return _dumped({**raw, "metadata": kept})


def lacking(text: str, cells: Iterable[ExecutedCell]) -> tuple[str, ...]:
    """Return which of these cells a notebook does not hold as they ran, as it shows them."""
    sources = _sources(text)
    held = {source.strip() for source in sources}
    # Of what ran before the record began, only the Python is known that it became.
    held |= set(map(_as_python, sources))
    ran = {cell.index: cell for cell in cells}
    return tuple(ran[i].label for i in sorted(ran) if ran[i].source.strip() not in held)


def beside(text: str, cells: Iterable[ExecutedCell]) -> list[str]:
    """Return, as `told_of` tells a cell, what ran and stands not in a notebook.

    A cell that failed, or that was not saved when it ran, may stand in the file later on; the
    product is as it was.
    """
    held = {told_of(source) for source in _sources(text)}
    return sorted({told_of(cell.source) for cell in cells} - held)


def told_of(source: str) -> str:
    """Return what tells a cell from others: the SHA-256 of its text."""
    return hashlib.sha256(source.strip().encode(errors="surrogatepass")).hexdigest()


def _sources(text: str) -> list[str]:
    return [
        "".join(cell.get("source", ""))
        for cell in json.loads(text).get("cells", ())
        if cell.get("cell_type") == "code"
    ]


def _as_python(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Any = TransformerManager  # untyped
    with contextlib.suppress(SyntaxError):  # a cell that never ran may say anything
        return str(manager().transform_cell(source)).strip()
    return ""


def of_record(cells: Iterable[ExecutedCell], kept: Collection[int] = ()) -> str:
    """Return the cells that ran through, in the order in which they ran, as a notebook.

    Parameters
    ----------
    kept
        The indices of those that ports are made of. They are in it though they failed further down,
        or are running: the cell that declares a port may be the one that exports it.
    """
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": cell.source.splitlines(keepends=True),
        }
        for number, cell in enumerate(
            (c for c in cells if c.error_line is None or c.index in kept), start=1
        )
    ]
    return _dumped({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _dumped(raw: dict[str, Any]) -> str:
    return json.dumps(raw, indent=1, ensure_ascii=False) + "\n"
