"""What a port with differential privacy promises: the terms on which it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.model.policy_words import except_for, names, refuse_unknown

__all__ = ["Privacy"]


@dataclass(frozen=True)
class Privacy:
    """A port that answers noisy aggregates only (differential privacy).

    Attributes
    ----------
    subject : str
        The column that says whose a row is.
    budget : float
        The epsilon that each principal may spend, over all its questions.
    rows_each : int
        How many rows of one subject count, at most.
    bounds : dict
        By column that may be summed: its least and its greatest value; what is beyond is clamped.
    keys : dict
        By column that may be grouped by: its values, known to all beforehand.
    exempt : tuple of str
        Roles that read the rows.
    """

    subject: str
    budget: float
    rows_each: int = 1
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    keys: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    exempt: tuple[str, ...] = ()

    def said(self) -> str:
        return (
            f"answers noisy aggregates only, up to epsilon {self.budget:g} for each principal"
            f"{except_for(self.exempt)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as the policy writes it; only what is set."""
        raw = {
            "subject": self.subject,
            "budget": self.budget,
            "rowsEach": self.rows_each,
            "bounds": {column: list(bounds) for column, bounds in self.bounds.items()},
            "keys": {column: list(values) for column, values in self.keys.items()},
            "except": list(self.exempt),
        }
        return {name: value for name, value in raw.items() if value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Privacy:
        """Read back what `as_dict` gave; raises `ValueError` or `KeyError` where it is none."""
        refuse_unknown(raw, "subject", "budget", "rowsEach", "bounds", "keys", "except")
        ends = (raw.get("bounds") or {}).items()
        return cls(
            str(raw["subject"]),
            float(raw["budget"]),
            int(raw.get("rowsEach") or 1),
            {str(column): (float(low), float(high)) for column, (low, high) in ends},
            {str(column): tuple(values) for column, values in (raw.get("keys") or {}).items()},
            names(raw.get("except")),
        )
