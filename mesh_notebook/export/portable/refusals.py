"""What goes to other engines, and what stays: the expression, its cell, and why."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ENGINES", "CannotGo", "NotPortable", "Portable"]

ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class NotPortable:
    """One expression that another engine would not compute as Polars does.

    Attributes
    ----------
    engine : str
        'duckdb' or 'spark'; empty for both.
    port : str
        The output port that needs it.
    cell : str
        The cell that it comes from, as a person sees it; empty where it is unknown.
    expression : str
        As it stands in `transform.py`.
    why : str
        In a few words.
    """

    engine: str
    port: str
    cell: str
    expression: str
    why: str


@dataclass(frozen=True)
class Portable:
    """The module for other engines, and what keeps it from them.

    Attributes
    ----------
    text : str or None
        None where no other engine can run the transform.
    proved : tuple of str
        The engines, besides Polars, that ran it and gave the notebook's rows.
    """

    text: str | None
    refusals: tuple[NotPortable, ...] = ()
    proved: tuple[str, ...] = ()

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that can run every port."""
        if self.text is None:
            return ()
        kept = {refusal.engine for refusal in self.refusals}
        return tuple(engine for engine in ENGINES if not kept & {"", engine})

    @property
    def verdicts(self) -> dict[str, str]:
        """By engine: 'proved', 'translated' (it can go, and was not run there) or 'refused'."""
        goes = dict.fromkeys(self.engines, "translated")
        proved = dict.fromkeys(self.proved, "proved")
        return {"polars": "proved", **dict.fromkeys(ENGINES, "refused"), **goes, **proved}

    def told(self) -> dict[str, Any]:
        """Return what a receipt says of it."""
        return {"engines": self.verdicts, "notPortable": [asdict(r) for r in self.refusals]}

    @property
    def files(self) -> dict[str, bytes]:
        """By path: what of it stands in the bundle."""
        return {} if self.text is None else {"portable.py": self.text.encode()}


class CannotGo(Exception):
    """An expression has no equal in Narwhals; told where it stands, and why."""

    def __init__(self, node: ast.AST, why: str) -> None:
        self.node, self.why = node, why
        super().__init__(why)

    @property
    def expression(self) -> str:
        text = ast.unparse(self.node)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 120
