"""What a deployment would do, before anything happens, and the id that binds one to the other.

The id is made of what was looked at, and nothing is stored for it: `mesh deploy DIR --plan ID`
looks again, and says which part is not as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mesh_notebook.deploy.foreseeing import foreseen
from mesh_notebook.deploy.inheriting import declassifications
from mesh_notebook.deploy.preparing import Prepared
from mesh_notebook.deploy.versioning import fits, least_version, told
from mesh_notebook.deploy.writes import ToWrite, writes_of
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.changes import Change, guessed_renames
from mesh_notebook.mesh.consumers import Consumer
from mesh_notebook.mesh.rulebook import standing_rules
from mesh_notebook.model.document import digest
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import iso

__all__ = ["Hurt", "Options", "Plan", "plan_of", "refuse_other_plan"]

_PARTS = ("bundle", "product as it is published", "inputs", "options")
_DIGITS = 8


@dataclass(frozen=True)
class Options:
    """What is asked of a deployment besides its bundle.

    Attributes
    ----------
    interval, backfill : datetime or tuple of datetime, optional
        See `deploy` and `backfill`.
    engine, master : str
        See `run`.
    principal, purpose : str
        Who deploys and what for, where it was said.
    allow_fewer, allow_empty : bool
        What `deploy.falling` is to let pass: a fraction of the rows that were usual, or none.
    """

    interval: datetime | None = None
    backfill: tuple[datetime, datetime] | None = None
    engine: str = "polars"
    master: str = ""
    principal: str = ""
    purpose: str = ""
    allow_fewer: bool = False
    allow_empty: bool = False

    def as_dict(self) -> dict[str, Any]:
        window = [iso(moment) for moment in self.backfill] if self.backfill else None
        interval = iso(self.interval) if self.interval else None
        told = {"engine": self.engine, "master": self.master}
        allowed = {"allowFewer": self.allow_fewer, "allowEmpty": self.allow_empty}
        told |= {name: "yes" for name, said in allowed.items() if said}
        return {**told, "interval": interval, "backfill": window}


@dataclass(frozen=True)
class Hurt:
    """A deployed consumer, and the breaking changes that concern what it really uses.

    `stays` says that it keeps to an older major version, which is served beside the new one.
    """

    consumer: Consumer
    changes: tuple[Change, ...]
    stays: bool


@dataclass(frozen=True)
class Plan:
    """What a deployment would do.

    Attributes
    ----------
    id : str
        Binds a deployment to this plan.
    before : str
        The version that it follows; empty of a first one.
    least : str
        The lowest version that fits the changes.
    fits : bool
        Whether the bundle's version does.
    guesses : tuple
        By port: columns that are gone, each with the new one that may be it.
    stands : bool
        Whether the bundle was published on these inputs: only other rows would be news.
    refusals : tuple of DeployRefused
        What bars it, as far as it is known without running it.
    notes : tuple of str
        What is not as it was, or may bar it, of which only a run can tell.
    declassified : tuple of str
        What it shows on purpose although an input hides it, in words.
    """

    id: str
    folder: Path
    product: str
    root: str
    version: str
    status: str
    before: str
    least: str
    fits: bool
    level: str
    changes: tuple[Change, ...]
    guesses: tuple[tuple[str, str, str], ...]
    hurt: tuple[Hurt, ...]
    consumers: tuple[Consumer, ...]
    snapshot: int
    publications: int
    writes: tuple[ToWrite, ...]
    inputs: tuple[InputPin, ...]
    origin: str
    stands: bool
    options: Options
    refusals: tuple[DeployRefused, ...]
    declassified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it is barred: so a shell ends with exit code 1, as a deployment would."""
        return bool(self.refusals)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        hurt = [
            {**_said(one.consumer), "stays": one.stays, "by": [told(c) for c in one.changes]}
            for one in self.hurt
        ]
        barred = [{"why": e.message, "next": e.next_step} for e in self.refusals]
        simple = ("id", "product", "root", "version", "status", "before", "least", "fits", "level")
        return {
            **{name: getattr(self, name) for name in simple},
            "changes": [asdict(change) for change in self.changes],
            "maybeRenamed": [
                {"port": port, "was": was, "is": now} for port, was, now in self.guesses
            ],
            "consumers": [_said(one) for one in self.consumers],
            "hurt": hurt,
            "snapshot": self.snapshot,
            "publications": self.publications,
            "writes": [asdict(one) for one in self.writes],
            "inputs": [{**asdict(pin), "origin": str(pin.origin)} for pin in self.inputs],
            "origin": self.origin,
            "stands": self.stands,
            "options": self.options.as_dict(),
            "refusals": barred,
            "declassified": list(self.declassified),
            "notes": list(self.notes),
        }


def _said(one: Consumer) -> dict[str, Any]:
    reads = None if one.reads is None else list(one.reads)
    told = {"product": str(one.product), "version": one.version, "port": one.port}
    return {**told, "major": one.major, "reads": reads}


def plan_of(
    prepared: Prepared,
    options: Options,
    refusals: Sequence[DeployRefused],
    principal: Asker | str,
    answered: Sequence[tuple[str, str]] = (),
    intervals: int = 1,
) -> Plan:
    """Return the plan of a deployment.

    Parameters
    ----------
    answered : sequence of tuple
        Ports and columns of which it was said what became of them, so that it is not asked.
    intervals : int
        How many publications it would be.
    """
    made, standing = prepared.made, prepared.standing
    version, level = made.product.version, prepared.level
    before = standing.version if standing else ""
    ahead = foreseen(prepared, options)
    return Plan(
        id=_id(prepared, options, principal),
        folder=made.bundle.folder,
        product=str(made.product.address),
        root=str(prepared.published.root),
        version=version,
        status=made.product.status,
        before=before,
        least=least_version(before, level) if before else version,
        fits=not before or fits(version, before, level),
        level=level,
        changes=prepared.changes,
        guesses=tuple(_guesses(prepared, answered)),
        hurt=tuple(_hurt(prepared)),
        consumers=prepared.consumers,
        snapshot=prepared.latest + 1,
        publications=intervals,
        writes=tuple(writes_of(prepared, options.interval, principal)),
        inputs=prepared.pins,
        origin=str(prepared.origin),
        stands=bool(standing and prepared.repeats(standing)),
        options=options,
        refusals=(*refusals, *ahead.refusals),
        declassified=declassifications(made),
        notes=ahead.notes,
    )


def _guesses(prepared: Prepared, answered: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    standing, made = prepared.standing, prepared.made
    if standing is None or not prepared.changes:
        return []
    before = prepared.published.product(standing)
    return [
        (port.name, was, now)
        for port in before.outputs
        if port.name in made.contracts
        for was, now in guessed_renames(
            prepared.published.contract(standing, port.name), made.contracts[port.name]
        )
        if (port.name, was) not in answered
    ]


def _hurt(prepared: Prepared) -> list[Hurt]:
    major = major_of(prepared.made.product.version)
    found = []
    for one in prepared.consumers:
        touched = tuple(
            change
            for change in prepared.changes
            if change.level == "breaking" and change.port == one.port and one.uses(change.column)
        )
        if touched:
            found.append(Hurt(one, touched, stays=one.major not in (None, major)))
    return found


# ---- the id ------------------------------------------------------------------------------------


def _id(prepared: Prepared, options: Options, principal: Asker | str) -> str:
    bundle, published = prepared.made.bundle, prepared.published
    latest = published.receipt(prepared.latest).as_dict() if prepared.latest else None
    pins = [{k: v for k, v in asdict(pin).items() if k != "state"} for pin in prepared.pins]
    rules = standing_rules(published)
    readers = [_said(one) for one in prepared.consumers]
    parts = (
        [str(bundle.product.address), bundle.release, bundle.spec_digest, bundle.meaning],
        [str(published.root), latest, sorted(rules.texts), rules.unknown, readers],
        [{**pin, "origin": str(pin["origin"])} for pin in pins],
        [options.as_dict(), *_who(principal)],
    )
    return "-".join(digest(part)[:_DIGITS] for part in parts)


def _who(asker: Asker | str) -> list[str]:
    asks = Asker(asker) if isinstance(asker, str) else asker
    return [asks.name, *([asks.purpose] if asks.purpose else [])]


def refuse_other_plan(
    wanted: str, prepared: Prepared, options: Options, principal: Asker | str
) -> None:
    """Raise `DeployRefused` unless a deployment would do what was planned."""
    found = _id(prepared, options, principal)
    if found == wanted:
        return
    if wanted.count("-") != found.count("-"):
        said = f"'{wanted}' is the id of no plan"
    else:
        pairs = zip(_PARTS, wanted.split("-"), found.split("-"), strict=True)
        said = f"not as planned any more: the {', the '.join(p for p, x, y in pairs if x != y)}"
    raise DeployRefused(
        f"{said}. Nothing was published.",
        next_step="%mesh plan shows what would be done now, and its id",
        plan=wanted,
        now=found,
    )
