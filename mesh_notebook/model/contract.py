"""The contract of one output port: Bitol ODCS v3.1, read through, never narrowed.

The document itself is the truth (`Contract.raw`); everything here is a view of it, so what
this version does not know survives a load and a save.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mesh_notebook.errors import SpecError, UnknownName, near
from mesh_notebook.model.column import Column
from mesh_notebook.model.document import custom, digest, listed, parse_yaml, to_yaml
from mesh_notebook.model.odcs import ODCS_VERSION, as_v3_1, in_our_words, version_of
from mesh_notebook.model.platforms import dialect_of
from mesh_notebook.model.relationships import Reference, connected, references
from mesh_notebook.model.rule import Rule, rules_of
from mesh_notebook.model.standards import beyond, readable, unread, validate

__all__ = ["ODCS_VERSION", "Column", "Contract", "Rule", "Slo"]


@dataclass(frozen=True)
class Slo:
    """A promise in `slaProperties`: its property, value, unit and the element it is about.

    `gate` says that what breaks it is not published: the contract's custom property `gates`
    lists it, by its id or else by its property.
    """

    property: str
    value: Any
    unit: str = ""
    element: str = ""
    gate: bool = False


@dataclass(frozen=True)
class Contract:
    """The contract of one output port, or of one input.

    A contract of ours holds one schema object: the dataset that the port serves. Of a
    contract with several, the first is taken; `of_table` takes another.

    Attributes
    ----------
    raw : dict
        The document, as v3.1 says it.
    warnings : tuple of str
        What the document that was read has beyond its standard; it is kept.
    """

    raw: dict[str, Any] = field(repr=False)
    where: str = "the contract"
    warnings: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def loads(cls, text: str, where: str = "the contract") -> Contract:
        """Read an ODCS document of v2.2 to v3.2, whoever wrote it.

        Raises
        ------
        SpecError
            It is no contract, or says what is read here in a way that cannot be.
        """
        document, more = in_our_words(parse_yaml(text, where))
        family = version_of(document)
        if family is None:
            raise unread(document, where)
        raw = as_v3_1(document, family)
        # Of v2.2 every word is known, or kept: what is left over is told of v3.1.
        found = beyond(raw if family == "2.2" else document, where)
        return cls(raw, where, (*more, *found)).readable()

    @classmethod
    def known(cls, document: dict[str, Any], where: str) -> Contract:
        """Return the contract in a document that was held to its standard when it was written."""
        family = version_of(document)
        if family is None:
            raise unread(document, where)
        return cls(as_v3_1(document, family), where)

    def readable(self) -> Contract:
        """Return self if all that is read of it can be read; it may describe no dataset yet."""
        readable(self.raw, self.where)
        for table in self.tables:
            times = Counter(str(column["name"]) for column in listed(table, "properties"))
            if twice := sorted(name for name, count in times.items() if count > 1):
                raise SpecError(
                    f"{self.where} has two columns named '{twice[0]}'.", where=self.where
                )
        return self

    def checked(self) -> Contract:
        """Return self if it follows the standard to the letter, and has a dataset with columns.

        So is what we write; `loads` reads more.
        """
        validate(self.raw, self.where)
        return self.described().readable()

    def described(self) -> Contract:
        """Return self if it describes a dataset with columns; raises `SpecError`."""
        if not self.columns:
            raise SpecError(
                f"{self.where} describes no dataset.",
                next_step="give it a schema with at least one property",
                where=self.where,
            )
        return self

    def dumps(self) -> str:
        return to_yaml(self.raw)

    @property
    def digest(self) -> str:
        return digest(self.raw)

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or self.table.get("name") or self.id)

    @property
    def version(self) -> str:
        return str(self.raw["version"])

    @property
    def domain(self) -> str:
        return str(self.raw.get("domain") or "")

    @property
    def purpose(self) -> str:
        description = self.raw.get("description") or {}
        said = description.get("purpose") if isinstance(description, dict) else description
        return str(said or "")

    @property
    def owner(self) -> str:
        return _team_name(self.raw)

    @property
    def tables(self) -> tuple[dict[str, Any], ...]:
        """The schema objects, in their order; none where the contract is in the making."""
        return tuple(listed(self.raw, "schema"))

    @property
    def table(self) -> dict[str, Any]:
        """The schema object of the dataset; empty where there is none yet."""
        return next(iter(self.tables), {})

    def of_table(self, name: str) -> Contract:
        """Return the contract of one of its tables alone, tied to the others by URNs of columns."""
        if len(self.tables) == 1 and self.table["name"] == name:
            return self
        whole = connected(self.raw, f"{self.id}/{{}}")
        for table in listed(whole, "schema"):
            if table["name"] == name:
                raw = {**whole, "id": f"{self.id}/{name}", "name": name, "schema": [table]}
                return Contract(raw, self.where, self.warnings)
        known = [str(table["name"]) for table in self.tables]
        raise UnknownName(
            f"{self.where} describes no table '{name}'.",
            next_step=f"it describes {', '.join(known) or 'none yet'}",
            name=name,
            near=near(name, known),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns that mean columns of other tables of the contract."""
        return references(self.raw)

    @property
    def dialect(self) -> str:
        """The dialect in which its types and queries are written; empty where it says none."""
        return dialect_of(self.raw)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        dialect = self.dialect
        return tuple(Column(raw, dialect) for raw in listed(self.table, "properties"))

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        # The first of two of one name, which a document that is not checked may have.
        return {column.name: column for column in reversed(self.columns)}

    def column(self, name: str) -> Column:
        if name in self._by_name:
            return self._by_name[name]
        known = [column.name for column in self.columns]
        close = near(name, known)
        meant = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}"
        raise UnknownName(
            f"{self.name} has no column '{name}'.",
            next_step=meant,
            name=name,
            near=close,
        )

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns, in order; empty where there is none."""
        parts = [c for c in self.columns if c.raw.get("primaryKey")]
        parts.sort(key=lambda c: c.raw.get("primaryKeyPosition") or 0)
        return tuple(c.name for c in parts)

    @property
    def event_time(self) -> str | None:
        """The column that says when it happened: the table's custom property `eventTime`."""
        value = custom(self.table, "eventTime")
        return str(value) if value else None

    @property
    def slos(self) -> tuple[Slo, ...]:
        gates = custom(self.raw, "gates") or []
        return tuple(
            Slo(
                s["property"],
                s.get("value"),
                str(s.get("unit") or ""),
                str(s.get("element") or ""),
                (s.get("id") or s["property"]) in gates,
            )
            for s in listed(self.raw, "slaProperties")
            if s.get("property") and s.get("value") is not None
        )

    def slo(self, name: str) -> Slo | None:
        return next((slo for slo in self.slos if slo.property == name), None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule the frame must keep: the key's first, then each column's, then the table's."""
        rules = [Rule("key", None, list(self.key), "uniqueness")] if self.key else []
        for column in self.columns:
            rules.extend(column.rules())
        return (*rules, *rules_of(self.table, None))

    def edited(self) -> dict[str, Any]:
        """Return a deep copy of the document, for a caller who makes a changed contract."""
        return copy.deepcopy(self.raw)


def _team_name(raw: dict[str, Any]) -> str:
    team = raw.get("team")
    if isinstance(team, dict):
        return str(team.get("name") or "")
    members = listed(raw, "team")  # ODCS before 3.1 lists the members straight
    return ", ".join(str(m.get("name") or m.get("username")) for m in members)
