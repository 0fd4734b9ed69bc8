"""The parameters of a query: `$low` is the value of a Python name, which the engine binds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from mesh_notebook.errors import SqlError, near

__all__ = ["parameters_of", "values_of"]

_PLAIN = (bool, int, float, str, bytes, date, time, timedelta, Decimal, UUID)


def parameters_of(query: str) -> list[str]:
    """Return the names of a query's parameters; none where it is no single query."""
    import duckdb

    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error:  # running it says why
        return []
    return sorted(statements[0].named_parameters) if len(statements) == 1 else []


def values_of(query: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return by name the values that a query takes.

    Raises
    ------
    SqlError
        A parameter has no name, no such name is bound, or its value is none that SQL has.
    """
    return {name: _value(name, names, query) for name in parameters_of(query)}


def _value(name: str, names: Mapping[str, Any], query: str) -> Any:
    if not name.isidentifier():
        raise SqlError(
            "the query has a parameter without a name.",
            next_step="write $NAME, which is the value of the Python name",
            query=query,
        )
    if name not in names:
        own = {n for n in names if n.startswith("_")} | {"In", "Out"}  # IPython's
        plain = [n for n, v in names.items() if n not in own and _fits(v)]
        close = near(name, plain)
        raise SqlError(
            f"`${name}` has no value: no Python name `{name}` is bound.",
            next_step=f"did you mean ${close[0]}?" if close else f"bind it above: {name} = …",
            query=query,
            near=close,
        )
    value = _plain(names[name])
    if not _fits(value):
        raise SqlError(
            f"`${name}` is a {type(value).__name__}, and a parameter is one value or a list.",
            next_step=f"a frame is read by its name: FROM {name}"
            if hasattr(value, "columns")
            else f"bind a number, a text, a date or a list of these to {name}",
            query=query,
            parameter=name,
        )
    return value


def _plain(value: Any) -> Any:
    """Return a scalar of NumPy or pandas as Python has it."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    return value.item() if is_scalar else value


def _fits(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_fits, value))
    return value is None or isinstance(value, _PLAIN)
