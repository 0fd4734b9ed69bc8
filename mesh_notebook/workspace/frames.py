"""Names and frames: which frame a name means, in Python and in SQL."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, SourceError, UnknownName, UsageError, near
from mesh_notebook.explore.from_pandas import as_frame, in_pandas, is_pandas, refuse_unkept, unread
from mesh_notebook.export.record import is_own_name
from mesh_notebook.model.address import checked_identifier
from mesh_notebook.model.contract import Contract

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.workspace.session import Session

__all__ = [
    "bindable",
    "bindable_input",
    "declarable",
    "is_frame",
    "kept",
    "lazy",
    "named",
    "query",
]

# Frames are known by the modules that define them, so that asking imports none of them.
_FRAMES = (
    ("polars", "LazyFrame"),
    ("polars", "DataFrame"),
    ("pandas", "DataFrame"),
    ("pyarrow", "Table"),
    ("duckdb", "DuckDBPyRelation"),
)


def is_frame(value: object) -> bool:
    """Return whether a value is a table: Polars, pandas, Arrow or a DuckDB relation."""
    for module, name in _FRAMES:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(value, kind):
            return True
    return False


def named(frame: Any, namespace: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the name and the value of a frame that was given by either.

    Raises
    ------
    UnknownName
        No frame of that name; near misses are named.
    UsageError
        A frame that no name is bound to, so that no export could say how it came to be.
    """
    if not isinstance(frame, str):
        name = next((n for n, v in namespace.items() if v is frame and is_own_name(n)), "")
        if not is_frame(frame):
            raise UsageError(
                f"what was given is of type {type(frame).__name__}, and no frame.",
                next_step=as_frame(name, frame)
                or "give a Polars frame, a pandas frame, or the name of one",
            )
        if not name:
            raise UsageError(
                "the frame has no name yet.", next_step="bind it first: delays = …, then use delays"
            )
        return name, frame
    known = [n for n, v in namespace.items() if is_own_name(n) and is_frame(v)]
    if frame in known:
        return frame, namespace[frame]
    close = near(frame, known)
    hint = f"did you mean {', '.join(close)}?" if close else f"frames: {', '.join(known) or 'none'}"
    if frame in namespace:
        problem = f"'{frame}' is of type {type(namespace[frame]).__name__}, and no frame."
        hint = as_frame(frame, namespace[frame]) or hint
    else:
        problem = f"there is no frame '{frame}'."
    raise UnknownName(problem, next_step=hint, name=frame, near=close)


def bindable(session: Session, name: str) -> str:
    """Return a name that a verb may bind; one that means something else already is not taken over.

    A frame under that name is what the verb replaces, as a cell that is run again does.

    Raises
    ------
    UsageError
        It is no Python name, or the notebook imported or defined something under it.
    """
    checked_identifier(name)
    value = session.namespace.get(name)
    ours = name in session.bound and not _is_code(value)
    if name not in session.namespace or ours or is_frame(value):
        return name
    free = f"{name}_"
    while free in session.namespace:
        free += "_"
    what = f"a {type(value).__name__}" if _is_code(value) else f"of type {type(value).__name__}"
    raise UsageError(
        f"'{name}' cannot be a Python name here: it is {what} in this notebook.",
        next_step=f"for example: {free}",
        name=name,
    )


def _is_code(value: object) -> bool:
    return isinstance(value, type | ModuleType) or hasattr(value, "__code__")


def declarable(name: str, value: Any) -> pl.LazyFrame:
    """Return a frame as a port would store it, so that a contract of it holds of what is read.

    Raises
    ------
    ContractError
        Storing would lose or change something of it: an index, a type, the digits of an instant.
    """
    from mesh_notebook.explore.from_polars import refuse_unfit
    from mesh_notebook.explore.refusals import check_columns
    from mesh_notebook.mesh.stored import as_stored, refuse_lost

    if is_pandas(value):
        refuse_unkept(name, value)
    frame = lazy(value, name)
    refuse_unfit(name, value, frame)
    try:
        check_columns(frame.collect_schema())
        refuse_lost(frame, f"`{name}`")
    except ContractError as error:
        raise as_typed(name, value, error) from None
    return as_stored(frame)


def as_typed(name: str, value: Any, error: ContractError) -> ContractError:
    """Return a refusal of a frame with its next step as a line for a frame of that kind."""
    from mesh_notebook.explore.from_polars import in_polars

    return in_pandas(name, error) if is_pandas(value) else in_polars(name, value, error)


def lazy(value: Any, name: str = "df") -> pl.LazyFrame:
    """Return any frame as a Polars lazy frame; messages call it by its name."""
    import polars as pl

    if isinstance(value, pl.LazyFrame):
        return value
    if isinstance(value, pl.DataFrame):
        return value.lazy()
    if is_pandas(value):
        try:
            return pl.from_pandas(value).lazy()
        # Of Arrow, in whose words nobody could tell which column is meant.
        except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
            raise unread(name, value, pl.from_pandas, error) from None
    from mesh_notebook.explore.from_polars import refuse_intervals

    refuse_intervals(name, value)
    return pl.DataFrame(value).lazy()  # Arrow, DuckDB: through the Arrow C stream


@contextmanager
def computed(name: str) -> Iterator[None]:
    """Turn what goes wrong while a frame is computed into one paragraph.

    A lazy frame fails where it is computed, not where it is written; so does a file that is gone.
    """
    from polars.exceptions import PolarsError

    try:
        yield
    except (PolarsError, OSError, ValueError) as error:
        raise ContractError(
            f"'{name}' cannot be computed: {(str(error).strip() or 'no reason').splitlines()[0]}",
            next_step=f"mend what makes '{name}'; {name}.collect() shows where it fails",
            name=name,
        ) from None


def bindable_input(session: Session, name: str) -> str:
    """Return a name that an input may have: one that a verb may bind, and that names files, too.

    Raises
    ------
    UsageError
        It may not be bound, or it has letters beyond ASCII.
    """
    if name.isidentifier() and not name.isascii():
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        raise UsageError(
            f"'{name}' cannot be the name of an input, which may hold a-z, digits and '_'.",
            next_step=f"for example: {plain if plain.isidentifier() else 'orders'}",
            name=name,
        )
    return bindable(session, name)


def check_mock_options(
    what: Any, like: bool, key: Any, breaking: str | None, namespace: Mapping[str, Any]
) -> None:
    """Refuse options of `mock` that would be without effect."""
    if is_frame(what) and not like:
        raise UsageError("that is a frame, not a contract.", next_step="like=True models a frame")
    if isinstance(what, str) and is_frame(namespace.get(what)) and not like:
        raise UsageError(
            f"'{what}' is a frame, not a contract.", next_step=f"%mesh mock {what} --like models it"
        )
    if like and breaking:
        raise UsageError(
            "a model of a frame has no contract to break.",
            next_step="leave out --break, or mock a contract",
        )
    if key and not like:
        raise UsageError(
            "a contract says its own key.", next_step="leave out --key; it goes with --like"
        )


def kept(value: Any) -> Any:
    """Return a frame as it is now, whatever is done to it later: what a proof compares with."""
    if type(value).__name__ == "DataFrame":
        return value.clone() if hasattr(value, "clone") else value.copy()
    return value if hasattr(value, "collect_schema") else lazy(value)


def query(
    workspace: Session, text: str, tables: Mapping[str, Any]
) -> tuple[dict[str, str], tuple[str, ...], pl.DataFrame]:
    """Run a query over the names of the moment.

    Returns
    -------
    used : dict
        The names that the query reads, as the record keeps them: SQL name to Python name.
    values : tuple of str
        The names whose values it takes as parameters.
    result : polars.DataFrame
    """
    from mesh_notebook.explore.sql import run_sql, tables_of
    from mesh_notebook.explore.sql_values import values_of

    workspace.forget_unbound()
    frames, used = dict(tables), {}
    known = [n for n, v in workspace.namespace.items() if is_own_name(n) and is_frame(v)]
    for table in tables_of(text, workspace.parser()):
        name = _meant(table, known)
        if table in frames or name is None:
            continue
        used[table] = name
        value, handle = workspace.namespace[name], workspace.handles.get(name)
        # An input that still has its own name is read through its view, files and all.
        twins = sum(other.lower() == name.lower() for other in known)
        if handle is None or value is not handle.frame or twins > 1:
            frames[table] = value
    values = values_of(text, workspace.namespace)
    result = run_sql(text, workspace.connection(), frames, known=known, values=values)
    return used, tuple(values), result


def _meant(table: str, known: list[str]) -> str | None:
    """Return the Python name that a table's name means; SQL does not tell upper case from lower."""
    if table in known:
        return table
    return next((name for name in known if name.lower() == table.lower()), None)


def contract_in(base: Path, path: str) -> Contract:
    """Read a contract file, whoever wrote it."""
    file = base / path
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        folder = file if file.is_dir() else file.parent
        beside = sorted(p.name for p in folder.glob("*.odcs.yaml"))
        hint = f"contracts there: {', '.join(beside)}" if beside else ""
        raise SourceError(
            f"the contract {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            next_step=hint or "give a file *.odcs.yaml, or --like to model a frame",
            path=path,
        ) from None
    return Contract.loads(text, path)
