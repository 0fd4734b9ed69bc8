"""Through what one principal sees the files of a protected port.

What everybody may see lies in the files as it is; so the veil of who may see no more than that only
leaves out the store's own columns, and costs nothing. Who may see more has the sealed values opened
on the way, where they are asked for. What the policy hides now, and a snapshot of before does not,
is not read at all: the column is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import DeployRefused, KeyMissing
from mesh_notebook.mesh.dtypes import column_dtype, physical_type, polars_dtype
from mesh_notebook.mesh.scan import scan_of
from mesh_notebook.mesh.sealing import SUBJECT, Protection, fingerprint, row_key, sealed_name
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Mask

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.place import Place
    from mesh_notebook.mesh.vault import Vault
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.receipt import PortSnapshot

__all__ = ["Veil", "raw_picture", "veil_of"]

# Masks that give away nothing, whatever the policy says now.
_OPAQUE = ("redact", "null")


@dataclass(frozen=True)
class Veil:
    """What is done to the columns of a scan.

    Attributes
    ----------
    columns : tuple of (column, DuckDB type)
        Those of the port, in order; nothing else of the files is seen.
    blank : tuple of str
        Columns that are null, whatever the files hold.
    opened : tuple of str
        Columns whose sealed values are opened.
    alike : tuple of str
        Of these, those that were sealed without their row's key; and so the rows' subjects.
    key : tuple of str
        The contract's key, with which the others were sealed.
    product, port : str
        Whose key opens them: the URN, and the port's name.
    by_subject : bool
        Whether each subject has a key of its own.
    fingerprints : tuple of str
        Those of the keys that the values were sealed with.
    """

    columns: tuple[tuple[str, str], ...]
    blank: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    product: str = ""
    port: str = ""
    by_subject: bool = False
    fingerprints: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Veil:
        """Read back what `dataclasses.asdict` gave, also after a trip through JSON."""
        known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
        for name in ("blank", "opened", "alike", "key", "fingerprints"):
            known[name] = tuple(raw.get(name, ()))
        known["columns"] = tuple((name, dtype) for name, dtype in raw["columns"])
        return cls(**known)

    @property
    def is_plain(self) -> bool:
        """Whether the files show all that is seen, so that any engine may read them itself."""
        return not (self.blank or self.opened)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    @property
    def stored(self) -> tuple[tuple[str, str], ...]:
        """The columns that are read of the files, with their types."""
        own = [sealed_name(name) for name in self.opened]
        own += [SUBJECT] if self.by_subject and self.opened else []
        return (*self.columns, *((name, "BLOB") for name in own))

    def over(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return what is seen of the files' rows.

        Raises
        ------
        KeyMissing
            A key that it takes is not here.
        """
        import polars as pl

        dtypes = {name: polars_dtype(physical) for name, physical in self.columns}
        vault = self._vault() if self.opened else None
        seen = []
        for name, dtype in dtypes.items():
            if name in self.blank:
                seen.append(pl.lit(None, dtype=dtype).alias(name))
            elif vault and name in self.opened:
                seen.append(self._opened(name, dtype, vault))
            else:
                seen.append(pl.col(name))
        return frame.select(seen)

    def _opened(self, name: str, dtype: pl.DataType, vault: Vault) -> pl.Expr:
        import polars as pl

        key = () if name in self.alike else self.key
        subject = [SUBJECT] if self.by_subject else []

        def opened(given: pl.Series) -> pl.Series:

            rows = given.struct.unnest()
            beside, own = row_key(rows, key), vault
            if subject:
                whose = None if SUBJECT in self.alike else row_key(rows, self.key)
                subjects = vault.opened(rows[SUBJECT], whose, pl.Binary())
                own = replace(vault, subjects=subjects)
            values = own.opened(rows[sealed_name(name)].alias(name), beside, dtype)
            # Rows of before the column was sealed hold the values themselves.
            clear = rows[sealed_name(name)].is_null()
            return values.zip_with(~clear, rows[name].cast(dtype))

        whole = self.key if subject and SUBJECT not in self.alike else key
        given = dict.fromkeys((sealed_name(name), name, *whole, *subject))
        return (
            pl.struct(*given)
            .map_batches(opened, return_dtype=dtype, is_elementwise=True)
            .alias(name)
        )

    def _vault(self) -> Vault:
        from mesh_notebook.mesh.erasure import Subjects
        from mesh_notebook.mesh.keys import key_of
        from mesh_notebook.mesh.vault import Vault

        if set(self.fingerprints) != {fingerprint(self.product)}:
            raise KeyMissing(
                f"the key of {self.product} that is here is not the one that the values of "
                f"'{self.port}' were sealed with.",
                next_step="ask the product's owner for the key of this product",
            )
        keys = Subjects(self.product).by_reference() if self.by_subject else {}
        return Vault(key_of(self.product), self.port, keys=keys)


def veil_of(
    decision: Decision | None,
    protections: Sequence[Protection],
    contract: Contract,
    product: str,
    port: str,
) -> Veil | None:
    """Return the veil of snapshots for who may see what a decision says; None where all is clear.

    Parameters
    ----------
    decision : Decision or None
        None for the port itself: everything that was sealed is opened.
    protections : sequence of Protection
        How each snapshot that is read was protected.
    """
    blank, opened, alike = [], [], []
    for name in (column.name for column in contract.columns):
        seen = {_seen(name, decision, protection) for protection in protections}
        if "blank" in seen:
            blank.append(name)
        elif "opened" in seen:
            opened.append(name)
            if all(p.shows_alike(name) for p in protections if name in p.masks):
                alike.append(name)
    if not (any(protections) or blank):
        return None
    by_subject = [protection for protection in protections if protection.subject]
    if by_subject and all(p.shows_alike(p.subject) for p in by_subject):
        alike.append(SUBJECT)
    return Veil(
        tuple((c.name, physical_type(column_dtype(c))) for c in contract.columns),
        tuple(blank),
        tuple(opened),
        tuple(alike),
        tuple(contract.key),
        product,
        port,
        bool(by_subject),
        tuple(sorted({protection.key for protection in protections if protection.key})),
    )


def _seen(column: str, decision: Decision | None, protection: Protection) -> str:
    """Return how a column of one snapshot is seen: `clear`, as it lies there, `opened`, `blank`."""
    stored = protection.masks.get(column)
    mask = decision.mask(column) if decision else None
    if mask is None:
        return "opened" if column in protection.sealed else "clear"
    if stored is None:
        return "blank"
    # Who is exempt makes no difference to what is shown to the others.
    then = Mask.from_dict(stored)
    same = {**then.as_dict(), "except": None} == {**mask.as_dict(), "except": None}
    return "clear" if same or then.kind in _OPAQUE else "blank"


def raw_picture(
    table: Place, snapshot: PortSnapshot | None, contract: Contract, port: str, product: str
) -> pl.LazyFrame | None:
    """Return a log's picture as it was before it was protected, for its own writer; None of none.

    Raises
    ------
    DeployRefused
        A column was stored through a mask, with no way back.
    """
    from mesh_notebook.mesh.versions import read_version

    if snapshot is None:
        return None
    protection = Protection.from_dict(snapshot.protection)
    if lost := sorted(set(protection.masks) - set(protection.sealed)):
        raise DeployRefused(
            f"the log '{port}' holds no values of {', '.join(lost)} but masked ones, so that they "
            "cannot be protected in another way.",
            next_step="publish it as a new major version, or leave that mask as it is",
            columns=lost,
        )
    files = read_version(table, snapshot.delta_version).files
    veil = veil_of(None, [protection], contract, product, port)
    return scan_of(files, contract, named=True, veil=veil).lazy()
