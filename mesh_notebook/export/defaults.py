"""A notebook's parameters: what its parameters cell binds becomes an argument with a default.

A parameters cell is one that is tagged `parameters`, as papermill has it, or begins with a comment
that says so. Of what it binds, that is taken which cannot change from one call to the next:
numbers, texts, dates, and tuples of them. All else stays where it is.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_notebook.export.meaning import BUILTINS
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.text import comments_around, segment

__all__ = [
    "MARK",
    "Default",
    "default_of",
    "free_to_give",
    "kind_of",
    "origins_in",
    "tagged_in",
    "unmarked",
]

MARK = "# parameters"
_MARKED = re.compile(r"\s*#\s*parameters\b.*", re.IGNORECASE)
# What is made once and never changes, by its full name.
_CONSTANT = frozenset(
    {"datetime.date", "datetime.datetime", "datetime.timedelta", "decimal.Decimal"}
)


@dataclass(frozen=True)
class Default:
    """One parameter of the notebook.

    Attributes
    ----------
    name, kind, value : str
        The argument, its type and its default, each as written.
    above, behind : str
        The comments that stand with it.
    """

    name: str
    kind: str
    value: str
    above: tuple[str, ...] = ()
    behind: str = ""

    @property
    def argument(self) -> str:
        """How a function takes it."""
        return f"{self.name}: {self.kind} = {self.value}"

    def below(self, comment: str) -> Default:
        """Return it with one more comment above it."""
        return replace(self, above=(*comment.splitlines(), *self.above))

    def lines(self) -> list[str]:
        """Return the lines of a function's head that say it, comments included."""
        return [*self.above, f"{self.argument},{self.behind and f'  {self.behind}'}"]

    def said(self, origins: Mapping[str, str]) -> str:
        """Return the statement of a parameters cell that says it."""
        plain = kind_of(ast.parse(self.value, mode="eval").body, origins) == self.kind
        text = f"{self.name} = {self.value}" if plain else self.argument
        return "\n".join([*self.above, f"{text}{self.behind and f'  {self.behind}'}"])


def tagged_in(notebook: Path | None) -> frozenset[str]:
    """Return the sources of a notebook file's cells that are tagged `parameters`."""
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"] if notebook else []
        tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", ())]
        return frozenset("".join(cell["source"]).strip() for cell in tagged)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()  # it is being saved just now, or is none


def unmarked(text: str) -> str:
    """Return a statement's text without the comment that marks its cell."""
    lines = text.split("\n")
    return "\n".join(lines[1:]) if len(lines) > 1 and _MARKED.fullmatch(lines[0]) else text


def default_of(
    statement: Statement,
    tagged: frozenset[str],
    origins: Mapping[str, str],
    queried: frozenset[str] = frozenset(),
) -> Default | None:
    """Return the parameter that a statement says; None where it says none.

    Parameters
    ----------
    tagged : frozenset of str
        The sources of the cells that are tagged.
    origins : mapping
        By name: the full name of what the module imports.
    queried : frozenset of str
        The names whose values a query takes: what binds one is a parameter in any cell.
    """
    source = statement.cell.source.strip()
    first = source.partition("\n")[0]
    asked = bool(queried.intersection(statement.names))
    if statement.half or not (asked or source in tagged or _MARKED.fullmatch(first)):
        return None
    text = unmarked(statement.text)
    match ast.parse(text).body:
        case [ast.Assign(targets=[ast.Name(id=name) as target], value=value)]:
            kind = kind_of(value, origins)
        case [
            ast.AnnAssign(
                target=ast.Name(id=name) as target, annotation=said, value=ast.expr() as value
            )
        ]:
            sure = _is_constant(value, origins) and _names(said) <= {*origins, *BUILTINS}
            kind = segment(text, said) if sure else ""
        case _:
            return None
    if not kind:
        return None
    above, behind = comments_around(text, target, value)
    return Default(name, kind, segment(text, value), above, behind)


def kind_of(value: ast.expr, origins: Mapping[str, str]) -> str:
    """Return the type of a value that never changes; empty where it may, or nobody can tell."""
    match value:
        case ast.Constant(value=bool() | int() | float() | str() | bytes() as plain):
            return type(plain).__name__
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return kind_of(value.operand, origins)
        case ast.Tuple(elts=[_, *_] as parts):
            kinds = [kind_of(part, origins) for part in parts]
            if not all(kinds):
                return ""
            same = len(set(kinds)) == 1 and len(kinds) > 1
            return f"tuple[{kinds[0]}, ...]" if same else f"tuple[{', '.join(kinds)}]"
        case ast.Call(func=ast.Name() | ast.Attribute() as made, args=args, keywords=keywords):
            given = [*args, *(keyword.value for keyword in keywords)]
            plain = _full_name(made, origins) in _CONSTANT
            if plain and all(kind_of(one, origins) for one in given):
                return ast.unparse(made)
    return ""


def origins_in(tree: ast.Module) -> dict[str, str]:
    """Return by name the full name of what a module imports."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.asname or a.name: a.name for a in node.names}
    return found


def _is_constant(value: ast.expr, origins: Mapping[str, str]) -> bool:
    none = isinstance(value, ast.Constant) and value.value is None
    return none or bool(kind_of(value, origins))


def _full_name(node: ast.expr, origins: Mapping[str, str]) -> str:
    root, _, rest = ast.unparse(node).partition(".")
    origin = origins.get(root, "")
    return f"{origin}.{rest}" if rest else origin


def _names(node: ast.expr) -> set[str]:
    """Return the names of an annotation; what is quoted may name anything."""
    parts = list(ast.walk(node))
    quoted = {str(p.value) for p in parts if isinstance(p, ast.Constant) and p.value is not None}
    return quoted | {part.id for part in parts if isinstance(part, ast.Name)}


def free_to_give(statement: Statement, slices: Sequence[Slice]) -> bool:
    """Return whether a name can have its value from the start, wherever it is needed.

    So it is where no statement before its own reads it or gives it another value. A function that
    reads it does so when it is called.
    """
    (name,) = statement.names
    return name not in BUILTINS and not any(
        name in {*before.effects.binds, *before.effects.reads, *_bound_later(before)}
        for one in slices
        if statement in one.statements
        for before in one.statements
        if before.index < statement.index
    )


def _bound_later(statement: Statement) -> Iterator[str]:
    """Yield the names that code inside a definition binds when it is called."""
    for body in statement.effects.bodies:
        yield from body.binds
