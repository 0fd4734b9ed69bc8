"""What a machine, or whoever runs it, tells: it is another one where the product is deployed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.flow import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import Reference, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["told_by_the_machine"]

_MACHINE = words(
    "os.environ os.environb os.getenv os.getenvb os.getpid os.getppid os.getlogin os.uname "
    "os.cpu_count os.process_cpu_count os.getcwd os.path.expanduser os.path.expandvars "
    "pathlib.Path.cwd pathlib.Path.home getpass.getuser sys.argv sys.platform "
    "multiprocessing.cpu_count locale.getlocale"
)
_WHAT = "tells of the machine that runs it"
_FIX = "assign the value that it gives to a name, as a literal"


def told_by_the_machine(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what a statement asks of the machine that runs it."""
    for one in references(statement, graph):
        if _tells(one.name) and not _set_here(statement, one, graph):
            yield Impurity(one.said, _WHAT, _FIX)


def _tells(name: str) -> bool:
    return f"{name}.".startswith(("platform.", *(f"{known}." for known in _MACHINE)))


def _set_here(statement: Statement, one: Reference, graph: Graph) -> bool:
    """Return whether a cell before set the variable of the environment that is read here."""
    key = _variable(statement.node or ast.Pass(), one)
    if key is None or not one.name.startswith(("os.environ", "os.getenv")):
        return False
    before = [s.node for s in graph.statements[: statement.index] if s.kind == "code" and s.node]
    return any(
        isinstance(part, ast.Subscript)
        and isinstance(part.ctx, ast.Store)
        and str(dotted(part.value)).endswith("environ")
        and ast.dump(part.slice) == ast.dump(key)
        for node in before
        for part in ast.walk(node)
    )


def _variable(tree: ast.AST, one: Reference) -> ast.expr | None:
    items = (
        n.slice for n in ast.walk(tree) if isinstance(n, ast.Subscript) and n.value is one.node
    )
    given = one.call.args[:1] if one.call else []
    return next((k for k in (*items, *given) if isinstance(k, ast.Constant)), None)
