"""The first statement in which two modules do not mean the same, in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher

from mesh_notebook.mesh.identity.beginnings import inlined
from mesh_notebook.mesh.identity.code import queries_in, said_of, statements

__all__ = ["first_difference"]

_WIDTH = 72  # characters of a statement that are shown


def first_difference(old: bytes, new: bytes) -> str:
    """Say the first statement that changed: `line 12 says 'x = 2', and said 'x = 1'`.

    Nothing is said where one of them is no Python, or none changed.
    """
    try:
        then, now = (list(_said(inlined(ast.parse(text)))) for text in (old, new))
    except (SyntaxError, ValueError, RecursionError):
        return ""
    old_keys, new_keys = ([key for key, _ in side] for side in (then, now))
    matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
    for how, a, b, c, d in matcher.get_opcodes():
        if how != "equal":
            return _told([node for _, node in then[a:b]], [node for _, node in now[c:d]])
    return ""


def _said(module: ast.Module) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
    """Yield a module's statements, those of its functions one by one, each with what it says."""
    queries = queries_in(module)
    for node in statements(module.body):
        inner = statements(node.body) if isinstance(node, ast.FunctionDef) else []
        if inner:
            node.body = []
        yield from ((tuple(said_of(one, queries)), one) for one in (node, *inner))


def _told(then: list[ast.stmt], now: list[ast.stmt]) -> str:
    if not now:
        return f"'{_shown(then[0])}' is gone"
    where = f"line {now[0].lineno}"
    if not then:
        return f"{where} says '{_shown(now[0])}', which was not there"
    return f"{where} says '{_shown(now[0], then[0])}', and said '{_shown(then[0], now[0])}'"


def _shown(node: ast.stmt, other: ast.stmt | None = None) -> str:
    """Return a statement on one line; of a long one, where it begins to differ."""
    text = _line(node)
    if len(text) <= _WIDTH:
        return text
    alike = _alike(text, _line(other)) if other else 0
    start = max(min(alike - _WIDTH // 3, len(text) - _WIDTH), 0)
    cut = text[start : start + _WIDTH].strip()
    return f"{'…' * (start > 0)}{cut}{'…' * (start + _WIDTH < len(text))}"


def _alike(text: str, other: str) -> int:
    pairs = enumerate(zip(text, other, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(text), len(other)))


def _line(node: ast.stmt) -> str:
    return " ".join(ast.unparse(node).removesuffix(":").replace("\\n", " ").split())
