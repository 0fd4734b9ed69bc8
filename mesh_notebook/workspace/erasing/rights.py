"""Who may erase from a port: asked before anything is told of whom it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.model.policy_words import either

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.policy import Asker, PortPolicy

__all__ = ["eraser_roles", "refuse_eraser"]


def eraser_roles(policy: PortPolicy) -> tuple[str, ...]:
    """Return the roles that may erase: those that are named, else those that see the subject."""
    mask = policy.mask(policy.subject)
    return policy.erasers or (mask.exempt if mask else ())


def refuse_eraser(published: PublishedProduct, policy: PortPolicy, asker: Asker) -> None:
    """Raise `AccessDenied` unless who asks deployed the product last, or has one of the roles."""
    owner = published.latest().principal
    asks = principal_of(published.root, asker)
    roles = eraser_roles(policy)
    if asks.name == owner or asks.is_one_of(roles):
        return
    port = f"{published.name}/{policy.port}"
    who = f"{owner or 'somebody'}, who deployed it"
    takes = f"it takes {either(roles)}, or {who}" if roles else f"it takes {who}"
    step = f"ask {who}"
    if roles:
        step += f". Who may grant it says %mesh grant {asks.name} {roles[0]}"
    raise AccessDenied(
        f"{asks.name} may not erase from {port}: {takes}.",
        next_step=f"{step}; mesh --principal NAME erase … asks as who may",
        reasons=(takes,),
        roles=roles,
    )
