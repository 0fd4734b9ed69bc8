"""A lambda that is given a name, as the function that it is: with room for types, and a name."""

from __future__ import annotations

import ast
import textwrap

from mesh_notebook.export.text import comments_around, leading_comments, segment

__all__ = ["as_function"]


def as_function(node: ast.stmt, text: str) -> tuple[ast.stmt, str]:
    """Return `name = lambda …` as a function; any other statement as it is.

    Parameters
    ----------
    text : str
        The statement's text, with its comments.
    """
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
            pass
        case _:
            return node, text
    own = ast.parse(text).body[0]
    assert isinstance(own, ast.Assign)
    assert isinstance(own.value, ast.Lambda)
    body = segment(text, own.value.body)
    _, behind = comments_around(text, own.targets[0], own.value)
    head = f"def {name}({ast.unparse(own.value.args)}):{behind and f'  {behind}'}"
    value = f"(\n{textwrap.dedent(body)}\n)" if "\n" in body else body
    made = "\n".join([*leading_comments(text), head, f"    return {value}"])
    try:
        (function,) = ast.parse(made).body
    except SyntaxError:  # a text that no function's body can hold as it stands
        return node, text
    same = isinstance(function, ast.FunctionDef) and _says(function, own.value)
    return (function, made) if same else (node, text)


def _says(function: ast.FunctionDef, value: ast.Lambda) -> bool:
    (last,) = function.body
    return (
        isinstance(last, ast.Return)
        and last.value is not None
        and ast.dump(last.value) == ast.dump(value.body)
        and ast.dump(function.args) == ast.dump(value.args)
    )
