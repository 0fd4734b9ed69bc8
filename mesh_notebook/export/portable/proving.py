"""The proof of `portable.py`: another engine, in a clean process, gives the notebook's frames."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.export.comparing import difference
from mesh_notebook.export.module import Module
from mesh_notebook.export.portable.refusals import ENGINES, NotPortable, Portable
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.mesh.replay import ReplayFailed, replay, rows_in
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PROVED", "proved", "refuse_unready"]

_NAMES = {"duckdb": "DuckDB", "spark": "Spark"}


# On which engines an export proves a product if nobody says: those that cost next to nothing.
PROVED = ("duckdb",)


def refuse_unready(engines: Sequence[str]) -> None:
    """Raise where nothing can be proved on one of these engines here, whatever it is."""
    for name in engines:
        refuse_unknown(name)
    if "spark" in engines:
        from mesh_notebook.mesh.engines.on_spark import refuse_without_spark

        refuse_without_spark()


def proved(
    portable: Portable,
    module: Module,
    frames: Mapping[str, pl.DataFrame],
    engines: Sequence[str] = PROVED,
) -> Portable:
    """Return what of a portable module is left once it has run on these engines.

    Parameters
    ----------
    frames : mapping
        By port: the notebook's frame, which the transform was proved to give.

    Returns
    -------
    Portable
        The same where the rows are equal. Without a text where DuckDB's differ: what DuckDB shows
        to mean something else is not given to Spark either.
    """
    for engine in [one for one in ENGINES if one in engines]:
        if portable.text is None or engine not in portable.engines:
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            found = tuple(_refusals(portable.text, module, frames, Path(folder), engine))
        if not found:
            portable = replace(portable, proved=(*portable.proved, engine))
            continue
        portable = replace(portable, refusals=(*portable.refusals, *found))
        portable = portable if portable.engines else replace(portable, text=None)
    return portable


def _refusals(
    text: str, module: Module, frames: Mapping[str, pl.DataFrame], folder: Path, engine: str
) -> list[NotPortable]:

    stays = "" if engine == "duckdb" else engine
    path = folder / "portable.py"
    path.write_text(text, "utf-8")
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    ports = {python_name(port): port for port in frames}
    try:
        made = replay(path, list(ports), inputs, folder, engine=engine)
    except ReplayFailed as failure:
        why = f"{_NAMES[engine]} cannot run it: {failure.detail.strip().splitlines()[-1]}"
        return [NotPortable(stays, ports.get(failure.function, ""), "", _line(text, failure), why)]
    refusals = []
    for name, port in ports.items():
        if said := _difference(frames[port], rows_in(made[name])):
            why = f"{_NAMES[engine]} gives other rows. {said}"
            refusals.append(NotPortable(stays, port, "", name, why))
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
