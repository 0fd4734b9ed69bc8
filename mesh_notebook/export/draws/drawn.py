"""Following the generators through the statements: who set them, and who draws before that."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mesh_notebook.export.draws.asks import Ask, Given
from mesh_notebook.export.draws.generators import FAKER, NUMPY, POLARS, SYSTEM, is_seed, source_of
from mesh_notebook.export.draws.signatures import callable_at, is_seeded, is_unset, may_draw
from mesh_notebook.export.words import words

__all__ = ["Code", "Drawn", "Draws", "Names"]

_FRAMES = words("sample shuffle rvs rank")
_GLOBAL = words("sklearn scipy pandas imblearn umap statsmodels")
_FAKERS = ("faker.Faker", "faker.proxy.Faker")
_SEEDS_OF_FAKER = (".seed_instance", "Faker.seed")
_OWN = ("self", "cls")


class Code(Protocol):
    """Code that may run in a statement."""

    @property
    def asks(self) -> tuple[Ask, ...]: ...


class Bound(Protocol):
    """The statement that bound a name."""

    node: ast.stmt | None
    text: str


class Names(Protocol):
    """What names stand for at the statement."""

    @property
    def binder(self) -> Mapping[str, Bound]: ...

    def origin_of(self, path: str) -> str: ...

    def type_of(self, name: str) -> str | None: ...

    def code_of(self, *names: str) -> Sequence[Code]: ...


@dataclass
class Drawn:
    """What one statement does to the hidden generators, by their names.

    Attributes
    ----------
    before : set of str
        Those whose state before the statement it goes on from.
    unseeded : set of str
        Those of them that nobody set.
    touched : set of str
        All that it draws from or sets.
    seeded : set of str
        Those that it sets whenever it runs.
    """

    before: set[str] = field(default_factory=set)
    unseeded: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    seeded: set[str] = field(default_factory=set)

    @property
    def reset(self) -> set[str]:
        """Those that owe nothing to what was before."""
        return self.seeded - self.before


@dataclass
class Draws:
    """The generators that were set by now, and the names whose values draw.

    Attributes
    ----------
    drawing : set of str
        Names of estimators, which draw from NumPy's when they are fitted.
    holding : dict
        By name: the generators that the functions which its value holds draw from.
    """

    seeded: set[str] = field(default_factory=set)
    drawing: set[str] = field(default_factory=set)
    holding: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> Draws:
        return Draws(set(self.seeded), set(self.drawing), dict(self.holding))

    def of(
        self, asks: Sequence[Ask], bodies: Iterable[Code], binds: Iterable[str], names: Names
    ) -> Drawn:
        """Return what a statement draws and sets, and take note of it."""
        run = _Run(self, names)
        here: set[str] = set()
        run.follow(asks, here, kept=True)
        for body in bodies:
            run.enter([body], set(here))
        self.seeded |= here
        run.drawn.seeded = here
        self.drawing -= set(binds)
        self.drawing |= set(binds) if run.estimators else set()
        self.holding |= dict.fromkeys(binds, run.held)
        return run.drawn


class _Run:
    """One statement, followed through the functions that it calls."""

    def __init__(self, draws: Draws, names: Names) -> None:
        self.draws, self.names = draws, names
        self.drawn = Drawn()
        self.estimators = False
        self.held: set[str] = set()
        self._entered: set[int] = set()

    def follow(self, asks: Sequence[Ask], here: set[str], kept: bool = False) -> None:
        """Follow code; `here` are the generators that it has set by then.

        Parameters
        ----------
        kept : bool
            What it makes is known by a name of the notebook from then on.
        """
        if not kept and any(ask.sure and ask.path.endswith(_SEEDS_OF_FAKER) for ask in asks):
            here.add(FAKER)  # the one that it makes and seeds is its own
        for ask in asks:
            origin = ask.path if ask.absolute else self._full(ask.path)
            source = source_of(origin) or self._of_values(ask, origin, here, kept)
            if source and is_seed(origin):
                self._seed(source, ask, here)
            elif source:
                self._draw(source, here)
                self.held |= {source} if ask.is_kept else set()
            elif held := self.draws.holding.get(_root(ask.path)):
                for source in sorted(held):
                    self._draw(source, here)
                self.held |= held
            elif not ask.absolute:
                code = self.names.code_of(_root(ask.path))
                self.enter(code, here if ask.sure else set(here))

    def enter(self, bodies: Iterable[Code], here: set[str]) -> None:
        """Follow what a call runs, once."""
        for body in bodies:
            if id(body) not in self._entered:
                self._entered.add(id(body))
                self.follow(body.asks, here)

    def _seed(self, source: str, ask: Ask, here: set[str]) -> None:
        self.drawn.touched.add(source)
        if ask.sure and not is_unset(ask.given or ()):
            here.add(source)
        elif source not in here:
            self.drawn.before.add(source)

    def _draw(self, source: str, here: set[str]) -> None:
        self.drawn.touched.add(source)
        if source not in here:
            self.drawn.before.add(source)
            if source not in self.draws.seeded:
                self.drawn.unseeded.add(source)

    def _full(self, path: str) -> str:
        """Return the full name of what is asked for, as far as imports tell it."""
        root, dot, rest = path.partition(".")
        bare = _root(path)
        if bare == root:
            return self.names.origin_of(path)
        origin = self.names.origin_of(bare)
        return f"{origin}{root[len(bare) :]}{dot}{rest}" if origin else ""

    # ---- values that draw --------------------------------------------------------------------

    def _of_values(self, ask: Ask, origin: str, here: set[str], kept: bool) -> str:
        """Return the generator that a value of a library draws from, when it is asked so."""
        if source := self._of_faker(ask, origin, here, kept):
            return source
        if ask.given is None and ask.path.rpartition(".")[2] not in _FRAMES:
            return ""
        given = self._resolved(ask.given or ())
        if origin and ask.given is not None and callable_at(origin) is not None:
            drawn = may_draw(origin, given)
            self.estimators |= drawn
            if drawn or not origin.endswith(".rvs"):
                return _source_at(origin) if drawn else ""
        return self._of_method(ask.path, origin, given, here)

    def _of_method(self, path: str, origin: str, given: Given, here: set[str]) -> str:
        name, _, method = path.rpartition(".")
        kind = self.names.type_of(name) or "" if name.isidentifier() else ""
        if name in self.draws.drawing and kind.partition(".")[0] in _GLOBAL:
            return NUMPY
        if kind and callable_at(f"{kind}.{method}") is not None:
            drawn = may_draw(f"{kind}.{method}", given, bound=True)
            return _source_at(kind) if drawn else ""
        if method in _FRAMES and name and not self._is_own(path) and _unseeded(method, given):
            root = origin or self.names.type_of(_root(path)) or ""
            return self._of_frame(root.partition(".")[0], here)
        return ""

    def _of_frame(self, library: str, here: set[str]) -> str:
        if library in ("polars", "pandas", "scipy"):
            return POLARS if library == "polars" else NUMPY
        if library not in ("", "narwhals", "builtins"):
            return ""
        known = self.draws.seeded | here
        return POLARS if POLARS in known and NUMPY not in known else NUMPY

    def _is_own(self, path: str) -> bool:
        """Return whether a method is one of the user's own classes, as far as can be told."""
        root, method = _root(path), path.rpartition(".")[2]
        binder = self.names.binder.get(root)
        if root in _OWN or (self.names.type_of(root) or "").startswith("__main__."):
            return True
        if root == "?":
            return any(_defines(b.node, method) for b in self.names.binder.values())
        return binder is not None and isinstance(binder.node, ast.ClassDef | ast.FunctionDef)

    def _of_faker(self, ask: Ask, origin: str, here: set[str], kept: bool) -> str:
        root = _root(ask.path)
        if ask.path.endswith((".seed_instance", ".random.seed")):
            here |= {f"<draws of faker {root}>"}
            return ""
        if self.names.type_of(root) == "faker.proxy.Faker":
            known = self.draws.seeded | here
            own = f"<draws of faker {root}>"
            return own if own in known else FAKER
        made = ask.given is not None and origin in _FAKERS and not (kept and ask.sure)
        return FAKER if made or origin.startswith(tuple(f"{f}()" for f in _FAKERS)) else ""

    def _resolved(self, given: Given) -> Given:
        """Put in the constants that names stand for."""
        return tuple((place, self._constant(place, text)) for place, text in given)

    def _constant(self, place: int | str | None, text: str) -> str:
        binder = self.names.binder.get(text.strip("*"))
        match binder and binder.node:
            case ast.Assign(targets=[ast.Name()], value=ast.Constant() as value):
                return ast.unparse(value)
        return binder.text if binder is not None and place is None else text


def _source_at(origin: str) -> str:
    library = origin.partition(".")[0]
    if library == "polars":
        return POLARS
    return NUMPY if library in _GLOBAL else SYSTEM


def _root(path: str) -> str:
    return path.partition(".")[0].partition("(")[0].partition("[")[0]


def _unseeded(method: str, given: Given) -> bool:
    """Return whether a method of that name of a frame, or of a distribution, may draw."""
    if is_seeded(given):
        return False
    by_place = [place for place, _ in given if isinstance(place, int)]
    if method == "rank":
        return any(text == "'random'" for _, text in given)
    if method == "shuffle":
        return not by_place  # `rng.shuffle(rows)`, `column.shuffle(4)`
    lists = any(place == "k" or text.startswith("*") for place, text in given)
    return method == "rvs" or not (len(by_place) > 1 or lists)  # `rng.sample(rows, 2)`


def _defines(node: ast.AST | None, method: str) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        isinstance(part, ast.FunctionDef) and part.name == method for part in node.body
    )
