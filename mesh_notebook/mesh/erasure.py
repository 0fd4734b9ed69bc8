"""Erasure: each subject's values are sealed under a key of its own, and without it they are gone.

A port is immutable, and its old snapshots may lie in backups. To erase somebody from all of them is
to destroy one key (crypto-shredding): everybody else's values stay readable. The keys lie beside
the product's own key, in a database of the owner's machine; who keeps a backup of *that* undoes
erasure.

A subject's own name is shown by a token. Where that is made under a key that products share, so
that it joins, it does not follow from the subject's key; it is forgotten with it all the same (see
`mesh.pseudonyms`).

The database holds, of each subject, a keyed hash of its name, a random reference that rows carry in
its place, and a random salt of which its key is derived. The salt is destroyed; the hash stays, so
that who was erased stays out of later publications.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing

from mesh_notebook.errors import KeyMissing
from mesh_notebook.mesh.keys import Key, key_of, keys_folder

__all__ = ["Subject", "Subjects"]

_BYTES = 16
_TABLE = """
CREATE TABLE IF NOT EXISTS subjects (
    name BLOB PRIMARY KEY, reference BLOB UNIQUE, salt BLOB
) WITHOUT ROWID
"""
_BUSY = 60  # seconds that one waits for another who writes

# A reference and a key; None of who was erased.
Subject = tuple[bytes, Key]


class Subjects:
    """The keys of one product's subjects.

    Parameters
    ----------
    column : str
        What they are named by: the order 17 is nobody's user 17. Not needed to look them up by
        reference. Ports of a product that name their subjects by one column share their keys.
    """

    def __init__(
        self, product: str, column: str = "", environ: Mapping[str, str] = os.environ
    ) -> None:
        self._key = key_of(product, environ)
        self._names, self._salts = self._key.derived("name", column), self._key.derived("subject")
        self.path = keys_folder(environ) / f"{product.replace(':', '.')}.subjects"

    def known(self, names: Iterable[str]) -> dict[str, Subject | None]:
        """Return each subject's reference and key, made where there is none; None of the erased."""
        hashes = {name: self._hash(name) for name in names}
        with closing(self._opened()) as store, store:
            store.executemany(
                "INSERT OR IGNORE INTO subjects VALUES (?, ?, ?)",
                ((h, os.urandom(_BYTES), os.urandom(_BYTES)) for h in hashes.values()),
            )
            rows = store.execute("SELECT name, reference, salt FROM subjects").fetchall()
        found = {name: (reference, salt) for name, reference, salt in rows}
        return {name: self._subject(*found[hashed]) for name, hashed in hashes.items()}

    def found(self, names: Iterable[str]) -> dict[str, Key]:
        """Return the keys of those that are known; none is made."""
        query = "SELECT salt FROM subjects WHERE name = ? AND salt IS NOT NULL"
        with closing(self._opened()) as store:
            rows = {name: store.execute(query, (self._hash(name),)).fetchone() for name in names}
        return {name: self._derived(row[0]) for name, row in rows.items() if row}

    def by_reference(self) -> dict[bytes, Key]:
        """Return the keys of all who were not erased, by what rows carry in their place."""
        with closing(self._opened()) as store:
            rows = store.execute("SELECT reference, salt FROM subjects WHERE salt IS NOT NULL")
            return {reference: self._derived(salt) for reference, salt in rows}

    def erased(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that were erased; nothing is made of who is not known."""
        with closing(self._opened()) as store:
            rows = store.execute("SELECT name FROM subjects WHERE salt IS NULL")
            gone = {hashed for (hashed,) in rows}
        return [name for name in names if self._hash(name) in gone] if gone else []

    def erase(self, name: str) -> bool:
        """Destroy a subject's key, so that its values can be read by nobody; whether it had one."""
        with closing(self._opened()) as store:
            with store:
                done = store.execute(
                    "UPDATE subjects SET reference = NULL, salt = NULL "
                    "WHERE name = ? AND salt IS NOT NULL",
                    (self._hash(name),),
                ).rowcount
            # No copy of the salt is left in what the file keeps of before.
            store.execute("VACUUM")
        return done > 0

    def renew(self, name: str) -> None:
        """Give a subject another key, whether or not it had one; the old one is destroyed."""
        fresh = (self._hash(name), os.urandom(_BYTES), os.urandom(_BYTES))
        with closing(self._opened()) as store:
            with store:
                store.execute("BEGIN IMMEDIATE")
                store.execute("INSERT OR REPLACE INTO subjects VALUES (?, ?, ?)", fresh)
                store.execute(f"PRAGMA user_version = {_renewals(store) + 1}")
            store.execute("VACUUM")

    def renewals(self) -> int:
        """Return how often a subject was given another key."""
        if not self.path.exists():
            return 0
        with closing(self._opened()) as store:
            return _renewals(store)

    def make(self) -> None:
        """Make the database where there is none."""
        self._opened().close()

    def _opened(self) -> sqlite3.Connection:
        try:
            # Nobody but the owner may read it, from its first moment on.
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            if os.name == "posix" and self.path.stat().st_mode & 0o077:
                raise KeyMissing(
                    f"the keys in {self.path} are open to others.",
                    next_step=f"chmod 600 {self.path}",
                )
            store = sqlite3.connect(self.path, timeout=_BUSY)
            store.execute("PRAGMA secure_delete = ON")
            store.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise KeyMissing(
                f"the keys of the subjects cannot be opened: {error}.",
                next_step=f"they lie in {self.path}, on the machine that publishes",
            ) from None
        return store

    def _hash(self, name: str) -> bytes:
        return hmac.digest(self._names, name.encode(), "sha256")

    def _subject(self, reference: bytes | None, salt: bytes | None) -> Subject | None:
        return (reference, self._derived(salt)) if reference and salt else None

    def _derived(self, salt: bytes) -> Key:
        return Key(hmac.digest(self._salts, salt, "sha256"))


def _renewals(store: sqlite3.Connection) -> int:
    return int(store.execute("PRAGMA user_version").fetchone()[0])
