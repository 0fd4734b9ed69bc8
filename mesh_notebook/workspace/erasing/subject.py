"""Erasing one subject from every snapshot of a port, by whoever may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.workspace.erasing.rights import refuse_eraser

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.workspace.session import Session

__all__ = ["Erased", "erase", "erase_from"]


@dataclass(frozen=True)
class Erased:
    """That one subject's values can be read by nobody any more, in any snapshot.

    `also` names the product's other ports that are sealed by the same column: they share its keys.
    `shared` names the keys under which its token joined with other products; `remade` those of them
    whose holders can make the old token again (see `mesh.pseudonyms`).
    """

    product: str
    port: str
    column: str
    snapshots: int
    also: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()


def erase(session: Session, product: str, subject: str, port: str | None) -> Erased:
    """Destroy the key of one subject, so that its values are gone from every snapshot."""
    published, named = session.catalogue.resolve(product)
    return erase_from(session, published, subject, port or named)


def erase_from(
    session: Session, published: PublishedProduct, subject: str, port: str | None
) -> Erased:
    """Erase a subject from one port, and from those that share its keys.

    Raises
    ------
    AccessDenied
        Who asks may not erase from each of them. It is not told whether the subject is there.
    UsageError
        Nobody can be erased from the port, or nobody of that name is there.
    """
    from mesh_notebook.mesh import pseudonyms
    from mesh_notebook.mesh.erasure import Subjects
    from mesh_notebook.mesh.filtering import forget_filtered
    from mesh_notebook.mesh.journal import Journal
    from mesh_notebook.model.time import iso

    receipt = published.latest()
    spec = published.product(receipt)
    name = spec.output(port).name
    policy = PortPolicy.of(spec, name)
    if not policy.subject:
        raise UsageError(
            f"nothing can be erased from {published.name}/{name}: its values are not sealed by "
            "subject.",
            next_step=f"%mesh protect {name} --erasable COLUMN, and deploy: then, and for what is "
            "published from then on",
        )
    policies = [PortPolicy.of(spec, output.name) for output in spec.outputs]
    alike = [one for one in policies if one.subject == policy.subject]
    for one in alike:
        refuse_eraser(published, one, session.asker())
    subjects = Subjects(str(spec.address), policy.subject)
    if not subjects.found([subject]):
        raise UsageError(
            f"{published.name}/{name} holds nobody of that {policy.subject}, or holds nothing of "
            "them any more.",
            next_step=f"is it written as the {policy.subject} is in the rows? Who was erased "
            "before, through whichever port, is gone",
        )
    masks = [mask for one in alike if (mask := one.mask(one.subject)) and mask.key]
    shared = tuple(dict.fromkeys(mask.key for mask in masks))
    # First, so that what is killed in between is begun again: the subject is still known.
    for key in shared:
        pseudonyms.forget(key, subject)
    subjects.erase(subject)
    forget_filtered()
    Journal(published.root, published.domain, published.name, "erasures").append(
        lambda before: {"at": iso(session.clock()), "by": session.principal, "port": name}
    )
    also = tuple(one.port for one in alike if one.port != name)
    remade = tuple(key for key in shared if not pseudonyms.forgets(key))
    count = len(published.snapshots())
    return Erased(published.name, name, policy.subject, count, also, shared, remade)
