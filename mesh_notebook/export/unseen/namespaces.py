"""Writing to the notebook's names without naming them: `globals()[key] = 5`, `__main__.x = 5`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Sequence

from mesh_notebook.export.draws import Ask
from mesh_notebook.export.process_settings import Origin
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.touches import Touch
from mesh_notebook.export.words import words

__all__ = ["names_reached", "names_written", "own_modules"]

_MAIN = "__main__"
# Attributes that are the names of a notebook: of a frame, a function, the shell.
_SPACES = words("f_globals f_locals __globals__ user_ns user_global_ns user_module")
_BUILTIN = words("globals vars locals")
_RUNNING = words("builtins.exec builtins.eval")
_LOADING = words("import_module __import__")
_OF_THE_SHELL = words("push ex ev run_cell run_code safe_execfile safe_execfile_ipy del_var reset")
_WRITES_IN_TEXT = re.compile(r"\(|:=|(?<![=!<>])=(?!=)|\b(del|import|for|with|def|class)\b")


def names_written(
    node: ast.AST | None,
    touches: Iterable[Touch],
    asks: Iterable[Ask],
    inside: Iterable[Ask],
    origin_of: Origin,
    changes: Callable[[Touch], bool],
) -> str:
    """Return a pattern of the names that code may write though its text names none; or nothing.

    Parameters
    ----------
    touches : iterable of Touch
        Its own, and those of the functions that it runs.
    asks, inside : iterable of Ask
        What it asks itself, and what those functions ask.
    changes : callable
        Returns whether a use changes a dictionary.
    """
    asks, inside = list(asks), list(inside)
    spaces = {a.path for a in asks if a.path in _BUILTIN and a.given == ()}
    spaces |= {a.path for a in inside if a.path == "globals"}
    spaces = {name for name in spaces if origin_of(name) == f"builtins.{name}"}
    if any(_reaches(ask, origin_of) for ask in (*asks, *inside)):
        return ".*"
    uses = [
        t for t in touches if t.name in spaces and not (t.how == "argument" and t.place is None)
    ]
    written = [use for use in uses if changes(use)]
    plain = all(use.how == "store" for use in written) and not inside
    return (_keys(node) if plain else ".*") if written else ""


def own_modules(asks: Iterable[Ask]) -> bool:
    """Return whether code imports, for itself, a module that the notebook made."""
    roots = {ask.path.partition(".")[0] for ask in asks if ask.absolute}
    loaded = [sys.modules.get(root) for root in roots - {_MAIN}]
    return any(one is not None and getattr(one, "__spec__", None) is None for one in loaded)


def _reaches(ask: Ask, origin_of: Origin) -> bool:
    """Return whether code has the notebook's names in hand, or runs code that may bind any."""
    path = ask.path if ask.absolute else origin_of(ask.path) or ask.path
    parts = path.replace("()", "").replace("[]", "").split(".")
    if parts[0] == _MAIN or not _SPACES.isdisjoint(parts) or path.startswith("sys.modules[]"):
        return True
    if parts[-1] in _LOADING and ("'__main__'" in [text for _, text in ask.given or ()]):
        return True
    if parts[0] == "get_ipython":
        return parts[-1] in _OF_THE_SHELL
    return path in _RUNNING and ask.given is not None and _may_bind(ask)


def _may_bind(ask: Ask) -> bool:
    """Return whether a text that is run may bind names of the notebook."""
    given = [text for _, text in ask.given or ()]
    if len(given) > 1 and given[1] != "…":
        return False  # it has names of its own
    text = ast.literal_eval(given[0]) if given and given[0][:1] in "'\"" else None
    return text is None or _WRITES_IN_TEXT.search(str(text)) is not None


def _keys(node: ast.AST | None) -> str:
    """Return a pattern of the keys of `globals()[…] = …`, as far as a statement tells them."""
    parts = (n for n in ast.walk(node or ast.Pass()) if isinstance(n, ast.Subscript))
    stored = [n for n in parts if not isinstance(n.ctx, ast.Load)]
    keys = [n.slice for n in stored if isinstance(n.value, ast.Call) and _is_space(n.value)]
    return "|".join(map(_pattern, keys)) or ".*"


def _is_space(call: ast.Call) -> bool:
    return dotted(call.func) in _BUILTIN and not call.args


def _pattern(key: ast.AST) -> str:
    match key:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=values):
            return "".join(map(_pattern, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _pattern(left) + _pattern(right)
    return ".*"


def names_reached(node: ast.AST, full: Callable[[str], str]) -> str:
    """Return where a piece of code has the notebook's names in hand, as written; or nothing."""
    for part in ast.walk(node):
        match part:
            case ast.Attribute(attr=attr) if attr in _SPACES:
                return ast.unparse(part)
            case ast.Name(id=name) if full(name).partition(".")[0] == _MAIN:
                return name
            case ast.Subscript(value=value, slice=key) if full(str(dotted(value))) == "sys.modules":
                if _is_main(key):
                    return ast.unparse(part)
            case ast.Call(args=[first, *_]) if _is_main(first) and _loads(part):
                return ast.unparse(part)
            case ast.Import(names=names) if any(one.name == _MAIN for one in names):
                return f"import {_MAIN}"
            case ast.ImportFrom(module=module) if module == _MAIN:
                return f"from {_MAIN} import …"
    return ""


def _is_main(key: ast.AST) -> bool:
    named = isinstance(key, ast.Name) and key.id == "__name__"
    return named or (isinstance(key, ast.Constant) and key.value == _MAIN)


def _loads(call: ast.Call) -> bool:
    called: Sequence[str] = str(dotted(call.func)).split(".")
    return called[-1] in _LOADING or called[:2] == ["sys", "modules"]
