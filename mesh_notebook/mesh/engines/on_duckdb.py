"""DuckDB: relations over the pinned files, and Narwhals over the relations."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["OnDuckDB"]


class OnDuckDB:
    """Nothing is read before a function's rows are gathered; one connection holds it all."""

    def __init__(self) -> None:
        from mesh_notebook.mesh.scan import connect_duckdb, without_bar

        self._con = without_bar(connect_duckdb())
        self._paths: list[str] = []
        self._count = count()

    def opened(self, name: str, scan: Scan, frame: pl.LazyFrame) -> nw.LazyFrame[Any]:
        import narwhals as nw

        from mesh_notebook.mesh.scan import attach

        view = self._fresh(name)
        attach(self._con, view, scan, frame)
        self._paths += scan.paths
        return nw.from_native(self._con.view(view))

    def sealed(self) -> None:
        self._con.execute("SET allowed_paths = $paths", {"paths": self._paths}).fetchall()
        self._con.execute("SET enable_external_access = false").fetchall()

    def given(self) -> dict[str, Any]:
        return {"sql": self._sql}

    def gathered(self, frame: Any) -> pl.DataFrame:
        import narwhals as nw

        if not isinstance(frame, nw.LazyFrame):
            raise UsageError(f"it returned {type(frame).__name__}, not a lazy frame of Narwhals")
        rows: pl.DataFrame = frame.to_native().pl()
        return rows

    def ended(self) -> None:
        self._con.close()

    def _sql(self, query: str, /, **tables: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return a query's rows, not yet computed.

        A relation looks its tables up by name again when it is computed, and by then a name may
        mean another frame: each frame is a view of a name of its own, that only this query knows.
        """
        import narwhals as nw
        from sqlglot import exp

        named = []
        for name, frame in tables.items():
            view = self._fresh(name)
            frame.to_native().create_view(view)
            body = exp.select("*").from_(exp.to_identifier(view, quoted=True)).sql("duckdb")
            named.append(f"{exp.to_identifier(name, quoted=True).sql('duckdb')} AS ({body})")
        heads = f"WITH {', '.join(named)} " if named else ""
        return nw.from_native(
            self._con.sql(f"{heads}SELECT * FROM ({query.strip().rstrip(';')}\n)")
        )

    def _fresh(self, name: str) -> str:
        return f"{name} {next(self._count)}"
