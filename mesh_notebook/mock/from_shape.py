"""Make a stand-in of a port: rows of its contract whose values lie as its snapshot's do.

What is known of the snapshot is its statistical shape alone: a few figures a column, and no row.
So columns go together as the contract's hints say, and not as they do in truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_notebook.mock.drafting import Draft, drawn_by, normal
from mesh_notebook.mock.from_contract import one_table
from mesh_notebook.mock.limits import countable

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.contract import Contract

__all__ = ["stand_in"]


def stand_in(
    contract: Contract,
    shape: Shape,
    rows: int,
    seed: int,
    populations: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Make `rows` rows that keep the contract, and lie as the shape says.

    Of a column that the shape says nothing of, the values are those of `from_contract.mock`; so
    are keys, unique columns and links to other products, lest they join no more. A column that a
    hint ties to another one follows that one. Numbers and times match the stored quantiles, but
    for the window or the limits that they are held to; instants are whole seconds. Nulls come in
    the share that they have, where the contract allows them.

    The same contract, shape, rows, seed and populations give the same frame.

    Raises
    ------
    ContractError, UsageError
        As `from_contract.mock` does.
    """
    countable(rows)
    one_table(contract)
    known = {normal(urn): count for urn, count in (populations or {}).items()}
    return Draft(drawn_by(contract, rows, known), rows, seed, known, shape).frame()
