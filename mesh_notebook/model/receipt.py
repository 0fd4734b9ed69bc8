"""What proves a snapshot, and what a publication is: one record of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mesh_notebook.model.origin import Origin, worst

__all__ = ["HIDDEN", "InputPin", "PortSnapshot", "Receipt"]

# What stands in the place of a figure that a policy keeps from who asks.
HIDDEN = "hidden by policy"


@dataclass(frozen=True)
class InputPin:
    """The exact data that one input gave to a run.

    Attributes
    ----------
    name : str
        The parameter of the transform.
    kind : str
        `port`, `source` or `mock`.
    where : str
        The URN of the upstream port, the URI of the source, or the id of the mocked contract.
    version : str
        What pins the data: the upstream's snapshot number, the source's SHA-256, or the
        mock's rows and seed. Of a sample, how it was chosen follows after a comma. The mock of
        a port reads no snapshot: its kind is `mock`.
    state : str
        What a source on another machine called the state that was read (an ETag, a version, a
        position in a log). Two reads of equal data are equal, whatever it was called.
    """

    name: str
    kind: str
    where: str
    version: str
    origin: Origin
    state: str = field(default="", compare=False)

    @property
    def snapshot(self) -> int | None:
        """Which snapshot of an upstream port was read, whole or in part; None of all else."""
        number = self.version.partition(",")[0]
        return int(number) if self.kind == "port" and number.isdecimal() else None


@dataclass(frozen=True)
class PortSnapshot:
    """One port's part of a publication.

    Attributes
    ----------
    delta_version : int
        The version of the port's Delta table that holds exactly these rows.
    rows : int or None
        None in what is told to who may not know how many there are (see `mesh.disclosure`).
    content : str
        Hash of the rows as a multiset, so that equal data is known to be equal.
    slos : dict
        What was measured at publication: `rows`, `completeness` (share of cells that hold a
        value, 0 to 1; none of no rows), `freshness_s` (age of the newest event, seconds), …
    kind : str
        `snapshot`: these rows are the whole picture. `log`: they were added to it.
    added, corrected : int
        Of a log: how many rows this publication brought, and how many of them replaced a row of
        the same key.
    interval : str
        Of a picture of one interval: which one, as `start/end` (half-open, UTC).
    intervals : dict
        Of pictures of intervals: by interval, the last snapshot of it as of this publication.
    widened : bool
        Of a log: columns were added to it since its first rows, which have nulls there.
    shape : dict
        By column: its statistical shape (see `mesh.shape`).
    protection : dict
        How its rows are protected at rest (see `mesh.sealing`); empty where they are not.
    left_behind : int
        Of a log, or a picture among pictures, that does not go on from the snapshot before, since
        that is of a worse origin: its number. 0 where it does.
    """

    delta_version: int
    rows: int | None
    content: str = ""
    slos: dict[str, float] = field(default_factory=dict)
    kind: str = "snapshot"
    added: int = 0
    corrected: int = 0
    interval: str = ""
    intervals: dict[str, int] = field(default_factory=dict)
    widened: bool = False
    shape: dict[str, dict[str, Any]] = field(default_factory=dict)
    protection: dict[str, Any] = field(default_factory=dict)
    left_behind: int = 0

    @property
    def count(self) -> int:
        """How many rows there are, of a publication as it is kept."""
        if self.rows is None:
            raise ValueError("a policy hides how many rows there are")
        return self.rows

    @property
    def said_rows(self) -> str:
        """How many rows there are, in words."""
        return HIDDEN if self.rows is None else f"{self.rows:,}"


@dataclass(frozen=True)
class Receipt:
    """A publication of a product: what was published, when, made of what, by what.

    `snapshot` counts the product's publications from 1; `processing_time` is UTC as
    `model.time.iso` writes it; `release` names the folder that holds the bundle;
    `clock_behind_s` is by how many seconds the publisher's clock was behind the publication
    before, in which case the processing time follows that one and not the clock. `allowed` says by
    port what was let pass on purpose, as few rows as no other publication had. `cut` is the
    window of event time that its inputs were cut to besides what they are pinned to, as
    `start/end`: empty where they were not, and None where that is not known. `code_digest` is of
    the text of the transform that was kept, and `meaning` of what it means (see `mesh.identity`):
    of an earlier time, empty.

    Raises
    ------
    ValueError
        The origin is better than that of an input: there is no such receipt.
    """

    snapshot: int
    product: str
    version: str
    status: str
    processing_time: str
    origin: Origin
    release: str
    spec_digest: str
    code_digest: str
    inputs: tuple[InputPin, ...]
    ports: dict[str, PortSnapshot]
    engine: dict[str, str] = field(default_factory=dict)
    principal: str = ""
    clock_behind_s: float = 0.0
    allowed: dict[str, str] = field(default_factory=dict)
    cut: str | None = None
    meaning: str = ""

    def __post_init__(self) -> None:
        if worst([self.origin, (touched := self.origin_of(self.inputs))]) is not self.origin:
            raise ValueError(f"made of {touched} data, it cannot be {self.origin}")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Receipt:
        """Read back what `as_dict` gave; what a later version adds to it is left aside."""
        inputs = tuple(
            InputPin(**{**_known(InputPin, pin), "origin": Origin(pin["origin"])})
            for pin in raw["inputs"]
        )
        ports = {n: PortSnapshot(**_known(PortSnapshot, port)) for n, port in raw["ports"].items()}
        whole = {**raw, "origin": Origin(raw["origin"]), "inputs": inputs, "ports": ports}
        return cls(**_known(cls, whole))

    @staticmethod
    def origin_of(inputs: tuple[InputPin, ...]) -> Origin:
        return worst(pin.origin for pin in inputs)


def _known(kind: type, raw: dict[str, Any]) -> dict[str, Any]:
    return {f.name: raw[f.name] for f in fields(kind) if f.name in raw}
