"""Reads of the clock: a proof of today says nothing of tomorrow's run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from mesh_notebook.export.flow import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import Reference, parents_in, references
from mesh_notebook.export.scopes import FUNCTIONS, declared, dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["clock_reads", "reads_clock"]

_CLOCKS = words(
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today "
    "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter "
    "time.perf_counter_ns time.process_time time.process_time_ns time.thread_time "
    "time.clock_gettime time.clock_gettime_ns timeit.default_timer "
    "pandas.Timestamp.now pandas.Timestamp.today pandas.Timestamp.utcnow pandas.Period.now"
)
# The clock, unless they are given a moment: the place of that argument.
_UNLESS_GIVEN = {
    "time.gmtime": 0,
    "time.localtime": 0,
    "time.ctime": 0,
    "time.asctime": 0,
    "time.strftime": 1,
}
# The clock, where they are given one of these words.
_WORDED = words("pandas.Timestamp pandas.to_datetime pandas.Period numpy.datetime64")
_NOW = words("now today")
# On an object of which nothing more is known: `type(day).today()`.
_METHODS = words("now today utcnow")
_LOGGING = words("debug info warning error critical log exception")
_KEEPING = (ast.BinOp, ast.UnaryOp, ast.JoinedStr, ast.FormattedValue, ast.keyword)
_FIX = (
    "bind the moment from a literal, in a cell of its own that runs before "
    "(today = date(2026, 1, 31)), or take it from an input's column"
)


def clock_reads(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the clock reads of a statement whose value may enter what it makes.

    Left out is what is measured only to be told: a value that stays inside its function and goes
    nowhere but into `print` or a log.
    """
    tree = statement.node or ast.Pass()
    parents = parents_in(tree)
    for one in references(statement, graph):
        if reads_clock(one, statement, graph) and not (
            one.call is not None and _only_told(one.call, parents, frozenset())
        ):
            yield Impurity(one.said, "reads the clock", _FIX)


def reads_clock(one: Reference, statement: Statement, graph: Graph) -> bool:
    """Return whether a reference is to the clock."""
    if one.name in _CLOCKS:
        return True
    if one.name in _UNLESS_GIVEN:
        return one.call is None or len(one.call.args) <= _UNLESS_GIVEN[one.name]
    if one.name in _WORDED:
        given = one.call.args[:1] if one.call else []
        return any(isinstance(a, ast.Constant) and a.value in _NOW for a in given)
    root, _, method = one.name.rpartition(".")
    return method in _METHODS and one.call is not None and not _own(root, statement, graph)


def _own(root: str, statement: Statement, graph: Graph) -> bool:
    """Return whether an object is the user's own, so that its methods' bodies are looked at."""
    name = root.partition(".")[0]
    binder = graph.binder_of(name, statement.index)
    if name in ("self", "cls") or binder is None:
        return name in ("self", "cls")
    return isinstance(binder.node, ast.ClassDef) or (
        binder.cell.types.get(name, "").startswith("__main__.")
    )


def _only_told(node: ast.AST, parents: Mapping[ast.AST, ast.AST], seen: frozenset[str]) -> bool:
    """Return whether a value goes nowhere but into `print` or a log."""
    parent = parents.get(node)
    while isinstance(parent, _KEEPING) or (isinstance(parent, ast.Call) and _says(parent.func)):
        node, parent = parent, parents.get(parent)
    if isinstance(parent, ast.Call) and _tells(parent.func):
        return isinstance(parents.get(parent), ast.Expr)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if name not in seen:
            around = _function_around(parent, parents)
            if around is None or name in declared(around):
                return False
            loads = [n for n in ast.walk(around) if isinstance(n, ast.Name) and n.id == name]
            loads = [n for n in loads if isinstance(n.ctx, ast.Load)]
            return all(_only_told(n, parents, seen | {name}) for n in loads)
    return False


def _says(func: ast.AST) -> bool:
    return dotted(func) in ("round", "str", "float", "int", "format", "abs")


def _tells(func: ast.AST) -> bool:
    return dotted(func) == "print" or (isinstance(func, ast.Attribute) and func.attr in _LOGGING)


def _function_around(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.AST | None:
    found = parents.get(node)
    while found is not None and not isinstance(found, FUNCTIONS):
        found = parents.get(found)
    return found
