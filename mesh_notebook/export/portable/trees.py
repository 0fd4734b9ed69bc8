"""Values: whether a piece of code makes a frame, an expression or a plain value; and its text."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from mesh_notebook.export.portable.expressions import Call, Rewriter
from mesh_notebook.export.portable.frames import FRAMES
from mesh_notebook.export.portable.joins import as_of, joined, stacked
from mesh_notebook.export.portable.kinds import constant
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context, Deferred, Frame, Scope
from mesh_notebook.export.text import indented

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Trees", "sql_name", "tidy"]

_SHORT = {"sum", "mean", "min", "max", "median", "first", "last", "count", "n_unique", "all"}


class Source(Protocol):
    """The module that is rewritten: its helpers, and where their texts go."""

    helpers: dict[str, str]
    queries: dict[str, list[str]]
    placeholders: dict[str, str]
    port: str

    def definition(self, name: str) -> ast.FunctionDef | None: ...
    def sql_helper(self) -> str: ...
    def body(self, node: ast.FunctionDef, scope: Scope, trees: Trees) -> tuple[str, Any]: ...


class Trees:
    """Rewrites the right-hand sides of statements."""

    def __init__(self, rewriter: Rewriter, source: Source) -> None:
        self._r, self._source = rewriter, source
        rewriter.helper = self._expression_helper

    def value(self, node: ast.expr, scope: Scope) -> tuple[str | list[str], Any]:
        """Return a right-hand side's text and what it stands for.

        Of an expression the text is a list that fills when a frame uses the name.
        """
        if self._r.plain(node, scope):
            return ast.unparse(node), scope.evaluated(node)
        if self._makes_frame(node, scope):
            text, frame = self.frame(node, scope)
            return tidy(text), frame
        before = replace(scope, names=dict(scope.names), values=dict(scope.values))
        texts: list[str] = []
        return texts, Deferred(node, before, texts)

    def frame(self, node: ast.expr, scope: Scope) -> tuple[str, Frame]:
        """Return a frame's text and what is known of it."""
        if isinstance(node, ast.Name):
            return node.id, scope.names[node.id]
        if not isinstance(node, ast.Call):
            raise CannotGo(node, "only methods of frames are rewritten")
        if isinstance(node.func, ast.Name):
            return self._called(node, scope)
        assert isinstance(node.func, ast.Attribute)  # as `_makes_frame` saw
        call = _call(node)
        if isinstance(call.on, ast.Name) and call.on.id == "pl":
            return self._concat(call, scope)
        if _is_group_by(call.on):
            return self._grouped(call, scope)
        one = self.frame(call.on, scope)
        if call.name in ("join", "join_asof"):
            return self._join(call, one, scope)
        if call.name == "pipe":
            piped = ast.Call(call.args[0], [call.on, *call.args[1:]], node.keywords)
            return self.frame(ast.copy_location(piped, node), scope)
        if call.name not in FRAMES:
            raise CannotGo(node, f"`{call.name}` of a frame has no equal on the other engines")
        return FRAMES[call.name](self._r, call, *one, scope)

    def _makes_frame(self, node: ast.expr, scope: Scope) -> bool:
        """Return whether a piece of code makes a frame, as far as its names tell."""
        match node:
            case ast.Name(id=name):
                return isinstance(scope.names.get(name), Frame)
            case ast.Call(func=ast.Name(id=name)):
                definition = self._source.definition(name)
                if name == self._source.sql_helper():
                    return True
                given = [*node.args, *(k.value for k in node.keywords)]
                return definition is not None and any(self._makes_frame(a, scope) for a in given)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pl"), attr="concat")):
                return True
            case ast.Call(func=ast.Attribute(value=on)) | ast.Attribute(value=on):
                return self._makes_frame(on, scope)
            case ast.Subscript(value=on):
                return self._makes_frame(on, scope)
        return False

    def _grouped(self, call: Call, scope: Scope) -> tuple[str, Frame]:
        assert isinstance(call.on, ast.Call)  # as `_is_group_by` saw
        assert isinstance(call.on.func, ast.Attribute)
        if call.on.func.attr != "group_by":
            raise CannotGo(call.on, f"`{call.on.func.attr}` has no equal on the other engines")
        if call.name not in ("agg", "len"):
            raise CannotGo(call.node, f"`group_by(…).{call.name}` has no equal: use agg")
        text, frame = self.frame(call.on.func.value, scope)
        return FRAMES[call.name](self._r, call, text, frame, scope)

    def _join(self, call: Call, one: tuple[str, Frame], scope: Scope) -> tuple[str, Frame]:
        node = call.args[0] if call.args else call.keywords.get("other")
        if node is None or not self._makes_frame(node, scope):
            raise CannotGo(call.node, "what it joins with is no frame that is known")
        other = self.frame(node, scope)
        if call.name == "join":
            return joined(self._r, call, one, other, scope)
        query, frame = as_of(self._r, call, one, other, scope)
        return f"sql({self._query(query)}, earlier={other[0]}, rows={one[0]})", frame

    def _concat(self, call: Call, scope: Scope) -> tuple[str, Frame]:
        items, how, *_ = call.takes("items", "how", "rechunk")
        if not isinstance(items, ast.List | ast.Tuple):
            raise CannotGo(call.node, "which frames it stacks is not known")
        for item in items.elts:
            if not self._makes_frame(item, scope):
                raise CannotGo(item, "nothing is known of this frame")
        said = ast.literal_eval(how) if constant(how) else "vertical"  # type: ignore[arg-type]
        return stacked(call.node, [self.frame(item, scope) for item in items.elts], said)

    # ---- SQL and helpers -------------------------------------------------------------------

    def _query(self, query: str) -> str:
        """Keep a query, and return the name that stands for it until the module is whole."""
        self._source.queries[self._source.port].append(query)
        name = f"_QUERY_{len(self._source.placeholders)}_"
        self._source.placeholders[name] = _quoted(query)
        return name

    def _called(self, node: ast.Call, scope: Scope) -> tuple[str, Frame]:
        assert isinstance(node.func, ast.Name)  # as the caller saw
        if node.func.id == self._source.sql_helper():
            return self._sql(node, scope)
        text, value = self._helper(node, None, scope)
        if not isinstance(value, Frame):
            raise CannotGo(node, "it does not return a frame")
        return text, value

    def _sql(self, node: ast.Call, scope: Scope) -> tuple[str, Frame]:
        if not constant(node.args[0]):
            raise CannotGo(node, "its query is known only when it runs")
        if len(node.args) > 1:
            raise CannotGo(node, "its query takes values of Python")
        query = ast.literal_eval(node.args[0])
        tables = {}
        for keyword in node.keywords:
            if keyword.arg is None or not self._makes_frame(keyword.value, scope):
                raise CannotGo(node, "a table of it is no frame that is known")
            tables[keyword.arg] = self.frame(keyword.value, scope)
        given = "".join(f", {name}={text}" for name, (text, _) in tables.items())
        data = _result(node, query, {name: frame.data for name, (_, frame) in tables.items()})
        return f"sql({self._query(query)}{given})", Frame(data)

    def _expression_helper(self, node: ast.Call, ctx: Context) -> str:
        text, value = self._helper(node, ctx, ctx.scope)
        if isinstance(value, Frame):
            raise CannotGo(node, "a frame stands where an expression is expected")
        return text

    def _helper(self, node: ast.Call, ctx: Context | None, scope: Scope) -> tuple[str, Any]:
        """Rewrite a helper as this call uses it; every call must come to the same text."""
        assert isinstance(node.func, ast.Name)  # as the callers saw
        name = node.func.id
        definition = self._source.definition(name)
        if definition is None or definition.decorator_list:
            raise CannotGo(node, f"`{name}` is no function that can be rewritten")
        given = _bound(node, definition)
        names: dict[str, Any] = {k: v for k, v in scope.names.items() if not _is_local(v)}
        values, heads, texts = dict(scope.values), [], {}
        for parameter, argument in given.items():
            texts[parameter], names[parameter], kind = self._argument(argument, ctx, scope)
            values[parameter] = (
                names[parameter].data if kind == _FRAME else scope.evaluated(argument)
            )
            heads.append(f"{parameter}: {kind}")
        inner = replace(scope, names=names, values=values)
        body, value, kind = self._helper_body(definition, inner, ctx)
        doc = ast.get_docstring(definition, clean=False)
        told = f'    """{doc}"""\n' if doc else ""
        text = f"def {name}({', '.join(heads)}) -> {kind}:\n{told}{indented(body)}\n"
        if self._source.helpers.setdefault(name, text) != text:
            raise CannotGo(node, f"`{name}` means different things for the calls of it")
        scope.values.setdefault(name, _compiled(definition, scope))
        return f"{name}({', '.join(_passed(node, given, texts))})", value

    def _argument(self, node: ast.expr, ctx: Context | None, scope: Scope) -> tuple[str, Any, str]:
        if self._r.plain(node, scope):
            value = scope.evaluated(node)
            return ast.unparse(node), value, _annotation(value)
        if self._makes_frame(node, scope):
            text, frame = self.frame(node, scope)
            return text, frame, _FRAME
        if ctx is None:
            raise CannotGo(node, "an expression is given with a frame to one helper")
        return self._r.expr(node, ctx), Deferred(node, scope, []), "nw.Expr"

    def _helper_body(
        self, definition: ast.FunctionDef, scope: Scope, ctx: Context | None
    ) -> tuple[str, Any, str]:
        if ctx is None:
            body, value = self._source.body(definition, scope, self)
            return body, value, _FRAME
        statements = [s for s in definition.body if not _is_doc(s)]
        if len(statements) != 1 or not isinstance(statements[0], ast.Return):
            raise CannotGo(definition, "a helper of expressions is rewritten if it only returns")
        value = statements[0].value
        assert value is not None
        text = self._r.expr(value, replace(ctx, scope=scope))
        return f"return {tidy(text)}", None, "nw.Expr"


_FRAME = "nw.LazyFrame[Any]"


def _is_local(value: Any) -> bool:
    return isinstance(value, Frame | Deferred)


def _annotation(value: Any) -> str:
    if isinstance(value, list | tuple) and value and len({type(v) for v in value}) == 1:
        inner = type(value[0]).__name__
        return f"list[{inner}]" if isinstance(value, list) else f"tuple[{inner}, ...]"
    return type(value).__name__


def _passed(node: ast.Call, given: dict[str, ast.expr], texts: dict[str, str]) -> list[str]:
    """Return the arguments as they were given: by position, or by name."""
    positions = list(given)[: len(node.args)]
    return [
        texts[name] if name in positions else f"{name}={texts[name]}"
        for name in given
        if name in positions or name in {k.arg for k in node.keywords}
    ]


def _bound(node: ast.Call, definition: ast.FunctionDef) -> dict[str, ast.expr]:
    arguments = definition.args
    names = [a.arg for a in [*arguments.args, *arguments.kwonlyargs]]
    given: dict[str, ast.expr] = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg is None:
            raise CannotGo(node, "arguments that a `**` gives are not known")
        given[keyword.arg] = keyword.value
    if set(given) != set(names) or arguments.vararg or arguments.kwarg:
        raise CannotGo(node, "it leaves arguments to their defaults")
    return {name: given[name] for name in names}


def _compiled(definition: ast.FunctionDef, scope: Scope) -> Any:
    """Return a helper as a function, to learn types of what it returns."""
    bare = ast.parse(ast.unparse(definition)).body[0]
    assert isinstance(bare, ast.FunctionDef)
    bare.returns = None
    for argument in [*bare.args.args, *bare.args.kwonlyargs]:
        argument.annotation = None
    exec(compile(ast.Module([bare], []), "transform.py", "exec"), scope.values)
    return scope.values[definition.name]


def _is_doc(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_group_by(node: ast.expr) -> bool:
    names = ("group_by", "group_by_dynamic", "rolling")
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in names
    )


def _call(node: ast.Call) -> Call:
    assert isinstance(node.func, ast.Attribute)
    keywords = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise CannotGo(node, "arguments that a `**` gives are not known")
        keywords[keyword.arg] = keyword.value
    return Call(node, node.func.value, node.func.attr, list(node.args), keywords)


def tidy(text: str) -> str:
    """Return code without the brackets that it can do without."""
    return ast.unparse(ast.parse(text, mode="eval"))


def sql_name(tree: ast.Module) -> str:
    """Return the name of the function that runs SQL, empty where a module has none."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and "duckdb.connect" in ast.unparse(node):
            return node.name
    return ""


def _result(node: ast.Call, query: str, tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Return the columns of a query's result, which DuckDB tells from tables without rows."""
    import duckdb
    import polars as pl

    alone: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": "false",
        "enable_external_access": "false",
    }
    with duckdb.connect(config=alone) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        for name, table in tables.items():
            connection.register(name, table.collect().to_arrow())
        try:
            made = pl.DataFrame(connection.sql(query).limit(0).to_arrow_table())
        except duckdb.Error as error:
            raise CannotGo(node, f"DuckDB cannot tell its columns: {error}") from None
    return made.lazy()


def _quoted(query: str) -> str:
    escaped = query.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if "\n" in escaped:
        return f'"""\n{escaped.strip(chr(10)).rstrip()}\n        """'
    return f'"""{escaped} """' if escaped.endswith('"') else f'"""{escaped}"""'
