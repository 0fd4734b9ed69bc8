"""What a source was declared with: its file, and the options that say how it is read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh_notebook.errors import as_typed
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.statements import Statement

__all__ = [
    *("MISSING", "declared_again", "declared_as", "option_of", "paths_of", "said_as", "says_so"),
]

_FLAGS = ("format", "separator", "decimal", "encoding", "skip", "null", "columns", "by_name")
MISSING = {"NA", "N/A", "NaN", "nan", "NULL", "null", "n/a", "None", "#N/A", "<NA>", "-nan"}
# Arguments of readers, by the option of a source that says the same of every row to come.
_OPTIONS = {
    "decimal": ("decimal", "decimal_comma"),
    "skip": ("skiprows", "skip_rows", "skip_lines"),
    "null": ("na_values", "null_values", "nullstr"),
}


def paths_of(statement: Statement) -> tuple[str, ...]:
    """Return the file or folder of an input; nothing where it is no source, or of several files.

    A file whose text is written plain first is read from a copy: it is known by its own path.
    """
    handle = statement.event.payload.get("input") if statement.event else None
    recipe = getattr(handle, "recipe", {})
    paths = getattr(getattr(handle, "data", None), "paths", ())
    if recipe.get("kind") != "source" or not paths:
        return ()
    own = str(recipe.get("uri", ""))
    if Path(own).exists():
        return (own,)
    return tuple(paths) if len(paths) == 1 else ()


def declared_as(path: str | Path, graph: Graph) -> str:
    """Return the name of the input that a file is declared as; empty where it is none."""
    whole = Path.cwd().joinpath(path).resolve()
    for statement in reversed(graph.statements):
        if any(Path(one).resolve() == whole for one in paths_of(statement)):
            return statement.names[0]
    return ""


def option_of(argument: str | None) -> str:
    """Return the option of a source that says what a reader's argument says; else nothing."""
    return next((option for option, names in _OPTIONS.items() if argument in names), "")


def says_so(argument: str | None, value: Any, recipe: Mapping[str, Any]) -> bool:
    """Return whether a source is declared with what a reader's argument says."""
    comma = recipe.get("decimal") == ","
    if argument == "thousands":
        return bool(comma and value == ".")
    option = option_of(argument)
    if option == "decimal":
        return comma and value in (",", True)
    if option == "skip":
        return isinstance(value, int) and int(value) == (recipe.get("skip") or 0)
    if option != "null":
        return False
    asked, own = set(_texts(value)), set(_texts(recipe.get("null") or ""))
    # pandas takes its own words for no value as well.
    return asked == own or (argument == "na_values" and own >= asked and own - asked <= MISSING)


def declared_again(
    name: str, path: Path | None, recipe: Mapping[str, Any], more: Mapping[str, Any]
) -> str:
    """Return the line that declares a source as it is, with options besides."""
    flags = [_flag(key, value) for key, value in {**recipe, **more}.items() if key in _FLAGS]
    return " ".join([f"%mesh source {name} {as_typed(path or '')}", *flags])


def said_as(argument: str | None, value: Any, recipe: Mapping[str, Any]) -> str:
    """Return what a source's option is to be given, so that it says what an argument says.

    Empty where it cannot, or where the source says something else already.
    """
    option = option_of(argument)
    if option == "null":
        own = _texts(recipe.get("null") or "") if argument == "na_values" else []
        return ",".join(dict.fromkeys([*(o for o in own if o in MISSING), *_texts(value)]))
    if not option or recipe.get(option):
        return ""
    if option == "decimal":
        return "," if value in (",", True) else ""
    return str(value) if isinstance(value, int) else ""


def _flag(key: str, value: Any) -> str:
    flag = f"--{key.replace('_', '-')}"
    if value is True:
        return flag
    said = ",".join(value) if isinstance(value, list | tuple) else str(value)
    return f"{flag} {shlex.quote(said)}"


def _texts(value: Any) -> Sequence[str]:
    """Return the texts that stand for no value, as a reader or a source is told them."""
    if isinstance(value, str):
        return [text for text in value.split(",") if text]
    many = value if isinstance(value, list | tuple | set) else [value]
    plain = all(isinstance(one, str | int | float) and not isinstance(one, bool) for one in many)
    return [str(one) for one in many] if plain else []
