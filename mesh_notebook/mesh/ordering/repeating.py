"""What a transform makes of other rows, for two processes to compare: chance and machine at work.

Texts lie in a set in another order in each process, and a clock may be read for some rows alone.
The rows at hand may not show it; so both processes of a proof are asked on the same other rows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.trials import Trials

if TYPE_CHECKING:
    import polars as pl

__all__ = ["asks_sets", "repeated"]

_ASKED = (2,)  # of the ways in which rows are drawn: on both sides of what code compares them with
_OF_SETS = (1, 2, 3, 4)
_SETS = ("set", "frozenset")
Act = Callable[[Mapping[str, Any]], "pl.DataFrame | None"]


def asks_sets(text: str) -> bool:
    """Return whether a module makes sets."""
    nodes = ast.walk(ast.parse(text))
    made = (ast.Set, ast.SetComp)
    return any(isinstance(n, made) or getattr(n, "id", "") in _SETS for n in nodes)


def repeated(
    trials: Trials, act: Act, constants: Sequence[Any] = (), *, sets: bool = False
) -> Iterator[tuple[int, dict[str, pl.DataFrame], Any, str | None]]:
    """Yield the number of a trial, its rows by input, and what `act` makes of them.

    And how what it makes of the same rows a moment later differs, where it does.
    """
    from mesh_notebook.mesh.rows import difference

    for number in _OF_SETS if sets else _ASKED:
        rows = trials.rows(number, constants, various=sets)
        one, other = (act({n: frame.lazy() for n, frame in rows.items()}) for _ in range(2))
        if one is not None and other is not None:
            yield number, rows, one, difference(one, other)
