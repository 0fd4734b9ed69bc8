"""Settings of the whole process: whatever runs after one is set may depend on it."""

from __future__ import annotations

import ast
from collections.abc import Callable

from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = ["OF_OPERATORS", "PROCESS", "sets_process"]

PROCESS = "<process>"  # the name under which such a setting is written, and read by all
_SETTERS = words("codecs.register codecs.register_error locale.setlocale copyreg.pickle")
_FILTERS = words("warnings.simplefilter warnings.filterwarnings")
# Libraries whose settings count where no name of theirs is read: `a / b` of two decimals.
OF_OPERATORS = frozenset({"decimal"})
_QUIET = words("ignore default always module once")  # these change what is told, not what is made


def sets_process(node: ast.AST | None, origin_of: Callable[[str], str]) -> bool:
    """Return whether a statement sets something of the whole process.

    Parameters
    ----------
    origin_of : callable
        Returns the full name of what a path stands for, such as `warnings.simplefilter`.
    """
    if node is None:
        return False
    return any(isinstance(part, ast.Call) and _sets(part, origin_of) for part in ast.walk(node))


def _sets(call: ast.Call, origin_of: Callable[[str], str]) -> bool:
    path = dotted(call.func)
    origin = origin_of(path) if path else ""
    if origin not in _FILTERS:
        return origin in _SETTERS or _registers(origin)
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "action")]
    quiet = [value for value in given if isinstance(value, ast.Constant) and value.value in _QUIET]
    return not quiet


def _registers(origin: str) -> bool:
    """Return whether it adds a name to all frames, as `pl.api.register_expr_namespace` does."""
    library, name = origin.partition(".")[0], origin.rpartition(".")[2]
    return library in ("pandas", "polars") and name.startswith("register_")
