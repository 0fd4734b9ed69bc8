"""Reads of the clock: a proof of today says nothing of tomorrow's run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.told import only_told
from mesh_notebook.export.references import Reference, parents_in, references
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["clock_reads", "is_own", "reads_clock"]

_CLOCKS = words(
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today "
    "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter "
    "time.perf_counter_ns time.process_time time.process_time_ns time.thread_time "
    "time.clock_gettime time.clock_gettime_ns timeit.default_timer timeit.timeit timeit.repeat "
    "os.times resource.getrusage "
    "pandas.Timestamp.now pandas.Timestamp.today pandas.Timestamp.utcnow pandas.Period.now"
)
# What a text leaves out is taken from today, unless a default is given.
_TAKES_TODAY = words("dateutil.parser.parse dateutil.parser.parser.parse")
# The clock, unless they are given a moment: the place of that argument.
_UNLESS_GIVEN = {
    "time.gmtime": 0,
    "time.localtime": 0,
    "time.ctime": 0,
    "time.asctime": 0,
    "time.strftime": 1,
    "email.utils.formatdate": 0,
    "email.utils.localtime": 0,
    "arrow.get": 0,
}
# The clock, where they are given one of these words.
_WORDED = words(
    "pandas.Timestamp pandas.to_datetime pandas.Period pandas.date_range pandas.bdate_range "
    "pandas.period_range pandas.DatetimeIndex numpy.datetime64"
)
_NOW = words("now today")
# On an object of which nothing more is known: `type(day).today()`.
_METHODS = words("now today utcnow")
_FIX = (
    "bind the moment from a literal, in a cell of its own that runs before "
    "(today = date(2026, 1, 31)), or take it from an input's column"
)
_DEFAULT = "give it what a text may leave out: default=datetime(2026, 1, 1)"


def clock_reads(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the clock reads of a statement whose value may enter what it makes.

    Left out is what is measured only to be told: a value that stays inside its function and goes
    nowhere but into `print` or a log.
    """
    tree = statement.node or ast.Pass()
    parents = parents_in(tree)
    for one in references(statement, graph):
        if reads_clock(one, statement, graph) and not (
            one.call is not None and only_told(one.call, parents)
        ):
            fix = _DEFAULT if one.name in _TAKES_TODAY else _FIX
            yield Impurity(one.said, "reads the clock", fix)


def reads_clock(one: Reference, statement: Statement, graph: Graph) -> bool:
    """Return whether a reference is to the clock."""
    if one.name in _CLOCKS:
        return True
    if one.name in _TAKES_TODAY:
        return one.call is None or all(k.arg != "default" for k in one.call.keywords)
    if one.name in _UNLESS_GIVEN:
        return one.call is None or len(one.call.args) <= _UNLESS_GIVEN[one.name]
    if one.name in _WORDED:
        given = [*one.call.args, *(k.value for k in one.call.keywords)] if one.call else []
        said = (part for value in given for part in ast.walk(value))  # `"now" if late else day`
        return any(_constant(part, statement, graph) in _NOW for part in said)
    root, _, method = one.name.rpartition(".")
    if method not in _METHODS or one.call is None or is_own(root, statement, graph):
        return False
    return not (root.startswith("builtins.") and _is_defined(method, graph))


def _constant(value: ast.AST, statement: Statement, graph: Graph) -> object:
    """Return what is written out, or stands under a name; None of anything else."""
    if isinstance(value, ast.Name):
        binder = graph.binder_of(value.id, statement.index)
        match binder and binder.node:
            case ast.Assign(targets=[ast.Name()], value=ast.Constant(value=told)):
                return told if isinstance(told, str) else None
    match value:
        case ast.Constant(value=str(told)):
            return told
        case ast.List(elts=[first, *_]):
            return _constant(first, statement, graph)
    return None


def _is_defined(method: str, graph: Graph) -> bool:
    """Return whether a class of the user's has a method of that name."""
    classes = (s.node for s in graph.statements if isinstance(s.node, ast.ClassDef))
    parts = (part for node in classes for part in node.body)
    return any(isinstance(part, ast.FunctionDef) and part.name == method for part in parts)


def is_own(root: str, statement: Statement, graph: Graph) -> bool:
    """Return whether an object is the user's own, so that its methods' bodies are looked at."""
    name = root.removeprefix("builtins.").partition(".")[0].strip("<>")
    binder = graph.binder_of(name, statement.index)
    if name in ("self", "cls") or binder is None:
        return name in ("self", "cls")
    return isinstance(binder.node, ast.ClassDef) or (
        binder.cell.types.get(name, "").startswith("__main__.")
    )
