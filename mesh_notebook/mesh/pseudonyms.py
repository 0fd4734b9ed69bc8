"""Tokens that products share, of which each can be forgotten.

Tokens join across products because they are made under one key. If each followed from the key and
the value alone, whoever holds the key could tell for ever whose rows they are, and the rows of
tomorrow would bear the same. So a key that `mesh key new` made has a register beside it: of each
value, a keyed hash and a random salt, of which the key of its token is derived. To forget a value
is to replace its salt: nobody can make its old token again, and what is published of it from then
on bears another.

A key that was made otherwise (by hand, or of `MESH_KEY`) has none, and its tokens follow from the
value: products on machines that share nothing but the key have tokens that join. What is forgotten
under it gets a new token from then on, but whoever holds the key and knows the value can still make
the old one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mesh_notebook.errors import KeyMissing
from mesh_notebook.mesh.erasure import Subjects
from mesh_notebook.mesh.keys import Key, key_of, new_key

__all__ = ["forget", "forgets", "keys_of", "new_shared_key", "renewals"]


def keys_of(
    name: str, values: Iterable[str], environ: Mapping[str, str] = os.environ
) -> Mapping[str, Key] | None:
    """Return by value the key that its token is made with; None where it is the shared one for all.

    Raises
    ------
    KeyMissing
        The key is not here; or its register is not, without which its tokens join with none.
    """
    shared, register = key_of(name, environ), Subjects(name, environ=environ)
    if shared.has_register:
        _refuse_without_register(name, register)
        return {value: found[1] for value, found in register.known(values).items() if found}
    if not register.path.exists():
        return None
    own = register.found(values)
    return {value: own.get(value, shared) for value in values}


def forget(name: str, value: str, environ: Mapping[str, str] = os.environ) -> None:
    """Have a value's token be another from now on; raises `KeyMissing`."""
    Subjects(name, environ=environ).renew(value)


def renewals(name: str, environ: Mapping[str, str] = os.environ) -> int:
    """Return how many tokens were forgotten: what bears tokens of before may bear others now."""
    return Subjects(name, environ=environ).renewals()


def forgets(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether nobody can make a token again that was forgotten; raises `KeyMissing`."""
    return key_of(name, environ).has_register


def new_shared_key(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Make a key that products share, and its register; return its file.

    Raises
    ------
    UsageError
        There is a key of that name: it is never overwritten.
    """
    path = new_key(name, environ)
    Subjects(name, environ=environ).make()
    return path


def _refuse_without_register(name: str, register: Subjects) -> None:
    if not register.path.exists():
        raise KeyMissing(
            f"the key {name} is here, but not its register, so its tokens would join with none.",
            next_step=f"bring {register.path.name} to {register.path} (mode 600); who publishes "
            "under one key works on one register: MESH_KEYS names the folder",
            key=name,
        )
