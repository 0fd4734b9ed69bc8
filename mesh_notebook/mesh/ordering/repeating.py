"""What a transform makes of other rows, for two processes to compare where sets have a say.

Texts lie in a set in another order in each process. Where the rows at hand have one value, or the
same one first, nothing shows it; so both processes of a proof are asked on the same other rows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.trials import Trials

if TYPE_CHECKING:
    import polars as pl

__all__ = ["asks_sets", "repeated"]

_ASKED = (1, 2, 3, 4)  # of the ways in which rows are drawn
_SETS = ("set", "frozenset")
Act = Callable[[Mapping[str, Any]], "pl.DataFrame | None"]


def asks_sets(text: str) -> bool:
    """Return whether a module makes sets."""
    nodes = ast.walk(ast.parse(text))
    made = (ast.Set, ast.SetComp)
    return any(isinstance(n, made) or getattr(n, "id", "") in _SETS for n in nodes)


def repeated(
    trials: Trials, act: Act, constants: Sequence[Any] = ()
) -> Iterator[tuple[int, dict[str, pl.DataFrame], Any]]:
    """Yield the number of a trial, its rows by input, and what `act` makes of them each time."""
    from mesh_notebook.mesh.rows import difference

    for number in _ASKED:
        rows = trials.rows(number, constants, various=True)
        one, other = (act({n: frame.lazy() for n, frame in rows.items()}) for _ in range(2))
        if one is not None and other is not None and difference(one, other) is None:
            yield number, rows, one
