"""Rows that fall to none, or to a fraction of what was usual: a gate that nobody has to set.

What is wrong upstream (a mask, a renamed value, an empty file) most often shows in how many rows
come out. What is usual is told by receipts:

- of a whole picture, the median of the last five snapshots of the same origin and major version;
- of the picture of an interval, its own earlier one; else the least of the last twenty pictures of
  intervals before it. Intervals differ, and one without rows may be ordinary: where one was let
  pass, the next is too. What lies before all of them has nothing to be held to; nor has, in a
  backfill, an interval in which an input has no events;
- a log adds, so only its first publication must have rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from mesh_notebook.errors import DeployRefused, StoreError, Unreachable
from mesh_notebook.mesh.intervals import interval_of_rows
from mesh_notebook.model.product import major_of
from mesh_notebook.model.time import interval_of

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.deploy.planning import Options
    from mesh_notebook.mesh.inputs import OpenedInput
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.product import Product
    from mesh_notebook.model.receipt import PortSnapshot

__all__ = ["LEAST", "refuse_fallen"]

LEAST = 0.1  # of what was usual
_PICTURES, _INTERVALS = 5, 20


@dataclass(frozen=True)
class _Fall:
    """How many rows a port has, and how many were usual; `first` where nothing was published."""

    rows: int
    usual: float
    first: bool = False

    @property
    def refused(self) -> bool:
        return self.rows < LEAST * self.usual or (self.first and not self.rows)

    def said(self) -> str:
        rows = f"{self.rows:,} rows" if self.rows else "no rows"
        usual = f"{self.usual:,.0f}" if self.usual else ""
        return f"{rows}, where {usual} were usual" if usual else f"{rows} in its first publication"


def refuse_fallen(
    product: Product,
    contracts: Mapping[str, Contract],
    rows: Mapping[str, pl.DataFrame],
    published: PublishedProduct,
    origin: Origin,
    options: Options,
    opened: Mapping[str, OpenedInput],
) -> dict[str, str]:
    """Return by port what was let pass, in words for the receipt.

    Parameters
    ----------
    opened : mapping
        By name, the inputs that the rows were made of.

    Raises
    ------
    DeployRefused
        A port has no rows, or less than `LEAST` of what was usual, and nobody said that it may.
    """
    fallen = dict(_falls(product, contracts, rows, published, origin, options))
    if options.backfill and any(map(_has_no_events, opened.values())):
        fallen = {port: fall for port, fall in fallen.items() if fall.rows}
    barred = {
        port: fall
        for port, fall in fallen.items()
        if not (options.allow_empty or (options.allow_fewer and fall.rows))
    }
    if barred:
        raise _refused(product, barred)
    return {port: fall.said() for port, fall in fallen.items()}


def _has_no_events(given: OpenedInput) -> bool:
    """Whether an input that was cut to an interval has nothing in it."""
    import polars as pl

    if given.window is None and not given.cut:
        return False
    rows = given.data.lazy()
    rows = given.window.cut(rows) if given.window else rows
    return not rows.select(pl.len()).collect().item()


def _falls(
    product: Product,
    contracts: Mapping[str, Contract],
    rows: Mapping[str, pl.DataFrame],
    published: PublishedProduct,
    origin: Origin,
    options: Options,
) -> Iterator[tuple[str, _Fall]]:
    lengths = [port.temporality.get("interval") for port in product.outputs]
    limit = _INTERVALS if any(lengths) else _PICTURES
    known = list(islice(_known(published, product.version, origin, 4 * limit), limit))
    for port, frame in rows.items():
        time = product.output(port).temporality
        length, earlier = str(time.get("interval") or ""), [s[port] for s in known if port in s]
        if time.get("kind") == "log":
            found = _Fall(frame.height, 0, first=not earlier)
        elif length:
            told = interval_of_rows(frame, contracts[port], length, options.interval)
            found = _of_interval(frame.height, told, earlier, published, port)
        else:
            found = _of_whole(frame.height, earlier)
        if found.refused:
            yield port, found


def _of_whole(rows: int, earlier: Sequence[PortSnapshot]) -> _Fall:
    counts = [snapshot.count for snapshot in earlier[:_PICTURES]]
    if not counts:
        return _Fall(rows, 0, first=True)
    # What fell to none just now has fallen, however few rows were usual before.
    return _Fall(rows, counts[0] if not rows else median(counts))


def _of_interval(
    rows: int,
    interval: str,
    earlier: Sequence[PortSnapshot],
    published: PublishedProduct,
    port: str,
) -> _Fall:
    if own := earlier[0].intervals.get(interval) if earlier else None:
        return _Fall(rows, published.receipt(own).ports[port].count)
    start = interval_of(interval)[0]
    before: dict[str, int] = {}
    for snapshot in earlier:
        if snapshot.interval and interval_of(snapshot.interval)[0] < start:
            before.setdefault(snapshot.interval, snapshot.count)
    return _Fall(rows, min(before.values(), default=0), first=not earlier)


def _known(
    published: PublishedProduct, version: str, origin: Origin, most: int
) -> Iterator[dict[str, PortSnapshot]]:
    """Yield the ports of earlier publications, newest first; what is hurt tells nothing."""
    for number in reversed(published.snapshots()[-most:]):
        try:
            receipt = published.receipt(number)
        except Unreachable:
            raise
        except StoreError:
            continue
        if receipt.origin is origin and major_of(receipt.version) == major_of(version):
            yield receipt.ports


def _refused(product: Product, barred: Mapping[str, _Fall]) -> DeployRefused:
    lines = "".join(f"\n  {port}: {fall.said()}" for port, fall in barred.items())
    empty = any(not fall.rows for fall in barred.values())
    flag = "--allow-empty" if empty else "--allow-fewer"
    return DeployRefused(
        f"{product.name} has lost its rows, so nothing was published:{lines}",
        next_step="is each input as it was? mesh run DIR shows what is made of them. If this is "
        f"how it is meant to be, {flag} lets it pass, and the receipt says so",
        ports={port: fall.rows for port, fall in barred.items()},
        allow=flag,
    )
