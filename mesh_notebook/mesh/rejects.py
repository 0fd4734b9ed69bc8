"""Rows that a contract refused, kept apart so that one can look at them, and nobody else.

    <cache>/rejects/<domain>.<product>-<digest of the root>/<time>/
      rejects.json          which rules failed, of which port, for how many rows
      <number>.parquet      the rows of one rule

They lie on the machine of who deployed, open to its user alone: they may hold what a policy would
mask, since masks are executed as rows are published, and these were not. Never in the product,
where a reader might come upon them. The account is what protects them; beyond that, they are shown
to the principal who deployed, and to others only where no policy would hide anything from them.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mesh_notebook.errors import StoreError
from mesh_notebook.mesh.rules import CannotCheck, offenders
from mesh_notebook.mesh.s3 import cache_folder
from mesh_notebook.model.address import Address
from mesh_notebook.model.policy import PortPolicy, Principal
from mesh_notebook.model.time import iso
from mesh_notebook.model.view import View

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.checks import CheckReport, RuleResult
    from mesh_notebook.model.contract import Contract

__all__ = ["MOST", "Broken", "Maker", "Rejection", "forget", "keep", "rejections"]

MOST = 10_000  # rows of one rule
_KEPT = 5  # refused deployments of one product
_RECORD = "rejects.json"
# What is held against the whole, and so is broken by no row.
_OF_THE_WHOLE = ("type", "missing", "extra", "sql", "rowCount", "text")


@dataclass(frozen=True)
class Broken:
    """One rule that was broken.

    Attributes
    ----------
    failed, checked : int
        All the rows that break it, of those that it was held against.
    kept : int
        How many of them were kept.
    file : str
        Where they lie, in the folder of the refusal; empty where the rule is broken by no row.
    """

    port: str
    rule: str
    failed: int
    checked: int
    note: str = ""
    kept: int = 0
    file: str = ""


@dataclass(frozen=True)
class Maker:
    """Who deployed, and which roles somebody else would need to see the rows as they are.

    Attributes
    ----------
    takes : tuple of tuple of str
        Of each of these one role; an empty one means that nobody else may.
    root : str
        The mesh that says who has which role.
    """

    principal: str = ""
    takes: tuple[tuple[str, ...], ...] = ()
    root: str = ""

    @classmethod
    def of(
        cls, principal: str, root: str, policies: Iterable[PortPolicy], views: Iterable[View]
    ) -> Self:
        """Return who deployed under these policies, on inputs that were seen so."""
        takes: list[tuple[str, ...]] = [(role,) for view in views for role in view.roles]
        for policy in policies:
            takes += [mask.exempt for mask in policy.masks]
            takes += [rule.exempt for rule in policy.rows]
            takes += [policy.access.roles] if policy.access.roles else []
            takes += [()] if policy.access.purposes else []
            takes += [policy.privacy.exempt] if policy.privacy else []
        return cls(principal, tuple(dict.fromkeys(takes)), root)

    def shows(self, principal: Principal) -> bool:
        """Whether a principal may see the rows."""
        if principal.name == self.principal:
            return True
        return bool(self.principal) and all(principal.is_one_of(roles) for roles in self.takes)


@dataclass(frozen=True)
class Rejection:
    """One deployment that was refused: what was broken, the folder of the rows, and whose they are.

    Of one that an earlier version kept, it is not known whose: then they are nobody's.
    """

    address: Address
    version: str
    time: str
    broken: tuple[Broken, ...]
    folder: Path
    maker: Maker = Maker()

    def rows(self, broken: Broken) -> pl.DataFrame:
        """Return the rows that were kept of a rule."""
        import polars as pl

        try:
            return pl.read_parquet(self.folder / broken.file, hive_partitioning=False, glob=False)
        except OSError as error:
            raise StoreError(
                f"the rejected rows of {broken.port} cannot be read: {error.strerror or error}.",
                next_step="deploy again to have them anew",
            ) from None


def keep(
    root: str,
    address: Address,
    version: str,
    now: datetime,
    checks: Mapping[str, CheckReport],
    frames: Mapping[str, pl.LazyFrame],
    contracts: Mapping[str, Contract],
    maker: Maker,
    environ: Mapping[str, str] = os.environ,
) -> Rejection:
    """Keep the rows that break a rule: whole, or not at all.

    Raises
    ------
    OSError
        There is no room for them, or no folder of one's own.
    """
    home = _home(root, address, environ)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = iso(now).replace(":", "").replace(".", "")
    aside = home / f".{uuid.uuid4().hex[:8]}"
    aside.mkdir(mode=0o700)
    try:
        broken: list[Broken] = []
        for port, report in checks.items():
            for result in report.failures:
                told = (aside, len(broken), port, result, frames[port], contracts[port])
                broken.append(_kept(*told))
        record = {
            "product": str(address),
            "root": root,
            "version": version,
            "time": iso(now),
            "principal": maker.principal,
            "takes": [list(roles) for roles in maker.takes],
            "broken": [vars(one) for one in broken],
        }
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        _own(aside / _RECORD).write_text(f"{text}\n", "utf-8")
        aside.rename(home / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in _folders(home)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return Rejection(address, version, iso(now), tuple(broken), home / name, maker)


def _kept(
    folder: Path,
    number: int,
    port: str,
    result: RuleResult,
    frame: pl.LazyFrame,
    contract: Contract,
) -> Broken:
    told = (port, result.rule.id, result.failed, result.checked)
    schema = frame.collect_schema()
    if result.rule.kind in _OF_THE_WHOLE or not result.decided or not result.failed:
        said = result.note or "it is held against all rows together"
        return Broken(*told, f"{said}; no single row breaks it" if result.decided else said)
    try:
        rows = frame.filter(offenders(result.rule, schema)).head(MOST).collect()
    except CannotCheck as error:
        return Broken(*told, str(error))
    name = f"{number}.parquet"
    rows.write_parquet(_own(folder / name))
    return Broken(*told, result.note, rows.height, name)


def _own(path: Path) -> Path:
    """Return a new, empty file that its user alone may read."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def rejections(environ: Mapping[str, str] = os.environ) -> list[Rejection]:
    """Return the refusals that are kept on this machine, newest first; what is hurt is left out."""
    base = cache_folder(environ) / "rejects"
    homes = sorted(base.iterdir()) if base.is_dir() else []
    found = [one for home in homes for folder in _folders(home) for one in _read(folder)]
    return sorted(found, key=lambda one: one.time, reverse=True)


def _read(folder: Path) -> Iterator[Rejection]:
    try:
        raw: dict[str, Any] = json.loads((folder / _RECORD).read_text("utf-8"))
        broken = tuple(Broken(**one) for one in raw["broken"])
        takes = tuple(tuple(roles) for roles in raw.get("takes", ()))
        maker = Maker(raw.get("principal", ""), takes, raw["root"])
        told = (Address.parse(raw["product"]), raw["version"], raw["time"], broken, folder)
        yield Rejection(*told, maker)
    except (OSError, ValueError, KeyError, TypeError):
        return


def forget(root: str, address: Address, environ: Mapping[str, str] = os.environ) -> int:
    """Remove what was kept of a product, and return how many refusals that were."""
    home = _home(root, address, environ)
    many = len(_folders(home))
    with suppress(FileNotFoundError):
        shutil.rmtree(home)
    return many


def _home(root: str, address: Address, environ: Mapping[str, str]) -> Path:
    # Two meshes may hold a product of one address.
    where = sha256(f"{root}\0{address}".encode()).hexdigest()[:12]
    return cache_folder(environ) / "rejects" / f"{address.domain}.{address.product}-{where}"


def _folders(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted(f for f in home.iterdir() if f.is_dir() and not f.name.startswith("."))
