"""The proof of `portable.py`: DuckDB, in a clean process, gives the notebook's frames as well."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.export.comparing import difference
from mesh_notebook.export.module import Module
from mesh_notebook.export.portable.refusals import NotPortable, Portable
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["proved"]


def proved(portable: Portable, module: Module, frames: Mapping[str, pl.DataFrame]) -> Portable:
    """Return what of a portable module is left once it has run.

    Parameters
    ----------
    frames : mapping
        By port: the notebook's frame, which the transform was proved to give.

    Returns
    -------
    Portable
        The same where the rows are equal. Otherwise without a text: what DuckDB shows to mean
        something else is not given to Spark either.
    """
    if portable.text is None or "duckdb" not in portable.engines:
        return portable
    with tempfile.TemporaryDirectory() as folder:
        refusals = list(_refusals(portable.text, module, frames, Path(folder)))
    if not refusals:
        return portable
    return replace(portable, text=None, refusals=(*portable.refusals, *refusals))


def _refusals(
    text: str, module: Module, frames: Mapping[str, pl.DataFrame], folder: Path
) -> list[NotPortable]:
    import polars as pl

    path = folder / "portable.py"
    path.write_text(text, "utf-8")
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    ports = {python_name(port): port for port in frames}
    try:
        made = replay(path, list(ports), inputs, folder, engine="duckdb")
    except ReplayFailed as failure:
        why = f"DuckDB cannot run it: {failure.detail.strip().splitlines()[-1]}"
        return [NotPortable("", ports.get(failure.function, ""), "", _line(text, failure), why)]
    refusals = []
    for name, port in ports.items():
        if said := _difference(frames[port], pl.read_ipc(made[name])):
            refusals.append(NotPortable("", port, "", name, f"DuckDB gives other rows. {said}"))
    return refusals


def _difference(notebook: pl.DataFrame, other: pl.DataFrame) -> str | None:
    """Say how the rows differ once they have the notebook's types."""
    import polars as pl

    if notebook.columns != other.columns:
        return f"Its columns are {other.columns}"
    try:
        conformed = other.cast(notebook.schema)
    except pl.exceptions.PolarsError as error:
        return f"They do not fit its types: {error}"
    return difference(notebook, conformed)


def _line(text: str, failure: ReplayFailed) -> str:
    """Return the statement that failed."""
    for node in ast.walk(ast.parse(text)):
        inner = isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef)
        if inner and node.lineno <= (failure.line or 0) <= (node.end_lineno or 0):  # type: ignore[attr-defined]
            return ast.unparse(node)[:120]
    return failure.function
