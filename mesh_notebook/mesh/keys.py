"""Keys: where they lie, who may read them, and what is derived of them.

A key is 32 random bytes, known by a name: the URN of the product whose values it seals, or a name
that several products share so that their tokens join. It comes from the environment (`MESH_KEY`, a
secret of which each product's key is derived) or from a file of its own in `MESH_KEYS`, by default
`~/.config/mesh-notebook/keys`, which only its owner may read. It is in no spec, notebook, log or
error.

A key that `mesh key new` made ends in a word that says that it has a register beside it (see
`mesh.pseudonyms`).
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from mesh_notebook.errors import KeyMissing, UsageError

__all__ = ["VARIABLES", "Key", "key_of", "keys_folder", "made_key", "new_key"]

VARIABLES = ("MESH_KEY", "MESH_KEYS")
_BYTES = 32
_HAS_REGISTER = b" has a register"
# No link is followed, and no pipe waited for.
_HOW = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,199}")


class Key:
    """A secret that shows itself nowhere: it has no text, and is never pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    @property
    def has_register(self) -> bool:
        """Whether its tokens are made under salts that a register keeps."""
        return self._secret.endswith(_HAS_REGISTER)

    def derived(self, *use: str, length: int = _BYTES) -> bytes:
        """Return the bytes for one use (HKDF-SHA256, RFC 5869): of one, no other can be told."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = "\0".join(("mesh-notebook", *use)).encode()
        return HKDF(SHA256(), length, salt=None, info=info).derive(self._secret)


def key_of(name: str, environ: Mapping[str, str] = os.environ) -> Key:
    """Return the key of that name.

    Raises
    ------
    KeyMissing
        It is not here, is none, or lies where others can read it.
    """
    if shared := environ.get("MESH_KEY"):
        return Key(Key(_decoded(shared, "MESH_KEY")).derived("key", name))
    path = _path(name, environ)
    try:
        descriptor = os.open(path, _HOW)
    except OSError:
        raise KeyMissing(
            f"the key of {name} is not here.",
            next_step=f"its owner gives it to you: as {path} (mode 600), or in MESH_KEY",
            key=name,
        ) from None
    try:
        _refuse_open(os.fstat(descriptor), path)
        return Key(_decoded(os.read(descriptor, 1_000).decode("ascii", "replace"), str(path)))
    finally:
        os.close(descriptor)


def made_key(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Make the key of that name where there is none; return its new file, or None."""
    try:
        key_of(name, environ)
    except KeyMissing:
        path = _path(name, environ)
        if path.exists():
            raise
    else:
        return None
    _write(path, os.urandom(_BYTES))
    return path


def new_key(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Make a key that products share, and that has a register; return its file.

    Raises
    ------
    UsageError
        There is a key of that name: what was made with it would be lost with it.
    """
    path = _path(name, environ)
    if environ.get("MESH_KEY"):
        raise UsageError(
            f"MESH_KEY gives every name a key, '{name}' too, so none is made.",
            next_step=f"%mesh protect PORT.COLUMN --with tokenise --key {name}; or unset MESH_KEY",
        )
    try:
        _write(path, os.urandom(_BYTES) + _HAS_REGISTER)
    except FileExistsError:
        raise UsageError(
            f"there is a key '{name}' already, {path}, and it stays as it is.",
            next_step=f"%mesh protect PORT.COLUMN --with tokenise --key {name}; or choose another "
            "name",
            path=str(path),
        ) from None
    return path


def _write(path: Path, secret: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secret) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def keys_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the key files."""
    if named := environ.get("MESH_KEYS"):
        return Path(named).absolute()
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(home, "mesh-notebook", "keys")


def _path(name: str, environ: Mapping[str, str]) -> Path:
    if not _NAME.fullmatch(name):
        raise KeyMissing(
            f"'{name}' is no name of a key.", next_step="letters, digits, '.', '-', '_' and ':'"
        )
    return keys_folder(environ) / f"{name.replace(':', '.')}.key"


def _refuse_open(found: os.stat_result, path: Path) -> None:
    """Raise `KeyMissing` where a key could have been read, or written, by somebody else."""
    if not stat.S_ISREG(found.st_mode):
        raise KeyMissing(f"{path} is no file.", next_step="put the key itself there, no link")
    if os.name == "posix" and (found.st_mode & 0o077 or found.st_uid not in (os.getuid(), 0)):
        raise KeyMissing(
            f"the key {path} is open to others (mode {stat.S_IMODE(found.st_mode):o}).",
            next_step=f"chmod 600 {path}; and if others may have read it, it is no secret any more",
            path=str(path),
        )


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) < _BYTES:
        raise KeyMissing(
            f"{where} holds no key.",
            next_step="32 random bytes in base64: openssl rand -base64 32",
            where=where,
        )
    return secret
