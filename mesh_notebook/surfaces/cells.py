"""How IPython takes a cell of ours: one without a body, and one with several `%mesh` lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

__all__ = ["unseen_lines", "with_body"]

_SHOWS_BY_ITSELF = ("all", "none")


def with_body(lines: list[str]) -> list[str]:
    """Give a `%%mesh` line that stands alone an empty body, so that the verb says what is missing.

    IPython refuses a cell magic without one before we are asked, and advises the line magic.
    """
    if lines and lines[0].split()[:1] == ["%%mesh"] and not "".join(lines[1:]).strip():
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def unseen_lines(code: str, interactivity: str) -> frozenset[int]:
    """Return the lines of `%mesh` magics whose answer IPython would show nobody.

    Parameters
    ----------
    code : str
        A cell as Python: magics turned into calls.
    interactivity : str
        The shell's `ast_node_interactivity`; by default the last expression alone is shown.
    """
    if interactivity in _SHOWS_BY_ITSELF:
        return frozenset()
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return frozenset()
    unseen = [one for one in _statements(body) if _is_ours(one) and one is not body[-1]]
    return frozenset(line for one in unseen for line in _lines(one))


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a cell, those in its loops and branches too; of no function."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, part, ()))
        for inner in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(inner.body)


def _is_ours(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(attr="run_line_magic"), [ast.Constant("mesh"), *_])):
            return True
    return False


def _lines(statement: ast.stmt) -> range:
    return range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
