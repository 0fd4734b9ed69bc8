"""Draws at random that nobody can draw again."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_notebook.export.draws import (
    CONSTRUCTORS,
    Ask,
    is_seed,
    is_seeded,
    is_unset,
    may_draw,
    source_of,
)
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import full_name, references
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["chance_in", "draws", "full_asks"]

_WHAT = "draws at random without a seed"
_SEED = "give it a seed, in a cell of its own that runs before"
_STATE = "give it a seed: random_state=0"
_GENERATOR = "give it a seed, its first argument: 0"
# What each hidden generator asks for, by the beginning of the full name of who draws.
_FIXES = {
    "random.SystemRandom": "random.Random(0), which draws the same numbers again",
    "random": "give it a seed, in a cell of its own that runs before: random.seed(0)",
    "numpy.random": "give it a seed, in a cell of its own that runs before: np.random.seed(0)",
    "faker": "give it a seed, in a cell of its own that runs before: Faker.seed(0)",
    "secrets": "random.Random(0), which draws the same numbers again",
    "uuid": "take a key from an input's columns, or uuid.uuid5(NAMESPACE, text)",
    "torch": "give it a seed, in a cell of its own that runs before: torch.manual_seed(0)",
    "tensorflow": "give it a seed, in a cell of its own: tf.random.set_seed(0)",
    "polars": "give it a seed: seed=0",
    "pandas": _STATE,
    "sklearn": _STATE,
    "scipy": _STATE,
    "networkx": "give it a seed: seed=0",
}
_METHODS = (".sample", ".shuffle", ".rvs", ".rank")
_AS_THEY_END = words("concurrent.futures.as_completed asyncio.as_completed asyncio.wait")
_FAKER = "faker.proxy.Faker"
_DEEP = 4  # functions within functions that are looked through for the call to name


def draws(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the draws of a statement whose generator nobody set."""
    for origin, ask in full_asks(statement, graph):
        if _is_never_set(origin, ask, graph):
            fix = _GENERATOR if origin in CONSTRUCTORS else _fix_of(origin)
            yield Impurity(ask.path, _WHAT, fix)
        if origin in _AS_THEY_END or ask.path.endswith(".imap_unordered"):
            fix = "take the results in the order in which they were asked for: map(…)"
            yield Impurity(ask.path, "gives first what ends first, which is chance", fix)
    if graph.unseeded[statement.index]:
        said, fix = next(_culprits(statement, graph), ("a random call", _SEED))
        yield Impurity(said, _WHAT, fix)


def _is_never_set(origin: str, ask: Ask, graph: Graph) -> bool:
    """Return whether what is asked for draws at random, whatever is set before it."""
    if ask.given is None:
        named = origin in CONSTRUCTORS or may_draw(origin, ())
        return named and not _seeded_later(graph)
    return (origin in CONSTRUCTORS or is_seed(origin)) and is_unset(ask.given)


def full_asks(statement: Statement, graph: Graph) -> Iterator[tuple[str, Ask]]:
    """Yield what a statement, or a function in it, asks for; each with its full name."""
    effects = statement.effects
    for ask in (*effects.asks, *(a for body in effects.bodies for a in body.asks)):
        yield ask.path if ask.absolute else full_name(ask.path, statement, graph), ask


def _culprits(statement: Statement, graph: Graph, deep: int = _DEEP) -> Iterator[tuple[str, str]]:
    """Yield what may draw in a statement, or in the functions that it calls, and the fix."""
    for origin, ask in full_asks(statement, graph):
        source = source_of(origin) and not is_seed(origin)
        faker = origin.startswith("faker.Faker") or _type_of(ask, statement, graph) == _FAKER
        if source or faker or may_draw(origin, ask.given or ()) or _draws_a_frame(ask):
            origin = "faker" if faker else origin
            yield ask.path.removeprefix("?."), _fix_of(origin, ask)
    for name in sorted(statement.effects.reads) if deep else ():
        binder = graph.binder_of(name, statement.index)
        if binder is not None and binder.index < statement.index:
            yield from _culprits(binder, graph, deep - 1)


def _type_of(ask: Ask, statement: Statement, graph: Graph) -> str:
    root = ask.path.partition(".")[0]
    binder = graph.binder_of(root, statement.index)
    return binder.cell.types.get(root, "") if binder is not None else ""


def _draws_a_frame(ask: Ask) -> bool:
    return ask.path.endswith(_METHODS) and not is_seeded(ask.given or ())


def _fix_of(origin: str, ask: Ask | None = None) -> str:
    known = [fix for name, fix in _FIXES.items() if f"{origin}.".startswith(f"{name}.")]
    if known or ask is None:
        return next(iter(known), _SEED)
    return "give it a seed: seed=0, or random_state=0 in pandas" if _draws_a_frame(ask) else _SEED


def _seeded_later(graph: Graph) -> bool:
    """Return whether some class that is only named is given a seed: `MODELS[k](random_state=0)`."""
    imported = {name for s in graph.statements if s.kind == "import" for name in s.names}
    asked = (ask for s in graph.statements for _, ask in full_asks(s, graph))
    later = (ask for ask in asked if ask.path.partition(".")[0] not in imported)
    return any(place == "random_state" for ask in later for place, _ in ask.given or ())


def chance_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may draw at random, as written."""
    roots, methods = ("random.", "numpy.random.", "secrets.", "uuid."), (".sample", ".shuffle")
    named = [(one.said, one.name) for one in references(statement, graph) if one.call]
    return [said for said, n in named if n.startswith(roots) or n.endswith(methods)]
