"""What of a publication is news, held to what everybody may know of those before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mesh_notebook.mesh.disclosure import told
from mesh_notebook.mesh.drift import EARLIER, moving
from mesh_notebook.mesh.seen.news import News, news_of, shape_seen
from mesh_notebook.model.seen import seen_of

if TYPE_CHECKING:
    from mesh_notebook.mesh.changes import Change
    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.policy import PortPolicy
    from mesh_notebook.model.receipt import PortSnapshot

__all__ = ["news_told", "or_strict"]


def news_told(
    shape: Shape, before: Sequence[PortSnapshot], contract: Contract, policy: PortPolicy | None
) -> tuple[News, ...]:
    """Return what a port's shape shows that the snapshots before it did not.

    What the policy hides of those is not told.

    Parameters
    ----------
    before : sequence of PortSnapshot
        Newest first, of the same origin. Where there is none, what the contract says was seen when
        it was exported stands for them.
    """
    shapes = [told(one, policy, contract.event_time).shape for one in before if one.shape]
    known = shapes[:EARLIER] or [shape_seen(contract)]
    # That a handful of values differed makes none of them a number of its row.
    few = {column.name for column in contract.columns if "different" in seen_of(column.raw)}
    return news_of(shape, known, moving(contract) - few)


def or_strict(changes: Iterable[Change], contracts: Mapping[str, Contract]) -> str:
    """Say how to go on demanding what was demanded before, and is only seen now; else nothing.

    So it is where a port was published before inference told the two apart.
    """
    ports = [c.port for c in changes if c.loosens and c.column and _only_seen(c, contracts)]
    if not ports:
        return ""
    return f"; or demand it as before: %mesh output {ports[0]} … --strict, and export again"


def _only_seen(change: Change, contracts: Mapping[str, Contract]) -> bool:
    columns = contracts[change.port].columns if change.port in contracts else ()
    return any(column.name == change.column and seen_of(column.raw) for column in columns)
