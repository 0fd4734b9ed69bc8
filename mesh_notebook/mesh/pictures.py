"""A port's publications one after the other, each as a reading of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.model.product import major_of, rank_of
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window, interval_of

__all__ = ["Pictures"]


@dataclass(frozen=True)
class Pictures:
    """What a port showed after each publication, up to the one that `last` is of.

    Every picture is read as `last` was: through `read_port`, by the same principal, cut to the
    same window of event time.
    """

    published: PublishedProduct
    last: Reading

    def kept(self) -> list[int]:
        """Return the numbers of the product's snapshots that are still kept, oldest first."""
        numbers = self.published.snapshots()
        return [number for number in numbers if number <= self.last.receipt.snapshot]

    def has_port(self, snapshot: int) -> bool:
        """Whether the port was part of that publication: an earlier version may not have had it."""
        return self.last.port in self.receipt(snapshot).ports

    def receipt(self, snapshot: int) -> Receipt:
        return self.published.receipt(snapshot)

    def reading(self, snapshot: int) -> Reading:
        """Return the port as it was after that publication."""
        if snapshot == self.last.receipt.snapshot:
            return self.last
        return self._read(snapshot, self.last.window)

    def step(self, base: int, snapshot: int) -> tuple[Reading | None, Reading] | None:
        """Return what a publication follows, and what it is; None where the window holds neither.

        Of a port with a picture per interval, that is the picture of the same interval, if there
        was one.
        """
        interval = self.receipt(snapshot).ports[self.last.port].interval
        if not interval:
            return (self.reading(base) if base else None), self.reading(snapshot)
        start, end = interval_of(interval)
        window = self.last.window
        start, end = max(start, window.start or start), min(end, window.end or end)
        if end <= start:
            return None
        cut = Window(start, end)
        told = base and interval in self.receipt(base).ports[self.last.port].intervals
        return (self._read(base, cut) if told else None), self._read(snapshot, cut)

    def _read(self, snapshot: int, window: Window) -> Reading:
        receipt = self.receipt(snapshot)
        window = replace(window, as_of=datetime.fromisoformat(receipt.processing_time))
        # Of an older major version, its own picture of then, not that of the newer beside it.
        own = major_of(self.last.receipt.version)
        older = rank_of(major_of(receipt.version)) < rank_of(own)
        told = (self.published, self.last.port, window, self.last.principal)
        return read_port(*told, None if older else own)
