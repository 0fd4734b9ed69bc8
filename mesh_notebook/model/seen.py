"""What was seen of the rows that a contract was read off, kept apart from what it demands.

A column's custom property `seen` says it: nothing holds rows to it, and mocks are made by it. It is
no part of what a release means, since the next rows show something else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any

from mesh_notebook.model.column import Column
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import custom, listed, set_custom

__all__ = [
    *("LARGE", "LEAST_REPEATS", "MOST_LISTED", "as_seen", "demanded", "demanded_in_words"),
    *("differs", "free", "keep_no_values", "keep_seen", "may_be_listed", "seen_in_words"),
    *("seen_of", "unseen"),
]

# Rows from which on it tells something of the next ones that a column was never null, or never held
# a value twice. By the rule of three, what happens in more than one of 333 rows would have been
# seen among 1,000 with a probability of 95 %; of 791 such columns of published data sets, two held
# a null among the next 1,000 rows, and of 2,734 in 100 rows, 83. The limits of a column are left
# by a third of them at any number of rows, and its list of values by a tenth: so these are never
# demanded unasked.
LARGE = 1_000

MOST_LISTED = 30  # a column with more distinct texts is no enumeration
LEAST_REPEATS = 5  # rows for each distinct text, so that the list is likely whole
_LONGEST = 40
_MOST_WORDS = 4

_NAME = "seen"
_DIGITS = 6  # significant, of a limit that is demanded
_SHOWN = 6  # how many values are written out
_UNSTABLE = re.compile(r"[^A-Za-z0-9_-]")
_OF_NO_VALUE = frozenset(("required", "unique", "different"))
_LIMITED = ("logicalTypeOptions", "quality", "unique")


def keep_seen(column: dict[str, Any], seen: Mapping[str, Any]) -> None:
    """Say in a column, in place, what was seen of it; nothing where that is nothing."""
    if seen:
        set_custom(column, _NAME, dict(seen))


def seen_of(column: dict[str, Any]) -> dict[str, Any]:
    """Return what was seen of a column, given as ODCS writes one.

    `required` and `unique` where it is so, `minimum` and `maximum`, and `values`: all that there
    were. `different` says that no value came twice, of too few to call the column unique.
    """
    seen = custom(column, _NAME)
    return dict(seen) if isinstance(seen, Mapping) else {}


def differs(column: dict[str, Any]) -> bool:
    """Whether no value of a column was seen to come twice, of however few."""
    return not {"unique", "different"}.isdisjoint(seen_of(column))


def demanded(contract: Contract, columns: Collection[str] | bool = True) -> Contract:
    """Return a contract that demands what was seen: of all its columns, or of some.

    Raises
    ------
    UnknownName
        A column that it does not have, with near misses.
    """
    if columns is True:
        columns = [column.name for column in contract.columns]
    wanted = {contract.column(name).name for name in columns or ()}
    if not wanted:
        return contract
    raw = contract.edited()
    for column in listed(raw["schema"][0], "properties"):
        if column["name"] in wanted:
            _demand(column)
    return Contract(raw, contract.where, contract.warnings)


def as_seen(contract: Contract) -> Contract:
    """Return a contract as mocks are made of it: what was seen holds where nothing is demanded.

    A column with limits or hints of its own is as these say. One that means a column of another
    product has its keys, whatever range of them was seen.
    """
    if not any(seen_of(column.raw) for column in contract.columns):
        return contract
    raw = contract.edited()
    for column in (c for table in listed(raw, "schema") for c in listed(table, "properties")):
        if not (custom(column, "mock") or any(column.get(name) for name in _LIMITED)):
            _demand(column)
            if Column(column).link:
                column.pop("logicalTypeOptions", None)
    return Contract(raw, contract.where, contract.warnings)


def unseen(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contract's document less what was seen; any other document as it is."""
    made = dict(document)
    if isinstance(made.get("schema"), list):
        made["schema"] = [_table_unseen(table) for table in made["schema"]]
    return made


def _table_unseen(table: Any) -> Any:
    if not isinstance(table, Mapping) or not isinstance(table.get("properties"), list):
        return table
    return {**table, "properties": [_column_unseen(one) for one in table["properties"]]}


def _column_unseen(column: Any) -> Any:
    if not isinstance(column, dict) or custom(column, _NAME) is None:
        return column
    made = dict(column)
    _forget(made)
    return made


def keep_no_values(column: dict[str, Any]) -> None:
    """Take out of what was seen of a column, in place, all that tells a value."""
    seen = {name: value for name, value in seen_of(column).items() if name in _OF_NO_VALUE}
    _forget(column)
    keep_seen(column, seen)


def _forget(column: dict[str, Any]) -> None:
    """Take out of a column, in place, what was seen of it."""
    kept = [e for e in listed(column, "customProperties") if e.get("property") != _NAME]
    column.pop("customProperties", None)
    if kept:
        column["customProperties"] = kept


# ---- what was seen, as demands -----------------------------------------------------------------


def _demand(column: dict[str, Any]) -> None:
    """Turn what was seen of a column into what it demands, in place."""
    seen = seen_of(column)
    if not seen:
        return
    _forget(column)
    for name in ("required", "unique"):
        if seen.get(name):
            column[name] = True
    outward = {"minimum": ROUND_FLOOR, "maximum": ROUND_CEILING}
    if limits := {k: _rounded(seen[k], way) for k, way in outward.items() if k in seen}:
        column["logicalTypeOptions"] = {**limits, **(column.get("logicalTypeOptions") or {})}
    if (values := seen.get("values")) and Column(column).values is None:
        column["quality"] = [*listed(column, "quality"), _one_of(column["name"], values)]


def _rounded(limit: Any, outward: str) -> Any:
    """Round a demand away from the values: the last bits of a mean differ from run to run."""
    if not isinstance(limit, float) or not math.isfinite(limit) or limit == int(limit):
        return limit
    with localcontext(Context()):  # the notebook may have set a precision of its own
        exact = Decimal(limit)  # which is not quite what its digits say
        return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1), outward))


def _one_of(name: str, values: list[str]) -> dict[str, Any]:
    return {
        "id": _UNSTABLE.sub("_", f"{name}_values"),  # ODCS: letters, digits, '-' and '_'
        "type": "library",
        "metric": "invalidValues",
        "description": f"{name} is one of {len(values)} known values",
        "dimension": "conformity",
        "arguments": {"validValues": values},
        "mustBe": 0,
    }


# ---- words -------------------------------------------------------------------------------------


def demanded_in_words(column: Column) -> str:
    """Say what a contract demands of a column besides its type."""
    words = [word for word in ("required", "unique") if getattr(column, word)]
    options = column.options
    words += _limits(options)
    if values := column.values:
        words.append(f"one of {_listed(values)}")
    words += [f"{k} {v}" for k, v in options.items() if k not in ("minimum", "maximum")]
    return "; ".join(words)


def seen_in_words(column: Column) -> str:
    """Say what was seen of a column, of which nothing is demanded."""
    return "; ".join(_seen(seen_of(column.raw)))


def _seen(seen: Mapping[str, Any]) -> Iterator[str]:
    if seen.get("required"):
        yield "never null"
    if seen.get("unique"):
        yield "no value twice"
    yield from _limits(seen)
    if values := seen.get("values"):
        yield _listed(values)


def _limits(options: Mapping[str, Any]) -> list[str]:
    """Return `0 … 9` where there is a least or a greatest value."""
    low, high = options.get("minimum"), options.get("maximum")
    if low is None and high is None:
        return []
    return [f"{'' if low is None else low} … {'' if high is None else high}".strip()]


def _listed(values: list[Any]) -> str:
    more = f", and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(map(str, values[:_SHOWN])) + more


# ---- lists -------------------------------------------------------------------------------------


def may_be_listed(distinct: int, rows: int, longest: int) -> bool:
    """Whether so many different texts in so many rows, none longer than that, may be a list."""
    few = distinct <= MOST_LISTED and distinct * LEAST_REPEATS <= rows
    return few and 0 < longest <= _LONGEST


def free(values: Sequence[str]) -> bool:
    """Whether texts look written by people, not picked from a list."""
    return any(len(v.split()) > _MOST_WORDS or not v.strip() for v in values)
