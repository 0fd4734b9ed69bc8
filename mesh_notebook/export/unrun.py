"""What a cell did not come to run, since the values of its rows made it fail.

`assert rows["delay"].max() > 100` stops a cell on these rows and lets it pass on others, where the
rest of the cell may bind and change names. A name that is misspelt, or a column that is not there,
stops it on all rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.record import ExecutedCell
from mesh_notebook.export.words import words

__all__ = ["failed_by_values", "may_run"]

# Errors that come of values, and of checks that a notebook makes of them.
_BY_VALUES = words(
    "builtins.AssertionError builtins.ValueError builtins.ArithmeticError builtins.IndexError "
    "builtins.StopIteration builtins.SystemExit builtins.RuntimeError builtins.NoneType "
    "polars.exceptions.ComputeError polars.exceptions.InvalidOperationError "
    "polars.exceptions.OutOfBoundsError polars.exceptions.ShapeError "
    "polars.exceptions.NoDataError polars.exceptions.RowsError "
    "duckdb.ConversionException duckdb.OutOfRangeException duckdb.ConstraintException "
    "duckdb.InvalidInputException"
)
_CHECKED = ("builtins.Exception", "builtins.BaseException")  # where somebody raises just that
_NEVER = words("builtins.NotImplementedError builtins.RecursionError")
_OWN = "__main__."


def failed_by_values(cell: ExecutedCell) -> bool:
    """Return whether what stopped a cell may be up to its values."""
    if not cell.error_line or not cell.failure or _NEVER & set(cell.failure):
        return False
    own = cell.failure[0].startswith(_OWN) or cell.failure[0] in _CHECKED
    return own or any(_named(name) in _BY_VALUES for name in cell.failure)


def _named(name: str) -> str:
    """Return the name of an error's class; of an engine's, without the part that defines it."""
    root, _, last = name.rpartition(".")
    return f"duckdb.{last}" if root.partition(".")[0] in ("_duckdb", "duckdb") else name


def may_run(cell: ExecutedCell, parsed: list[tuple[ast.stmt, str]]) -> Iterator[ast.stmt]:
    """Yield the statement that failed and those below it, imports and magics left out."""
    for node, _ in parsed:
        below = (node.end_lineno or node.lineno) >= (cell.error_line or 0)
        if below and not isinstance(node, ast.Import | ast.ImportFrom):
            yield node
