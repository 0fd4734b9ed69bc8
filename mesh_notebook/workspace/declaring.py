"""What was said of an output port by hand: sealed with the bundle, and said again by a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_notebook.errors import LoadRefused
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.policy import Mask, PortPolicy, Privacy
from mesh_notebook.workspace.calling import Call
from mesh_notebook.workspace.drafts import PortDraft
from mesh_notebook.workspace.promises import Promises, parse_promises

__all__ = ["declared", "output_calls", "strictly"]


def declared(port: PortDraft) -> dict[str, Any]:
    """Return a declaration as a receipt keeps it; only what is set."""
    raw = {
        "key": list(port.key),
        "eventTime": port.event_time,
        **port.temporality,
        "strict": port.strict if isinstance(port.strict, bool) else list(port.strict),
        # As text, since YAML knows dates and JSON none.
        "contract": to_yaml(port.overrides) if port.overrides else "",
        "promises": port.promises,
        "links": port.links,
    }
    return {name: value for name, value in raw.items() if value or name == "strict"}


def strictly(port: PortDraft) -> str:
    """Return the line that declares a port as it is, and demands what was seen, too."""
    said = {**declared(port), "strict": True}
    return next(output_calls(port.port, port.frame_name, said, PortPolicy(port.port))).text


def output_calls(
    port: str, frame: str, said: Mapping[str, Any], policy: PortPolicy
) -> Iterator[Call]:
    """Yield the calls that declare a port as it was declared."""
    yield Call(
        "output",
        (port, frame),
        {
            "key": tuple(said.get("key") or ()),
            "event_time": said.get("eventTime"),
            "kind": None if said.get("kind") == "snapshot" else said.get("kind"),
            "interval": said.get("interval"),
            "strict": _strict(said),
        },
    )
    if contract := said.get("contract"):
        parse_yaml(contract, f"the contract of '{port}'")
        yield Call("contract", (port,), body=contract)
    if promises := said.get("promises"):
        yield Call("promise", (port, *_promised(port, promises)))
    for column, target in (said.get("links") or {}).items():
        yield Call("link", (f"{port}.{column}", target))
    yield from _protections(policy)


def _strict(said: Mapping[str, Any]) -> tuple[str, ...] | bool:
    """Return what is demanded as it was seen; before a receipt said so, all that was seen was."""
    strict = said.get("strict", True)
    return strict if isinstance(strict, bool) else tuple(strict)


def _promised(port: str, promises: Promises) -> list[str]:
    """Return promises as they are typed: `freshness=1d`, `completeness.delay=0.99!`."""
    words = []
    for name, body in promises.items():
        unit = {"m": "min"}.get(body.get("unit", ""), body.get("unit", ""))
        words.append(f"{name}={body['value']}{unit}{'!' if body.get('gate') else ''}")
    if parse_promises(words) != promises:
        raise LoadRefused(
            f"the promises of '{port}' are not what `%mesh promise` can say: {', '.join(words)}.",
            next_step="export the product again, from a notebook that promises otherwise",
            port=port,
        )
    return words


def _protections(policy: PortPolicy) -> Iterator[Call]:
    port = policy.port
    yield from (_mask(port, mask) for mask in policy.masks)
    for rule in policy.rows:
        yield Call("protect", (port,), {"where": rule.where, "exempt": rule.exempt})
    access = policy.access
    if access.roles or access.purposes or access.stand_in:
        given = {"roles": access.roles, "purposes": access.purposes, "stand_in": access.stand_in}
        yield Call("protect", (port,), given)
    if policy.subject:
        yield Call("protect", (port,), {"erasable": policy.subject, "erasers": policy.erasers})
    if policy.privacy:
        yield _private(port, policy.privacy)
    if policy.aggregates:
        yield Call("protect", (port,), {"aggregates": policy.aggregates})
    for one in policy.declassified:
        target = f"{port}.{one.column}" if one.column else port
        yield Call("protect", (target,), {"declassify": True, "because": one.because})


def _mask(port: str, mask: Mask) -> Call:
    given = {
        "mask": mask.kind,
        "exempt": mask.exempt,
        "to": mask.to,
        "keep": mask.keep,
        "groups": tuple(f"{name}={'|'.join(places)}" for name, places in mask.groups.items()),
        "key": mask.key,
        "aggregates": mask.aggregates or None,
    }
    return Call("protect", (f"{port}.{mask.column}",), given)


def _private(port: str, privacy: Privacy) -> Call:
    given = {
        "private": privacy.subject,
        "budget": privacy.budget,
        "rows_each": privacy.rows_each if privacy.rows_each != 1 else None,
        "bounds": tuple(
            f"{name}={low!r}..{high!r}" for name, (low, high) in privacy.bounds.items()
        ),
        "values": tuple(
            f"{name}={'|'.join(map(str, values))}" for name, values in privacy.keys.items()
        ),
        "exempt": privacy.exempt,
    }
    return Call("protect", (port,), given)
