"""What a shared beginning is given and hands over, where it can stand in a function of its own."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mesh_notebook.export import known
from mesh_notebook.export.beginnings.ports import Part, Port
from mesh_notebook.export.inferring import ANY, Types, named, of_record
from mesh_notebook.export.scopes import bound_names
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.identity import stands_alone

__all__ = ["Beginning", "beginning_of", "says"]

_LAZY, _EAGER = "pl.LazyFrame", "pl.DataFrame"
# Values that end without a word when the function ends in which they were made.
_QUIET = frozenset(
    {
        *(known.FROZEN, known.POLARS, known.PANDAS, known.NUMPY, known.CONTAINER, known.PICTURE),
        *(known.MODULE, known.FUNCTION, known.CLASS, known.VIEWER),
    }
)
_RELATION = "DuckDBPyRelation"  # it looks for its frames among the names around it


@dataclass(frozen=True)
class Beginning:
    """What several ports begin with.

    Attributes
    ----------
    start, end : int
        Which statements of each of the ports it holds; those before are of `outer`.
    inputs : tuple of str
        The ports' inputs that it is given.
    arguments, gives : dict
        By name, the type: of the notebook's parameters that it is given, and of what it hands over.
    ports : tuple of str
        The functions that begin with it.
    """

    start: int
    end: int
    outer: Beginning | None
    inputs: tuple[str, ...]
    arguments: dict[str, str]
    gives: dict[str, str]
    ports: tuple[str, ...]
    parts: tuple[Part, ...]
    name: str = ""

    @property
    def doc(self) -> str:
        return says(self.ports)

    @property
    def statements(self) -> list[Statement | None]:
        """The notebook's statement that each of its own is; a call of another one is none."""
        called: list[Statement | None] = [None] if self.outer else []
        return [*called, *(part.statement for part in self.parts)]


def says(ports: Sequence[str]) -> str:
    """Return what the docstring of a beginning says."""
    *most, last = ports
    both = "both" if len(ports) == 2 else "all"
    return f"What {', '.join(most)} and {last} {both} begin with."


def beginning_of(
    ports: Sequence[Port], start: int, end: int, outer: Beginning | None, top: Mapping[str, str]
) -> Beginning | None:
    """Return the first statements of ports as a beginning; None where they mean less on their own.

    Parameters
    ----------
    top : mapping
        What stands at the top of the module, by name; of an import, the full name.
    """
    first = ports[0]
    begun = [part.node for part in first.parts[:end]]
    bound = bound_names(ast.Module(begun, []))
    gives = _needed(ports, end, bound)
    kinds = {name: _kind(first, name, end, top) for name in gives}
    given = {*first.inputs, *first.arguments}
    apart = all(
        stands_alone(begun, port.after(end), gives, {*top, *port.inputs, *port.arguments})
        for port in ports
    )
    if not apart or not gives or ANY in kinds.values() or not _end_quietly(first.parts[:end]):
        return None
    if not all(_surely_bound(first.parts[:end], name, given) for name in gives):
        return None
    read = set(_read(first, end))
    return Beginning(
        start,
        end,
        outer,
        tuple(name for name in first.inputs if name in read),
        {name: kind for name, kind in first.arguments.items() if name in read},
        kinds,
        tuple(port.name for port in ports),
        first.parts[start:end],
    )


def _needed(ports: Sequence[Port], end: int, bound: Collection[str]) -> list[str]:
    """Return what is bound in the beginning and needed after it, in the order of binding."""
    found = {name for port in ports for name in _needed_by(port, end)}
    for port in ports:
        rest = [node for statement in port.after(end) for node in ast.walk(statement)]
        own = bound_names(ast.Module(port.after(end), []))
        found |= {n.id for n in rest if isinstance(n, ast.Name)} - own
    order = [n for part in ports[0].parts[:end] for n in sorted(_bound_in(part))]
    last = {name: at for at, name in enumerate(order)}
    return sorted(found & set(bound), key=lambda name: last.get(name, -1))


def _needed_by(port: Port, end: int) -> Iterator[str]:
    begun = {part.statement.index for part in port.parts[:end]}
    readers = [s.index for s in port.one.statements if s.index not in begun]
    for reader in (*readers, port.one.output.index):
        for name, writers in port.one.graph.needs[reader].items():
            if begun & set(writers):
                yield name


def _bound_in(part: Part) -> set[str]:
    return bound_names(ast.Module([part.node], []))


def _read(port: Port, end: int) -> Iterator[str]:
    """Yield the names that the beginning may read."""
    for part in port.parts[:end]:
        yield from (node.id for node in ast.walk(part.node) if isinstance(node, ast.Name))
        yield from part.statement.effects.reads


def _surely_bound(parts: Sequence[Part], name: str, given: Collection[str]) -> bool:
    effects = [part.statement.effects for part in parts]
    certain = name in given or any(
        part.statement.kind in ("input", "sql") or part.statement.effects.binds.get(name, False)
        for part in parts
        if name in _bound_in(part)
    )
    return certain and not any(name in one.deletes for one in effects)


# ---- what values are ---------------------------------------------------------------------------


def _kind(port: Port, name: str, end: int, top: Mapping[str, str]) -> str:
    """Return the type that a name has after the beginning, as an annotation; `Any` if not known."""
    maker = next((p for p in port.parts[:end][::-1] if name in _bound_in(p)), None)
    if maker is None:
        return ANY
    if maker.statement.kind in ("input", "sql"):
        return _LAZY if maker.statement.kind == "input" else _EAGER
    if _bound_again(port, maker.statement, name):
        return named(_inferred(port, end).get(name, ANY))
    told = maker.statement.cell.types.get(name, "")
    return of_record(told, _of_pandas(top))


def _bound_again(port: Port, maker: Statement, name: str) -> bool:
    """Return whether the cell that binds a name does so again: its type is known at the end."""
    return any(
        later.cell.index == maker.cell.index and name in later.effects.binds
        for later in port.one.graph.statements[maker.index + 1 :]
    )


def _inferred(port: Port, end: int) -> Mapping[str, str]:
    """Return the types that the beginning's own text tells."""
    types = Types(dict.fromkeys(port.inputs, _LAZY) | port.arguments, {})
    for part in port.parts[:end]:
        match part.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                sql = part.statement.kind == "sql"
                types.names[name] = _EAGER if sql else types.of(value)
            case _:
                types.names |= dict.fromkeys(_bound_in(part), ANY)
    return types.names


def _of_pandas(top: Mapping[str, str]) -> dict[str, str]:
    """Return by full name how the module calls the frames of pandas."""
    called = next((name for name, origin in top.items() if origin == "pandas"), "")
    ways = ("pandas.DataFrame", "pandas.core.frame.DataFrame")
    return dict.fromkeys(ways, f"{called}.DataFrame") if called else {}


def _end_quietly(parts: Sequence[Part]) -> bool:
    """Return whether nothing happens where the values end that only the beginning knows.

    A folder that is there for a while would be gone before what follows reads from it.
    """
    return all(_ends_quietly(part, name) for part in parts for name in _bound_in(part))


def _ends_quietly(part: Part, name: str) -> bool:
    told = part.statement.cell.types.get(name, "")
    if part.statement.kind in ("input", "sql"):
        return True
    return known.kind_of(told) in _QUIET and not told.endswith(_RELATION)
