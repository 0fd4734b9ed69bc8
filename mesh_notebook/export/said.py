"""The statements of a module and of a notebook, one by one, so that they can be compared."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesh_notebook.errors import SpecError
from mesh_notebook.export.module import Module
from mesh_notebook.export.scopes import bound_names
from mesh_notebook.export.text import inner_text, statements_of
from mesh_notebook.export.verbs import magic
from mesh_notebook.export.words import words
from mesh_notebook.mesh.identity import statement_said, written_alike

__all__ = ["Said", "code_cells", "in_module", "in_notebook", "of_seal", "sealed_statements"]

# The verbs that say what the product is; the others look at it, or do something with it.
_DECLARING = words("product output drop contract promise link protect")
_SAYING = _DECLARING | words("connect source mock use sql")


@dataclass(frozen=True)
class Said:
    """One statement.

    Attributes
    ----------
    text : str
        As it is written.
    key : str
        Equal for two that say the same: layout, comments and docstrings aside. Empty of a text
        that stands alone.
    about : str
        What it binds, or which verb it calls on what: two of one such are versions of one.
    means : str
        Equal for a statement of a module and that of the notebook which it comes from.
    scope : str
        Of a module: the port, or the function that several begin with; empty where it stands
        outside of all.
    place : int or None
        The cell, or the line of the module.
    """

    text: str
    key: str
    about: str
    means: str
    scope: str = ""
    place: int | None = None


# ---- a module ------------------------------------------------------------------------------------


def in_module(text: str, ports: Mapping[str, str]) -> list[Said]:
    """Return a module's statements.

    Parameters
    ----------
    ports : mapping
        By name of a function: the port; or the name itself of one that ports begin with.

    Raises
    ------
    SpecError
        The text is no Python.
    """
    found = []
    try:
        statements = statements_of(text)
    except SyntaxError as error:
        raise SpecError(
            f"transform.py, line {error.lineno}: {error.msg}.", next_step="mend it there"
        ) from None
    for node, own in statements:
        if isinstance(node, ast.FunctionDef) and node.name in ports:
            found += list(_in_function(text, node, ports[node.name]))
        else:
            found.append(_of_module(node, own, ""))
    return found


def _in_function(text: str, node: ast.FunctionDef, port: str) -> Iterator[Said]:
    given = [*zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
    left = [argument for argument, value in given if value is None]
    plain = ast.arguments(
        **{**vars(node.args), "kwonlyargs": left, "kw_defaults": [None] * len(left)}
    )
    head = ast.unparse(ast.FunctionDef(**{**vars(node), "args": plain, "body": [ast.Pass()]}))
    head = head.removesuffix("\n    pass")
    yield Said(head, head, f"def {node.name}", head, port, node.lineno)
    for argument, value in given:
        if value is None:
            continue
        # As the notebook's parameters cell says it.
        one = ast.parse(f"{argument.arg} = {ast.unparse(value)}").body[0]
        yield replace(_of_module(one, ast.unparse(one), port), place=argument.lineno)
    for part in node.body:
        yield _of_module(part, inner_text(text, part), port)


def _of_module(node: ast.stmt, text: str, port: str) -> Said:
    return Said(text, _key(node), _about(node), _means(node), port, node.lineno)


def sealed_statements(module: Module, ports: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a module's statements as a receipt keeps them, each with the cell it comes from."""
    kept = []
    begun = {one.name: one.name for one in module.beginnings}
    for said in in_module(module.text, {**ports, **begun}):
        statement = module.statement_at(said.place)
        cell = statement.cell.count if statement else None
        kept.append({"port": said.scope, "text": said.text, "cell": cell})
    return kept


def of_seal(kept: Sequence[Mapping[str, Any]]) -> list[Said]:
    """Read back what `sealed_statements` gave."""
    return [_of_seal(str(one["port"]), str(one["text"])) for one in kept]


def _of_seal(port: str, text: str) -> Said:
    if port and text.startswith("def ") and text.endswith(":"):
        name = text.removeprefix("def ").partition("(")[0]
        return Said(text, text, f"def {name}", text, port)
    node = ast.parse(text).body[0]
    return Said(text, _key(node), _about(node), _means(node), port)


def _key(node: ast.stmt) -> str:
    """Return what a statement means; what a helper is given is SQL, as in `_means`."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    return statement_said(node, [text for call in calls if (text := _query(call)) is not None])


def _query(call: ast.Call) -> ast.Constant | None:
    match call:
        case ast.Call(func=ast.Name(id=helper), args=[ast.Constant(value=str()) as query, *_]) if (
            helper.startswith("_sql")
        ):
            return query
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="mesh"), attr="sql"),
            args=[_, ast.Constant(value=str()) as query, *_],
        ):
            return query
    return None


def _about(node: ast.stmt) -> str:
    names = sorted(bound_names(ast.Module([node], [])))
    return " ".join([type(node).__name__ if not names else "binds", *names])


def _means(node: ast.stmt) -> str:
    """Return what a statement says in either place: SQL is a helper's call in a module."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Name(id=helper), args=[ast.Constant(value=str(query)), *_]),
        ) if helper.startswith("_sql"):
            return _sql(name, query)
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id="mesh"), attr="sql"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(query))],
            )
        ):
            return _sql(name, query)
    # What is global in a notebook is a name of the function around it in a module.
    return ast.dump(node).replace("Nonlocal(", "Global(")


def _sql(name: str, query: str) -> str:
    return f"sql {name}: {written_alike(query)}"


# ---- a notebook ----------------------------------------------------------------------------------


def code_cells(text: str, where: str) -> list[str]:
    """Return the code of each cell of a notebook file; raises `SpecError` where it is none."""
    try:
        cells = json.loads(text)["cells"]
        return [
            source if isinstance(source := cell["source"], str) else "".join(source)
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError):
        raise SpecError(
            f"{where} is no notebook.", next_step="name the .ipynb file that was exported"
        ) from None


def in_notebook(cells: Sequence[str]) -> list[Said]:
    """Return the statements of a notebook's cells, up to the last that declares anything.

    What only looks at the product, or does something with it, is left out.
    """
    found = [said for number, code in enumerate(cells, start=1) for said in _in_cell(code, number)]
    last = max((i for i, said in enumerate(found) if _declares(said)), default=len(found) - 1)
    return found[: last + 1]


def _declares(said: Said) -> bool:
    verb = said.about.split()[1] if said.about.startswith("mesh ") else ""
    return verb in _DECLARING


def _in_cell(code: str, number: int) -> Iterator[Said]:
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Any = TransformerManager  # untyped
    try:
        statements = statements_of(str(manager().transform_cell(code)))
    except SyntaxError:  # no cell that ran
        yield Said(code, code, "text", code, place=number)
        return
    for node, text in statements:
        yield from _of_notebook(node, text, number)


def _of_notebook(node: ast.stmt, text: str, number: int) -> Iterator[Said]:
    called = magic(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield Said(text, _key(node), _about(node), ast.dump(node), place=number)
    elif called is None or called.name != "mesh":
        if called is None or called.name != "load_ext":
            shown = called.said if called else text
            yield Said(shown, _key(node), _about(node), _means(node), place=number)
    else:
        yield from _of_verb(called.line, called.body, number)


def _of_verb(line: str, body: str, number: int) -> Iterator[Said]:
    try:
        said = shlex.split(line)
    except ValueError:
        said = line.split()
    verb, *more = said or ["path"]
    if verb not in _SAYING:
        return
    text = f"%%mesh {line}\n{body.rstrip()}" if body else f"%mesh {line}"
    said_below = written_alike(body) if verb == "sql" else body.strip()
    key = json.dumps([verb, more, said_below])
    name = more[0] if more else ""
    if verb in ("connect", "mock") and "--as" in more[:-1]:
        name = more[more.index("--as") + 1]
    means = _sql(name, body) if verb == "sql" else key
    yield Said(text, key, f"mesh {verb} {name}", means, place=number)
