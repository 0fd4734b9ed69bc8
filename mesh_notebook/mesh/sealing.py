"""How a protected port's rows lie in its table, so that the files alone give nothing away.

A masked column holds, under its own name, what everybody may see. Beside it `_sealed_<column>`
holds the value itself, encrypted, where somebody may see it. So a reader who may see the mask alone
needs no key, pays nothing, and has nothing in the process that could be talked out of it. Rows that
not everybody may see lie in files of their own, told apart by `_rows`: a reader who may not see
them does not open them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.keys import key_of
from mesh_notebook.mesh.masking import keyless, plain, refuse_unfit
from mesh_notebook.mesh.predicates import columns_in, predicate
from mesh_notebook.mesh.pseudonyms import keys_of, renewals
from mesh_notebook.mesh.vault import Vault
from mesh_notebook.model.policy import Mask, PortPolicy, RowFilter

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = [
    "ROWS",
    "SUBJECT",
    "Protection",
    "arranged",
    "fingerprint",
    "is_own",
    "protected",
    "row_key",
    "sealed_name",
]

ROWS = "_rows"
# What a row carries in place of its subject, of which each has a key of its own.
SUBJECT = "_subject"
_SEALED = "_sealed_"


def sealed_name(column: str) -> str:
    return f"{_SEALED}{column}"


def is_own(column: str) -> bool:
    """Whether a column of a table is the store's, and not the port's."""
    return column in (ROWS, SUBJECT) or column.startswith(_SEALED)


@dataclass(frozen=True)
class Protection:
    """How the rows of one snapshot are protected at rest; its receipt keeps it.

    Attributes
    ----------
    masks : dict
        By column: the mask that it was stored with, as the policy writes it.
    sealed : tuple of str
        Columns whose values are kept, encrypted.
    rows : tuple of str
        The row filters, in the order of the digits of `_rows`, of which `1` means that it is true.
    subject : str
        The column whose value has a key of its own, if there is one.
    key : str
        The fingerprint of the product's key, where it takes one.
    renewed : dict
        By shared key, how many tokens under it were forgotten by then; nothing where that is none.
        A log is protected anew where there are more since, lest one bore two tokens in it.
    """

    masks: dict[str, dict[str, Any]]
    sealed: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    subject: str = ""
    key: str = ""
    renewed: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.masks or self.rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The store's own columns in the files, all of them bytes."""
        return (*map(sealed_name, self.sealed), *((SUBJECT,) if self.subject else ()))

    @classmethod
    def of(cls, policy: PortPolicy, contract: Contract, product: str = "") -> Protection:
        """Return the protection that a policy asks for; raises `UsageError` where it cannot be.

        With a product's URN also the fingerprint of its key, which must be here.
        """
        for mask in policy.masks:
            refuse_unfit(mask, contract)
        _refuse_taken(contract)
        rows = tuple(dict.fromkeys(rule.where for rule in policy.rows))
        # What a filter looks at is kept, lest a correction of it alone went unseen.
        looked_at = frozenset[str]().union(*(columns_in(where, contract) for where in rows))
        sealed = [m.column for m in policy.masks if m.exempt or m.column in looked_at]
        for where in rows:
            predicate(where, contract)
        masks = {mask.column: mask.as_dict() for mask in policy.masks}
        made = cls(masks, tuple(sealed), rows, policy.subject if masks else "")
        if not product:
            return made
        shared = {mask.key for mask in policy.masks if mask.key}
        counts = {name: renewals(name) for name in sorted(shared)}
        made = replace(made, renewed={name: count for name, count in counts.items() if count})
        return replace(made, key=fingerprint(product)) if made.takes_key else made

    @property
    def takes_key(self) -> bool:
        """Whether the product's own key is needed to protect rows so."""
        keyed = (Mask.from_dict(raw) for raw in self.masks.values())
        return bool(self.sealed or self.subject or any(m.keyed and not m.key for m in keyed))

    def shows_alike(self, column: str) -> bool:
        """Whether everybody sees which values of a column are equal, by its tokens."""
        return column in self.masks and Mask.from_dict(self.masks[column]).keyed

    def places(self, filters: Iterable[RowFilter]) -> tuple[int, ...]:
        """Return where the digits of those row filters stand that were known then."""
        return tuple(self.rows.index(rule.where) for rule in filters if rule.where in self.rows)

    def as_dict(self) -> dict[str, Any]:
        raw = asdict(self) if self else {}
        return {name: value for name, value in raw.items() if name != "renewed" or value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Protection:
        """Read back what `as_dict` gave; nothing of nothing."""
        return cls(
            dict(raw.get("masks", {})),
            tuple(raw.get("sealed", ())),
            tuple(raw.get("rows", ())),
            raw.get("subject", ""),
            raw.get("key", ""),
            dict(raw.get("renewed", {})),
        )


def protected(
    rows: pl.DataFrame, policy: PortPolicy, contract: Contract, product: str
) -> pl.DataFrame:
    """Return the rows as the table holds them; those of subjects that were erased are left out.

    The parameters and errors are those of `arranged`.
    """
    return arranged(rows, policy, contract, product)[1]


def arranged(
    rows: pl.DataFrame, policy: PortPolicy, contract: Contract, product: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows as they are and as the table holds them, both in the order of the table.

    Rows of subjects that were erased are left out.

    Parameters
    ----------
    rows : polars.DataFrame
        The contract's columns, as they are.
    product : str
        The product's URN, whose key it takes where something is keyed or sealed.

    Raises
    ------
    KeyMissing
        A key that it takes is not here.
    """
    import polars as pl

    protection = Protection.of(policy, contract)
    if not protection:
        return rows, rows
    own: list[pl.Series] = []
    vault = Vault(key_of(product) if protection.takes_key else None, policy.port)
    if protection.subject:
        rows, vault, own = _by_subject(rows, protection.subject, vault, product)
    shown = rows.with_columns(_shown(rows[mask.column], mask, vault) for mask in policy.masks)
    if protection.masks:
        order = _order(shown, contract)
        rows, shown = rows[order], shown[order]
        own = [one[order] for one in own]
        vault = replace(vault, subjects=None if vault.subjects is None else vault.subjects[order])
    key = row_key(shown, contract.key)
    if own:
        beside = None if protection.shows_alike(protection.subject) else key
        own = [replace(vault, subjects=None).sealed(own[0], beside)]
    for name in protection.sealed:
        alike = protection.shows_alike(name)
        sealed = vault.sealed(rows[name], None if alike else key)
        own.append(sealed.alias(sealed_name(name)))
    if protection.rows:
        true = [predicate(where, contract).fill_null(False) for where in protection.rows]
        digits = pl.concat_str(one.cast(pl.Int8).cast(pl.String) for one in true)
        own.append(rows.with_columns(digits.alias(ROWS))[ROWS])
    return rows, shown.with_columns(*own)


def row_key(shown: pl.DataFrame, key: Sequence[str]) -> pl.Series | None:
    """Return what tells a row from all others, as everybody sees it; None of no key."""
    import polars as pl

    if not key:
        return None
    # Each part with its length, so that no other key reads the same.
    sizes = [pl.col(name).str.len_bytes().cast(pl.String) for name in key]
    parts = [
        pl.concat_str(size, pl.lit(":"), pl.col(name)).fill_null("-")
        for size, name in zip(sizes, key, strict=True)
    ]
    texts = pl.DataFrame([plain(shown[name]) for name in key])
    return texts.select(pl.concat_str(parts)).to_series()


def _order(shown: pl.DataFrame, contract: Contract) -> pl.Series:
    """Return an order of rows that follows from what everybody sees, and from nothing else.

    In that of the transform they may be sorted by a value that is hidden.
    """
    import polars as pl

    when = [contract.event_time] if contract.event_time else []
    flat = [name for name, dtype in shown.schema.items() if not dtype.is_nested()]
    by = list(dict.fromkeys((*when, *(contract.key or flat))))
    return shown.select(pl.arg_sort_by(by) if by else pl.int_range(pl.len())).to_series()


def _refuse_taken(contract: Contract) -> None:
    """Raise `UsageError` where a column has a name that the store needs for itself."""
    if taken := [column.name for column in contract.columns if is_own(column.name)]:
        raise UsageError(
            f"'{contract.name}' has a column '{taken[0]}', a name that the store keeps for itself.",
            next_step="give the column another name",
            column=taken[0],
        )


def _shown(values: pl.Series, mask: Mask, vault: Vault) -> pl.Series:
    if not mask.keyed:
        return keyless(values, mask)
    if not mask.key:
        return vault.masked(values, mask)
    # It is to join with what others publish of the same value, and so it is under no subject's key.
    texts = plain(values)
    keys = keys_of(mask.key, texts.drop_nulls().unique().to_list())
    joins = replace(vault, subjects=None if keys is None else texts, keys=keys or {})
    return joins.masked(values, mask, key_of(mask.key))


def fingerprint(name: str) -> str:
    """Return what tells a key from another one, and nothing else of it."""
    return key_of(name).derived("fingerprint")[:8].hex()


def _by_subject(
    rows: pl.DataFrame, column: str, vault: Vault, product: str
) -> tuple[pl.DataFrame, Vault, list[pl.Series]]:
    """Return the rows of who was not erased, a vault of their keys, and what rows carry of it."""
    import polars as pl

    from mesh_notebook.mesh.erasure import Subjects

    names = plain(rows[column])
    subjects = Subjects(product, column).known(names.drop_nulls().unique().to_list())
    erased = [name for name, subject in subjects.items() if subject is None]
    stay = ~names.is_in(erased).fill_null(False)
    rows, names = rows.filter(stay), names.filter(stay)
    known = {name: subject for name, subject in subjects.items() if subject}
    references = pl.DataFrame(
        {"name": list(known), SUBJECT: [reference for reference, _ in known.values()]},
        schema={"name": pl.String, SUBJECT: pl.Binary},
    )
    carried = names.to_frame("name").join(references, "name", "left", maintain_order="left")
    keys = {name: key for name, (_, key) in known.items()}
    return rows, replace(vault, subjects=names, keys=keys), [carried[SUBJECT]]
