"""The machine's own time zone: given nothing else, Python's clock functions answer in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.clocks import is_own
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import Reference, full_name, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["zones_of_the_machine"]

_WHAT = "tells of the machine that runs it: its time zone"
_FIX = "give it a zone: tz=datetime.UTC"
_ALWAYS = words(
    "time.localtime time.ctime time.mktime time.tzname time.timezone time.altzone time.daylight "
    "datetime.date.fromtimestamp email.utils.localtime dateutil.tz.tzlocal dateutil.tz.gettz "
    "tzlocal.get_localzone tzlocal.get_localzone_name"
)
_IN_UTC = {
    "time.localtime": "time.gmtime(SECONDS)",
    "time.ctime": "time.asctime(time.gmtime(SECONDS))",
    "time.mktime": "calendar.timegm(MOMENT)",
}
_GIVEN = words("dateutil.tz.gettz")


def zones_of_the_machine(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what a statement asks in the time zone of the machine."""
    for one in references(statement, graph):
        if _is_zoned(one, statement, graph):
            yield Impurity(one.said, _WHAT, _IN_UTC.get(one.name, _FIX))


def _is_zoned(one: Reference, statement: Statement, graph: Graph) -> bool:
    root, _, method = one.name.rpartition(".")
    given = len(one.call.args) + len(one.call.keywords) if one.call is not None else 0
    if one.name in _ALWAYS:
        return one.name not in _GIVEN or not given
    if one.name == "datetime.datetime.fromtimestamp":
        return one.call is None or not _zone_in(one.call)
    if one.name == "email.utils.formatdate" and one.call is not None:
        return any(keyword.arg == "localtime" for keyword in one.call.keywords)
    if one.call is None or is_own(root, statement, graph):
        return False
    if method == "fromtimestamp" and not root.startswith("pandas"):
        return not _zone_in(one.call)
    if method == "astimezone":
        return not given
    return method == "timestamp" and _is_naive(one, statement, graph)


def _zone_in(call: ast.Call) -> bool:
    zones = [*call.args[1:2], *(k.value for k in call.keywords if k.arg in ("tz", None))]
    return any(not (isinstance(z, ast.Constant) and z.value is None) for z in zones)


def _is_naive(one: Reference, statement: Statement, graph: Graph) -> bool:
    """Return whether a moment is plainly one without a zone: `datetime(2026, 1, 31)`."""
    value: ast.expr = one.node.value if isinstance(one.node, ast.Attribute) else one.node
    if isinstance(value, ast.Name):
        binder = graph.binder_of(value.id, statement.index)
        match binder and binder.node:
            case ast.Assign(targets=[ast.Name()], value=made):
                value = made
    match value:
        case ast.Call(func=func, args=args, keywords=keywords):
            made_by = full_name(str(dotted(func)), statement, graph) if dotted(func) else ""
            plain = all(k.arg not in ("tzinfo", None) for k in keywords) and len(args) < 8
            return made_by == "datetime.datetime" and plain
    return False
