"""What the names that a slice reads hold in the notebook, and what it asks of the process."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.export.process_settings import PROCESS
from mesh_notebook.export.references import references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.state import (
    LIBRARY,
    SETTINGS,
    found_in,
    is_widget,
    reached,
    setting,
    told_of,
)
from mesh_notebook.export.statements import Statement

__all__ = ["State", "states_of"]


@dataclass(frozen=True)
class State:
    """What a name held in the notebook after a statement, or, at the end, when it was exported."""

    maker: Statement
    name: str
    told: Any
    at_the_end: bool
    text: str = ""
    by_hand: bool = False  # a widget, which a reader of the notebook can move
    deferred: bool = False  # collecting a lazy frame may change it
    fix: str = ""

    @property
    def order(self) -> tuple[int, bool]:
        return self.maker.index, not self.at_the_end


def states_of(one: Slice, namespace: Mapping[str, Any]) -> list[State]:
    """Return what the names that a slice reads held in the notebook."""
    found = [*_on_the_way(one), *_at_the_end(one, namespace)]
    found += [*_set_in_libraries(one, namespace), *_settings(one), *_used_of_libraries(one)]
    return sorted((state for state in found if state.told is not None), key=lambda s: s.order)


def _makers(one: Slice) -> Iterator[tuple[Statement, str]]:
    """Yield each kept statement with the names of it that the slice goes on to read."""
    for statement in one.statements:
        if statement.kind in ("code", "sql"):
            names = (n for n in one.used(statement) if n not in one.graph.deferred)
            yield from ((statement, name) for name in names)


def _standing(one: Slice) -> Iterator[tuple[Statement, str]]:
    """Yield the names that a slice reads and that stand as it made them, with what changed them."""
    kept = {s.index: s for s in one.statements if s.kind in ("code", "sql")}
    read = {n for s in (*one.statements, one.output) for n in one.graph.needs[s.index]}
    for name in sorted(read):
        writers = [w for w in one.graph.final.get(name, ()) if not _collects(one, w, name)]
        maker = kept.get(writers[-1]) if writers else None
        if maker is not None:
            yield maker, name


def _collects(one: Slice, index: int, name: str) -> bool:
    """Return whether a statement changes a name only where it collects a lazy frame."""
    return name in one.graph.deferred and name in one.graph.collected[index]


def _on_the_way(one: Slice) -> Iterator[State]:
    last = {(s.cell.index, n): s.index for s in one.graph.statements for n in _written(one, s)}
    for maker, name in _makers(one):
        values = maker.cell.values
        if name in values and last[maker.cell.index, name] == maker.index:
            value = values[name]
            yield State(maker, name, told_of(value), False, repr(value))


def _written(one: Slice, statement: Statement) -> frozenset[str]:
    return one.graph.writes[statement.index] | frozenset(statement.effects.binds)


def _at_the_end(one: Slice, namespace: Mapping[str, Any]) -> Iterator[State]:
    for maker, name in _standing(one):
        deferred = name in one.graph.deferred
        if name in namespace and (deferred or name not in maker.cell.values):
            value = namespace[name]
            yield State(maker, name, told_of(value), True, "", is_widget(value), deferred)


def _set_in_libraries(one: Slice, namespace: Mapping[str, Any]) -> Iterator[State]:
    """Yield the attributes of imported modules that a slice sets."""
    for maker, name in _standing(one):
        binder = one.graph.binder_of(name, maker.index + 1)
        if maker.node is None or binder is None or binder.kind != "import":
            continue
        for path in sorted(_stored(maker.node, name)):
            if name in namespace and (value := reached(namespace[name], path)) is not None:
                yield State(maker, path, told_of(value), True)


def _stored(node: ast.stmt, name: str) -> set[str]:
    paths = {path for part in ast.walk(node) if (path := _path_stored(part))}
    return {path for path in paths if path.startswith(f"{name}.")}


def _path_stored(part: ast.AST) -> str | None:
    match part:
        case ast.Attribute(ctx=ast.Store()):
            return dotted(part)
        case ast.Subscript(value=ast.Attribute() as held, slice=ast.Constant(value=str(key))):
            path = dotted(held)
            stored = path is not None and isinstance(part.ctx, ast.Store)
            return f"{path}[{key!r}]" if stored else None
    return None


def _settings(one: Slice) -> Iterator[State]:
    """Yield the settings of the libraries that a slice asks, unless it ends with other ones."""
    imports = {s.origin.partition(".")[0]: s for s in one.statements if s.kind == "import"}
    kept = {s.index for s in one.statements}
    at_last = one.graph.settings[one.output.index]
    for name, kind in SETTINGS.items():
        asking = [s for s in one.statements if _asks(one, s, kind.read)]
        maker = next(iter(asking), None) if kind.read else imports.get(kind.library)
        later = set(one.graph.final.get(kind.written, ())) - kept
        # Code in a lazy frame asks when the frame is collected, so it met what was set since.
        if kind.library not in sys.modules:
            continue  # so nothing was set in it
        if kind.about and not any(word in s.text for s in one.statements for word in kind.about):
            continue
        if maker is not None and (not later or kind.read in at_last):
            yield State(maker, name, told_of(setting(name)), True, fix=kind.fix)


def _asks(one: Slice, statement: Statement, name: str) -> bool:
    if name == PROCESS:
        return statement.kind == "code"
    return name in one.graph.settings[statement.index]


def _used_of_libraries(one: Slice) -> Iterator[State]:
    """Yield what stands under the names of libraries that a slice uses, as far as it is plain."""
    makers: dict[str, Statement] = {}
    for statement in one.statements:
        if statement.kind == "code":
            for reference in references(statement, one.graph):
                makers.setdefault(reference.name, statement)
    fix = "put the library's own back, run the cells that use it, and export again"
    for name, maker in makers.items():
        if not name.startswith(("<", "(")) and (told := found_in(name)) is not None:
            yield State(maker, LIBRARY + name, told, True, fix=fix)
