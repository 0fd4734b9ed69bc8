"""A port's policy as a node of the JSON-LD: ODRL, as far as it has terms, and words for the rest.

Who may read and for which purpose is a permission; a masked column is a prohibition to read it, and
so is a port of which nobody sees rows. Row filters, stand-ins and noise have no term.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesh_notebook.model.policy import Mask, PortPolicy
from mesh_notebook.workspace.discovery import words
from mesh_notebook.workspace.discovery.described import PortCard
from mesh_notebook.workspace.discovery.iris import about, individual, node, refer

__all__ = ["policy_node"]

_TERMS = "http://www.w3.org/ns/odrl/2/"


def policy_node(card: PortCard) -> dict[str, Any]:
    """Return what holds of a port now; of one without a policy, that everybody may read it."""
    name, said = about(card.address, "policy"), words.policies_in_words(card.policy)
    readers = _readers(card.policy)
    masks = card.policy.masks if card.policy else ()
    forbidden = [] if readers is not None else [_rule(card, "odrl:Prohibition")]
    return node(
        name,
        "odrl:Set",
        {
            "odrl:uid": {"@id": name},
            "dct:description": list(said),
            "odrl:permission": {} if readers is None else _reading(card, readers),
            "odrl:prohibition": [*forbidden, *(_masked(card, mask) for mask in masks)],
        },
    )


def _readers(policy: PortPolicy | None) -> list[str] | None:
    """Return the roles that see rows: none named means everybody, and None nobody at all."""
    if policy is None:
        return None
    roles = list(policy.access.roles)
    if policy.privacy is None:
        return roles
    return [role for role in policy.privacy.exempt if not roles or role in roles] or None


def _reading(card: PortCard, roles: list[str]) -> dict[str, Any]:
    purposes = card.policy.access.purposes if card.policy else ()
    return _rule(card, "odrl:Permission") | _who(roles) | _purposes(purposes)


def _masked(card: PortCard, mask: Mask) -> dict[str, Any]:
    column = about(card.address, column=mask.column)
    return _rule(card, "odrl:Prohibition", mask.said()) | {"odrl:target": {"@id": column}}


def _rule(card: PortCard, kind: str, said: str = "") -> dict[str, Any]:
    return node(
        "",
        kind,
        {
            "odrl:target": {"@id": about(card.address, "dataset")},
            "odrl:action": refer(f"{_TERMS}read"),
            "dct:description": said,
        },
    )


def _who(roles: Iterable[str]) -> dict[str, Any]:
    named = [individual("role", role, "odrl:PartyCollection") for role in roles]
    return {"odrl:assignee": named} if named else {}


def _purposes(purposes: Iterable[str]) -> dict[str, Any]:
    if not (said := list(purposes)):
        return {}
    limits = {
        "odrl:leftOperand": refer(f"{_TERMS}purpose"),
        "odrl:operator": refer(f"{_TERMS}isAnyOf"),
        "odrl:rightOperand": said,
    }
    return {"odrl:constraint": node("", "odrl:Constraint", limits)}
