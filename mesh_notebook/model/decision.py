"""What a port does for one principal, and why: the same in every mode."""

from __future__ import annotations

from dataclasses import dataclass

from mesh_notebook.model.policy import Mask, PortPolicy, Principal, RowFilter

__all__ = ["Decision"]


@dataclass(frozen=True)
class Decision:
    """A policy, applied to one principal.

    Attributes
    ----------
    forbidden : tuple of str
        What the rules of the mesh have against it. They can forbid, and never widen.
    """

    policy: PortPolicy
    principal: Principal
    forbidden: tuple[str, ...] = ()

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the rows may not be read; nothing at all where they may."""
        access, asks, reasons = self.policy.access, self.principal, list(self.forbidden)
        if self.lacks_role:
            reasons.append(f"it takes one of the roles {', '.join(access.roles)}")
        if access.purposes and asks.purpose not in access.purposes:
            reasons.append(f"it may be read for {', '.join(access.purposes)} only")
        if self.policy.privacy and not asks.is_one_of(self.policy.privacy.exempt):
            reasons.append("it answers noisy aggregates only")
        return tuple(reasons)

    @property
    def allowed(self) -> bool:
        return not self.refusals

    @property
    def counts(self) -> bool:
        """Whether who asks may know how many rows there are: who may read all of them."""
        return self.allowed and not self.filters

    @property
    def asks_instead(self) -> bool:
        """Whether all that stands in the way is that the port answers aggregates only."""
        return self.policy.privacy is not None and len(self.refusals) == 1 and not self.forbidden

    @property
    def lacks_role(self) -> bool:
        """Whether it takes a role to read at all that this principal does not have, or not use."""
        roles = self.policy.access.roles
        return bool(roles) and not self.principal.is_one_of(roles)

    @property
    def lacks_purpose(self) -> bool:
        """Whether all that stands in the way is that nobody said what for."""
        unsaid = bool(self.policy.access.purposes) and not self.principal.purpose
        return unsaid and len(self.refusals) == 1

    @property
    def filters(self) -> tuple[RowFilter, ...]:
        """The row filters that hold for this principal."""
        return tuple(r for r in self.policy.rows if not self.principal.is_one_of(r.exempt))

    def mask(self, column: str) -> Mask | None:
        """Return the mask through which this principal sees a column; None where it sees it all."""
        mask = self.policy.mask(column)
        return mask if mask and not self.principal.is_one_of(mask.exempt) else None

    def said(self) -> tuple[str, ...]:
        """Say what holds for this principal and why, a line a rule."""
        if not self.policy and not self.forbidden:  # then nobody looks at roles
            return ("no policy is set: everybody reads everything",)
        asks = self.principal
        roles = f"as {', '.join(sorted(asks.roles))}" if asks.roles else "without a role"
        purpose = f", for {asks.purpose}" if asks.purpose else ""
        lines = [f"{asks.name} asks {roles}{purpose}"]
        lines += [f"refused: {reason}" for reason in self.refusals]
        for rule in self.policy.rows:
            shown = "only" if rule in self.filters else "all rows, not only"
            lines.append(f"rows: {shown} those where {rule.where}{self._by(rule.exempt)}")
        for mask in self.policy.masks:
            how = mask.kind if self.mask(mask.column) else "as it is"
            lines.append(f"{mask.column}: {how}{self._by(mask.exempt)}")
        lines += [one.said() for one in self.policy.declassified]
        return tuple(lines)

    def _by(self, exempt: tuple[str, ...]) -> str:
        if roles := sorted(self.principal.roles.intersection(exempt)):
            return f", since {self.principal.name} is {roles[0]}"
        return f" (but for {', '.join(exempt)})" if exempt else ""
