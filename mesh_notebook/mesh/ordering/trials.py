"""Whether what a transform makes depends on an order of rows that is no part of its inputs.

The rows at hand may not show it: the last of several rows with the same name wins in a dictionary,
and today no name is there twice. So the transform is asked on other rows of the same contract (see
`resampling`), which are given to it in several orders; it is wrong to answer otherwise. That it
fails on such rows says nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.resampling import TIMES, Demands, few_of, resampled
from mesh_notebook.mesh.ordering.scattering import Turn
from mesh_notebook.mesh.ordering.watching import port, source
from mesh_notebook.mesh.ordering.witness import Witness

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Dependence", "Rows", "Trials"]

_LEAST = 6  # times that are asked, whatever they take
_BUDGET = 1.0  # seconds of the processor after which no more times are asked
Act = Callable[[Mapping[str, Any]], "pl.DataFrame | None"]


@dataclass(frozen=True)
class Rows:
    """The rows of one input.

    Attributes
    ----------
    ordered : bool
        Whether their order is a part of the input.
    """

    name: str
    frame: pl.LazyFrame
    ordered: bool
    demands: Demands


@dataclass(frozen=True)
class Dependence:
    """Rows on which a transform answers otherwise in another order.

    Attributes
    ----------
    said : str
        How the answers differ.
    ports : tuple of str
        The inputs whose rows were put in another order; none where steps of the transform lost it.
    one, other : dict
        By input: its rows, in the two orders.
    """

    said: str
    ports: tuple[str, ...]
    one: Mapping[str, pl.DataFrame]
    other: Mapping[str, pl.DataFrame]


class Trials:
    """The transform, asked on several rows of the contracts of its inputs, each in several orders.

    Parameters
    ----------
    inputs : sequence of Rows
    """

    def __init__(self, inputs: Sequence[Rows]) -> None:
        self.inputs = inputs
        self.ports = tuple(one.name for one in inputs if not one.ordered)
        if self.ports:
            self.few  # noqa: B018 (read while what opens them is at hand)

    @cached_property
    def few(self) -> dict[str, pl.DataFrame]:
        """Some rows of each input."""
        return few_of({one.name: one.frame for one in self.inputs})

    @cached_property
    def demands(self) -> dict[str, Demands]:
        """What is asked of them, by input."""
        return {one.name: _demands(one, self.few[one.name]) for one in self.inputs}

    def rows(
        self, number: int, constants: Sequence[Any] = (), *, various: bool = False
    ) -> dict[str, pl.DataFrame]:
        """Return by input the rows of one time; see `resampled`."""
        return {
            name: resampled(frame, self.demands[name], number, constants, various=various)
            for name, frame in self.few.items()
        }

    def needed(self, turn: Turn) -> bool:
        """Return whether there are rows that could lie otherwise."""
        return bool(self.ports) or turn.asked > 0

    def dependence(self, act: Act, turn: Turn, constants: Sequence[Any] = ()) -> Dependence | None:
        """Return the first rows on which the order has a say in what `act` makes, if any are found.

        Parameters
        ----------
        act
            The function of the transform, in a module that is loaded anew each time; None where it
            fails.
        turn
            How steps that keep no order leave their rows.
        constants
            What the function compares rows with.
        """
        began = time.process_time()
        for number in range(TIMES):
            if number >= _LEAST and time.process_time() - began > _BUDGET:
                return None
            if found := self._of(act, turn, number, self.rows(number, constants)):
                return found
        return None

    def _of(
        self, act: Act, turn: Turn, number: int, rows: Mapping[str, pl.DataFrame]
    ) -> Dependence | None:
        turn.to(None)
        made = self._made(act, rows)
        if made is None:
            return None
        lost = turn.asked > 0
        for other, ports, seed in self._orders(rows, number, lost=lost):
            turn.to(seed)
            again = self._made(act, other)
            if again is None or (said := _difference(made, again)) is None:
                continue
            steady = _difference(again, self._made(act, other)) is None
            turn.to(None)
            steady = steady and _difference(made, self._made(act, rows)) is None
            if steady or lost:  # else it is chance, and no order has a say
                return Dependence(said, ports if steady else (), rows, other)
        return None

    def _orders(
        self, rows: Mapping[str, pl.DataFrame], number: int, *, lost: bool
    ) -> Iterator[tuple[dict[str, pl.DataFrame], tuple[str, ...], int | None]]:
        """Yield rows in another order, of which ports, and how steps leave theirs."""
        for name in self.ports:
            yield {**rows, name: _turned(rows[name], number)}, (name,), None
        if lost:
            yield dict(rows), (), number

    def _made(self, act: Act, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
        given = {}
        for one in self.inputs:
            frame, demands = rows[one.name].lazy(), self.demands[one.name]
            key = frozenset(demands.key)
            given[one.name] = source(frame) if one.ordered else port(frame, one.name, key)
        return act(given)


def _demands(one: Rows, few: pl.DataFrame) -> Demands:
    """Return what rows are held to; of a source, nothing says it but the rows themselves."""
    if not one.ordered:
        return one.demands
    witness = Witness.of(few.lazy())
    names = frozenset(n for n in few.columns if witness.identify([n]))
    return replace(one.demands, unique=one.demands.unique | names, open=frozenset(few.columns))


def _turned(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return the rows turned round, or shuffled: what looks at both ends alike sees no turn."""
    if number % 2 == 0:
        return frame.reverse()
    places = list(range(frame.height))
    random.Random(number).shuffle(places)
    return frame[places]


def _difference(one: pl.DataFrame, other: pl.DataFrame | None) -> str | None:
    from mesh_notebook.mesh.rows import difference

    return None if other is None else difference(one, other)
