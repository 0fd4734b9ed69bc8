"""Where a consumer of events stands: after which event of which publication."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from mesh_notebook.mesh.modes.naming import port_urn
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    from mesh_notebook.mesh.reading import Reading

__all__ = ["Cursor", "scope_of"]

_WRITTEN = re.compile(r"([0-9a-f]{8})\.(\d{1,12})-(\d{1,12})\.(\d{1,18})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """After event `place` of the `of` events that lead from picture `base` to `snapshot`.

    A base of 0 is the empty picture before the first one. `scope` tells the port and the window
    that the events are of; written, a cursor is opaque to consumers.
    """

    scope: str
    base: int
    snapshot: int
    place: int
    of: int

    def __str__(self) -> str:
        return f"{self.scope}.{self.base}-{self.snapshot}.{self.place}-{self.of}"

    @property
    def done(self) -> bool:
        """Whether the publication has no event after this one."""
        return self.place == self.of

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read a cursor; None where the text is something else."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            return None
        scope, *numbers = match.groups()
        cursor = cls(scope, *map(int, numbers))
        return cursor if cursor.base < cursor.snapshot and 0 < cursor.place <= cursor.of else None


def scope_of(reading: Reading) -> str:
    """Return what tells one port and window of event time from any other, in eight digits."""
    limits = [moment and iso(moment) for moment in (reading.window.start, reading.window.end)]
    return sha256(repr((port_urn(reading), limits)).encode()).hexdigest()[:8]
