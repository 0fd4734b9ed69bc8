"""`%mesh promise`: what is said of an output port, and how its contract says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mesh_notebook.errors import UsageError, near
from mesh_notebook.mesh.reference import stable_id
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import custom, set_custom
from mesh_notebook.model.time import duration

__all__ = ["Promises", "Reference", "add_promises", "marked", "parse_promises", "say_promise"]

Promises = dict[str, dict[str, Any]]  # by name, as it is said: `lag_p95`, `completeness.delay`
Reference = Callable[[Contract, float, str], list[dict[str, Any]]]

# What people say, and the ODCS property. Of lag the standard knows no quantiles.
_PROPERTIES = {
    "freshness": "freshness",
    "interval": "frequency",
    "lag_p50": "latencyP50",
    "lag_p95": "latency",
    "completeness": "completeness",
    "drift": "drift",
    "retention": "retention",
    "rows": "rows",
}
_OF_A_COLUMN = ("completeness", "freshness", "drift")
_SHARES = ("completeness", "drift")
_LAG = (
    "{} of the time from an event to the publication that first held it. The rows do not hold "
    "when they were published, so no query over them can measure it: the receipt of each "
    "publication does."
)
# What a consumer of the contract cannot know from the property's name.
_MEANS = {
    "lag_p50": _LAG.format("The median"),
    "lag_p95": _LAG.format("The 95th percentile"),
    "drift": "How far the statistical shape of the worst column may lie from the snapshots before, "
    "0 to 1: the receipt of each publication holds it. A checker, which cannot see them, "
    "measures the distance from the shape at the time of the promise.",
}
_NEVER_GATES = {
    "interval": "a publication that is late would never be published at all",
    "retention": "refusing a publication brings nothing back that was taken away",
    "freshness": "a snapshot is fresh whenever it is published; freshness.COLUMN=… is about its "
    "newest event",
}


def parse_promises(words: Sequence[str]) -> Promises:
    """Read `freshness=1d completeness=0.99!` into promises by name; `!` marks a gate.

    Raises
    ------
    UsageError
        A word is no promise, its value is none, or it cannot be a gate.
    """
    promises = dict(_promise(word) for word in words)
    return marked(promises, [name for name, body in promises.items() if body.get("gate")])


def marked(promises: Promises, gates: Sequence[str]) -> Promises:
    """Return promises with some marked as gates; raises `UsageError` where one cannot be."""
    names = [_canonical(gate) for gate in gates]
    for name in names:
        if name not in promises:
            raise UsageError(
                f"'{name}' is not promised, so it can be no gate.",
                next_step=f"promise it too: {name}=VALUE",
                gate=name,
            )
        if name in _NEVER_GATES:
            raise UsageError(
                f"{name} cannot be a gate: {_NEVER_GATES[name]}.",
                next_step="promise it without the mark",
                gate=name,
            )
    return {n: {**body, "gate": True} if n in names else body for n, body in promises.items()}


def _promise(word: str) -> tuple[str, dict[str, Any]]:
    said, equals, value = word.partition("=")
    name = _canonical(said)
    kind, _, column = name.partition(".")
    if not equals or kind not in _PROPERTIES or (column and kind not in _OF_A_COLUMN):
        close = near(kind, _PROPERTIES)
        raise UsageError(
            f"'{word}' is not a promise.",
            next_step=(f"did you mean {close[0]}? " if close and equals else "")
            + f"write NAME=VALUE with NAME one of {', '.join(_PROPERTIES)}; "
            "completeness.COLUMN is about one column, and ! after the value makes a gate",
            near=close,
        )
    gate, value = value.endswith("!"), value.removesuffix("!")
    body: dict[str, Any] = {"property": _PROPERTIES[kind], **_value(kind, value)}
    if column:
        body["column"] = column
    return name, {**body, "gate": True} if gate else body


def _canonical(name: str) -> str:
    return "lag_p95" if name == "lag" else name


def _value(kind: str, value: str) -> dict[str, Any]:
    if kind in _SHARES:
        return _share(kind, value)
    return _count(value) if kind == "rows" else _span(value)


def _share(kind: str, value: str) -> dict[str, Any]:
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        example = "0.99 or 99%" if kind == "completeness" else "0.1 or 10%"
        raise UsageError(
            f"{kind}={value} is not a share.", next_step=f"write {example}", value=value
        )
    return {"value": share}


def _count(value: str) -> dict[str, Any]:
    plain = value.replace("_", "").replace(",", "")
    if not plain.isdecimal():
        raise UsageError(f"rows={value} is no number of rows.", next_step="write rows=1000")
    return {"value": int(plain)}


def _span(value: str) -> dict[str, Any]:
    seconds = duration(value)
    for unit, size in (("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return {"value": int(seconds // size), "unit": unit}
    return {"value": seconds, "unit": "s"}


def say_promise(body: Mapping[str, Any]) -> str:
    """Return what is promised in words: `2 h`, `0.99, a gate`."""
    said = f"{body['value']} {body.get('unit', '')}".strip()
    return f"{said}, a gate" if body.get("gate") else said


def add_promises(raw: dict[str, Any], promises: Promises, reference: Reference | None) -> None:
    """Write promises into a contract, in place of others of the same property and element.

    What ODCS has no words for is written as a quality rule too, so that other checkers measure
    it: a number of rows; and the drift from the shape that `reference` tells, if any. Gates are
    listed in the custom property `gates`.

    Parameters
    ----------
    reference : callable or None
        Returns the quality rules of a drift up to a limit, of one column or (empty) of all.
    """
    contract = Contract(raw)
    made = [_sla(name, body, contract) for name, body in promises.items()]
    said = {_about(sla) for sla in made}
    kept = [sla for sla in raw.get("slaProperties") or [] if _about(sla) not in said]
    if not kept and not made:
        return
    raw["slaProperties"] = kept + made
    ids = {sla.get("id") or sla["property"] for sla in kept}
    _list_gates(raw, promises, ids)
    rules = [r for name, body in promises.items() for r in _rules(name, body, contract, reference)]
    if rules:
        raw["schema"][0].setdefault("quality", []).extend(rules)


def _about(sla: Mapping[str, Any]) -> tuple[str, str]:
    return sla["property"], str(sla.get("element") or "").rpartition(".")[2]


def _sla(name: str, body: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    sla = {"id": _id(name), **{k: v for k, v in body.items() if k not in ("gate", "column")}}
    if column := body.get("column"):
        contract.column(column)
        if body["property"] == "freshness" and column != contract.event_time:
            raise UsageError(
                f"freshness is the age of the newest event, and '{column}' is not the event time.",
                next_step=f"write freshness.{contract.event_time}=…"
                if contract.event_time
                else "declare the output with --event-time",
            )
        sla["element"] = f"{contract.table['name']}.{column}"
    if means := _MEANS.get(name.partition(".")[0]):
        sla["description"] = means
    return sla


def _id(name: str) -> str:
    return "_".join(stable_id(part) for part in name.split(".", 1))


def _list_gates(raw: dict[str, Any], promises: Promises, kept: set[str]) -> None:
    before: list[str] = custom(raw, "gates") or []
    gates = [g for g in before if g in kept]
    gates += [_id(name) for name, body in promises.items() if body.get("gate")]
    if gates or before:
        set_custom(raw, "gates", gates)


def _rules(
    name: str, body: Mapping[str, Any], contract: Contract, reference: Reference | None
) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if name == "rows":
        rules = [
            {
                "id": "promise_rows",
                "type": "library",
                "metric": "rowCount",
                "description": "How many rows a snapshot has at least.",
                "dimension": "completeness",
                "mustBeGreaterOrEqualTo": body["value"],
            }
        ]
    elif body["property"] == "drift" and reference:
        rules = reference(contract, body["value"], body.get("column", ""))
    severity = "error" if body.get("gate") else "warning"
    return [
        {
            **rule,
            "severity": severity,
            "customProperties": [{"property": "promise", "value": _id(name)}],
        }
        for rule in rules
    ]
