"""The view that a reader has of a port: the masks and the row filters that are in force for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Mask

__all__ = ["View", "how"]


@dataclass(frozen=True)
class View:
    """What a port showed to one reader, whoever it was.

    Attributes
    ----------
    roles : tuple of str
        Those of the reader's roles that the port's policy names.
    purpose : str
        What for, where the policy allows some purposes only.
    masks : dict
        By column: the mask in force, as the policy writes it, less who is exempt.
    rows : tuple of str
        The row filters in force.
    """

    roles: tuple[str, ...] = ()
    purpose: str = ""
    masks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: tuple[str, ...] = ()

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Return the view that a policy gives to who asks."""
        policy, asks = decision.policy, decision.principal
        in_force = (decision.mask(mask.column) for mask in policy.masks)
        return cls(
            tuple(sorted(asks.roles & policy.roles)),
            asks.purpose if policy.access.purposes else "",
            {mask.column: how(mask) for mask in in_force if mask},
            tuple(sorted(rule.where for rule in decision.filters)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as the recipe of an input holds it; nothing where all is seen by everybody."""
        raw = {
            "roles": list(self.roles),
            "purpose": self.purpose,
            "masks": {column: dict(mask) for column, mask in self.masks.items()},
            "rows": list(self.rows),
        }
        return {name: value for name, value in raw.items() if value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read back what `as_dict` gave."""
        return cls(
            tuple(raw.get("roles") or ()),
            str(raw.get("purpose") or ""),
            dict(raw.get("masks") or {}),
            tuple(sorted(raw.get("rows") or ())),
        )


def how(mask: Mask) -> dict[str, Any]:
    """Return what a mask shows; who is exempt makes no difference to what the others see."""
    return {k: v for k, v in mask.as_dict().items() if k not in ("column", "except")}
