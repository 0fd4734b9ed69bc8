"""A written `transform.py`, read back into what a notebook says: the reverse of `module.py`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from mesh_notebook.errors import LoadRefused
from mesh_notebook.export.beginnings import begins, call_of, said_in
from mesh_notebook.export.defaults import Default, origins_in
from mesh_notebook.export.scopes import bound_names
from mesh_notebook.export.sql_steps import sql_helper, unindented
from mesh_notebook.export.text import (
    comments_around,
    inner_text,
    leading_comments,
    replaced,
    segment,
    statements_of,
)

__all__ = ["ModuleCode", "PortCode", "Step", "read_back"]

# Names that mean something to a notebook, so that a cell cannot bind them.
_OF_THE_NOTEBOOK = frozenset({"mesh", "get_ipython", "display", "In", "Out"})


@dataclass(frozen=True)
class Step:
    """One statement of a port's function.

    Attributes
    ----------
    text : str
        As a cell says it; of an SQL step, what it is in Python: `mesh.sql(…)`.
    sql : str
        Of an SQL step: the name of its result.
    query : str
        Of an SQL step that a magic can say: the query.
    """

    text: str
    sql: str = ""
    query: str = ""


@dataclass(frozen=True)
class PortCode:
    """One port's function: its inputs, its statements, and the name of what it returns.

    Attributes
    ----------
    defaults : tuple of str
        The notebook's parameters that it takes, as the statements of a cell.
    """

    port: str
    parameters: tuple[str, ...]
    defaults: tuple[str, ...]
    steps: tuple[Step, ...]
    result: str
    doc: str


@dataclass(frozen=True)
class ModuleCode:
    """What a module says: imports and definitions as statements, and the function of each port.

    Attributes
    ----------
    docs : dict
        Of the functions that ports begin with, by name: the docstring.
    """

    doc: str
    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    ports: tuple[PortCode, ...]
    docs: dict[str, str] = field(default_factory=dict)


def read_back(text: str, ports: Mapping[str, str], begun: Collection[str] = ()) -> ModuleCode:
    """Read a module.

    Parameters
    ----------
    ports : mapping
        By name of its function: each port.
    begun : collection of str
        The functions in which it has once what several ports begin with.

    Raises
    ------
    LoadRefused
        With the line: what no cell of a notebook can say.
    """
    try:
        statements = statements_of(text)
    except SyntaxError as error:
        raise LoadRefused(
            f"transform.py, line {error.lineno}: {error.msg}.", next_step="mend it there"
        ) from None
    doc, imports, definitions = "", [], []
    functions: dict[str, ast.FunctionDef] = {}
    beginnings: dict[str, ast.FunctionDef] = {}
    helper = _helper_in([node for node, _ in statements])
    for node, own in statements:
        if isinstance(node, ast.FunctionDef) and node.name in ports:
            functions[node.name] = node
        elif isinstance(node, ast.FunctionDef) and node.name in begun:
            beginnings[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports.append((node, own))
        elif node is statements[0][0] and isinstance(node, ast.Expr):
            doc = ast.get_docstring(ast.parse(text), clean=False) or ""
        elif not (isinstance(node, ast.FunctionDef) and node.name == helper):
            definitions.append(own)
    if missing := [port for name, port in ports.items() if name not in functions]:
        raise LoadRefused(
            f"transform.py has no function for the output port '{missing[0]}'.",
            next_step="put it back, or take the port out of product.odps.yaml",
        )
    reader = _Reader(text, helper, beginnings)
    made = tuple(reader.port(ports[name], node) for name, node in functions.items())
    read = _names_read(node for node, _ in statements if getattr(node, "name", "") != helper)
    kept = tuple(own for node, own in imports if not _own_import(node, read))
    docs = {name: ast.get_docstring(n, clean=False) or "" for name, n in beginnings.items()}
    return ModuleCode(doc, kept, tuple(definitions), made, docs)


def _helper_in(nodes: Sequence[ast.stmt]) -> str:
    """Return the name of the function that runs SQL, as an export writes it; empty without one."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            ways = product((False, True), repeat=2)
            written = [ast.parse(sql_helper(node.name, *way)) for way in ways]
            if ast.dump(node) in [ast.dump(tree.body[0]) for tree in written]:
                return node.name
    return ""


def _names_read(nodes: Iterator[ast.stmt]) -> set[str]:
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _own_import(node: ast.stmt, read: set[str]) -> bool:
    """Return whether only the function that runs SQL needs an import."""
    return ast.unparse(node) in ("import duckdb", "import pandas as pd") and not (
        bound_names(ast.Module([node], [])) & read
    )


@dataclass(frozen=True)
class _Reader:
    text: str
    helper: str
    beginnings: Mapping[str, ast.FunctionDef]

    def port(self, port: str, node: ast.FunctionDef) -> PortCode:
        parameters, defaults = self._parameters(port, node), self._defaults(port, node)
        *steps, last = said_in(node)
        result = self._result(port, last)
        doc = ast.get_docstring(node, clean=False) or ""
        return PortCode(port, parameters, defaults, tuple(self._steps(port, steps)), result, doc)

    def _steps(self, port: str, steps: Sequence[ast.stmt]) -> Iterator[Step]:
        """Yield the steps of a function, those of what it begins with in the call's place."""
        for at, node in enumerate(steps):
            called = next((n for n in _called(node) if n in self.beginnings), "")
            if not called:
                yield self._step(port, node)
            elif at == 0 and begins(node, self.beginnings[called]):
                *inner, _ = said_in(self.beginnings[called])
                yield from self._steps(port, inner)
            else:
                raise self._refused(
                    port,
                    node,
                    f"calls `{called}` otherwise than to begin with what that one does, under the "
                    "same names",
                    call_of(self.beginnings[called]),
                )

    def _parameters(self, port: str, node: ast.FunctionDef) -> tuple[str, ...]:
        args = node.args
        more = [*args.posonlyargs, args.vararg, args.kwarg, *args.defaults]
        if any(more) or node.decorator_list:
            raise self._refused(port, node, "takes something else than its inputs, by name")
        return tuple(argument.arg for argument in args.args)

    def _defaults(self, port: str, node: ast.FunctionDef) -> tuple[str, ...]:
        origins, made = origins_in(ast.parse(self.text)), []
        for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if value is None or argument.annotation is None:
                raise self._refused(
                    port,
                    argument,
                    "takes an argument without a type or a default",
                    "NAME: TYPE = …",
                )
            kind = segment(self.text, argument.annotation)
            around = comments_around(self.text, argument, value)
            one = Default(argument.arg, kind, segment(self.text, value), *around)
            made.append(one.said(origins))
        return tuple(made)

    def _result(self, port: str, node: ast.stmt) -> str:
        match getattr(node, "value", None) if isinstance(node, ast.Return) else None:
            case (
                ast.Name(id=name)
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="lazy"), args=[])
                | ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(
                            func=ast.Attribute(
                                value=ast.Name(id="pl"), attr="from_pandas" | "DataFrame"
                            ),
                            args=[ast.Name(id=name)],
                            keywords=[],
                        ),
                        attr="lazy",
                    ),
                    args=[],
                )
            ):
                return name
        raise self._refused(
            port, node, "returns something else than a frame with a name", "name = …; return name"
        )

    def _step(self, port: str, node: ast.stmt) -> Step:
        for part in _own_scope(node):
            if isinstance(part, ast.Return | ast.Yield | ast.YieldFrom | ast.Await):
                raise self._refused(port, part, "may end before its last statement")
            if isinstance(part, ast.Global | ast.Nonlocal):
                raise self._refused(port, part, "declares names that are not its own")
        if taken := sorted(bound_names(ast.Module([node], [])) & _OF_THE_NOTEBOOK):
            raise self._refused(port, node, f"binds `{taken[0]}`, which is the notebook's own")
        if self._calls_helper(node):
            return self._sql(port, node)
        return Step(_with_global(inner_text(self.text, node)))

    def _calls_helper(self, node: ast.stmt) -> bool:
        names = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
        return bool(self.helper) and self.helper in names

    def _sql(self, port: str, node: ast.stmt) -> Step:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(
                    func=ast.Name(id=self.helper), args=[query, *values], keywords=tables
                ),
            ) if all(t.arg and isinstance(t.value, ast.Name) for t in tables) and _own(values):
                pass
            case _:
                raise self._refused(
                    port, node, "runs SQL in a larger expression", f"NAME = {self.helper}(…)"
                )
        said = [(str(t.arg), segment(self.text, t.value)) for t in tables]
        given = "".join(f", {table}={frame}" for table, frame in said)
        call = f"mesh.sql({name!r}, {segment(self.text, query)}{given})"
        plain = isinstance(query, ast.Constant) and isinstance(query.value, str)
        above = leading_comments(inner_text(self.text, node))
        if above or not plain or any(table != frame for table, frame in said):
            return Step("\n".join([*above, call]), name)
        return Step(call, name, unindented(query.value))  # type: ignore[attr-defined]

    def _refused(self, port: str, node: ast.AST, problem: str, instead: str = "") -> LoadRefused:
        line = getattr(node, "lineno", 0)
        return LoadRefused(
            f"transform.py, line {line}: the function of '{port}' {problem}, which no cells say.",
            next_step=f"write {instead}" if instead else "write it in another way, and load again",
            line=line,
        )


def _called(node: ast.stmt) -> Iterator[str]:
    """Yield the functions that a statement names."""
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _own(values: Sequence[ast.expr]) -> bool:
    """Return whether each parameter of a query is given the value of its own name."""
    match values:
        case []:
            return True
        case [ast.Dict(keys=keys, values=given)]:
            pairs = zip(keys, given, strict=True)
            return all(
                isinstance(key, ast.Constant)
                and isinstance(value, ast.Name)
                and key.value == value.id
                for key, value in pairs
            )
    return False


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs in the scope of the function itself, not in functions inside it."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_scope(child)


def _with_global(text: str) -> str:
    """Return a statement with each `nonlocal` of the port's function turned into `global`."""
    found = list(_outermost(ast.parse(text), ()))
    spans = [(node, f"global {', '.join(node.names)}") for node in found]
    return replaced(text, spans) if spans else text  # type: ignore[arg-type]


def _outermost(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[ast.Nonlocal]:
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.Nonlocal):
            own = {name for outer in around[:-1] for name in _owned(outer)}
            if not own & set(child.names):
                yield child
        yield from _outermost(child, (*around, child) if inside else around)


def _owned(function: ast.AST) -> set[str]:
    from mesh_notebook.export.scopes import declared, parameters

    if isinstance(function, ast.Lambda):
        return set(parameters(function))
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return (bound_names(function) | set(parameters(function))) - declared(function)
