"""The log of decisions: who asked for which port, what was decided, and by which rules.

One file a decision, created whole, so that two who ask at once are both in it. There is no row in
it, and no value of one: the rules that applied stand there as they are declared.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from mesh_notebook.errors import StoreError
from mesh_notebook.mesh.aside import aside
from mesh_notebook.mesh.place import Folder, Place
from mesh_notebook.mesh.published import PublishedProduct

__all__ = ["ALLOW", "DENY", "Decision", "decisions", "log"]

ALLOW, DENY = "allow", "deny"
_FOLDER = "decisions"
_ATTEMPTS = 3


@dataclass(frozen=True)
class Decision:
    """What was decided of one question to one port.

    Attributes
    ----------
    at : str
        When, as receipts write instants.
    window : dict
        `from`, `to` and `as_of` as instants, where they were given.
    snapshot : int
        What the answer is of; 0 where there is no answer.
    mode : str
        How it was asked for: `frame`, `sql`, `events`, …; or `publish`.
    decision : str
        `allow` or `deny`.
    rules : tuple of str
        What applied, in the words of the policy and of the rules of the mesh.
    """

    principal: str
    roles: tuple[str, ...]
    purpose: str
    at: str
    product: str
    port: str
    window: Mapping[str, str]
    snapshot: int
    version: str
    mode: str
    decision: str
    rules: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Decision:
        told = {field.name: raw[field.name] for field in fields(cls)}
        lists = {"roles": tuple(told["roles"]), "rules": tuple(told["rules"])}
        return cls(**{**told, **lists})


def log(
    published: PublishedProduct, decision: Decision, environ: Mapping[str, str] = os.environ
) -> None:
    """Keep a decision with its product, or else with the user.

    Who may read a mesh may not always write to it: then the decision is kept in the user's own
    state folder (`XDG_STATE_HOME`), and `decisions` finds it there.

    Raises
    ------
    StoreError
        It can be kept nowhere, so that what was asked must not be answered.
    """
    content = json.dumps(asdict(decision), ensure_ascii=False).encode() + b"\n"
    with suppress(StoreError, OSError):
        return _create(published.root, published.folder / _FOLDER, content)
    state = _state(environ)
    own = _own(published, state)
    try:
        state.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(state, own, content)
    except (StoreError, OSError):
        raise StoreError(
            f"the decision on {published.name}/{decision.port} can be logged neither in "
            f"{published.folder} nor in {own}, and what is not logged is not read.",
            next_step="name a folder that you may write to as XDG_STATE_HOME",
            where=str(own),
        ) from None


def decisions(
    published: PublishedProduct,
    last: int,
    environ: Mapping[str, str] = os.environ,
    port: str | None = None,
) -> list[Decision]:
    """Return the last decisions on a product, newest first: its own log and the user's.

    Parameters
    ----------
    port : str, optional
        Only those on this port.

    Raises
    ------
    StoreError
        One of them is damaged.
    """
    files = [
        (name, folder)
        for folder in (published.folder / _FOLDER, _own(published, _state(environ)))
        for name in folder.entries()
        if name.endswith(".json")
    ]
    newest = sorted(files, key=lambda file: file[0], reverse=True)
    told = (_decision(folder / name) for name, folder in newest)
    return list(islice((one for one in told if port in (None, one.port)), last))


def _decision(file: Place) -> Decision:
    try:
        return Decision.of(json.loads(file.read()))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        raise StoreError(
            f"the decision {file} is damaged.",
            next_step="restore it from a backup, or move it away to see the others",
            where=str(file),
        ) from None


def _create(root: Place, folder: Place, content: bytes) -> None:
    with aside(root) as work:
        for _ in range(_ATTEMPTS):
            # The clock of this machine, and not that of the question: a log is in the order of
            # its writing.
            now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            with suppress(FileExistsError):
                return (folder / f"{now}-{secrets.token_hex(4)}.json").create(content, work)
    # The name was taken each time: where it is not by chance, the folder itself is a file.
    raise StoreError(f"{folder} cannot be written.")


def _state(environ: Mapping[str, str]) -> Folder:
    base = environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Folder(Path(base).absolute() / "mesh-notebook" / _FOLDER)


def _own(published: PublishedProduct, state: Folder) -> Folder:
    """Return the user's folder for a product: two meshes may have one of the same name."""
    mesh = hashlib.sha256(published.root.uri.encode()).hexdigest()[:16]
    return state / mesh / published.domain / published.name
