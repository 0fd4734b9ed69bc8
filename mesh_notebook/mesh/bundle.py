"""A bundle on disk: a product's specification, contracts and transform, released or not yet."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mesh_notebook.errors import DeployRefused, SpecError, StoreError
from mesh_notebook.mesh.identity import meaning_of
from mesh_notebook.mesh.place import inside
from mesh_notebook.model.address import checked_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import digest, parse_yaml
from mesh_notebook.model.product import Product
from mesh_notebook.model.seen import unseen
from mesh_notebook.model.standards import validate

__all__ = ["SPECIFICATION", "Bundle"]

SPECIFICATION = "product.odps.yaml"
_PROVED = ("transform.py", "portable.py")
_UP = re.compile(r"^(?:\.\./)+")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,60}")


@dataclass(frozen=True)
class Bundle:
    """A folder that holds `product.odps.yaml`, `contracts/<port>.odcs.yaml` and `transform.py`.

    Attributes
    ----------
    folder : Path
    within : Path, optional
        A folder that no file of the bundle may lie outside of, whatever links say.
    proof : str
        Of a release: the digest that its documents must have. They were validated before they
        were published, so they need not be again. Empty: they are validated when asked for.
    """

    folder: Path
    within: Path | None = None
    proof: str = ""

    @cached_property
    def product(self) -> Product:
        """The specification, valid; raises `SpecError`."""
        raw = self._documents[SPECIFICATION]
        where = f"{self.folder.name}/{SPECIFICATION}"
        if not self.proof:
            validate(raw, where)
        return Product(raw, where)

    def contract(self, port: str) -> Contract:
        """Return the contract of an output port, valid; raises `SpecError`."""
        name = f"contracts/{checked_name(port, 'port')}.odcs.yaml"
        if name not in self._documents:
            raise self._lacks(name)
        document, where = self._documents[name], f"{self.folder.name}/{name}"
        if self.proof:
            return Contract.known(document, where)
        validate(document, where)
        return Contract.known(document, where).described().readable()

    @cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        found = [p for p in self._contract_files() if not p.is_symlink()]
        contracts = sorted(path.relative_to(self.folder).as_posix() for path in found)
        names = [SPECIFICATION, *(name for name in contracts if "/." not in name)]
        documents = {name: parse_yaml(self._text(name), name) for name in names}
        if self.proof and self.proof not in (_meant(documents), _as_placed(documents)):
            raise StoreError(f"the release {self.folder.name} is not as its receipt says.")
        return documents

    def _contract_files(self) -> list[Path]:
        try:
            return list((self.folder / "contracts").rglob("*.yaml"))
        except OSError as error:
            raise SpecError(
                f"{self.folder} cannot be read: {error.strerror}.",
                next_step="check who may read it, or name another bundle's folder",
                where=str(self.folder),
            ) from None

    @property
    def spec_digest(self) -> str:
        """SHA-256 of the specification and of every contract, as documents: layout is no change.

        Nor is what was seen of the rows, which a contract does not demand (see `model.seen`), nor
        how far up from the bundle a source lies: a notebook may export into any folder.
        """
        return _meant(self._documents)

    def is_specified_by(self, spec_digest: str) -> bool:
        """Whether a digest is of this specification, also one of an earlier version of ours."""
        return spec_digest in (self.spec_digest, _as_placed(self._documents))

    @property
    def transform(self) -> Path:
        """Where the module lies; raises `SpecError` where there is none."""
        self._text("transform.py")
        return self.folder / "transform.py"

    @cached_property
    def code_digest(self) -> str:
        """SHA-256 of the transform's bytes."""
        return hashlib.sha256(self.transform.read_bytes()).hexdigest()

    @cached_property
    def meaning(self) -> str:
        """SHA-256 of what the transform means: comments, docstrings and layout are no change."""
        return meaning_of(self.transform.read_bytes())

    def edited(self) -> list[str]:
        """Return what was proved, the transform and modelled rows, and is no longer as it was.

        The bundle's own receipt says so, of the transform by what it means. A bundle written by
        hand has none, and proves nothing.
        """
        try:
            receipt = json.loads((self.folder / "receipt.json").read_text("utf-8"))
            wanted = {n: d for n, d in receipt["files"].items() if n in _PROVED or "mocks/" in n}
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return ["receipt.json"]
        edited = {name for name, digest in wanted.items() if self._hash(name) != digest}
        if edited & {"transform.py"} and receipt.get("meaning") == self.meaning:
            edited.remove("transform.py")
        return sorted(edited)

    def refused_by(self, engine: str) -> list[str]:
        """Return what an engine cannot take of the transform, as the export found it.

        A bundle written by hand has no receipt, and nothing was found.
        """
        try:
            receipt = json.loads((self.folder / "receipt.json").read_text("utf-8"))
        except (OSError, ValueError):
            return []
        if not isinstance(receipt, dict) or (receipt.get("engines") or {}).get(engine) != "refused":
            return []
        told = [one for one in receipt["notPortable"] if one["engine"] in ("", engine)]
        return [f"{one['port']} has `{one['expression']}`: {one['why']}" for one in told]

    def _hash(self, name: str) -> str:
        path = inside(self.folder / name, self.folder)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    @property
    def release(self) -> str:
        """The name under which the bundle is kept: its version, and what it is made of."""
        version = self.product.version
        if not _VERSION.fullmatch(version):
            raise SpecError(
                f"'{version}' cannot be a version.",
                next_step="write it as in 1.2.0: letters, digits, '.', '+', '_' and '-'",
                version=version,
            )
        return f"{version}-{digest([self.spec_digest, self.meaning])[:12]}"

    def copy_to(self, folder: Path) -> None:
        """Copy what a release keeps; raises `DeployRefused` where it changes meanwhile."""
        shutil.copytree(self.folder, folder, ignore=_not_kept)
        if Bundle(folder).release != self.release:
            raise DeployRefused(
                f"{self.folder} was changed while it was deployed.", next_step="deploy it again"
            )

    def _text(self, name: str) -> str:
        path = self.folder / name
        if self.within:
            inside(path, self.within)
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            raise self._lacks(name) from None
        except UnicodeDecodeError:
            said, step = f"{path} is not text in UTF-8.", "write it as UTF-8"
        except OSError as error:
            said, step = f"{path} cannot be read: {error.strerror}.", "name a bundle's folder"
        raise SpecError(said, next_step=step, where=str(path))

    def _lacks(self, name: str) -> SpecError:
        return SpecError(
            f"{self.folder} has no {name}.",
            next_step="%mesh export writes a whole bundle",
            where=str(self.folder / name),
        )


def _meant(documents: dict[str, dict[str, Any]]) -> str:
    return digest({name: _unplaced(unseen(document)) for name, document in documents.items()})


def _as_placed(documents: dict[str, dict[str, Any]]) -> str:
    return digest({name: unseen(document) for name, document in documents.items()})


def _unplaced(document: dict[str, Any]) -> dict[str, Any]:
    """Return a specification in which no source says how far up from the bundle it lies."""
    ports = document.get("inputPorts")
    if not isinstance(ports, list):
        return document
    return {**document, "inputPorts": [_port_unplaced(port) for port in ports]}


def _port_unplaced(port: Any) -> Any:
    told = port.get("customProperties") if isinstance(port, dict) else None
    if not isinstance(told, list):
        return port
    return {**port, "customProperties": [_recipe_unplaced(one) for one in told]}


def _recipe_unplaced(told: Any) -> Any:
    recipe = told.get("value") if isinstance(told, dict) else None
    uri = recipe.get("uri") if isinstance(recipe, dict) else None
    if not isinstance(uri, str) or not uri.startswith("../"):
        return told
    return {**told, "value": {**recipe, "uri": _UP.sub("../", uri)}}  # type: ignore[dict-item]


def _not_kept(folder: str, names: list[str]) -> list[str]:
    """Name what a release leaves out: hidden files, caches, and links, which lead elsewhere."""
    return [
        name
        for name in names
        if name.startswith((".", "__pycache__")) or os.path.islink(os.path.join(folder, name))
    ]
