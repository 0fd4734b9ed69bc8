"""Functions and their statements: from `transform.py` to `portable.py`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.export.defaults import kind_of, origins_in
from mesh_notebook.export.formatting import formatted
from mesh_notebook.export.hoisting import is_literal
from mesh_notebook.export.module import Module
from mesh_notebook.export.portable.expressions import Rewriter
from mesh_notebook.export.portable.helpers import helpers_text
from mesh_notebook.export.portable.refusals import ENGINES, CannotGo, NotPortable, Portable
from mesh_notebook.export.portable.scope import Deferred, Frame, Scope
from mesh_notebook.export.portable.trees import Trees, sql_name, tidy
from mesh_notebook.export.text import indented
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    from mesh_notebook.export.drafts import InputDraft

__all__ = ["portable_of", "rewritten"]

# What a value that the code computes may raise while Polars is asked for its type.
_UNREADABLE: tuple[type[Exception], ...] = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError),
    *(StopIteration, TypeError, ValueError),
)
_SQL = "Sql = Callable[..., nw.LazyFrame[Any]]"


def portable_of(module: Module) -> Portable:
    """Rewrite a transform for DuckDB and Spark.

    Returns
    -------
    Portable
        The module, where an engine can run every port, and what keeps which engine from it.
    """
    made = _portable(module)
    # Of a beginning that other engines cannot call, each port says the statements itself.
    gone = made.text is None or made.refusals
    return _portable(module.apart) if gone and module.beginnings else made


def _portable(module: Module) -> Portable:
    ports = {python_name(one.port): one.port for one in module.plan.slices}
    frames = {name: _input(draft) for name, draft in module.plan.inputs.items()}

    def cell_of(node: ast.AST) -> str:
        statement = module.statement_at(getattr(node, "lineno", None))
        count = statement.cell.count if statement else None
        return f"cell [{count}]" if count else ""

    return rewritten(module.text, ports, frames, cell_of)


def rewritten(
    text: str,
    ports: Mapping[str, str],
    frames: Mapping[str, Frame],
    cell_of: Callable[[ast.AST], str] = lambda node: "",
) -> Portable:
    """Rewrite the text of a transform.

    Parameters
    ----------
    ports : mapping
        By function: the port that it makes.
    frames : mapping
        By parameter: the input.
    cell_of : callable
        From a node of the text to the cell that it comes from.
    """
    writer = _Writer(ast.parse(text), text.split("\n"), frames)
    texts, refusals = [], []
    for name, port in ports.items():
        try:
            texts.append(writer.function(name))
        except _UNREADABLE as error:
            refusals.append(NotPortable("", port, "", name, f"it cannot be read: {error!r}"))
        except CannotGo as stays:
            cell = cell_of(stays.node)
            refusals.append(NotPortable("", port, cell, stays.expression, stays.why))
        refusals += [replace(refusal, port=port) for refusal in writer.of_sql(name)]
    if len(texts) < len(ports):
        return Portable(None, tuple(refusals))
    made = Portable(formatted(writer.module(texts)), tuple(refusals))
    return made if made.engines else Portable(None, made.refusals)


def _input(draft: InputDraft) -> Frame:
    """Return what is known of an input: its columns, and the key that its contract holds it to."""
    import polars as pl

    data = draft.data.lazy() if isinstance(draft.data, Scan) else draft.data
    schema = dict(data.collect_schema())
    # Of a source, its own rows were asked for a key; nothing holds the next ones to it.
    key = frozenset(() if draft.recipe.get("kind") == "source" else draft.contract.key)
    keys = frozenset({key} if key and key <= set(schema) else ())
    return Frame(pl.LazyFrame(schema=schema), None, keys)


@dataclass
class _Writer:
    """Writes the module, one function after the other."""

    tree: ast.Module
    lines: list[str]
    frames: Mapping[str, Frame]
    rewriter: Rewriter = field(default_factory=Rewriter)
    helpers: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    queries: dict[str, list[str]] = field(default_factory=dict)
    placeholders: dict[str, str] = field(default_factory=dict)
    port: str = ""

    def function(self, name: str) -> str:
        """Return one port's function."""
        node = self._definition(name)
        self.port, self.queries[name] = name, []
        names: dict[str, Any] = {}
        values = self._globals()
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            if argument.arg in self.frames:
                names[argument.arg] = frame = self.frames[argument.arg]
                values[argument.arg] = frame.data
        defaults = _defaults(node.args)
        for argument_name, default in defaults.items():
            if not (is_literal(default) or kind_of(default, origins_in(self.tree))):
                raise CannotGo(default, "what it stands for is not known before it runs")
            code = compile(ast.Expression(default), "transform.py", "eval")
            names[argument_name] = values[argument_name] = eval(code, values)
        scope = Scope({**self._constants(), **names}, values)
        trees = Trees(self.rewriter, self)
        body, result = self.body(node, scope, trees)
        if not isinstance(result, Frame):
            raise CannotGo(node, "it does not return a frame")
        heads = [f"{arg}: nw.LazyFrame[Any]" for arg in names if arg in self.frames]
        if self.queries[name]:
            heads.insert(0, "sql: Sql")
        star = ["*"] if defaults and node.args.kwonlyargs else []
        heads += star + [
            f"{argument.arg}: {_kind(argument, names)} = {ast.unparse(defaults[argument.arg])}"
            for argument in (*node.args.args, *node.args.kwonlyargs)
            if argument.arg in defaults
        ]
        doc = ast.get_docstring(node, clean=False)
        told = f'    """{doc}"""\n' if doc else ""
        return f"def {name}({', '.join(heads)}) -> nw.LazyFrame[Any]:\n{told}{indented(body)}\n"

    def of_sql(self, name: str) -> list[NotPortable]:
        """Return which queries of a port an engine cannot run."""
        from mesh_notebook.mesh.engines.dialects import not_portable

        return [
            NotPortable(engine, "", "", expression, why)
            for query in self.queries.get(name, ())
            for engine in ENGINES
            for expression, why in not_portable(query, engine)
        ]

    def module(self, functions: list[str]) -> str:
        """Return the whole text, not yet in the house format."""
        doc = ast.get_docstring(self.tree, clean=False) or "The transform."
        heads = ["from __future__ import annotations", "from typing import Any"]
        heads += ["import narwhals as nw"]
        sql = any(self.queries.values())
        if sql:
            heads.insert(1, "from collections.abc import Callable")
        heads += [ast.unparse(node) for node in self.tree.body if _plain_import(node)]
        parts = [f'"""{doc}"""', *heads, *([_SQL] if sql else []), *self.constants.values()]
        parts += helpers_text(self.rewriter.needs) + list(self.helpers.values())
        text = "\n\n".join([*parts, *functions])
        for name, query in self.placeholders.items():
            text = text.replace(name, query)
        return text

    # ---- parts -----------------------------------------------------------------------------

    def body(self, node: ast.FunctionDef, scope: Scope, trees: Trees) -> tuple[str, Any]:
        """Return a function's statements, and what it returns."""
        made: list[tuple[str, list[str] | str]] = []
        last = node.body[0].lineno - 1
        for statement in node.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                last = statement.end_lineno or last
                continue
            comments = self._comments(last, statement.lineno)
            last = statement.end_lineno or last
            head, text, value = self._statement(statement, scope, trees)
            made.append((f"{comments}{head}", text))
            if isinstance(statement, ast.Return):
                return "\n".join(_joined(head, text) for head, text in made if text), value
        raise CannotGo(node, "it does not end with what it returns")

    def _comments(self, start: int, end: int) -> str:
        said = [line.strip() for line in self.lines[start : end - 1]]
        return "".join(f"{line}\n" for line in said if line.startswith("#"))

    def _statement(
        self, node: ast.stmt, scope: Scope, trees: Trees
    ) -> tuple[str, list[str] | str, Any]:
        if isinstance(node, ast.Return) and node.value is not None:
            text, value = trees.value(node.value, scope)
            if not isinstance(value, Frame):
                raise CannotGo(node.value, "nothing is known of this frame")
            return "return ", text, value
        target, value_node = _assigned(node)
        if target is None or value_node is None:
            raise CannotGo(node, "only assignments and calls of frames are rewritten")
        text, value = trees.value(value_node, scope)
        scope.names[target] = value
        scope.values.pop(target, None)
        if not isinstance(value, Deferred):
            scope.values[target] = value.data if isinstance(value, Frame) else value
        return f"{target} = ", text, value

    def _definition(self, name: str) -> ast.FunctionDef:
        found = (n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
        return next(found)

    def definition(self, name: str) -> ast.FunctionDef | None:
        found = (n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
        return next(found, None)

    def sql_helper(self) -> str:
        """Return the name of the module's function that runs SQL; empty where it has none."""
        return sql_name(self.tree)

    def _constants(self) -> dict[str, Any]:
        made = {}
        for node in self.tree.body:
            target, value = _assigned(node)
            if target is not None and value is not None and is_literal(value):
                made[target] = ast.literal_eval(value)
                self.constants[target] = ast.unparse(node)
        return made

    def _globals(self) -> dict[str, Any]:
        """Return what Polars' own evaluation may need: the imports of plain modules, constants."""
        import polars as pl

        values: dict[str, Any] = {"pl": pl, **self._constants()}
        for node in self.tree.body:
            if _plain_import(node):
                exec(compile(ast.Module([node], []), "transform.py", "exec"), values)
        return values


def _joined(head: str, text: list[str] | str) -> str:
    return head + tidy(text if isinstance(text, str) else text[0])


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
    return None, None


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    plain = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    pairs = [*zip(plain, arguments.defaults, strict=True)]
    pairs += [
        (arg, default)
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    return {arg.arg: default for arg, default in pairs}


def _kind(argument: ast.arg, names: Mapping[str, Any]) -> str:
    """Return the type of an argument: as it is written, else as its default has it."""
    said = argument.annotation
    return ast.unparse(said) if said else type(names[argument.arg]).__name__


def _plain_import(node: ast.stmt) -> bool:
    """Return whether an import is of the plain values that expressions are compared with."""
    if isinstance(node, ast.ImportFrom):
        return node.module in ("datetime", "decimal")
    return isinstance(node, ast.Import) and {a.name for a in node.names} <= {"datetime", "decimal"}
