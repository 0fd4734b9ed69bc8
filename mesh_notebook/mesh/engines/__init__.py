"""The engines on which an exported transform runs: Polars, DuckDB, Spark.

Polars runs `transform.py`; the others run `portable.py`, which is Narwhals over frames of theirs.
An engine opens inputs, runs the SQL steps and gathers a function's rows; it starts, and opens, in
a process that may still read files, and computes in one that may read nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mesh_notebook.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["ENGINES", "Engine", "engine_of", "refuse_unknown"]

ENGINES = ("polars", "duckdb", "spark")


class Engine(Protocol):
    """What a clean process asks of an engine."""

    def opened(self, name: str, scan: Scan, frame: pl.LazyFrame) -> Any:
        """Return an input as functions receive it.

        Parameters
        ----------
        frame : polars.LazyFrame
            `scan.lazy()`, perhaps cut to a window of event time.
        """
        ...

    def sealed(self) -> None:
        """From now on read nothing but the inputs that were opened."""
        ...

    def given(self) -> dict[str, Any]:
        """Return what a function may ask for besides its inputs: how to run an SQL step."""
        ...

    def gathered(self, frame: Any) -> pl.DataFrame:
        """Return the rows of what a function returned; raises `UsageError` if it is no frame."""
        ...

    def ended(self) -> None:
        """Give back what the engine holds."""
        ...


def engine_of(name: str, settings: Mapping[str, str], workdir: Path) -> Engine:
    """Start an engine.

    Parameters
    ----------
    settings : mapping
        Of Spark: its `master`.
    workdir : Path
        Where it may put files of its own.
    """
    refuse_unknown(name)
    if name == "duckdb":
        from mesh_notebook.mesh.engines.on_duckdb import OnDuckDB

        return OnDuckDB()
    if name == "spark":
        from mesh_notebook.mesh.engines.on_spark import OnSpark

        return OnSpark(settings["master"], workdir)
    from mesh_notebook.mesh.engines.on_polars import OnPolars

    return OnPolars()


def refuse_unknown(name: str) -> None:
    """Raise `UsageError` unless there is an engine of that name."""
    if name not in ENGINES:
        raise UsageError(f"'{name}' is no engine.", next_step=f"one of {', '.join(ENGINES)}")
