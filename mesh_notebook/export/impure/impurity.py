"""One reason why a statement cannot be repeated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Impurity"]


@dataclass(frozen=True)
class Impurity:
    """What a statement asks for that answers otherwise in another run.

    Attributes
    ----------
    said : str
        The code, as written.
    what : str
        What it does: `reads the clock`.
    fix : str
        What to write instead.
    """

    said: str
    what: str
    fix: str
