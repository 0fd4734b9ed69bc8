"""What is asked of a source, as its recipe keeps it; and the world in which it is opened."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mesh_notebook.errors import UsageError

__all__ = ["Asked", "World"]

_WORD = re.compile(r":\w+")
_LIMITS = {":from", ":to"}


@dataclass(frozen=True)
class Asked:
    """A source as a person asked for it; nothing in it is secret, for a bundle keeps it.

    Attributes
    ----------
    uri : str
        A file, glob or folder; `app.db#table`, `book.xlsx#Sheet`; `s3://`, `https://`,
        `postgresql://host/db#schema.table`.
    null : str, optional
        What a CSV writes where it has no value (`NA`, or several: `NA,-999`), beside nothing at
        all.
    format : str, optional
        What it is, where its name does not say so: a kind of file, or `api`.
    separator, decimal, encoding : str, optional
        Of a CSV: what stands between fields and before a fraction, and how its bytes are read.
        Default: the likeliest of `,;|` and tab, a point, UTF-8.
    skip : int, optional
        Of a CSV: how many lines stand above its header.
    columns : tuple of str
        Of a CSV: the names of its columns, where no line names them.
    by_name : bool
        Of several files: a column that a file lacks is null there, and any order will do.
    query : str, optional
        Of PostgreSQL: what to read in place of a table. `:from` and `:to` in it are `start` and
        `end`.
    event_time : str, optional
        The column that says when a row happened, by which the source can be cut.
    start, end : str, optional
        Of which event times it is read, from one instant to another (not included), as `model.time`
        writes instants.
    records : str, optional
        Of an API: the dotted path of the list of records in an answer.
    next : str, optional
        Of an API: the dotted path of the next page's URL, or `PARAMETER=PATH` of a cursor;
        `none` where one page is the whole.
    page, offset : str, optional
        Of an API: the query parameter that counts pages, or records.
    max_pages : int, optional
        Of an API: after how many pages it is an error that there are more.
    token_env : str, optional
        The name of the environment variable that holds the token.
    token_header : str, optional
        The header in which the token is sent as it is; default: `Authorization: Bearer …`.
    """

    uri: str
    null: str | None = None
    format: str | None = None
    records: str | None = None
    next: str | None = None
    page: str | None = None
    offset: str | None = None
    max_pages: int | None = None
    token_env: str | None = None
    token_header: str | None = None
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip: int | None = None
    columns: tuple[str, ...] = ()
    by_name: bool = False
    query: str | None = None
    event_time: str | None = None
    start: str | None = None
    end: str | None = None

    @property
    def is_cuttable(self) -> bool:
        """Whether the source can be cut to a window of event time."""
        return bool(self.event_time or (self.query and set(_WORD.findall(self.query)) >= _LIMITS))

    @property
    def null_values(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.null or "").split(",")))

    @property
    def paged(self) -> bool:
        """Whether something was asked for that only an API has."""
        return any((self.records, self.next, self.page, self.offset, self.max_pages))

    @property
    def of_text(self) -> tuple[str, ...]:
        """The flags that were given and that only a CSV has."""
        flags = ("separator", "decimal", "encoding", "skip", "columns")
        return tuple(f"--{flag}" for flag in flags if getattr(self, flag))

    def recipe(self) -> dict[str, Any]:
        """Return how to open the source again, as a product's `inputPorts` keep it."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        said = {k: v for k, v in given.items() if v not in (None, (), False)}
        if self.columns:
            said["columns"] = list(self.columns)
        return {"kind": "source", **said}

    @classmethod
    def of_recipe(cls, recipe: Mapping[str, Any]) -> Asked:
        """Read back what `recipe` gave; what a later version adds to it is left aside."""
        known = {f.name: recipe[f.name] for f in fields(cls) if f.name in recipe}
        return cls(**{**known, "columns": tuple(recipe.get("columns", ()))})


def _silent(_: str) -> None: ...


@dataclass(frozen=True)
class World:
    """What surrounds the opening of a source.

    Attributes
    ----------
    base : Path
        What a relative path is relative to.
    environ : mapping
        Where secrets, and the folder for captures, are named.
    progress : callable
        Told, in a few words, what takes its time.
    pause : callable
        Waits for so many seconds.
    patience : float
        How long another machine may keep silent, seconds.
    """

    base: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    progress: Callable[[str], None] = _silent
    pause: Callable[[float], None] = time.sleep
    patience: float = 30.0

    def secret(self, name: str) -> str:
        """Return an environment variable, or raise `UsageError` where it is not set."""
        if not name.isidentifier():
            # It may be the token itself, so it is not said again.
            raise UsageError(
                "--token-env takes the name of an environment variable, not a token.",
                next_step="put the token in the environment, and name the variable: "
                "--token-env API_TOKEN",
            )
        if value := self.environ.get(name):
            return value
        raise UsageError(
            f"the environment variable {name} is not set, so there is no token to send.",
            next_step="set it before Jupyter starts, or ask for it where no cell keeps it: "
            f"import os, getpass; os.environ['{name}'] = getpass.getpass()",
            variable=name,
        )
