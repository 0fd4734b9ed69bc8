"""A product as its discovery port tells it: the one value from which every format is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.model.address import Address
from mesh_notebook.model.contract import Column, Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Mask, PortPolicy
from mesh_notebook.model.product import OutputPort, Product
from mesh_notebook.model.receipt import InputPin, PortSnapshot, Receipt
from mesh_notebook.workspace.discovery.figures import NOT_MEASURED, NOT_TOLD

if TYPE_CHECKING:
    from mesh_notebook.mesh.seen import News
    from mesh_notebook.mesh.slos import SloVerdict

__all__ = [
    "Channel",
    "ColumnCard",
    "Consumer",
    "Described",
    "DescriptionFile",
    "Document",
    "Member",
    "People",
    "PortCard",
    "Promise",
    "Release",
    "Role",
    "Upstream",
]

_OF_PERSONAL = ("nulls", "distinct")
_OPEN = PortPolicy("")  # nothing is declared


@dataclass(frozen=True)
class Promise:
    """One SLO, as it stands now and as it was measured when the snapshot was published."""

    now: SloVerdict
    at_publication: SloVerdict


@dataclass(frozen=True)
class ColumnCard:
    """One column, the mask that everybody but a few sees it through, and its statistical shape.

    The shape (see `mesh.shape`) is empty where none was measured, or none may be told.
    """

    column: Column
    key: bool
    shape: dict[str, Any] = field(default_factory=dict)
    mask: Mask | None = None


@dataclass(frozen=True)
class Upstream:
    """One input of the snapshot; `latest` is the upstream's own last snapshot, if it is known."""

    pin: InputPin
    latest: int | None = None


@dataclass(frozen=True)
class Consumer:
    """A product of the same mesh whose last publication read one of our ports."""

    address: Address
    port: str
    snapshot: str
    published: str
    status: str
    origin: Origin


@dataclass(frozen=True)
class Release:
    """One bundle, and the snapshots that it published: how many, the first and the last."""

    version: str
    name: str
    count: int
    first: int
    last: int
    since: str
    until: str


@dataclass(frozen=True)
class Document:
    """Something to read: an authoritative definition of the product or of a port."""

    kind: str
    url: str
    about: str = ""


@dataclass(frozen=True)
class Channel:
    """Where one asks."""

    name: str
    url: str = ""
    tool: str = ""
    about: str = ""


@dataclass(frozen=True)
class Role:
    """Who may do what with a port, as its contract says; `approvers` are whom one asks."""

    port: str
    name: str
    access: str = ""
    about: str = ""
    approvers: str = ""


@dataclass(frozen=True)
class Member:
    """Somebody of the team that answers for the product."""

    name: str
    role: str = ""


@dataclass(frozen=True)
class People:
    """What the specifications say of whom to ask, who may read, and what there is to read."""

    members: tuple[Member, ...] = ()
    channels: tuple[Channel, ...] = ()
    roles: tuple[Role, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True)
class PortCard:
    """One output port, as a consumer wants to know it.

    `policy` is the one that holds now; None where it cannot be understood, and nobody is let in.
    `news` is what the snapshot shows that those before it did not, and nothing demanded.
    """

    address: Address
    port: OutputPort
    contract: Contract
    snapshot: PortSnapshot
    promises: tuple[Promise, ...]
    consumers: tuple[Consumer, ...] = ()
    policy: PortPolicy | None = _OPEN
    news: tuple[News, ...] = ()

    @property
    def name(self) -> str:
        return self.port.name

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where the policy hides it from who asks."""
        return self.snapshot.rows

    @property
    def kind(self) -> str:
        """`snapshot` or `log`: as the port is declared."""
        return str(self.port.temporality.get("kind") or self.snapshot.kind)

    @property
    def event_time(self) -> str | None:
        return self.contract.event_time or self.port.temporality.get("eventTime")

    @property
    def interval(self) -> str:
        """The ISO 8601 length of the intervals that are published one by one; empty: none is."""
        return str(self.port.temporality.get("interval") or "")

    @property
    def covered(self) -> tuple[str, str] | None:
        """The event times of the rows: the interval, else the first and the last; None: unknown."""
        start, _, end = self.snapshot.interval.partition("/")
        if not end:
            card = self.column(self.event_time)
            shape = card.shape if card else {}
            start, end = (str(shape.get(side) or "") for side in ("min", "max"))
        return (start, end) if start and end else None

    @property
    def columns(self) -> tuple[ColumnCard, ...]:
        key = self.contract.key
        mask = self.policy.mask if self.policy else lambda column: None
        return tuple(
            ColumnCard(c, c.name in key, self._shape_of(c), mask(c.name))
            for c in self.contract.columns
        )

    def column(self, name: str | None) -> ColumnCard | None:
        return next((card for card in self.columns if card.column.name == name), None)

    def _shape_of(self, column: Column) -> dict[str, Any]:
        # Whatever a receipt holds, a description shows no value of a personal column.
        shape = self.snapshot.shape.get(column.name) or {}
        return {k: v for k, v in shape.items() if not column.personal or k in _OF_PERSONAL}

    @property
    def no_shape(self) -> str:
        """Why there is no shape, where there is none."""
        return NOT_TOLD if self.hides else NOT_MEASURED

    @property
    def hides(self) -> bool:
        """Whether the policy hides figures from who asks."""
        closed = self.policy is None or self.policy.closed or bool(self.policy.rows)
        return closed or self.snapshot.rows is None

    @property
    def slos(self) -> tuple[SloVerdict, ...]:
        return tuple(promise.now for promise in self.promises)


@dataclass(frozen=True)
class Described:
    """A product at one of its snapshots.

    Attributes
    ----------
    short : str
        The shortest name that means this product and no other of the mesh.
    root : str
        The mesh root that holds it: who may read there may read the product.
    moment : datetime
        The instant at which it is told, UTC: now, or the `as_of` that was asked for.
    releases : tuple of Release
        Newest first, of the last `told` snapshots.
    snapshots, told, damaged : int
        How many snapshots there are; to how many of them `releases` looks back; how many of
        those cannot be read.
    first : str
        The processing time of the first snapshot; empty where it cannot be read.
    unread : tuple of str
        The products of the mesh of which it cannot be said whether they read this one.
    majors : tuple of str
        What other major versions are served beside this one, and who reads them.
    """

    product: Product
    receipt: Receipt
    ports: tuple[PortCard, ...]
    people: People
    upstream: tuple[Upstream, ...]
    releases: tuple[Release, ...]
    short: str
    root: str
    moment: datetime
    snapshots: int
    told: int
    damaged: int
    first: str
    unread: tuple[str, ...] = ()
    majors: tuple[str, ...] = ()

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        return tuple(consumer for port in self.ports for consumer in port.consumers)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What to type to get at the rows, and at those that stand in for them: where, the line."""
        name = self._name_of(self.ports[0]) if self.ports else self.short
        stand_ins = [card for card in self.ports if card.policy and card.policy.access.stand_in]
        of = len(self.ports) > 1
        return (
            ("notebook", f"%mesh connect {name}"),
            ("Python", f'mesh.connect("{name}")'),
            ("shell", f"mesh read {name}"),
            *(
                (
                    f"notebook, for the stand-in{f' of {card.name}' if of else ''}",
                    f"%mesh connect {self._name_of(card)} --mode mock",
                )
                for card in stand_ins
            ),
        )

    def _name_of(self, card: PortCard) -> str:
        """Return the shortest name that means this port."""
        if len(self.product.outputs) < 2:
            return self.short
        return str(card.address) if self.short.startswith("urn:") else f"{self.short}/{card.name}"


@dataclass(frozen=True)
class DescriptionFile:
    """A description that was written to a file."""

    product: Product
    receipt: Receipt
    format: str
    path: Path
