"""Polars: the engine of the proof, which runs `transform.py` as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["OnPolars"]


class OnPolars:
    """Lazy frames in, a frame out; SQL steps are the module's own, over DuckDB."""

    def opened(self, name: str, scan: Scan, frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame

    def sealed(self) -> None:
        """Nothing to do: the guard wraps Polars' readers."""

    def given(self) -> dict[str, Any]:
        return {}

    def gathered(self, frame: Any) -> pl.DataFrame:
        import polars as pl

        if not isinstance(frame, pl.LazyFrame | pl.DataFrame):
            raise UsageError(f"it returned {type(frame).__name__}, not a Polars frame")
        return frame.lazy().collect()

    def ended(self) -> None:
        """Nothing is held."""
