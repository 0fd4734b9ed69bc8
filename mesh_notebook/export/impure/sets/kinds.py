"""Which values have an order that nobody gave them: sets, and what is made by going through one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.sets.bindings import (
    DICT,
    LIST,
    LISTS,
    NONE,
    SET,
    SETS,
    UNORDERED,
    annotated,
    attributes_given,
    has_total_key,
    holder_of,
    is_loop,
    is_sorted,
    is_told_apart,
    is_view,
    loops_of,
    names_in,
    strongest,
    values_given,
)
from mesh_notebook.export.impure.sets.fills import filled_in
from mesh_notebook.export.numbers import is_number
from mesh_notebook.export.references import parents_in
from mesh_notebook.export.scopes import COMPREHENSIONS, FUNCTIONS, arguments, bound_names, dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["Kinds", "kinds_of"]

_SET_TYPES = ("builtins.set", "builtins.frozenset")
_MAKING = words("set frozenset")
_GOING_THROUGH = words(
    "list tuple iter reversed map filter enumerate zip deque chain islice cycle accumulate "
    "permutations combinations product starmap takewhile dropwhile zip_longest pairwise"
)
_KEYED = words("fromkeys Counter dict OrderedDict")
_ALGEBRA = words("union intersection difference symmetric_difference copy")
_VIEWS = words("keys values items copy")
_TAKEN = words("get setdefault pop")
_DEEP = 5  # functions and names that are followed


def kinds_of(statement: Statement, graph: Graph, deep: int = _DEEP) -> Kinds:
    """Return the kinds of a statement's values, which are worked out once for a whole graph.

    A name that many statements fill is asked about by each that reads it.
    """
    known = graph.kinds.get((statement.index, deep))
    if known is None or known.statement is not statement:
        known = graph.kinds[statement.index, deep] = Kinds(statement, graph, deep=deep)
    return known


class Kinds:
    """The kinds of the values in one statement.

    Parameters
    ----------
    given : mapping
        By parameter: the kind of what a function of the statement is called with.
    """

    def __init__(
        self,
        statement: Statement,
        graph: Graph,
        given: Mapping[str, str] | None = None,
        deep: int = _DEEP,
    ) -> None:
        self.statement, self.graph, self.deep = statement, graph, deep
        self.tree: ast.AST = statement.node or ast.Pass()
        self._given = given or {}
        self._known: dict[ast.AST, str] = {}
        self._names: dict[tuple[ast.AST, str], str] = {}
        self._fills: dict[str, list[str]] = {}

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each node of the statement stands in."""
        return parents_in(self.tree)

    def of(self, node: ast.AST) -> str:
        """Return the kind of an expression's value; empty where its order is its own."""
        if node not in self._known:
            self._known[node] = NONE  # of what is being asked for: a name bound to itself
            self._known[node] = self._of(node)
        return self._known[node]

    def _of(self, node: ast.AST) -> str:
        match node:
            case ast.Set(elts=parts):
                return NONE if all(map(self._is_number, parts)) else SET
            case ast.SetComp(elt=elt):
                return NONE if self._is_number(elt) else SET
            case ast.ListComp(generators=loops) | ast.GeneratorExp(generators=loops):
                return LIST if self._any(loop.iter for loop in loops) else NONE
            case ast.DictComp(value=value, generators=loops):
                through = self._any(loop.iter for loop in loops)
                return DICT if through else holder_of(self.of(value))
            case ast.Dict(values=values):
                return strongest(holder_of(self.of(value)) for value in values)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                starred = (p.value for p in parts if isinstance(p, ast.Starred))
                plain = [holder_of(self.of(p)) for p in parts if not isinstance(p, ast.Starred)]
                return LIST if self._any(starred) else strongest(plain)
            case ast.BinOp():
                return self._of_operation(node)
            case ast.IfExp(body=yes, orelse=no):
                return strongest([self.of(yes), self.of(no)])
            case ast.BoolOp(values=values):
                return strongest(map(self.of, values))
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.of(value)
            case ast.Subscript(value=value, slice=index):
                return self._of_item(self.of(value), index)
            case ast.Call():
                return self._of_call(node)
            case ast.Attribute(attr=attr, ctx=ast.Load()):
                return self._of_attribute(attr)
            case ast.Name(id=name, ctx=ast.Load()):
                return self._of_name(name, node)
        return NONE

    def _any(self, nodes: Iterator[ast.expr]) -> bool:
        return any(self.of(node) in UNORDERED for node in nodes)

    def _is_number(self, node: ast.AST) -> bool:
        return is_number(node, self.parents, self.statement, self.graph)

    def _of_operation(self, node: ast.BinOp) -> str:
        sides = [self.of(node.left), self.of(node.right)]
        if isinstance(node.op, ast.Add | ast.Mult):
            return LIST if LIST in sides else NONE
        if isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            views = any(is_view(side) for side in (node.left, node.right))
            return SET if SET in sides or views else NONE
        return NONE

    @staticmethod
    def _of_item(kind: str, index: ast.AST) -> str:
        if kind == LIST and isinstance(index, ast.Slice):
            return LIST
        return {SETS: SET, LISTS: LIST}.get(kind, NONE)

    # ---- calls -------------------------------------------------------------------------------

    def _of_call(self, call: ast.Call) -> str:
        name = str(dotted(call.func) or getattr(call.func, "attr", "")).rpartition(".")[2]
        if isinstance(call.func, ast.Attribute):
            receiver = self.of(call.func.value)
            if receiver == SET and name in _ALGEBRA:
                return SET
            if receiver == DICT and name in _VIEWS:
                return DICT if name == "copy" else LIST
            if receiver in (SETS, LISTS):
                return self._of_held(receiver, name, call)
        if isinstance(call.func, ast.Name) and self._is_own(name):
            return self._returned(call)
        if name in _MAKING:
            return NONE if call.args and self._is_number(call.args[0]) else SET
        if name == "sorted" and call.args and self.of(call.args[0]) in UNORDERED:
            return NONE if has_total_key(call) else LIST
        if name in _GOING_THROUGH and self._any(iter(call.args)):
            return LIST
        if name in _KEYED and self._any(iter(call.args)):
            return DICT
        if name == "defaultdict" and [dotted(a) for a in call.args[:1]] == ["set"]:
            return SETS
        return self._returned(call)

    def _is_own(self, name: str) -> bool:
        binder = self.graph.binder_of(name, self.statement.index)
        return binder is not None and binder.kind != "import"

    @staticmethod
    def _of_held(receiver: str, name: str, call: ast.Call) -> str:
        if name in _TAKEN and call.args:
            return SET if receiver == SETS else LIST
        return receiver if name in _VIEWS else NONE

    def _returned(self, call: ast.Call) -> str:
        """Return the kind of what one of the user's own functions returns."""
        found = self.function_of(call)
        if found is None or not self.deep:
            return NONE
        binder, function = found
        inner = Kinds(binder, self.graph, self.given_to(call, function), self.deep - 1)
        if isinstance(function, ast.Lambda):
            return inner.of(function.body)
        own = (n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value)
        return strongest(inner.of(n.value) for n in own if n.value is not None)

    def function_of(self, call: ast.Call) -> tuple[Statement, ast.FunctionDef | ast.Lambda] | None:
        """Return the user's own function that is called, and the statement that defines it."""
        if not isinstance(call.func, ast.Name):
            return None
        binder = self.graph.binder_of(call.func.id, self.statement.index + 1)
        match binder and binder.node:
            case ast.FunctionDef() as function:
                return (binder, function) if binder is not None else None
            case ast.Assign(targets=[ast.Name()], value=ast.Lambda() as function):
                return (binder, function) if binder is not None else None
        return None

    def given_to(self, call: ast.Call, function: ast.FunctionDef | ast.Lambda) -> dict[str, str]:
        """Return by parameter the kind of what a function is called with."""
        names = [argument.arg for argument in arguments(function)]
        given = dict(zip(names, map(self.of, call.args), strict=False))
        if function.args.vararg and any(isinstance(a, ast.Starred) for a in call.args):
            given[function.args.vararg.arg] = LIST
        given |= {k.arg: self.of(k.value) for k in call.keywords if k.arg}
        return {name: kind for name, kind in given.items() if kind}

    # ---- names -------------------------------------------------------------------------------

    def _of_name(self, name: str, node: ast.AST) -> str:
        scope = self._scope_of(name, node)
        if (scope, name) not in self._names:
            self._names[scope, name] = NONE
            local = isinstance(scope, (*FUNCTIONS, *COMPREHENSIONS))
            here = self._bound_in(scope, name)
            self._names[scope, name] = here if local or here else self._of_global(name)
        return self._names[scope, name]

    def _scope_of(self, name: str, node: ast.AST) -> ast.AST:
        around = self.parents.get(node)
        while around is not None:
            if isinstance(around, FUNCTIONS):
                own = {argument.arg for argument in arguments(around)}
                inside = set() if isinstance(around, ast.Lambda) else bound_names(around)
                if name in own | inside:
                    return around
            if any(name in bound_names(g.target) | names_in(g.target) for g in loops_of(around)):
                return around
            around = self.parents.get(around)
        return self.tree

    def _bound_in(self, scope: ast.AST, name: str) -> str:
        """Return the kind of what a scope binds to a name."""
        found = [self.of(value) for value in values_given(scope, name)]
        found += [self._of_target(loop, name) for loop in ast.walk(scope) if is_loop(loop)]
        found += filled_in(scope, name, self.of)
        if isinstance(scope, FUNCTIONS):
            parameter = next((a for a in arguments(scope) if a.arg == name), None)
            if parameter is not None:
                found.append(self._given.get(name) or annotated(parameter.annotation))
        kind = strongest(found)
        return NONE if kind == LIST and is_sorted(scope, name) else kind

    def _of_target(self, loop: ast.AST, name: str) -> str:
        """Return the kind of a loop's variable: of the sets that it goes through."""
        target, iterated = loop.target, loop.iter  # type: ignore[attr-defined]
        if name not in names_in(target):
            return NONE
        held = {SETS: SET, LISTS: LIST}.get(self.of(iterated), NONE)
        match target, iterated:
            case ast.Tuple(elts=[ast.Name(id=key), *_]), ast.Call():
                return NONE if key == name else held
            case ast.Name(), ast.Name():
                pairs = self.statement.cell.types.get(iterated.id, "").endswith("ict")
                return NONE if pairs else held
        return held

    def _of_global(self, name: str) -> str:
        binder = self.graph.binder_of(name, self.statement.index)
        if binder is None or binder is self.statement or not self.deep:
            return NONE
        inner = kinds_of(binder, self.graph, self.deep - 1)
        kind = strongest(inner.of(value) for value in values_given(binder.node or ast.Pass(), name))
        since = self.graph.statements[binder.index + 1 : self.statement.index]
        since = [s for s in since if s.node is not None and name in s.text]
        for other in since:
            kind = strongest([kind, *kinds_of(other, self.graph, self.deep - 1).fills(name)])
        if kind == LIST and any(is_sorted(s.node or ast.Pass(), name) for s in since):
            return NONE
        if not kind and binder.cell.types.get(name) in _SET_TYPES:
            return NONE if is_told_apart(binder.node, name) else SET
        return kind

    def fills(self, name: str) -> list[str]:
        """Return the kinds that the statement's loops give the value of a name, as a whole."""
        if name not in self._fills:
            self._fills[name] = filled_in(self.tree, name, self.of)
        return self._fills[name]

    def _of_attribute(self, attr: str) -> str:
        """Return the kind of what classes of the notebook keep under an attribute's name."""
        if not self.deep:
            return NONE
        for binder in self.graph.statements:
            if isinstance(binder.node, ast.ClassDef) and attr in binder.text:
                inner = self if binder is self.statement else kinds_of(binder, self.graph, 0)
                for value, annotation in attributes_given(binder.node, attr):
                    if kind := annotated(annotation) or (inner.of(value) if value else NONE):
                        return kind
        return NONE
