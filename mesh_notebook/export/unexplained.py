"""Names that came to mean something else, or grew, though no statement of a cell says so."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_notebook.export.effects import Effects
from mesh_notebook.export.record import ExecutedCell

__all__ = ["BY_HAND", "moved_before", "unexplained"]

# Between two cells: by a widget, a thread, a debugger, or code that the notebook does not show.
BY_HAND = "by no cell"


def moved_before(cell: ExecutedCell) -> Iterator[tuple[Effects, str]]:
    """Yield the names that came to mean something else between the cell before and this one."""
    if names := sorted(name for name, moved in cell.moved.items() if moved.anew):
        yield Effects(binds=dict.fromkeys(names, True)), BY_HAND


def unexplained(
    cell: ExecutedCell, before: ExecutedCell, bound: set[str], said: str
) -> Iterator[tuple[Effects, str]]:
    """Yield what a cell changed, by the names that it had before and that it left behind.

    Parameters
    ----------
    bound : set of str
        Names that its statements bind.
    said : str
        The magic in it that may have bound others.
    """
    ids = {**before.ids, **{name: moved.identity for name, moved in cell.moved.items()}}
    sizes = {**before.sizes, **{name: moved.size for name, moved in cell.moved.items()}}
    anew = {n for n, i in cell.ids.items() if ids.get(n) != i} - bound
    grown = {n for n, size in cell.sizes.items() if sizes.get(n) != size} - bound - anew
    for names, certain, reason in (
        (anew, True, said or "other means than an assignment"),
        (grown, False, said or "means that its code does not show"),
    ):
        if names:
            yield Effects(binds=dict.fromkeys(sorted(names), certain)), reason
