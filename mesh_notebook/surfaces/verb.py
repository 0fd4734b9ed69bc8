"""What a verb is, and the arguments that many verbs share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    *(
        "AS",
        "AS_OF",
        "PRINCIPAL",
        "PRODUCT",
        "PURPOSE",
        "WINDOW",
        "Argument",
        "Kind",
        "Verb",
        "one",
    ),
]

Kind = Literal["text", "whole", "number", "flag", "list", "some", "pair", "rest"]


@dataclass(frozen=True)
class Argument:
    """One argument of a verb.

    Attributes
    ----------
    name : str
        The method's parameter.
    flag : str
        `--name` as it is typed; empty for a positional argument.
    kind : str
        `text`, `whole` (a number without a fraction), `number`, `flag` (no value), `list`
        (comma-separated), `some` (a list, or all where none is given), `pair` (two words), or
        `rest` (all words that are left).
    """

    name: str
    help: str
    flag: str = ""
    kind: Kind = "text"
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        shown = "|".join(self.choices) or self.name.upper()
        if self.kind == "rest":
            shown += "…"
        if self.kind == "pair":
            shown = "FROM TO"
        if self.kind == "some":
            shown = f"[{shown}]"
        if self.flag:
            shown = self.flag if self.kind == "flag" else f"{self.flag} {shown}"
        return shown if self.required else f"[{shown}]"


JSON = Argument("as_json", "the answer as JSON, under keys that stay", "--json", "flag", False)


@dataclass(frozen=True)
class Verb:
    """One thing a person can do, at one step of the path.

    Attributes
    ----------
    cell : str
        The parameter that takes the body of a `%%mesh` cell; empty for a line magic.
    shell : bool
        Whether it makes sense as `mesh VERB …` in a shell, where no notebook's names exist.
    caution : str
        What one must know before it is used on what somebody else made.
    reads : bool
        Whether its answer is also had as JSON, by `--json` (see `surfaces.as_json`).
    """

    name: str
    step: str
    summary: str
    example: str
    arguments: tuple[Argument, ...] = field(default=())
    cell: str = ""
    shell: bool = False
    caution: str = ""
    reads: bool = False

    @property
    def typed(self) -> tuple[Argument, ...]:
        """What can be typed: the method's arguments, and how its answer is shown."""
        return (*self.arguments, JSON) if self.reads else self.arguments

    @property
    def usage(self) -> str:
        return " ".join([self.name, *(a.usage for a in self.typed)])


def one(name: str, help: str, **more: Any) -> Argument:
    """Return an argument that must be given."""
    return Argument(name, help, required=True, **more)


PRODUCT = one("product", "a product, product/port, domain/product, or URN")
AS = Argument("name", "the Python name to bind", "--as")
PRINCIPAL = Argument(
    "principal", "who asks (default: you, or as `mesh --principal` says)", "--principal", default=""
)
PURPOSE = Argument(
    "purpose", "what it is read for (default: MESH_PURPOSE)", "--purpose", default=""
)
AS_OF = Argument("as_of", "as known at this processing time", "--as-of")
WINDOW = (
    Argument("start", "event time from (included): 2026-10-04, 2026-10, yesterday, P7D", "--from"),
    Argument("end", "event time to (not included)", "--to"),
    AS_OF,
)
