"""The calls of Mesh Notebook and of other magics in a notebook's code, and what they did."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mesh_notebook.export.record import Event, ExecutedCell
from mesh_notebook.export.text import replaced

__all__ = ["INPUTS", "Magic", "SqlStep", "Verbs", "magic", "verbs_in"]

INPUTS = ("connect", "source", "mock", "use")
_WORKSPACE = "mesh_notebook.workspace.workspace.Workspace"
_INPUT = "mesh_notebook.workspace.handles.Input"
_ALL_INPUTS = "mesh_notebook.workspace.handles.Inputs"


@dataclass(frozen=True)
class Magic:
    """A magic or shell escape, as IPython turned it into a call."""

    name: str
    line: str = ""
    body: str = ""
    shell: bool = False

    @property
    def said(self) -> str:
        return f"!{self.line}" if self.shell else f"%{self.name}"


@dataclass(frozen=True)
class SqlStep:
    """A query over frames, as Python source.

    Attributes
    ----------
    query : str
        The text of the query; or, where `is_code`, the Python expression that makes it.
    tables : tuple of (str, str)
        Table name and the Python expression of the frame.
    reads : frozenset of str
        The Python names that the step needs.
    values : tuple of str
        The Python names whose values the query takes: `$low` is `low`.
    """

    query: str
    tables: tuple[tuple[str, str], ...]
    reads: frozenset[str]
    is_code: bool = False
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: Event) -> SqlStep:
        tables = tuple((str(k), str(v)) for k, v in event.payload["tables"].items())
        values = tuple(map(str, event.payload.get("values", ())))
        reads = frozenset(v for _, v in tables) | {*values}
        return cls(str(event.payload["query"]), tables, reads, values=values)


@dataclass(frozen=True)
class Verbs:
    """How verbs of Mesh Notebook stand in one statement, and what they did.

    Attributes
    ----------
    plain : str
        The verb, where the statement is that call alone, perhaps assigned to a name.
    embedded : tuple of ast.Call
        The calls that bind inputs or results inside a larger expression, one for each event.
    beside : tuple of Event
        What a call binds anew besides: mocks that are to join with the one that it makes.
    """

    events: tuple[Event, ...] = ()
    plain: str = ""
    assigned: tuple[str, ...] = ()
    embedded: tuple[ast.Call, ...] = ()
    step: SqlStep | None = None
    beside: tuple[Event, ...] = ()

    def rewritten(self, node: ast.stmt, text: str) -> tuple[ast.stmt, str]:
        """Return the statement with each call replaced by the name that it bound."""
        own = ast.parse(text).body[0]  # its comments are part of `text`: positions differ
        pairs = zip(_walk_same(node, own, self.embedded), self.events, strict=True)
        changed = replaced(text, [(call, event.names[0]) for call, event in pairs])
        return ast.parse(changed).body[0], changed


def _walk_same(node: ast.stmt, own: ast.stmt, calls: tuple[ast.Call, ...]) -> list[ast.Call]:
    """Find, in a second parse of a statement, the nodes that were found in the first."""
    wanted = {id(call) for call in calls}
    both = zip(ast.walk(node), ast.walk(own), strict=True)
    found = [b for a, b in both if id(a) in wanted and isinstance(b, ast.Call)]
    return sorted(found, key=_position)


def _position(call: ast.Call) -> tuple[int, int]:
    return call.lineno, call.col_offset


def verbs_in(node: ast.stmt, cell: ExecutedCell, pending: Sequence[Event]) -> Verbs:
    """Match the verb calls of a statement to the events, not yet accounted for, on its lines."""
    last = node.end_lineno or node.lineno
    told = tuple(e for e in pending if e.lines and node.lineno <= e.lines[0] <= last)
    events = tuple(e for e in told if not e.payload.get("beside"))
    beside = tuple(e for e in told if e.payload.get("beside"))
    return replace(_matched(node, cell, events), beside=beside)


def _matched(node: ast.stmt, cell: ExecutedCell, events: tuple[Event, ...]) -> Verbs:
    calls = sorted(_calls(node, cell), key=_position)
    simple = isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign)
    if simple and len(calls) == 1 and getattr(node, "value", None) is calls[0]:
        assigned = _assigned(node)
        if assigned is not None:
            step = _sql_step(calls[0], events)
            return Verbs(events[:1], _verb(calls[0], cell), assigned, (), step)
    if simple and len(calls) == len(events) == 1 and events[0].verb == "output":
        # `mesh.output(…).contract`: the port is declared, whatever is asked of the answer.
        return Verbs(events, "output", _assigned(node) or ())
    data = tuple(e for e in events if e.names)
    if simple and calls and len(calls) == len(data) == len(events):
        return Verbs(events, embedded=tuple(calls))
    return Verbs(events)


def _assigned(node: ast.stmt) -> tuple[str, ...] | None:
    """Return the names that a statement assigns its value to; None where targets are not names."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    named = [t for t in targets if t is not None]
    if not all(isinstance(t, ast.Name) for t in named):
        return None
    return tuple(t.id for t in named if isinstance(t, ast.Name))


def _calls(node: ast.AST, cell: ExecutedCell) -> Iterator[ast.Call]:
    """Yield the calls of verbs that run where the statement runs, not those inside functions."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.Call) and _verb(node, cell):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, cell)


def _verb(call: ast.Call, cell: ExecutedCell) -> str:
    called = _magic_of(call)
    if called:
        return (called.line.split() or ["path"])[0] if called.name == "mesh" else ""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if _is_workspace(name, cell):
            return attr
        case ast.Attribute(value=value, attr="use"):
            return "use" if _is_input(value, cell) else ""
    return ""


def _is_workspace(name: str, cell: ExecutedCell) -> bool:
    return name == "mesh" or cell.types.get(name) == _WORKSPACE


def _is_input(value: ast.expr, cell: ExecutedCell) -> bool:
    """Return whether an expression is an input's handle: `mesh.inputs["plays"]`, or its name."""
    match value:
        case ast.Name(id=name):
            return cell.types.get(name) == _INPUT
        case ast.Subscript(value=ast.Name(id=name)):
            return cell.types.get(name) == _ALL_INPUTS
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="inputs")):
            return _is_workspace(name, cell)
    return False


def _sql_step(call: ast.Call, events: tuple[Event, ...]) -> SqlStep | None:
    """Return the step of `mesh.sql(name, query, **tables)`; a magic's is in its event."""
    if not events or events[0].verb != "sql" or _magic_of(call) is not None:
        return None
    step = SqlStep.of(events[0])
    words = {k.arg: k.value for k in call.keywords}
    query = words.get("query", call.args[1] if len(call.args) > 1 else None)
    given = {k: v for k, v in words.items() if k not in ("name", "query")}
    if query is None or None in given:
        return step
    tables = step.tables + tuple((str(k), ast.unparse(v)) for k, v in given.items())
    read = {n.id for v in given.values() for n in ast.walk(v) if isinstance(n, ast.Name)}
    if isinstance(query, ast.Constant):
        return replace(step, tables=tables, reads=step.reads | read)
    read |= {n.id for n in ast.walk(query) if isinstance(n, ast.Name)}
    query_text = ast.unparse(query)
    return SqlStep(query_text, tables, step.reads | read, is_code=True, values=step.values)


def magic(node: ast.stmt) -> Magic | None:
    """Return the magic that a statement is, perhaps with its result assigned."""
    value = getattr(node, "value", None)
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) and isinstance(value, ast.Call):
        return _magic_of(value)
    return None


def _magic_of(call: ast.Call) -> Magic | None:
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method):
            given = [a.value if isinstance(a, ast.Constant) else "" for a in call.args]
            texts = [str(value) for value in given] + ["", "", ""]
            if method == "run_line_magic":
                return Magic(texts[0], texts[1])
            if method == "run_cell_magic":
                return Magic(texts[0], texts[1], texts[2])
            return Magic(method, texts[0], shell=method in ("system", "getoutput"))
    return None
