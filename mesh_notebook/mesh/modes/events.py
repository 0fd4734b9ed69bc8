"""The event log: what each publication changed, as CloudEvents 1.0, resumable by cursor.

The events of a publication are the rows in which its picture differs from the one before. They
are computed when they are asked for and always in the same order, so that a cursor means the same
to everybody at any time. Whoever applies all events in order has the port's rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import NoSnapshot, UsageError
from mesh_notebook.mesh.modes.cursor import Cursor, scope_of
from mesh_notebook.mesh.modes.difference import Changes, difference
from mesh_notebook.mesh.modes.lexical import json_text, lexical
from mesh_notebook.mesh.modes.naming import port_urn
from mesh_notebook.mesh.pictures import Pictures
from mesh_notebook.model.time import as_instant, iso

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.reading import Reading

__all__ = ["REMOVED", "UPSERTED", "events"]

UPSERTED = "dmesh.row.upserted"
REMOVED = "dmesh.row.removed"
_BATCH = 10_000
_RFC_3339 = re.compile(r"\d{4}-")  # which has no years beyond 9999


@dataclass(frozen=True)
class _Step:
    """The way from one picture to a later one; `since` says how much of it is behind."""

    base: int
    snapshot: int
    since: Cursor | None = None


def events(
    pictures: Pictures, since: str | date | datetime | None, limit: int | None, now: datetime
) -> Iterator[dict[str, Any]]:
    """Return the events of a port, up to the picture that was read.

    Parameters
    ----------
    since
        The cursor of the last event that was handled: its successors follow. Or an instant: the
        events of all publications after it follow, so that with what was read as of that instant
        they make up the present. None begins with the whole first picture that is kept.
    limit : int, optional
        At most so many.
    now : datetime
        The clock's reading, for `since` in words.

    Raises
    ------
    UsageError
        `since` is no cursor of this port and window, and no time.
    NoSnapshot
        What came after `since` cannot be told any more, because snapshots were removed.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"{limit} events cannot be read.", next_step="give a limit of 0 or more")
    found = _Log(pictures).after(since, now)  # what is wrong with `since` is told at once
    return islice(found, limit)


@dataclass(frozen=True)
class _Log:
    pictures: Pictures

    def after(self, since: str | date | datetime | None, now: datetime) -> Iterator[dict[str, Any]]:
        return self._told(self._steps(since, now))

    def _steps(self, since: str | date | datetime | None, now: datetime) -> list[_Step]:
        if since is None:
            return self._walk(0)
        if isinstance(since, str) and (cursor := Cursor.parse(since)):
            return self._from(cursor)
        return self._walk(self._before(since, now))

    def _walk(self, base: int) -> list[_Step]:
        """Return the steps from a picture to the last one; a base of 0 is before the first."""
        # A version of the product may not have had the port.
        known, has = self.pictures.kept(), self.pictures.has_port
        start = next((n for n in reversed(known) if n <= base and has(n)), 0)
        return [
            _Step(*pair) for pair in pairwise([start, *(n for n in known if n > base and has(n))])
        ]

    def _from(self, cursor: Cursor) -> list[_Step]:
        last = self.pictures.last
        if cursor.scope != scope_of(last):
            raise UsageError(
                f"the cursor is not one of {last.product.name}/{last.port} with this window.",
                next_step="give the same --from and --to as before, or begin anew without a cursor",
                cursor=str(cursor),
            )
        if cursor.snapshot > last.receipt.snapshot:
            raise UsageError(
                f"the cursor is of snapshot {cursor.snapshot}, and this read ends with "
                f"snapshot {last.receipt.snapshot}.",
                next_step="leave out --as-of; if the mesh was restored from a backup, begin anew "
                "without a cursor",
                cursor=str(cursor),
            )
        needed = {cursor.snapshot} if cursor.done else {cursor.base, cursor.snapshot}
        if not needed <= {0, *self.pictures.kept()}:
            raise self._forgotten(f"the cursor is of snapshot {cursor.snapshot}")
        first = [] if cursor.done else [_Step(cursor.base, cursor.snapshot, cursor)]
        return first + self._walk(cursor.snapshot)

    def _before(self, since: str | date | datetime, now: datetime) -> int:
        """Return the last picture that was published by an instant; 0 before the first."""
        try:
            moment = iso(as_instant(since, now))
        except UsageError as error:
            raise UsageError(
                f"'{since}' is neither a cursor nor a time.",
                next_step=f"give the 'cursor' of the last event handled, or {error.next_step}",
                since=since,
            ) from None
        kept = self.pictures.kept()
        known = [n for n in kept if self.pictures.receipt(n).processing_time <= moment]
        if not known and kept[0] > 1:
            raise self._forgotten(f"{moment} is before the first snapshot that is kept")
        return known[-1] if known else 0

    def _forgotten(self, problem: str) -> NoSnapshot:
        first = self.pictures.receipt(self.pictures.kept()[0])
        return NoSnapshot(
            f"{problem}; what came next cannot be told, for the first snapshot that is kept "
            f"is {first.snapshot}, published {first.processing_time}.",
            next_step="begin anew without a cursor: the first events are the whole picture of "
            f"snapshot {first.snapshot}",
            first=first.snapshot,
        )

    def _told(self, steps: list[_Step]) -> Iterator[dict[str, Any]]:
        for step in steps:
            if (pair := self.pictures.step(step.base, step.snapshot)) is None:
                continue
            old, new = pair
            if old is None or not _same_rows(old, new):
                yield from _Publication(step, *difference(old, new), new).events()


def _same_rows(old: Reading, new: Reading) -> bool:
    """Whether the two receipts say already that nothing changed."""
    one, other = old.receipt.ports[old.port], new.receipt.ports[new.port]
    whole = one.kind == other.kind == "snapshot" and not one.interval and not other.interval
    equal = bool(one.content) and one.content == other.content
    return whole and equal and old.receipt.release == new.receipt.release


@dataclass(frozen=True)
class _Publication:
    step: _Step
    removed: Changes
    upserted: Changes
    reading: Reading

    def events(self) -> Iterator[dict[str, Any]]:
        """Return the events that are not behind yet."""
        since, gone = self.step.since, self.removed.rows.height
        total = gone + self.upserted.rows.height
        if since and since.of != total:
            raise UsageError(
                f"the cursor is one of {since.of:,} events, and snapshot {self.step.snapshot} "
                f"made {total:,} of what this reader may see.",
                next_step="begin anew without a cursor",
                cursor=str(since),
            )
        start = since.place if since else 0
        for place, changes, kind in ((0, self.removed, REMOVED), (gone, self.upserted, UPSERTED)):
            rows = changes.rows.slice(max(start - place, 0))
            first = place + changes.rows.height - rows.height
            yield from self._enveloped(changes, rows, kind, first, total)

    def _enveloped(
        self, changes: Changes, rows: pl.DataFrame, kind: str, place: int, total: int
    ) -> Iterator[dict[str, Any]]:
        constant = self._constant(changes.reading, kind)
        urn, snapshot, scope = constant["source"], self.step.snapshot, scope_of(self.reading)
        for part in rows.iter_slices(_BATCH):
            for text, name, copy, moment in _texts(part, changes.reading).iter_rows():
                place += 1
                subject = {"subject": name} if changes.reading.contract.key else {}
                row = name if subject else f"{sha256(name.encode()).hexdigest()[:32]}.{copy}"
                timely = moment is not None and _RFC_3339.match(moment)
                yield {
                    **constant,
                    "id": f"{urn}#{row}@{snapshot}",
                    **subject,
                    "time": moment if timely else constant["processingtime"],
                    "cursor": str(Cursor(scope, self.step.base, snapshot, place, total)),
                    "data": json.loads(text),
                }

    def _constant(self, described: Reading, kind: str) -> dict[str, Any]:
        receipt = self.reading.receipt
        interval = receipt.ports[self.reading.port].interval
        return {
            "specversion": "1.0",
            "type": kind,
            "source": port_urn(self.reading),
            "datacontenttype": "application/json",
            "dataschema": described.contract.id,
            "snapshot": receipt.snapshot,
            "origin": receipt.origin.value,
            "status": receipt.status,
            "processingtime": receipt.processing_time,
            **({"interval": interval} if interval else {}),
        }


def _texts(rows: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Return rows as JSON, their names, which copies they are, and their event times."""
    import polars as pl

    moment = pl.lit(None, pl.String)
    if when := reading.contract.event_time:
        dtype = rows["row"].struct.schema[when]
        moment = lexical(pl.col("row").struct.field(when), dtype)
        if isinstance(dtype, pl.Date):
            moment = pl.concat_str(moment, pl.lit("T00:00:00Z"))
    data = json_text(pl.col("row"), rows.schema["row"])
    return rows.select(data.alias("data"), "name", "copy", moment.alias("moment"))
