"""How many rows of an input stand behind each row of an output that only adds up groups of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.inheritance.obligations import Obligation
from mesh_notebook.mesh.inputs import OpenedInput, ReplayInput
from mesh_notebook.mesh.replay import replay, rows_in
from mesh_notebook.model.address import python_name
from mesh_notebook.model.lineage import PortLineage

__all__ = ["Smallest", "smallest_in", "without_large_groups"]

# From a port, its parameters and the inputs to the rows of its smallest group.
Smallest = Callable[[str, Sequence[str], Mapping[str, "ReplayInput | OpenedInput"]], int]
_COUNT = "_mesh_notebook_smallest"

# Runs a port's function, and counts the rows of the groups that it was asked for: of those that it
# gives where its rows still say which they are, else of all.
_COUNTING = """

def {count}({parameters}):
    import polars as _pl

    kept, sizes = _pl.LazyFrame.group_by, []

    def group_by(frame, *by, **more):
        sizes.append(kept(frame, *by, **more).agg(_pl.len().alias("{count}")).collect())
        return kept(frame, *by, **more)

    _pl.LazyFrame.group_by = group_by
    try:
        made = {function}({parameters}).lazy().collect()
    finally:
        _pl.LazyFrame.group_by = kept
    [groups] = sizes
    keys = [name for name in groups.columns if name != "{count}"]
    if set(keys) <= set(made.columns):
        given = groups.join(made.select(keys).unique(), on=keys, nulls_equal=True)
        groups = given if given.height == made.height else groups
    return groups.select(_pl.col("{count}").min()).lazy()
"""


def smallest_in(transform: str) -> Smallest:
    """Return what counts the smallest group of a port of a module, given as text."""

    def smallest(
        port: str, parameters: Sequence[str], inputs: Mapping[str, ReplayInput | OpenedInput]
    ) -> int:
        names = {
            "count": _COUNT,
            "function": python_name(port),
            "parameters": ", ".join(parameters),
        }
        with tempfile.TemporaryDirectory() as folder:
            module = Path(folder) / "transform.py"
            module.write_text(transform + _COUNTING.format(**names), "utf-8")
            made = replay(module, [_COUNT], inputs, Path(folder))
            return int(rows_in(made[_COUNT]).item() or 0)

    return smallest


def without_large_groups(
    owed: Sequence[Obligation],
    told: PortLineage,
    count: Callable[[], int],
) -> list[Obligation]:
    """Return what is owed less what an aggregate of enough rows does not owe.

    Parameters
    ----------
    count : callable
        Returns the rows of the smallest group; it takes a run, and is asked at most once.
    """
    open_to_all = [one for one in owed if one.aggregates and _adds_up(one, told)]
    if not open_to_all:
        return list(owed)
    try:
        rows = count()
    except MeshError:  # nobody knows how many there are
        return list(owed)
    return [one for one in owed if one not in open_to_all or rows < one.aggregates]


def _adds_up(one: Obligation, told: PortLineage) -> bool:
    """Whether a port only adds up what an obligation is about, and no key is made of it."""
    grouped = told.grouped
    column = one.of.partition("#")[2]
    return grouped is not None and grouped.input == one.input and column not in grouped.keyed
