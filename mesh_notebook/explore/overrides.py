"""The developer's word over the inferred contract, in ODCS terms, merged by name."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh_notebook.errors import SpecError
from mesh_notebook.model.contract import Contract

__all__ = ["merge"]

# Lists whose entries have names: an entry of the same name is changed, another is added.
_NAMED = {
    "customProperties": ("property",),
    "slaProperties": ("property", "element"),
    "quality": ("id", "name", "metric", "query"),
    "properties": ("name",),
    "servers": ("server",),
    "roles": ("role",),
}


def merge(contract: Contract, overrides: Mapping[str, Any]) -> Contract:
    """Return a contract with some of its fields overridden.

    Parameters
    ----------
    contract : Contract
    overrides : mapping
        Any field of an ODCS document. Columns stand under `properties`, as a mapping by name
        or as ODCS's list, at the top or under `schema`; what says nothing of the table's
        columns (`quality`, `description` under `schema`) is the table's. A null removes a
        field, an empty list a list.

    Raises
    ------
    UnknownName
        A column that the contract does not have, with near misses.
    SpecError
        What follows is no valid contract.
    """
    raw = contract.edited()
    given = copy.deepcopy(dict(overrides))
    tables = [given.pop("schema", None) or {}, {"properties": given.pop("properties", None) or {}}]
    _lay_over(raw, given)
    for table in tables:
        for fields in _of_table(table, contract):
            columns = fields.pop("properties", None) or {}
            _lay_over(raw["schema"][0], fields)
            _columns(contract, raw["schema"][0]["properties"], columns)
    return Contract(raw, contract.where).checked()


def _of_table(given: Any, contract: Contract) -> Iterator[dict[str, Any]]:
    """Yield what `schema` says of the one table: as ODCS's list, by name, or straight."""
    name = contract.table["name"]
    entries = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise SpecError(
                f"`schema` holds {entry!r}, which says nothing of a table.",
                next_step=f"write schema: [{{name: {name}, …}}]",
            )
        fields = dict(entry[name]) if isinstance(entry.get(name), Mapping) else dict(entry)
        if fields.setdefault("name", name) != name:
            raise SpecError(
                f"the contract has one table, '{name}', and none called '{fields['name']}'.",
                next_step=f"write schema: [{{name: {name}, …}}]",
                table=fields["name"],
            )
        yield fields


def _columns(contract: Contract, columns: list[dict[str, Any]], given: Any) -> None:
    by_name = {column["name"]: column for column in columns}
    for name, fields in _named_columns(given):
        contract.column(name)  # raises with near misses
        if not isinstance(fields, Mapping):
            raise SpecError(
                f"column '{name}' is given {fields!r}; its fields are a mapping.",
                next_step=f"write {name}: {{description: …}}",
                column=name,
            )
        _lay_over(by_name[name], fields)


def _named_columns(given: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(given, Mapping):
        yield from ((str(name), fields) for name, fields in given.items())
        return
    for fields in given if isinstance(given, Sequence) and not isinstance(given, str) else [given]:
        if not isinstance(fields, Mapping) or "name" not in fields:
            raise SpecError(
                f"`properties` holds {fields!r}, which names no column.",
                next_step="write properties: {COLUMN: {…}}, or a list of {name: COLUMN, …}",
            )
        yield str(fields["name"]), fields


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for name, value in above.items():
        standing = below.get(name)
        if value is None:
            below.pop(name, None)
        elif isinstance(standing, dict) and isinstance(value, Mapping):
            _lay_over(standing, value)
            if not standing:
                del below[name]
        elif name in _NAMED and value and isinstance(standing, list) and isinstance(value, list):
            _lay_list_over(standing, value, _NAMED[name])
        elif value == []:
            below.pop(name, None)
        else:
            below[name] = value


def _lay_list_over(below: list[Any], above: list[Any], keys: tuple[str, ...]) -> None:
    standing = [entry for entry in below if isinstance(entry, Mapping)]
    for entry in above:
        same = next((old for old in standing if _means(entry, old, keys)), None)
        if same is None:
            below.append(entry)
        else:
            standing.remove(same)
            below[below.index(same)] = entry


def _means(entry: Any, old: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Whether two entries of a list are of one name; a quality rule goes by any of its names."""
    if not isinstance(entry, Mapping):
        return False
    same = [entry.get(key) == old.get(key) for key in keys]
    return (
        any(s and key in entry for s, key in zip(same, keys, strict=True))
        if (keys == _NAMED["quality"])
        else all(same)
    )
