"""What the verbs answer: plain facts, which the surfaces show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from mesh_notebook.mesh.checks import CheckReport
    from mesh_notebook.mesh.inheritance import Uncarried
    from mesh_notebook.mesh.place import Place
    from mesh_notebook.mesh.seen import News
    from mesh_notebook.mesh.slos import SloVerdict
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.product import Product
    from mesh_notebook.model.receipt import Receipt
    from mesh_notebook.workspace.inputs import Handle

__all__ = [
    "Agreed",
    "Checked",
    "ContractView",
    "Delivered",
    "History",
    "Hits",
    "InputCard",
    "ProductView",
    "Rows",
    "Standing",
    "Step",
]


@dataclass(frozen=True)
class InputCard:
    """One input of the notebook, and what is known of it.

    Attributes
    ----------
    columns : tuple
        Name, type and meaning of each.
    newer : str
        The version of a newer major of the port's product.
    rows, head : int, DataFrame or None
        Of a port: how many rows there are, and the first of them, as its policy shows them to who
        connected; None where they cannot be read now.
    """

    handle: Handle
    columns: tuple[tuple[str, str, str], ...]
    slos: tuple[SloVerdict, ...] = ()
    newer: str = ""
    rows: int | None = None
    head: pl.DataFrame | None = None


@dataclass(frozen=True)
class Hits:
    """What a search found, best first."""

    words: str
    found: tuple[tuple[Product, Receipt], ...]
    roots: tuple[Place, ...]


@dataclass(frozen=True)
class History:
    """A product's snapshots, newest first."""

    product: Product
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class ProductView:
    """The product that the notebook is making."""

    fields: dict[str, Any]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class ContractView:
    """An output port's contract as it stands, and what was set by hand.

    `strictly` is the line that demands what was seen; empty where nothing is left to demand.
    `withheld` are the columns that are strict, and of whose values a policy lets nothing be said.
    `doubt` is why the rows count as made up although no input of theirs is known to be.
    """

    port: str
    contract: Contract
    overridden: tuple[str, ...]
    rows: int
    origin: Origin
    strictly: str = ""
    withheld: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True)
class Agreed:
    """What an output port now promises, or what its columns now mean; by name."""

    port: str
    what: str
    said: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """Every output port held to its contract, and to the policies of what it is made of.

    Attributes
    ----------
    origins : dict
        By port: the worst that it touched.
    uncarried : tuple of Uncarried
        What the ports owe to policies of inputs, and do not carry.
    untold : str
        Why it cannot be told what the ports owe, where it cannot.
    news : dict
        By port: what its rows show that those published last did not. It breaks nothing.
    """

    reports: tuple[CheckReport, ...]
    slos: dict[str, tuple[SloVerdict, ...]]
    origins: dict[str, Origin]
    uncarried: tuple[Uncarried, ...] = ()
    untold: str = ""
    news: Mapping[str, tuple[News, ...]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        held = all(report.passed for report in self.reports)
        return held and not (self.uncarried or self.untold)


@dataclass(frozen=True)
class Rows:
    """The first rows of a read, and which snapshot they are of."""

    product: str
    port: str
    receipt: Receipt
    head: pl.DataFrame
    rows: int
    origin: Origin
    intervals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivered:
    """A read that was written to a file; of events, where the next read goes on."""

    product: str
    port: str
    receipt: Receipt
    path: Path
    rows: int
    origin: Origin
    what: str = "rows"
    cursor: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the path: whether it was taken, and what says so."""

    name: str
    done: bool
    facts: str


@dataclass(frozen=True)
class Standing:
    """Where the notebook stands, and the next sensible step."""

    steps: tuple[Step, ...]
    next_step: str
    origin: Origin | None
