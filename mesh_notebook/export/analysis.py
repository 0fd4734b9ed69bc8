"""Reading one statement: which names it reads and binds, on every path through it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from mesh_notebook.export.draws import asks_of
from mesh_notebook.export.effects import Body, Effects, once, resolved
from mesh_notebook.export.flows import flows_of, returned_by
from mesh_notebook.export.given import kept_by
from mesh_notebook.export.scopes import (
    COMPREHENSIONS,
    arguments,
    bound_names,
    captured,
    changing_defaults,
    comprehension_names,
    declared,
    implicit_in,
    parameters,
    targets,
)
from mesh_notebook.export.touches import Touch, touches_of
from mesh_notebook.export.words import words

__all__ = ["effects_of"]

# pandas reads names out of text: frame.query("delay > @limit").
_AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
# Context managers that let no error pass: what their body binds is bound after it.
_PLAIN_CONTEXTS = words(
    "open Config StringCache errstate catch_warnings option_context localcontext closing "
    "redirect_stdout nullcontext TemporaryDirectory timer"
)


def effects_of(node: ast.stmt) -> Effects:
    """Return the effects of one top-level statement."""
    visitor = _Visitor()
    visitor.visit(node)
    effects = visitor.effects
    effects.binds = {name: name in visitor.bound for name in effects.binds}
    inner = comprehension_names([node]) - set(effects.binds)
    flows, touches = flows_of([node]), touches_of([node])
    # What a loop's variable stands for is changed with it: both are touched.
    traced = resolved(touches, flows, inner | set(effects.binds))
    effects.touches = once([t for t in touches if t.name not in inner] + traced)
    effects.flows = [flow for flow in flows if flow.target not in inner]
    effects.runs_bodies = not _only_defines(node)
    effects.asks = asks_of([node])
    return effects


def _only_defines(node: ast.stmt) -> bool:
    match node:
        case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
            return True
        case ast.ClassDef(decorator_list=[], keywords=[]):
            return True
        case ast.Assign(value=ast.Lambda()):
            return True
    return False


class _Visitor(ast.NodeVisitor):
    """Walks one statement in the order of its execution and knows what is bound at each point."""

    def __init__(self, local: Iterable[str] = ()) -> None:
        self.effects = Effects()
        self.bound: set[str] = set()
        self.local = set(local)  # names of an inner scope: not ours to read

    # ---- names --------------------------------------------------------------------------

    def _read(self, name: str, called: bool = False) -> None:
        if name not in self.bound and name not in self.local:
            self.effects.reads.add(name)
            if not called:
                self.effects.values.add(name)

    def _bind(self, name: str) -> None:
        if name not in self.local:
            self.bound.add(name)
            self.effects.binds.setdefault(name, False)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self._delete(node.id)

    def _delete(self, name: str) -> None:
        if name not in self.local:
            self.bound.discard(name)
            self.effects.deletes.add(name)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self._read(node.func.id, called=True)
        else:
            self.visit(node.func)
        for argument in (*node.args, *node.keywords):
            if not _names_a_logger(node, argument):
                self.visit(argument)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
            for name in _named_in_text(node):
                self._read(name)

    # ---- assignments: the value first ------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        self._all([node.value, *node.targets])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self._all([node.value, node.target])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self._all([node.value, node.target])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._all([node.value, node.target])

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in sorted(bound_names(ast.Module([node], []))):
            self._bind(name)

    visit_ImportFrom = visit_Import

    # ---- branches --------------------------------------------------------------------------

    def _all(self, nodes: Iterable[ast.AST | None]) -> set[str]:
        """Visit nodes in order; return what is bound after them."""
        for node in nodes:
            if node is not None:
                self.visit(node)
        return self.bound

    def _branch(self, nodes: Iterable[ast.AST | None], before: set[str]) -> set[str]:
        self.bound = set(before)
        after = self._all(nodes)
        self.bound = set(before)
        return after

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        self.visit(node.test)
        body, other = (
            (node.body, node.orelse) if isinstance(node, ast.If) else ([node.body], [node.orelse])
        )
        before = set(self.bound)
        yes, no = self._branch(body, before), self._branch(other, before)
        self.bound = yes & no

    visit_IfExp = visit_If

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self._branch(node.values[1:], set(self.bound))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before = set(self.bound)
        self._branch([node.target, *node.body], before)
        self._branch(node.orelse, before)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        before = set(self.bound)
        self._branch(node.body, before)
        self._branch(node.orelse, before)

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.bound)
        ends = [self._branch([*node.body, *node.orelse], before)]
        ends += [self._branch([handler], before) for handler in node.handlers]
        at_last = self._branch(node.finalbody, before)
        self.bound = set.intersection(*ends) | at_last

    visit_TryStar = visit_Try  # type: ignore[assignment]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type:
            self.visit(node.type)
        if node.name:
            self._bind(node.name)
        self._all(node.body)
        if node.name:
            self._delete(node.name)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self._all(node.items)
        if all(_lets_errors_pass(item.context_expr) for item in node.items):
            self._all(node.body)
        else:
            self._branch(node.body, set(self.bound))

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.bound)
        for case in node.cases:
            self._branch([case.pattern, case.guard, *case.body], before)

    def generic_visit(self, node: ast.AST) -> None:
        for name in captured(node):
            self._bind(name)
        super().generic_visit(node)

    # ---- inner scopes ------------------------------------------------------------------------

    def _comprehension(self, node: ast.AST) -> None:
        first, *rest = node.generators  # type: ignore[attr-defined]
        own = {name for g in (first, *rest) for name in targets(g.target)}
        inside = [*first.ifs, *(part for g in rest for part in (g.iter, *g.ifs))]
        inside += [getattr(node, part, None) for part in ("key", "elt", "value")]
        self.visit(first.iter)
        kept, self.local = self.local, self.local | own
        self._branch(inside, set(self.bound))
        self.local = kept
        if isinstance(node, ast.GeneratorExp):  # it runs when it is consumed, maybe much later
            inner = _Visitor(self.local | own)
            inner._all(inside)
            self._define("", (), inner, node, own)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        decorators = getattr(node, "decorator_list", [])
        annotations = [a.annotation for a in arguments(node)] + [getattr(node, "returns", None)]
        self._all([*decorators, *node.args.defaults, *node.args.kw_defaults, *annotations])
        outer = declared(node)
        params = parameters(node)
        own = (set(params) | bound_names(_as_scope(node))) - outer
        inner = _Visitor(own)
        inner._all(node.body if isinstance(node.body, list) else [node.body])
        name = getattr(node, "name", "")
        self._define(name, tuple(params), inner, node, own)
        if name:
            self._bind(name)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all([*node.decorator_list, *node.bases, *node.keywords])
        before, binds = set(self.bound), dict(self.effects.binds)
        outside = len(self.effects.bodies)
        self._all(node.body)  # a class body runs at once; what it binds stays inside
        self.bound, self.effects.binds = before, binds
        silent = implicit_in(node)
        inside = self.effects.bodies[outside:]
        self.effects.bodies[outside:] = [replace(b, implicit=b.name in silent) for b in inside]
        self._bind(node.name)

    def _define(
        self, name: str, params: tuple[str, ...], inner: _Visitor, node: ast.AST, own: set[str]
    ) -> None:
        """Keep a function's body as code that runs later, its inner functions folded in."""
        effects = inner.effects
        body: list[ast.AST] = _statements(node)
        local = own | comprehension_names(body)
        flows, touches = flows_of(body), touches_of(body)
        for nested in effects.bodies:
            touches.extend(t for t in nested.touches if t.name not in nested.params)
        kept = [t for b in effects.bodies for t in b.touches if t.name in own - set(b.params)]
        kept += [Touch(n, "store") for b in effects.bodies for n in b.binds & own]
        traced = resolved(touches, flows, local - set(params))
        nested_reads = {n for b in effects.bodies for n in b.reads} - own
        nested_values = {n for b in effects.bodies for n in b.values} - own
        nested_binds = {n for b in effects.bodies for n in b.binds} - own
        given = {t.name for t in resolved(returned_by(body), flows, local - set(params))}
        given |= {n for b in effects.bodies for n in b.returns}
        self.effects.bodies.append(
            Body(
                name=name,
                params=params,
                reads=frozenset((effects.reads | nested_reads) - self.local),
                values=frozenset((effects.values | nested_values) - self.local),
                binds=frozenset(effects.binds) | nested_binds,
                touches=tuple(traced),
                makes_code=bool(effects.bodies),
                defaults=frozenset(changing_defaults(node)),
                inner_touches=tuple(kept),
                returns=frozenset(given - own),
                keeps=frozenset(kept_by(flows, local - set(params), params)),
                asks=asks_of(body, own),
            )
        )


def _statements(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, COMPREHENSIONS):
        return [node]
    body = node.body  # type: ignore[attr-defined]
    return list(body) if isinstance(body, list) else [body]


def _as_scope(node: ast.AST) -> ast.AST:
    return ast.Module(_statements(node), [])  # type: ignore[arg-type]


def _lets_errors_pass(context: ast.AST) -> bool:
    func = context.func if isinstance(context, ast.Call) else context
    name = getattr(func, "attr", None) or getattr(func, "id", "")
    return name in _PLAIN_CONTEXTS


def _names_a_logger(call: ast.Call, argument: ast.AST) -> bool:
    """Return whether a module's name is used to name its logger, which may be called anything."""
    is_name = isinstance(argument, ast.Name) and argument.id == "__name__"
    return is_name and getattr(call.func, "attr", getattr(call.func, "id", "")) == "getLogger"


def _named_in_text(call: ast.Call) -> list[str]:
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return [name for text in texts for name in _AT_NAME.findall(text)]
