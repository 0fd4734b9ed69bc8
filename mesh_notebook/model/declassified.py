"""What an output shows although an input hides it, and why: declassified on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.model.policy_words import names, refuse_unknown

__all__ = ["Declassified"]


@dataclass(frozen=True)
class Declassified:
    """A rule of an input that an output does not carry over.

    Attributes
    ----------
    column : str
        The output's column; empty where rows, readers or purposes are meant.
    of : tuple of str
        What it is of: the URN of an upstream port, or of a column of one (`urn:…#uid`). A column
        that comes to hold something else besides is not declassified for that.
    because : str
        Why, in the words of who did it.
    by : str
        Who did it: it takes the role that sees the upstream in the clear.
    """

    column: str
    of: tuple[str, ...]
    because: str
    by: str = ""

    def said(self) -> str:
        """Say it in words: `uid is shown as it is, declassified by ana: counsel agreed`."""
        what = f"{self.column} is shown as it is" if self.column else "the port is open"
        who = f" by {self.by}" if self.by else ""
        return f"{what}, declassified{who}: {self.because} (of {', '.join(self.of)})"

    def as_dict(self) -> dict[str, Any]:
        raw = {"column": self.column, "of": list(self.of), "because": self.because, "by": self.by}
        return {name: value for name, value in raw.items() if value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Declassified:
        """Read back what `as_dict` gave; raises `ValueError` or `KeyError` where it is none."""
        refuse_unknown(raw, "column", "of", "because", "by")
        because = str(raw["because"]).strip()
        if not because:
            raise ValueError("it is declassified, and nothing says why")
        column, by = str(raw.get("column") or ""), str(raw.get("by") or "")
        return cls(column, names(raw["of"]), because, by)
