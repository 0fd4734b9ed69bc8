"""Policies: what an output port executes at every read, as its product declares it.

They stand in the product's custom property `policies`, a list with one mapping a port:

```yaml
- port: listeners
  access: {roles: [analyst], purposes: [research], standIn: true}
  masks: [{column: email, mask: tokenise, except: [privacy-officer]}]
  rows: [{where: "country = 'DE'", except: [auditor]}]
  subject: user_id
  erasers: [privacy-officer]
  aggregates: 20
  declassified: [{column: uid, of: ['urn:…#uid'], because: 'counsel agreed', by: ana}]
  privacy: {subject: user_id, budget: 10.0, rowsEach: 5, bounds: {minutes: [0, 1440]},
            keys: {country: [DE, FR]}, except: [privacy-officer]}
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.errors import SpecError
from mesh_notebook.model.declassified import Declassified
from mesh_notebook.model.policy_words import either, except_for, names, refuse_unknown
from mesh_notebook.model.privacy import Privacy
from mesh_notebook.model.product import Product

__all__ = [
    "MASKS",
    "Access",
    "Asker",
    "Mask",
    "PortPolicy",
    "Principal",
    "Privacy",
    "RowFilter",
]

# How a column may be masked. The last two are keyed: equal values stay equal, so that they join.
MASKS = ("redact", "null", "truncate", "generalise", "tokenise", "encrypt")


@dataclass(frozen=True)
class Asker:
    """Who asks, before the mesh has said which roles it has: all of those that it was granted.

    Without a purpose, that of the environment counts (see `mesh.grants.principal_of`).
    """

    name: str
    purpose: str = ""


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes
    ----------
    name : str
    purpose : str
        What for; a policy may allow a port for some purposes only.
    roles : frozenset of str
        What the mesh granted the name. Who asks may leave roles aside, and never add one.
    """

    name: str
    purpose: str = ""
    roles: frozenset[str] = frozenset()

    def is_one_of(self, roles: Iterable[str]) -> bool:
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True)
class Access:
    """Who may read a port: anyone with one of the roles, for one of the purposes.

    Where no role or no purpose is named, any will do. `stand_in` says that who may not read the
    rows may have made-up ones of their shape, and not of the contract alone; `closed` that no
    figure of the rows is told to all: where they are rows that an input hides.
    """

    roles: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    stand_in: bool = False
    closed: bool = False


@dataclass(frozen=True)
class Mask:
    """What everybody but the exempt roles sees in place of a column's values.

    Attributes
    ----------
    kind : str
        One of `MASKS`.
    exempt : tuple of str
        Roles that see the values as they are. None: nobody does, and the values are not kept.
    to : str
        Of `generalise`: the width of a band (`10`), or the unit of a time (`day`, `month`).
    keep : int
        Of `truncate`: how many characters stay.
    groups : dict
        Of `generalise`: by region, the places in it; a place of none becomes null.
    key : str
        Of `tokenise` and `encrypt`: the name of the key; empty means the product's own. Products
        that name one key have tokens that join.
    aggregates : int
        From how many rows on an aggregate of the values is open to all; 0: it never is.
    """

    column: str
    kind: str
    exempt: tuple[str, ...] = ()
    to: str = ""
    keep: int = 0
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: str = ""
    aggregates: int = 0

    @property
    def keyed(self) -> bool:
        return self.kind in ("tokenise", "encrypt")

    def said(self) -> str:
        """Say it in words: `email is shown as a keyed token, except to privacy-officer`."""
        how = {
            "redact": "is redacted",
            "null": "is left out",
            "truncate": f"shows its first {self.keep} characters",
            "generalise": f"is generalised to {self._steps()}",
            "tokenise": "is shown as a keyed token, the same for the same value",
            "encrypt": "is shown encrypted, the same for the same value",
        }[self.kind]
        return f"{self.column} {how}{except_for(self.exempt)}{_of_groups(self.aggregates)}"

    def _steps(self) -> str:
        if not self.to:
            return "regions"
        return f"bands of {self.to}" if self.to[0].isdigit() else f"the {self.to}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as the policy writes it."""
        raw = {"column": self.column, "mask": self.kind, "except": list(self.exempt)}
        groups = {region: list(places) for region, places in self.groups.items()}
        more = {"to": self.to, "keep": self.keep, "groups": groups, "key": self.key}
        more |= {"aggregates": self.aggregates}
        return {name: value for name, value in {**raw, **more}.items() if value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Mask:
        """Read back what `as_dict` gave; raises `ValueError` or `KeyError` where it is no mask."""
        words = ("column", "mask", "except", "to", "keep", "groups", "key", "aggregates")
        refuse_unknown(raw, *words)
        kind, groups = str(raw["mask"]), raw.get("groups") or {}
        if kind not in MASKS:
            raise ValueError(f"the mask '{kind}' is none of {', '.join(MASKS)}")
        return cls(
            str(raw["column"]),
            kind,
            names(raw.get("except")),
            str(raw.get("to") or ""),
            int(raw.get("keep") or 0),
            {str(region): names(places) for region, places in groups.items()},
            str(raw.get("key") or ""),
            int(raw.get("aggregates") or 0),
        )


@dataclass(frozen=True)
class RowFilter:
    """Which rows everybody but the exempt roles sees: those of which `where`, in SQL, is true."""

    where: str
    exempt: tuple[str, ...] = ()

    def said(self) -> str:
        return f"only rows where {self.where}{except_for(self.exempt)}"

    def as_dict(self) -> dict[str, Any]:
        raw = {"where": self.where, "except": list(self.exempt)}
        return {name: value for name, value in raw.items() if value}


@dataclass(frozen=True)
class PortPolicy:
    """All that one port executes; empty where nothing is declared.

    Attributes
    ----------
    subject : str
        The column whose value can be erased from all snapshots (see `mesh.erasure`).
    erasers : tuple of str
        Roles that may erase, besides who deployed last; where none is named, those that see the
        subject as it is.
    aggregates : int
        From how many of its rows on an aggregate is open to all, who reads what is made of the
        port; 0: it never is. A mask says it of its own column.
    declassified : tuple of Declassified
        What inputs hide, and this port shows on purpose.
    """

    port: str
    access: Access = Access()
    masks: tuple[Mask, ...] = ()
    rows: tuple[RowFilter, ...] = ()
    subject: str = ""
    privacy: Privacy | None = None
    aggregates: int = 0
    declassified: tuple[Declassified, ...] = ()
    erasers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != PortPolicy(self.port)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that it names, whatever for."""
        exempt = {role for mask in self.masks for role in mask.exempt}
        exempt |= {role for rule in self.rows for role in rule.exempt}
        private = self.privacy.exempt if self.privacy else ()
        return frozenset({*exempt, *self.access.roles, *private, *self.erasers})

    @property
    def closed(self) -> bool:
        """Whether no exact figure of its rows is told to all."""
        return self.privacy is not None or self.access.closed

    def mask(self, column: str) -> Mask | None:
        """Return the mask of a column, if it has one."""
        return next((mask for mask in self.masks if mask.column == column), None)

    @classmethod
    def of(cls, product: Product, port: str) -> PortPolicy:
        """Return a port's policy.

        Raises
        ------
        SpecError
            It says what no policy can: nothing is read of such a port.
        """
        try:
            raws = _by_port(product)
            return _parsed(port, raws[port]) if port in raws else cls(port)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SpecError(
                f"the policy of '{port}' in {product.where} is not one: {error}",
                next_step="set it again with %mesh protect, and deploy",
                port=port,
            ) from None

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> PortPolicy:
        """Read back what `as_dict` gave; raises `ValueError` or `KeyError` where it is none."""
        return _parsed(str(raw["port"]), raw)

    def said(self) -> tuple[str, ...]:
        """Say the policy in words, one sentence a rule."""
        lines = []
        if self.access.roles:
            lines.append(f"may be read by {either(self.access.roles)}")
        if self.access.purposes:
            lines.append(f"may be read for {either(self.access.purposes)}")
        if self.access.stand_in:
            lines.append("has a synthetic stand-in for those who may not read it")
        if self.privacy:
            lines.append(self.privacy.said())
        lines += [rule.said() for rule in self.rows]
        lines += [mask.said() for mask in self.masks]
        if self.subject:
            by = f" by {either(self.erasers)}" if self.erasers else ""
            lines.append(f"each {self.subject} can be erased from all snapshots{by}")
        if self.aggregates:
            lines.append(f"its aggregates of {self.aggregates} rows or more are open to all")
        lines += [one.said() for one in self.declassified]
        return tuple(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return it as the product's `policies` hold it; only what is set."""
        access = {
            "roles": list(self.access.roles),
            "purposes": list(self.access.purposes),
            "standIn": self.access.stand_in,
            "closed": self.access.closed,
        }
        raw = {
            "access": {name: value for name, value in access.items() if value},
            "masks": [mask.as_dict() for mask in self.masks],
            "rows": [rule.as_dict() for rule in self.rows],
            "subject": self.subject,
            "privacy": self.privacy.as_dict() if self.privacy else {},
            "aggregates": self.aggregates,
            "declassified": [one.as_dict() for one in self.declassified],
            "erasers": list(self.erasers),
        }
        return {"port": self.port, **{name: value for name, value in raw.items() if value}}


def _by_port(product: Product) -> dict[str, Mapping[str, Any]]:
    # A policy that no port finds protects none, whatever it was meant for.
    raws: dict[str, Mapping[str, Any]] = {raw["port"]: raw for raw in product.policies}
    if len(raws) < len(product.policies):
        raise ValueError("a port has two policies")
    if unknown := sorted(set(raws) - {output.name for output in product.outputs}):
        raise ValueError(f"there is no port '{unknown[0]}'")
    return raws


def _parsed(port: str, raw: Mapping[str, Any]) -> PortPolicy:
    own = ("port", "access", "masks", "rows", "subject", "privacy", "aggregates", "declassified")
    refuse_unknown(raw, *own, "erasers")
    access, privacy = raw.get("access") or {}, raw.get("privacy")
    refuse_unknown(access, "roles", "purposes", "standIn", "closed")
    masks = tuple(Mask.from_dict(one) for one in raw.get("masks") or ())
    if len({mask.column for mask in masks}) < len(masks):
        raise ValueError("a column has two masks")
    return PortPolicy(
        port,
        Access(
            names(access.get("roles")),
            names(access.get("purposes")),
            bool(access.get("standIn", False)),
            bool(access.get("closed", False)),
        ),
        masks,
        tuple(_row_filter(one) for one in raw.get("rows") or ()),
        str(raw.get("subject") or ""),
        Privacy.from_dict(privacy) if privacy else None,
        int(raw.get("aggregates") or 0),
        tuple(Declassified.from_dict(one) for one in raw.get("declassified") or ()),
        names(raw.get("erasers")),
    )


def _of_groups(least: int) -> str:
    return f", in aggregates of {least} rows or more open to all" if least else ""


def _row_filter(raw: Mapping[str, Any]) -> RowFilter:
    refuse_unknown(raw, "where", "except")
    return RowFilter(str(raw["where"]), names(raw.get("except")))
