"""One statement as it runs: what it does besides to names and libraries that it does not name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mesh_notebook.export import known
from mesh_notebook.export.draws import Ask
from mesh_notebook.export.effects import Body
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.meaning import Meanings
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.touches import Touch
from mesh_notebook.export.unseen.libraries import (
    IN_USE,
    enters,
    in_use,
    libraries_reached,
    only_looks_set,
)
from mesh_notebook.export.unseen.namespaces import names_written, own_modules
from mesh_notebook.export.unseen.telling import connected, redirects, tells

__all__ = ["Running", "owe_rows"]

# The kinds of value that may hold values of a library.
_HOLDING = (known.CONTAINER, known.ITERATOR, known.OWN, known.UNKNOWN)
_BOUND = ("builtins.method", "builtins.builtin_function_or_method", "functools.partial")
_DEFINING = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def owe_rows(graph: Graph, statements: Iterable[int]) -> bool:
    """Return whether any of these statements owes anything to an input."""
    todo, seen = list(statements), set[int]()
    while todo:
        index = todo.pop()
        if graph.statements[index].kind in ("input", "sql"):
            return True
        if index not in seen:
            seen.add(index)
            todo.extend(w for made in graph.needs[index].values() for w in made)
    return False


@dataclass(frozen=True)
class Running:
    """A statement, the code that it runs, and what is known of the names before it.

    Attributes
    ----------
    writers : mapping
        By name: the statements that made its value what it is.
    """

    statement: Statement
    bodies: Sequence[Body]
    names: Meanings
    graph: Graph
    writers: Mapping[str, tuple[int, ...]]

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        return (*self.statement.effects.asks, *self._inside)

    @cached_property
    def _inside(self) -> list[Ask]:
        return [ask for body in self.bodies for ask in body.asks]

    @cached_property
    def touches(self) -> list[Touch]:
        """Its own uses of names, and those of the code that it runs."""
        return [*self.statement.effects.touches, *self._free]

    @cached_property
    def _free(self) -> list[Touch]:
        return [t for body in self.bodies for t in body.touches if t.name not in body.params]

    @property
    def _reads(self) -> set[str]:
        return self.statement.effects.reads.union(*(body.reads for body in self.bodies))

    @property
    def tells(self) -> bool:
        """Whether it may print or log something, or numpy say what it met: `np.seterrcall(f)`."""
        numpy = IN_USE.format("numpy")
        called = (self.names.type_of(ask.path) for ask in self.asks if ask.given is not None)
        may = tells(self.asks) or any(kind in _BOUND for kind in called)  # `tell = log.info`
        return may or (numpy in self.writers and numpy in self.reached())

    @property
    def redirects(self) -> bool:
        """Whether it sets where goes what is told."""
        return redirects(self.asks, self.touches, self.names.made_by, self.names.type_of)

    def written(self, changed: set[str]) -> set[str]:
        """Return the names that it may write on other rows, though its text names none of them.

        What it writes on the rows at hand was seen: it is asked only where it owes them something.
        """
        names = self.names
        own = {n for n in self.writers if own_modules(self.asks) and names.is_own_module(n)}
        pattern = names_written(
            *(self.statement.node, self.touches, self.statement.effects.asks, self._inside),
            *(names.origin_of, lambda touch: names.changes(touch, known.CONTAINER)),
        )
        pattern = ".*" if any(map(names.stands_for_names, changed)) else pattern
        if not pattern or not self._owes_rows():
            return own
        plain = (name for name in self.writers if not name.startswith("<"))
        return own | {name for name in plain if re.fullmatch(pattern, name)}

    def _owes_rows(self) -> bool:
        return owe_rows(self.graph, (w for n in self._reads for w in self.writers.get(n, ())))

    def libraries(self, changed: set[str]) -> set[str]:
        """Return the libraries that it may leave otherwise."""
        found = {library for name in changed if (library := self.names.library_of(name))}
        return found | set(enters(self.asks, self.names.made_by))

    def marks(self, libraries: set[str]) -> set[str]:
        """Return the names of the record under which it leaves these libraries otherwise."""
        works = {one for one in libraries if not only_looks_set(self.statement.node, one)}
        return {f"<{one}>" for one in libraries} | {IN_USE.format(one) for one in works}

    def ends(self) -> set[str]:
        """Return the names that get what is told from now on: `logging.StreamHandler(buf)`."""
        effects, names, node = self.statement.effects, self.names, self.statement.node
        held = {*effects.values, *effects.binds, *(n for b in effects.bodies for n in b.values)}
        held |= {n for n in effects.reads if names.kind_of(n) == known.CLASS}
        held -= {node.name} if isinstance(node, _DEFINING) else set()
        given = names.made_by, names.type_of, names.kind_of
        return connected(node, self.asks, self._free, held, *given)

    def reached(self) -> frozenset[str]:
        """Return the marks of the libraries whose settings count for it.

        Also of those that made what it reads, where that is a list, or an object, of their values.
        """
        read, names = self._reads, self.names
        libraries = libraries_reached(map(names.type_of, read), self.asks)
        libraries |= {library for name in read if (library := names.library_of(name))}
        libraries |= {"sys"} if own_modules(self.asks) else set()  # found in `sys.modules`
        holding = (name for name in read if names.kind_of(name) in _HOLDING)
        makers = {writer for name in holding for writer in self.writers.get(name, ())}
        held = {mark for maker in makers for mark in self.graph.settings[maker] if in_use(mark)}
        return frozenset({IN_USE.format(library) for library in libraries} | held)
