"""What a description says, in words: the same ones in every format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.model.address import Address
from mesh_notebook.model.contract import Column, Contract, Rule
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.workspace.discovery.described import (
    ColumnCard,
    Consumer,
    Described,
    PortCard,
    Release,
    Upstream,
)
from mesh_notebook.workspace.discovery.figures import (
    NOT_MEASURED,
    NOT_TOLD,
    figure,
    shape_in_words,
)

if TYPE_CHECKING:
    from mesh_notebook.mesh.slos import SloVerdict

__all__ = [
    "access_in_words",
    "begun_anew",
    "kind_in_words",
    "link_in_words",
    "looked_back",
    "marks_of",
    "measured",
    "moment",
    "news_in_words",
    "policies_in_words",
    "read_by",
    "release_in_words",
    "rules_of",
    "shape_of",
    "snapshots_in_words",
    "span",
    "table_rules",
    "type_of",
    "unread_in_words",
    "upstream_version",
    "verdict",
    "where_in_words",
    "where_typed",
]

_VALUES = 6  # how many allowed values are written out
_VERDICTS = {True: "kept", False: "broken", None: NOT_MEASURED}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "like {}",
    "multipleOf": "a multiple of {}",
}


def moment(processing_time: str) -> str:
    """Return a receipt's processing time as people read it, to the second."""
    return processing_time[:19].replace("T", " ") + " UTC"


def begun_anew(receipt: Receipt) -> list[str]:
    """Say of which ports nothing stayed of the snapshot before: it was of a worse origin."""
    said = "Snapshot {} of {} does not go on from snapshot {}, whose data were not {}: {}."
    return [
        said.format(
            *(receipt.snapshot, name, port.left_behind, receipt.origin),
            "the log begins anew"
            if port.kind == "log" and port.rows in (port.added, None)
            else "nothing of it stayed",
        )
        for name, port in receipt.ports.items()
        if port.left_behind
    ]


def policies_in_words(policy: PortPolicy | None) -> tuple[str, ...]:
    """Return what a port's policy says, a sentence a rule."""
    if policy is None:
        return ("cannot be understood, so nobody is let in",)
    return policy.said() or ("none: everybody who can reach the port reads it in the clear",)


# ---- columns and rules ------------------------------------------------------------------------


def type_of(column: Column) -> str:
    return column.physical_type or column.logical_type


def marks_of(card: ColumnCard) -> list[str]:
    """Return what a column is before it is anything else: key, personal, masked."""
    marks = {"key": card.key, "personal": card.column.personal, "masked": bool(card.mask)}
    return [name for name, holds in marks.items() if holds]


def shape_of(card: ColumnCard) -> str:
    """Return a column's shape in a line; of one that is masked, that it is not told."""
    if card.mask and not card.shape.get("nulls"):
        return NOT_TOLD
    return shape_in_words(card.shape)


def where_typed(where: str) -> str:
    return "in Python" if where == "Python" else f"in a {where}"


def rules_of(card: ColumnCard) -> list[str]:
    """Return what holds of a column's values; of a key column, less what its key says already."""
    rules = [rule for rule in card.column.rules() if rule.kind != "type"]
    said = [_rule(rule) for rule in rules if not (card.key and rule.kind == "required")]
    return _joined_limits(said)


def link_in_words(link: str) -> str:
    """Return the column that is meant as people say it, `airports/places.airport`."""
    urn, _, column = link.partition("#")
    try:
        return f"{Address.parse(urn).short}.{column}" if column else link
    except UsageError:  # a link may lead anywhere, to an ontology for one
        return link


def _joined_limits(said: list[str]) -> list[str]:
    """Say `0 to 9` for `at least 0` and `at most 9`."""
    low, high = (next((s for s in said if s.startswith(w)), "") for w in ("at least ", "at most "))
    if not low or not high or "characters" in low + high:
        return said
    both = f"{low.removeprefix('at least ')} to {high.removeprefix('at most ')}"
    return [both if s == low else s for s in said if s != high]


def table_rules(contract: Contract) -> list[str]:
    """Return what holds of the rows together, the key left aside."""
    return [_rule(rule) for rule in contract.rules if rule.column is None and rule.kind != "key"]


def _rule(rule: Rule) -> str:
    if rule.kind in ("required", "unique"):
        return rule.kind
    if rule.kind in _LIMITS:
        return _LIMITS[rule.kind].format(figure(rule.value))
    if rule.kind == "enum":
        return f"one of {_listed(rule.value)}"
    return _quality(rule)


def _listed(values: list[Any]) -> str:
    more = f", and {len(values) - _VALUES} more" if len(values) > _VALUES else ""
    return ", ".join(map(str, values[:_VALUES])) + more


def _quality(rule: Rule) -> str:
    """Return a quality rule's own description, else its measure and what it demands of it."""
    from mesh_notebook.mesh.rules import CannotCheck, held

    quality: Mapping[str, Any] = rule.value
    if text := str(quality.get("description") or quality.get("businessImpact") or ""):
        return text
    name = quality.get("name") or quality.get("id") or rule.kind
    try:
        return f"{name} {held(quality, 0)[1]}"
    except CannotCheck:  # a rule without a demand is still one that a reader wants to know of
        return str(name)


# ---- promises ---------------------------------------------------------------------------------


def verdict(slo: SloVerdict) -> str:
    return _VERDICTS[slo.kept]


def measured(slo: SloVerdict) -> str:
    return slo.measured or NOT_MEASURED


# ---- ports, snapshots, neighbours -------------------------------------------------------------


def kind_in_words(card: PortCard) -> str:
    if card.kind == "log":
        return "log: each publication adds rows, and a later row of the same key corrects"
    if card.interval:
        many = len(card.snapshot.intervals)
        so_far = f", {many} so far" if many else ""
        return f"snapshot: each publication is the picture of one interval{so_far}"
    return "snapshot: each publication is the whole picture"


def news_in_words(card: PortCard) -> str:
    """Return what the snapshot shows that those before it did not; empty where that is nothing."""
    return "; ".join(f"{one.column} {one.now} (before: {one.before})" for one in card.news)


def span(card: PortCard) -> str:
    """Return the event times that the snapshot covers, as far as they are known."""
    if card.covered is None:
        return ""
    start, end = map(figure, card.covered)
    return f"{start} to {end}{' (not included)' if card.snapshot.interval else ''}"


def snapshots_in_words(described: Described) -> str:
    many = described.snapshots
    if many == 1:
        return f"1, published {moment(described.receipt.processing_time)}"
    first = f"the first {moment(described.first)}, " if described.first else ""
    return f"{many:,}, {first}the last {moment(described.receipt.processing_time)}"


def where_in_words(upstream: Upstream) -> str:
    """Return what an input is and which data of it was read, as short as people say it."""
    pin = upstream.pin
    try:
        where = Address.parse(pin.where).short if pin.kind == "port" else pin.where
    except UsageError:
        where = pin.where
    kind = "" if pin.kind == "port" else f"{pin.kind} "
    return f"{kind}{where}, {upstream_version(upstream)}"


def upstream_version(upstream: Upstream) -> str:
    pin = upstream.pin
    if pin.kind != "port":
        return pin.version[:16] if pin.kind == "source" else pin.version
    known = upstream.latest
    behind = f" (the last is {known})" if known is not None and str(known) != pin.version else ""
    return f"snapshot {pin.version}{behind}"


def read_by(consumer: Consumer) -> str:
    return f"{consumer.port}, snapshot {consumer.snapshot}"


def release_in_words(release: Release) -> str:
    if release.first == release.last:
        return str(release.last)
    return f"{release.first} to {release.last} ({release.count})"


def looked_back(described: Described) -> str:
    """Return what the list of releases leaves out; empty where it is whole."""
    said = []
    if described.told < described.snapshots:
        said.append(f"of the last {described.told:,} of {described.snapshots:,} snapshots")
    if described.damaged:
        said.append(f"{described.damaged} of them cannot be read")
    return "; ".join(said)


def unread_in_words(described: Described) -> str:
    if not described.unread:
        return ""
    return f"cannot be read, so whether they read this is not known: {', '.join(described.unread)}"


def access_in_words(described: Described) -> Iterator[str]:
    """Say how one gets to read: by roles and channels where they are named, else by the root."""
    people = described.people
    where = "bucket" if "://" in described.root else "folder"
    held = [card for card in described.ports if card.policy is None or card.policy]
    named = people.roles or any(card.policy and card.policy.access.roles for card in held)
    for card in held:
        yield from _port_access(card)
    if people.channels:
        yield "Ask at the channels below."
    if people.roles:
        yield "The contract names the roles below; nothing but the storage enforces them yet."
    if not people.channels and not named:
        yield "Neither a role nor a channel to ask at is named."
    if not people.channels and named and not people.roles:
        yield "No channel to ask at is named."
    if held:
        yield (
            f"Policies hold for who reads through the port. Whoever may read the {where} "
            f"{described.root} can read its files, in which masked columns are masked."
        )
    else:
        yield f"Whoever may read the {where} {described.root} can read every port."


def _port_access(card: PortCard) -> Iterator[str]:
    """Say who may read a port under a policy, and what there is for everybody else."""
    if card.policy is None:
        yield f"{card.name}: its policy cannot be understood, so nobody is let in."
        return
    access, privacy = card.policy.access, card.policy.privacy
    asked = [f"one of the roles {', '.join(access.roles)}"] if access.roles else []
    asked += [f"one of the purposes {', '.join(access.purposes)}"] if access.purposes else []
    if asked:
        yield f"{card.name}: reading it takes {' and '.join(asked)}."
    if privacy:
        yield f"{card.name} {privacy.said()}."
    if access.stand_in:
        shaped = any(one.shape for one in card.columns)
        like = "in the shape of its own" if shaped else "under its contract"
        yield f"{card.name} has a synthetic stand-in, which anybody may have: made-up rows {like}."
