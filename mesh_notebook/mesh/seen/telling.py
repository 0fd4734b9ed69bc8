"""What of a publication is news, held to what everybody may know of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.mesh.disclosure import told
from mesh_notebook.mesh.drift import EARLIER, moving
from mesh_notebook.mesh.earlier import snapshots_before
from mesh_notebook.mesh.seen.news import News, news_of, shape_seen
from mesh_notebook.model.seen import seen_of

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.policy import PortPolicy

__all__ = ["news_told"]


def news_told(
    shape: Shape,
    published: PublishedProduct | None,
    port: str,
    contract: Contract,
    policy: PortPolicy,
    origin: Origin,
) -> tuple[News, ...]:
    """Return what a port's shape shows that the last snapshots of one origin did not.

    Of a first publication, what the contract says was seen when it was exported stands for them.
    What the policy hides of the snapshots before is not told.
    """
    found = snapshots_before(published, port, origin) if published else []
    shapes = [told(one, policy, contract.event_time).shape for one in found if one.shape]
    before = shapes[:EARLIER] or [shape_seen(contract)]
    # That a handful of values differed makes none of them a number of its row.
    few = {column.name for column in contract.columns if "different" in seen_of(column.raw)}
    return news_of(shape, before, moving(contract) - few)
