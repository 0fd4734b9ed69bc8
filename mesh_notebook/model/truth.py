"""Which of its three truths an input shows: made up, a part, or all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.errors import UsageError, near
from mesh_notebook.model.origin import Origin

__all__ = ["DEFAULT_ROWS", "LIVE", "Truth"]

DEFAULT_ROWS = 1_000


@dataclass(frozen=True)
class Truth:
    """What is asked of an input.

    Attributes
    ----------
    mode : Origin
        `live`: the rows that are there. `sample`: some of them. `mock`: rows made from the
        contract. What comes back may be worse than what was asked: the live rows of a mocked
        product are mock.
    rows, seed : int
        Of a sample or a mock: how many rows, and which.
    """

    mode: Origin = Origin.LIVE
    rows: int = DEFAULT_ROWS
    seed: int = 0

    @classmethod
    def of(cls, mode: str, rows: int | None = None, seed: int | None = None) -> Truth:
        """Read what a person wrote; raises `UsageError`, which lists the known modes."""
        known = [origin.value for origin in Origin]
        if mode not in known:
            close = near(str(mode), known)
            meant = f"did you mean {close[0]}? " if close else ""
            raise UsageError(
                f"'{mode}' is no mode of an input.",
                next_step=f"{meant}known modes: {', '.join(known)}",
                mode=mode,
            )
        whole = Origin(mode) is Origin.LIVE
        if whole and (rows is not None or seed):
            raise UsageError(
                "live is all the rows there are, so neither rows nor a seed choose any.",
                next_step="leave out --rows and --seed, or add --mode sample or mock",
            )
        if rows is not None and (type(rows) is not int or rows < 1):
            raise UsageError(f"{rows} rows cannot be had.", next_step="give --rows 1 or more")
        return cls(Origin(mode), DEFAULT_ROWS if rows is None else rows, seed or 0)

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Truth:
        """Read back what `as_recipe` gave; a recipe that says no mode is live."""
        mode = recipe.get("mode", Origin.LIVE)
        if mode == Origin.LIVE:
            return LIVE
        return cls.of(mode, recipe.get("rows"), recipe.get("seed"))

    def as_recipe(self) -> dict[str, Any]:
        """Return what a recipe says of it; nothing where it is live."""
        if self.mode is Origin.LIVE:
            return {}
        return {"mode": self.mode.value, "rows": self.rows, "seed": self.seed}


LIVE = Truth()
