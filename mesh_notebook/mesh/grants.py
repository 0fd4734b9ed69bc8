"""Who has which role in a mesh: granted and revoked in its root, and never by who asks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh_notebook.errors import StoreError, UsageError, near
from mesh_notebook.mesh.journal import Journal
from mesh_notebook.mesh.place import Place
from mesh_notebook.model.address import checked_name
from mesh_notebook.model.policy import Asker, Principal
from mesh_notebook.model.time import iso

__all__ = ["Grant", "grant", "grants_of", "principal_of", "revoke", "roles_of"]

_FOLDER = "grants"
_ACTIONS = ("grant", "revoke")
# A name is shown in tables and kept in logs: a user, a mail address, a service.
_PRINCIPAL = re.compile(r"[\w][\w.@+:/-]{0,199}")


@dataclass(frozen=True)
class Grant:
    """A role that somebody has; `by` and `at` say who granted it, and when."""

    principal: str
    role: str
    by: str
    at: str


def grants_of(root: Place) -> tuple[Grant, ...]:
    """Return what is granted now, by principal and role.

    Raises
    ------
    StoreError
        The grants cannot be read: then nobody knows who has which role.
    """
    return tuple(sorted(_standing(_entries(root)), key=lambda one: (one.principal, one.role)))


def roles_of(root: Place, name: str) -> frozenset[str]:
    """Return the roles that a principal was granted; raises `StoreError`."""
    return frozenset(one.role for one in _standing(_entries(root)) if one.principal == name)


def principal_of(
    root: Place, asker: str | Asker | Principal, environ: Mapping[str, str] = os.environ
) -> Principal:
    """Return who asks, with the roles that the mesh granted and that were not left aside.

    Parameters
    ----------
    asker : str, Asker or Principal
        A name, or who asks for a purpose: with all roles that the mesh granted. Or a principal, of
        whose roles only those that the mesh granted are kept.
    environ : mapping
        `MESH_ROLES`, separated by commas, names the roles to use of those that were granted (empty:
        none), `MESH_PURPOSE` what for, where the asker does not say.
    """
    who = Asker(asker) if isinstance(asker, str) else asker
    roles = roles_of(root, who.name)
    if isinstance(asker, Principal):
        roles &= asker.roles
    if (chosen := environ.get("MESH_ROLES")) is not None:
        roles &= {role.strip() for role in chosen.split(",")}
    return Principal(who.name, who.purpose or environ.get("MESH_PURPOSE", ""), roles)


def grant(root: Place, principal: str, role: str, by: str, now: datetime) -> None:
    """Grant a role; nothing is written where the principal has it.

    Raises
    ------
    UsageError
        The principal or the role cannot be called that.
    StoreError
        The root cannot be read or written.
    """
    _refuse_bad_name(principal)
    checked_name(role, "role")
    if role in roles_of(root, principal):
        return
    _append(root, lambda _: None, "grant", principal, role, by, now)


def revoke(root: Place, principal: str, role: str, by: str, now: datetime) -> None:
    """Take a role away; raises `UsageError` where the principal does not have it."""

    def refuse_unheld(held: list[Grant]) -> None:
        own = sorted({one.role for one in held if one.principal == principal})
        if role in own:
            return
        close = near(principal, {one.principal for one in held})
        meant = f"did you mean {close[0]}?" if close else "%mesh grant lists what is granted"
        raise UsageError(
            f"'{principal}' does not have the role '{role}'.",
            next_step=f"they have {', '.join(own)}" if own else meant,
            principal=principal,
            role=role,
        )

    _append(root, refuse_unheld, "revoke", principal, role, by, now)


def _append(
    root: Place,
    check: Callable[[list[Grant]], None],
    action: str,
    principal: str,
    role: str,
    by: str,
    now: datetime,
) -> None:
    def entry(before: list[dict[str, Any]]) -> dict[str, Any]:
        check(_standing(before))
        told = {"action": action, "role": role, "principal": principal, "by": by}
        return {**told, "at": iso(now)}

    Journal(root, _FOLDER).append(entry)


def _entries(root: Place) -> list[dict[str, Any]]:
    return Journal(root, _FOLDER).entries()


def _standing(entries: list[dict[str, Any]]) -> list[Grant]:
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for raw in entries:
        try:
            last[str(raw["principal"]), str(raw["role"])] = raw
            known = raw["action"] in _ACTIONS
        except KeyError:
            known = False
        if not known:
            raise StoreError(
                "an entry of the mesh's grants is damaged.",
                next_step="restore it from a backup: without it nobody knows who has which role",
            )
    return [
        Grant(principal, role, str(raw.get("by", "")), str(raw.get("at", "")))
        for (principal, role), raw in last.items()
        if raw["action"] == "grant"
    ]


def _refuse_bad_name(principal: str) -> None:
    if not _PRINCIPAL.fullmatch(principal):
        raise UsageError(
            f"'{principal}' cannot be a principal.",
            next_step="a name has letters, digits and . @ + : / - _, for example ana@example.org",
        )
