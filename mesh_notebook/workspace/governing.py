"""What is decided for a whole mesh, in its first root: who has which role, and what is forbidden.

And what was decided of each question that a port was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh import grants as granted
from mesh_notebook.mesh import rulebook
from mesh_notebook.mesh.decisions import Decision
from mesh_notebook.mesh.decisions import decisions as logged
from mesh_notebook.mesh.place import Place, place_of

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["Decisions", "Grants", "MeshRules", "decisions", "grant", "rule"]


@dataclass(frozen=True)
class Grants:
    """Who has which role in a mesh; `done` says what was just changed."""

    root: Place
    grants: tuple[granted.Grant, ...]
    done: str = ""


@dataclass(frozen=True)
class MeshRules:
    """What is forbidden in a whole mesh, and which products have the rules in their cache.

    `entries` counts all that was ever said of rules: a product with fewer is behind.
    """

    root: Place
    rules: tuple[rulebook.RuleEntry, ...]
    caches: tuple[rulebook.Cached, ...]
    entries: int
    done: str = ""


@dataclass(frozen=True)
class Decisions:
    """The last decisions on a product, newest first."""

    product: str
    decisions: tuple[Decision, ...]


def grant(session: Session, who: str | None, role: str | None, revoke: bool) -> Grants:
    """Grant a role, revoke it, or list the grants."""
    root = place_of(session.roots[0])
    done = ""
    if who or role or revoke:
        if not who or not role:
            raise UsageError(
                "a grant takes a principal and a role.",
                next_step="%mesh grant ana privacy-officer; alone it lists all grants",
            )
        change = granted.revoke if revoke else granted.grant
        change(root, who, role, session.principal, session.clock())
        done = f"{who} no longer has the role {role}" if revoke else f"{who} has the role {role}"
    return Grants(root, granted.grants_of(root), done)


def rule(
    session: Session, file: str | Path | None, name: str | None, remove: str | None
) -> MeshRules:
    """Push a rule, remove one, or list the rules."""
    root = place_of(session.roots[0])
    said = session.principal, session.clock()
    if sum((file is not None, remove is not None)) > 1 or (name and file is None):
        raise UsageError(
            "one thing at a time: a rule is pushed from a file, or removed by its name.",
            next_step="%mesh rule FILE.rego --name NAME, or %mesh rule --remove NAME",
        )
    done = ""
    if remove is not None:
        rulebook.remove_rule(root, remove, *said)
        done = f"{remove} forbids nothing any more"
    elif file is not None:
        path = session.base / file
        called = name or path.stem
        rulebook.push_rule(root, called, _text(path), *said)
        done = f"{called} holds from now on, for every product of this mesh"
    return MeshRules(
        root,
        rulebook.rules_of_root(root),
        rulebook.caches(root),
        rulebook.entries_of_root(root),
        done,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UsageError(
            f"the rule {path} cannot be read: {why}.",
            next_step="name a file with a Rego module in it",
            path=str(path),
        ) from None


def decisions(session: Session, text: str, last: int) -> Decisions:
    """Return the last decisions on a product, or on the port that was named."""
    if last < 1:
        raise UsageError(f"{last} decisions cannot be shown.", next_step="give --last 1 or more")
    published, port = session.catalogue.resolve(text)
    return Decisions(
        f"{published.name}/{port}" if port else published.name,
        tuple(logged(published, last, port=port)),
    )
