"""An output port in the hand: what was read of it, in every mode that it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.disclosure import told_read
from mesh_notebook.mesh.modes.files import FORMATS, encode, format_of, whole, write
from mesh_notebook.mesh.pictures import Pictures
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.model.address import python_name
from mesh_notebook.model.time import Window
from mesh_notebook.workspace.results import Delivered

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from mesh_notebook.model.policy import Asker
    from mesh_notebook.workspace.session import Session

__all__ = ["FILES", "Port", "open_port", "refuse_cursor"]

# What a port can be written as.
FILES = (*FORMATS, "events", "graph")


def open_port(
    session: Session, product: str, port: str | None, window: Window, asker: Asker
) -> Port:
    """Open an output port at the snapshot that the window's `as_of` means."""
    published, named = session.catalogue.resolve(product)
    reading = read_port(published, port or named, window, asker)
    return Port(reading, Pictures(published, reading), session.clock)


@dataclass(frozen=True)
class Port:
    """One port, at one snapshot, cut to one window: the same rows in every mode.

    What is published later is not in it; `mesh.port` again gives the port as it is then.
    """

    reading: Reading
    pictures: Pictures = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)

    def __repr__(self) -> str:
        receipt = self.reading.receipt
        return f"<{self.name}, snapshot {receipt.snapshot}, {self.reading.origin.value}>"

    @property
    def name(self) -> str:
        """`product/port`, as people say it."""
        return f"{self.reading.product.name}/{self.reading.port}"

    @property
    def sql_names(self) -> tuple[str, ...]:
        """The names of the view in `sql`: `port`, and the Python names of port and product."""
        own = python_name(self.reading.port), python_name(self.reading.product.name)
        return tuple(dict.fromkeys(("port", *own)))

    def lazy(self) -> pl.LazyFrame:
        """Return the rows as a Polars lazy frame."""
        return self.reading.frame

    def sql(self, query: str) -> pl.DataFrame:
        """Run a query over the port, which is the view `port`, and has its own name too."""
        from mesh_notebook.explore.sql import run_sql
        from mesh_notebook.mesh.scan import attach, connect_duckdb

        with connect_duckdb() as connection:
            for name in self.sql_names:
                attach(connection, name, self.reading.scan, self.reading.frame)
            return run_sql(query, connection, {}, known=self.sql_names)

    def arrow(self) -> pa.RecordBatchReader:
        """Return the rows as a stream of Arrow record batches."""
        from mesh_notebook.mesh.modes.arrow import stream

        return stream(self.reading)

    def events(
        self, since: str | date | datetime | None = None, limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Return what happened to the rows, publication by publication, as CloudEvents 1.0.

        Each event is that a row is there, new or changed (`dmesh.row.upserted`), or is there no
        more (`dmesh.row.removed`). All events in order make up the port's rows, and each is given
        at least once to whoever goes on from the cursor of the last event that was handled.

        Parameters
        ----------
        since
            The `cursor` of an event: those after it follow. Or an instant: the events of all
            publications after it. None begins with the whole first picture that is kept.

        Raises
        ------
        UsageError, NoSnapshot
            `since` is foreign, or older than what is kept.
        """
        from mesh_notebook.mesh.modes.events import events

        return events(self.pictures, since, limit, self.clock())

    def graph(self, limit: int | None = None) -> dict[str, Any]:
        """Return the rows, or the first of them, as a JSON-LD document: nodes and edges."""
        from mesh_notebook.mesh.modes.graph import document

        if limit is not None and limit < 0:
            raise UsageError(f"{limit} rows cannot be read.", next_step="give 0 or more")
        return document(self.reading, limit)

    def write(
        self, path: str | Path, format: str | None = None, since: str | None = None
    ) -> Delivered:
        """Write the port to a file, whole or not at all, in place of one that was there.

        Parameters
        ----------
        format
            `parquet`, `csv`, `ndjson`, `arrow`, `events` (one a line) or `graph` (JSON-LD); by
            default what the ending of the file says.
        since
            Of events: after which.

        Raises
        ------
        UsageError
            The format is not known.
        StoreError
            The file cannot be written, or the port cannot be read to its end.
        """
        path = Path(path)
        format = format_of(format, path, FILES)
        if format == "events":
            return self._write_events(path, since)
        refuse_cursor(since)
        if format == "graph":
            self._write_graph(path)
        else:
            write(self.reading, path, format)
        return self._delivered(path, self.rows())

    def encoded(self, format: str, since: str | None = None) -> str | bytes:
        """Return the port as text, or as bytes where the format is not one of text."""
        format = format_of(format, None, FILES)
        if format == "events":
            return "".join(_lines(self.events(since)))
        refuse_cursor(since)
        if format == "graph":
            from mesh_notebook.mesh.modes.graph import pieces

            return "".join(pieces(self.reading))
        return encode(self.reading, format)

    def rows(self) -> int:
        """Count the rows."""
        import polars as pl

        from mesh_notebook.mesh.modes.streaming import to_its_end

        with to_its_end(self.reading):
            return int(self.reading.frame.select(pl.len()).collect().item())

    def _write_events(self, path: Path, since: str | None) -> Delivered:
        found, count, cursor = self.events(since), 0, since or ""
        with whole(path) as aside, aside.open("w", encoding="utf-8") as file:
            for event in found:
                count, cursor = count + 1, event["cursor"]
                file.write(_line(event))
        return self._delivered(path, count, "events", cursor)

    def _write_graph(self, path: Path) -> None:
        from mesh_notebook.mesh.modes.graph import pieces

        with whole(path) as aside, aside.open("w", encoding="utf-8") as file:
            file.writelines(pieces(self.reading))

    def _delivered(self, path: Path, count: int, what: str = "rows", cursor: str = "") -> Delivered:
        name = self.reading.product.name
        reading = self.reading
        told = (name, reading.port, told_read(reading), path, count, reading.origin)
        return Delivered(*told, what, cursor)


def _lines(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    return map(_line, events)


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False) + "\n"


def refuse_cursor(since: str | None) -> None:
    """Raise `UsageError` where a cursor is given to a format that has no place for one."""
    if since is not None:
        raise UsageError(
            "a cursor is a place among events, and this is another format.",
            next_step="add --format events, or leave out --since",
        )
