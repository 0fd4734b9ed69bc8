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

# Errors that come of the code, on whatever rows; all others may come of their values.
_BY_CODE = words(
    "builtins.NameError builtins.SyntaxError builtins.ImportError builtins.KeyError "
    "builtins.AttributeError builtins.TypeError builtins.OSError builtins.NotImplementedError "
    "builtins.RecursionError builtins.MemoryError builtins.KeyboardInterrupt "
    "polars.exceptions.ColumnNotFoundError polars.exceptions.DuplicateError "
    "polars.exceptions.SchemaError polars.exceptions.SchemaFieldNotFoundError "
    "polars.exceptions.StructFieldNotFoundError polars.exceptions.SQLInterfaceError "
    "polars.exceptions.SQLSyntaxError mesh_notebook.errors.MeshError "
    "_duckdb.BinderException _duckdb.CatalogException _duckdb.ParserException "
    "_duckdb.SyntaxException _duckdb.IOException _duckdb.NotImplementedException"
)
_NOTHING = "builtins.NoneType"  # a value that is not there, which makes a `TypeError` say


def failed_by_values(cell: ExecutedCell) -> bool:
    """Return whether what stopped a cell may be up to its values."""
    if not cell.error_line or not cell.failure:
        return False
    own = cell.failure[0].startswith("__main__.")  # raised by whoever defines it
    return own or _NOTHING in cell.failure or _BY_CODE.isdisjoint(cell.failure)


def may_run(cell: ExecutedCell, parsed: list[tuple[ast.stmt, str]]) -> Iterator[ast.stmt]:
    """Yield the statement that failed and those below it, imports and magics left out."""
    for node, _ in parsed:
        below = (node.end_lineno or node.lineno) >= (cell.error_line or 0)
        if below and not isinstance(node, ast.Import | ast.ImportFrom):
            yield node
