"""The formats of a description: which there are, which is meant, and a file written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mesh_notebook.errors import UsageError, near
from mesh_notebook.workspace.discovery.described import Described, DescriptionFile

__all__ = ["FORMATS", "deliver", "format_of"]

# By name: where the function stands that makes it; it is looked up on first use.
FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "text": ("text", "text"),
        "html": ("html", "page"),
        "json": ("json", "json"),
        "jsonld": ("jsonld", "jsonld"),
        "markdown": ("markdown", "markdown"),
    }
)
_ENDINGS = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".jsonld": "jsonld",
    ".md": "markdown",
}


def format_of(format: str | None, out: Path | None, json: bool) -> str | None:
    """Return the format that is meant; None where nothing says one: the answer is then shown.

    Raises
    ------
    UsageError
        It is not known, contradicts `--json`, or the file's ending does not say it.
    """
    if json and format not in (None, "json"):
        raise UsageError(
            f"--json and --format {format} are two formats.", next_step="give one of them"
        )
    named = "json" if json else format
    if named is None and out is not None:
        named = _ENDINGS.get(out.suffix.lower())
        if named is None:
            raise UsageError(
                f"{out.name} does not say which format to write.",
                next_step=f"add --format {', '.join(FORMATS)}",
            )
    if named is not None and named not in FORMATS:
        close = near(named, FORMATS)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UsageError(
            f"'{named}' is not a format of descriptions.",
            next_step=f"{meant}one of {', '.join(FORMATS)}",
            near=close,
        )
    return named


def deliver(
    described: Described, format: str | None, out: Path | None
) -> Described | DescriptionFile | str | dict[str, Any]:
    """Hand a description over: itself, in a format, or as a file that is written whole."""
    if format is None:
        return described
    made = _maker(format)(described)
    if out is None:
        return made
    from mesh_notebook.workspace.consume import write_whole

    write_whole(_as_text(made), out)
    return DescriptionFile(described.product, described.receipt, format, out)


def _maker(format: str) -> Callable[[Described], str | dict[str, Any]]:
    module, name = FORMATS[format]
    make: Callable[[Described], str | dict[str, Any]] = getattr(
        import_module(f"mesh_notebook.workspace.discovery.{module}"), name
    )
    return make


def _as_text(made: str | dict[str, Any]) -> str:
    import json

    if isinstance(made, str):
        return made
    return json.dumps(made, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
