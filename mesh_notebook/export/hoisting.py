"""What of a notebook stands at the top of its module: imports, functions, classes, constants."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from mesh_notebook.export.meaning import BUILTINS
from mesh_notebook.export.scopes import changing_defaults, declared, never_changes
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement

__all__ = ["can_lift", "hoisted", "is_literal"]


def can_lift(statement: Statement) -> bool:
    match statement.node:
        case ast.Import() | ast.ImportFrom():
            return statement.kind == "import"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            parts = list(ast.walk(statement.node))
            return not any(declared(n) or changing_defaults(n) or _holds(n) for n in parts)
        case ast.Assign(targets=[ast.Name()], value=value):
            return is_literal(value)
    return False


def _holds(node: ast.AST) -> bool:
    """Return whether a definition may hold values from one call to the next.

    At module level it would be made once, and the second call of a port would find what the first
    left behind.
    """
    if getattr(node, "decorator_list", ()):
        return not _is_dataclass(node)
    if isinstance(node, ast.ClassDef):
        if any(_sets_class(part, node.name) for part in ast.walk(node)):
            return True
        values = [s.value for s in node.body if isinstance(s, ast.Assign | ast.AnnAssign)]
        return any(value is not None and not isinstance(value, ast.Constant) for value in values)
    return False


def _sets_class(node: ast.AST, name: str) -> bool:
    """Return whether code in a class sets an attribute of the class itself: a counter, say."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "setattr"
    if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load):
        return False
    return not isinstance(node.value, ast.Name) or node.value.id in ("cls", name)


def _is_dataclass(node: ast.AST) -> bool:
    if not isinstance(node, ast.ClassDef):
        names = {ast.unparse(d) for d in node.decorator_list}  # type: ignore[attr-defined]
        return names <= {"staticmethod", "classmethod", "property"}
    return all("dataclass" in ast.unparse(d).split("(")[0] for d in node.decorator_list)


def is_literal(value: ast.expr) -> bool:
    """Return whether a value is written out."""
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def hoisted(slices: Sequence[Slice], reserved: set[str]) -> dict[str, Statement]:
    """Return what can stand at module level without a change of meaning.

    Each of its names is bound by one text in all the slices, and never changed; a function's or
    class's free names are themselves at module level. Constants only where a function reads them,
    or where they are written as such.
    """
    binders: dict[str, set[str]] = {}
    for one in slices:
        for statement in one.statements:
            for name in statement.names:
                binders.setdefault(name, set()).add(_key(statement))
    changed = _changed(slices)
    acting = _acting(slices)
    lifted: dict[str, Statement] = {}
    for statement in sorted({s for one in slices for s in one.statements}, key=lambda s: s.index):
        (name, *more) = statement.names or ("",)
        sole = not more and _alone(statement, binders.get(name, set()))
        # What is done to a library is done to it under whatever import.
        fixed = reserved if statement.kind == "import" else reserved | changed
        if sole and name not in fixed and statement not in acting and can_lift(statement):
            lifted.setdefault(statement.text, statement)
    return _with_constants_used(_closed(lifted))


def _key(statement: Statement) -> str:
    return statement.text if can_lift(statement) else f"statement {statement.index}"


def _alone(statement: Statement, binders: set[str]) -> bool:
    if statement.kind != "import":
        return binders == {statement.text}
    # `import a.b` and `import a.c` both bind `a`, to the same module.
    plain = statement.text.startswith("import ") and " as " not in statement.text
    root = f"import {statement.origin}"
    return all(t == statement.text or (plain and _same_root(t, root)) for t in binders)


def _same_root(text: str, root: str) -> bool:
    return text == root or (text.startswith(f"{root}.") and " as " not in text)


def _changed(slices: Sequence[Slice]) -> set[str]:
    """Return the names whose values are changed after they are bound."""
    bodies = (b for one in slices for s in one.statements for b in s.effects.bodies)
    changed = {t.name for b in bodies for t in b.touches if t.how in ("store", "augment")}
    for one in slices:
        for reader in (*one.statements, one.output):
            for name, writers in one.graph.needs[reader.index].items():
                made = [one.graph.statements[writer] for writer in writers]
                if len(made) > 1 and any(s.kind != "import" for s in made):
                    changed.add(name)
    return changed


def _acting(slices: Sequence[Slice]) -> set[Statement]:
    """Return the definitions that change something else when they are made, by a base class, say.

    At module level they would do so before all else, whatever the order of the cells.
    """
    return {
        s
        for one in slices
        for s in one.statements
        if s.kind != "import" and one.graph.writes[s.index] - set(s.names)
    }


def _needs(statement: Statement) -> set[str]:
    """Return the free names of a definition, those of the code inside it included."""
    later = {name for body in statement.effects.bodies for name in body.reads}
    return (statement.effects.reads | later) - set(statement.names)


def _closed(lifted: Mapping[str, Statement]) -> dict[str, Statement]:
    kept = dict(lifted)
    while True:
        there = {name for s in kept.values() for name in s.names} | BUILTINS
        out = [text for text, s in kept.items() if s.kind != "import" and not _needs(s) <= there]
        if not out:
            return kept
        for text in out:
            del kept[text]


def _with_constants_used(lifted: dict[str, Statement]) -> dict[str, Statement]:
    definitions = [s for s in lifted.values() if not isinstance(s.node, ast.Assign)]
    read = {name for s in definitions for name in _needs(s)}
    return {
        text: s
        for text, s in lifted.items()
        if not isinstance(s.node, ast.Assign) or s.names[0] in read or _is_constant(s.node)
    }


def _is_constant(node: ast.Assign) -> bool:
    """Return whether it is one by its name, too: `RATE = 0.08`."""
    (target,) = node.targets
    return isinstance(target, ast.Name) and target.id.isupper() and never_changes(node.value)
